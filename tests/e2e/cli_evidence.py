# SPDX-License-Identifier: Apache-2.0
"""Evidence that has to last: the same answer years later and anywhere, dates that do not depend on
the ledger's clock, and hospitals that believe each other."""
import hashlib
import os
import shutil
import subprocess
import sys
import time

from cli_world import alter_pixels, codes, compress
from support import PROJECT, Fiducia

sys.path.insert(0, str(PROJECT / "tests/reference"))
import authority  # noqa: E402
import cbor  # noqa: E402
import stamps  # noqa: E402

DAY = 86400


class Stamper:
    """A time-stamp authority of the reference implementation, valid for 60 days around now."""

    def __init__(self, name):
        self.name, self.now = name, int(time.time())
        self.root = authority.Authority(name + " root", self.now, days=60)
        self.key, self.certificate = self.root.stamper(name, until=30)

    def stamp(self, evidence, when):
        """The evidence with a token over its checkpoint added."""
        map_ = cbor.decode(evidence)
        text = map_[7].rsplit("\n\n", 1)[0].encode() + b"\n"
        map_[8] = map_.get(8, []) + [stamps.make(self.key, self.certificate,
                                                 hashlib.sha256(text).digest(), when)]
        return cbor.encode(map_)

    def table(self):
        return ('\n[[tsa]]\nname = "%s"\ncertificate = \'\'\'\n%s\'\'\'\n'
                % (self.name, self.root.pem()))


def demanding(trust_text, count, *stampers):
    """The trust file with time-stamps asked for."""
    text = trust_text.replace("version = 1\n", "version = 2\n").replace(
        "\nquorum = ", "\ntime_stamps = %d\nquorum = " % count)
    return text + "".join(stamper.table() for stamper in stampers)


def export(world, path, target, program=None):
    answer = world.run("export", path, "--out", target, program=program)
    if answer.code != 0:
        raise AssertionError(f"cannot export: {answer}")
    return target.read_bytes()


def test_the_same_answer_years_later(world, folder, checks):
    """`verify --evidence E --trust T --at TIME`: the same bytes whatever the day, the place, the
    home, the language."""
    program = world.new_home(folder / "home")
    parcel = folder / "parcel"
    parcel.mkdir()
    shutil.copy(world.ct, parcel / "ct.dcm")
    shutil.copy(world.mr, parcel / "altered.dcm")
    answer = world.run("seal", parcel, program=program)
    checks.equal(answer.code, 0, "seals", answer)
    stamper = Stamper("Example TSA")
    evidence = export(world, parcel / "ct.dcm", folder / "one.evidence", program)
    (parcel / "one.evidence").write_bytes(stamper.stamp(evidence, int(time.time())))
    export(world, parcel, folder / "both.evidence", program)
    parts = [stamper.stamp(item, int(time.time())) for item in
             cbor.split_items((folder / "both.evidence").read_bytes())]
    (parcel / "both.evidence").write_bytes(bytes([0x80 | len(parts)]) + b"".join(parts))
    trust = demanding((folder / "home/trust.toml").read_text(), 1, stamper)
    (parcel / "trust.toml").write_text(trust)
    compress(parcel / "ct.dcm", parcel / "compressed.dcm")
    alter_pixels(parcel / "altered.dcm")

    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + DAY))
    command = [str(world.program.program), "verify", "ct.dcm", "altered.dcm", "compressed.dcm",
               "--json", "--evidence", "both.evidence", "--trust", "trust.toml", "--at", at]
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}

    def judge(*before, where=parcel, more=(), **variables):
        done = subprocess.run([*before, *command, *more], cwd=where, capture_output=True,
                              env={**environment, **variables})
        return done.returncode, done.stdout

    first = judge()
    checks.equal(first[0], 2, "the worst of authentic and altered", first)
    checks.equal((first[1].count(b'"verdict":"authentic"'), first[1].count(b'"verdict":"altered"')),
                 (2, 1), "two are authentic, one is altered", first)
    checks.equal(first[1].count(b'"dated_by":"tsa"'), 3, "the authority dates them", first)
    checks.that(b'"time_stamps":["Example TSA"]' in first[1], "and is named", first)

    for day in ("2026-12-01", "2031-06-15", "2049-12-31", "2017-01-01"):
        checks.equal(judge("faketime", day + " 12:00:00"), first, f"the same on {day}")
    for name, variables in {
            "language": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8"},
            "C locale": {"LC_ALL": "C"},
            "time zone": {"TZ": "Asia/Kathmandu"},
            "another home": {"FIDUCIA_HOME": str(world.home)},
            "its own home": {"FIDUCIA_HOME": str(folder / "home")},
            "no such home": {"FIDUCIA_HOME": "/nonexistent/home"},
            "data home": {"XDG_DATA_HOME": str(folder)},
            "one worker": {"FIDUCIA_WORKERS": "1"}}.items():
        checks.equal(judge(**variables), first, f"the same: {name}")
    checks.equal(judge(more=("--home", str(world.home))), first, "the same with --home of another")

    elsewhere = folder / "elsewhere/deep"
    shutil.copytree(parcel, elsewhere)
    checks.equal(judge(where=elsewhere), first, "the same from another folder")
    (elsewhere / "ct.dcm.evidence").write_bytes(b"\xa0 not evidence")
    shutil.copy(folder / "one.evidence", elsewhere / "altered.dcm.evidence")
    checks.equal(judge(where=elsewhere), first, "the same with other evidence beside the files")
    for path in elsewhere.iterdir():
        os.utime(path, (1, 1))
    checks.equal(judge(where=elsewhere), first, "the same whatever the dates of the files")
    shutil.rmtree(folder / "home/ledger")
    checks.equal(judge(FIDUCIA_HOME=str(folder / "home")), first, "the same without the ledger")
    shutil.rmtree(folder / "home")
    checks.equal(judge("faketime", "2049-12-31 12:00:00"), first, "and when the hospital is gone")

    # Not asked for a moment, the answer is about all that the evidence and the trust file say.
    before = command[:]
    del command[-2:]
    whole = judge()
    checks.equal(judge("faketime", "2049-12-31 12:00:00"), whole, "no clock is read without --at")
    command[:] = before[:-1] + ["2020-01-01"]
    early = judge()
    checks.that(b"seal.later" in early[1] and b"ledger.unstamped" in early[1],
                "before it was made, neither seal nor stamp counts", early)


def test_time_stamps_date_a_seal(world, folder, checks):
    """A thief with the keys of device and ledger cannot make a seal look older."""
    program = world.new_home(folder / "home")
    shutil.copy(world.ct, folder / "ct.dcm")
    answer = world.run("seal", folder / "ct.dcm", program=program)
    checks.equal(answer.code, 0, "seals", answer)
    plain = export(world, folder / "ct.dcm", folder / "plain.evidence", program)
    first, second = Stamper("First"), Stamper("Second")
    now, text = int(time.time()), (folder / "home/trust.toml").read_text()

    def judged(evidence, trust, *more):
        (folder / "e").write_bytes(evidence)
        (folder / "t.toml").write_text(trust)
        answer, line = world.verify(folder / "ct.dcm", "--evidence", folder / "e", "--trust",
                                    folder / "t.toml", *more, program=world.stranger())
        return answer.code, codes(line) - {"preamble.tiff"}, line.get("ledger", {})

    code, found, ledger = judged(plain, text)
    checks.equal((code, ledger["dated_by"]), (0, "log"), "the ledger dates it")
    code, found, ledger = judged(plain, demanding(text, 1, first))
    checks.equal((code, found), (4, {"ledger.unstamped"}), "a stamp is asked for, none is there")
    stamped = first.stamp(plain, now + 5)
    code, found, ledger = judged(stamped, demanding(text, 1, first))
    checks.equal((code, ledger["dated_by"], ledger["time_stamps"]), (0, "tsa", ["First"]), "stamped")
    code, found, ledger = judged(stamped, demanding(text, 2, first, second))
    checks.equal((code, found), (4, {"ledger.unstamped"}), "one of two")
    both = second.stamp(stamped, now + 60)
    code, found, ledger = judged(both, demanding(text, 2, second, first))
    checks.equal((code, ledger["time_stamps"]), (0, ["First", "Second"]), "both, earliest first")
    code, found, ledger = judged(stamped, demanding(text, 1, second))
    checks.equal((code, found), (4, {"ledger.unstamped"}), "by somebody who is not trusted")
    code, found, ledger = judged(stamped, text)
    checks.equal((code, ledger["dated_by"]), (0, "log"), "a stamp that nobody asked for is no harm")

    # export neither adds nor loses anything of the evidence that it finds.
    (folder / "ct.dcm.evidence").write_bytes(both)
    again = export(world, folder / "ct.dcm", folder / "again.evidence", world.stranger(
        FIDUCIA_HOME=str(folder / "home")))
    checks.that(again == both, "export carries stamps and cosignatures byte for byte")
    line = subprocess.run([str(program.program), "verify", str(folder / "ct.dcm"), "--evidence",
                           str(folder / "e"), "--trust", str(folder / "t.toml")],
                          capture_output=True, env={"HOME": "/nonexistent"}).stdout
    checks.that(line.startswith(b"authentic") and b"attested" not in line, "the ledger's word", line)
    (folder / "t.toml").write_text(demanding(text, 1, first))
    line = subprocess.run([str(program.program), "verify", str(folder / "ct.dcm"), "--evidence",
                           str(folder / "e"), "--trust", str(folder / "t.toml")],
                          capture_output=True, env={"HOME": "/nonexistent"}).stdout
    checks.that(b"attested by the time-stamp of First." in line, "the authority's word", line)


def tables(trust_text):
    """What another hospital copies: everything from the first table to the last ledger."""
    start = trust_text.index("[[authority]]")
    end = trust_text.index("# --- Revocations")
    return trust_text[start:end]


def test_hospitals_believe_each_other(world, folder, checks):
    """Evidence of A verifies at B with both in the trust file; A's ledger is not needed."""
    a, b = Fiducia(world.bin, folder / "a"), Fiducia(world.bin, folder / "b")
    for program, name in ((a, "Hospital A"), (b, "Hospital B")):
        answer = world.run("init", "--name", name, program=program)
        checks.equal(answer.code, 0, f"{name} begins", answer)
    shutil.copy(world.ct, folder / "ct.dcm")
    answer = world.run("seal", folder / "ct.dcm", "--out", folder / "out", program=a)
    checks.equal(answer.code, 0, "A seals", answer)
    shutil.copy(folder / "out/ct.dcm", folder / "sealed.dcm")
    export(world, folder / "ct.dcm", folder / "ct.evidence", a)
    tables_of_a = tables((folder / "a/trust.toml").read_text())
    shutil.rmtree(folder / "a")

    asked = {"in the file": [folder / "sealed.dcm"],
             "given": [folder / "ct.dcm", "--evidence", folder / "ct.evidence"]}
    for name, arguments in asked.items():
        answer, line = world.verify(*arguments, program=b)
        checks.equal((answer.code, line["verdict"]), (4, "untrusted"), f"A is a stranger, {name}",
                     answer)
        checks.that({"signer.untrusted", "ledger.missing"} <= codes(line), "and B says so", answer)
    trust = folder / "b/trust.toml"
    trust.write_text(trust.read_text() + "\n" + tables_of_a)
    for name, arguments in asked.items():
        answer, line = world.verify(*arguments, program=b)
        checks.equal((answer.code, line["verdict"]), (0, "authentic"), f"A is believed, {name}",
                     answer)
    answer, line = world.verify(folder / "sealed.dcm", "--trust", trust, program=world.stranger())
    checks.equal(answer.code, 0, "by anybody with this trust file", answer)
    trust.write_text(trust.read_text() + "\n" + tables_of_a)
    answer = world.run("verify", folder / "sealed.dcm", program=b)
    checks.equal(answer.code, 1, "the same tables twice are refused, not merged", answer)
