# SPDX-License-Identifier: Apache-2.0
"""After a key was stolen: what the thief sealed counts no more, what is older does again; and what a
wrong command is told."""
import base64
import hashlib
import shutil
import subprocess
import time

from cli_world import alter_attribute, codes
from support import Fiducia


def rfc3339(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def key_hash(home, name):
    """As docs/keys.md says: SHA-256 of the SubjectPublicKeyInfo."""
    public = subprocess.run(["openssl", "pkey", "-in", home / f"keys/{name}.pem", "-pubout", "-outform", "DER"],
                            check=True, capture_output=True).stdout
    return "sha256:" + hashlib.sha256(public).hexdigest()


def pinned(size, root, at):
    return '\n[[ledger.pinned]]\ntree_size = %s\nroot = "%s"\nat = %s\n' % (size, root, rfc3339(at))


def revoked(key, at):
    return '\n[[revocation]]\nkey = "%s"\nat = %s\nreason = "stolen"\n' % (key, rfc3339(at))


def test_after_the_theft_of_a_key(world, folder, checks):
    home = folder / "home"
    program = world.new_home(home)
    for source in (world.ct, world.mr, world.canary):  # one by one: each has a receipt of a tree of its own
        checks.equal(world.run("seal", source, "--out", folder / "sealed", program=program).code, 0, "seals")
    _, size, root = (home / "ledger/checkpoint").read_text().split("\n")[:3]
    known = int(time.time())
    shutil.copy(world.ankle, folder / "late.dcm")
    checks.equal(world.run("seal", folder / "late.dcm", "--in-place", program=program).code, 0,
                 "seals after the checkpoint that somebody kept")
    shutil.copytree(home, folder / "stolen")
    thief = Fiducia(world.bin, folder / "stolen")
    shutil.copy(world.sr, folder / "forged.dcm")
    alter_attribute(folder / "forged.dcm")
    checks.equal(world.run("seal", folder / "forged.dcm", "--in-place", program=thief).code, 0, "the thief seals")
    sealed = [folder / "sealed/ct.dcm", folder / "sealed/mr.dcm"]
    everything = [*sealed, folder / "late.dcm", folder / "forged.dcm"]
    before = (home / "trust.toml").read_text()
    stranger, trust = world.stranger(), folder / "trust.toml"

    def verdicts(text, *paths, evidence=()):
        trust.write_text(text)
        answer = world.run("verify", *paths, "--trust", trust, *evidence, program=stranger)
        return [line["verdict"] for line in answer.lines], answer.lines

    checks.equal(verdicts(before, *everything)[0], ["authentic"] * 4, "until the theft is known all is believed")
    status = world.run("ledger", "status", program=program).lines[0]
    checks.equal(status["key"], key_hash(home, "ledger"), "status names the hash to revoke")
    for name, code in (("ledger", "ledger.revoked"), ("authority", "signer.revoked")):
        # The thief's seal is dated before the revocation: the date alone does not tell.
        bare = before + revoked(key_hash(home, name), known + 600)
        found, lines = verdicts(bare, *everything)
        checks.equal(found, ["untrusted"] * 4, f"{name}: nothing is believed")
        checks.that(all(code in codes(line) for line in lines), f"{name}: {code}", lines)
        pins = bare + pinned(size, root, known)
        checks.equal(verdicts(pins, *everything)[0], ["untrusted"] * 4, f"{name}: a pin alone needs receipts")
        out = folder / f"{name}.evidence"
        answer = world.run("export", *sealed, folder / "late.dcm", "--pinned", "--trust", trust, "--out", out,
                           program=program)
        checks.equal([line["status"] for line in answer.lines], ["unpinned", "exported", "exported"],
                     f"{name}: what is older than the pin gets receipts", answer)
        checks.equal(answer.code, 4, f"{name}: and what is not is told", answer)
        found, lines = verdicts(pins, *everything, evidence=("--evidence", out))
        checks.equal(found, ["authentic"] * 2 + ["untrusted"] * 2, f"{name}: with them the old ones count", lines)
        checks.that(all(codes(line) <= {"preamble.tiff"} for line in lines[:2]),
                    f"{name}: and nothing is held against them", lines)
        # The thief's ledger has the same beginning; what he sealed is not in it.
        answer = world.run("export", folder / "forged.dcm", "--pinned", "--trust", trust, "--out",
                           folder / "thief.evidence", program=thief)
        checks.equal((answer.code, [line.get("status") for line in answer.lines]), (1, ["unpinned", None]),
                     f"{name}: the thief gets no receipt", answer)
        checks.that(not (folder / "thief.evidence").exists(), f"{name}: nor a file")
        # Pinned later than the revocation, it says nothing.
        late = bare + pinned(size, root, known + 600)
        checks.equal(verdicts(late, *sealed, evidence=("--evidence", out))[0], ["untrusted"] * 2,
                     f"{name}: a pin of after the theft")

    other = base64.b64encode(bytes(32)).decode()
    for text, said, what in (
            (before, "config.missing", "nothing is pinned"),
            (before + pinned(size, other, known), "signature.bad", "another tree is pinned"),
            (before + pinned(99, root, known), "config.invalid", "a tree that never was")):
        trust.write_text(text)
        target = folder / "refused.evidence"
        answer = world.run("export", sealed[0], "--pinned", "--trust", trust, "--out", target, program=program)
        checks.equal((answer.code, answer.lines[0]["error"]["code"]), (1, said), what, answer)
        checks.that(not target.exists(), f"{what}: nothing is written")


def test_lines_of_init_and_store(world, folder, checks):
    """world.run checks each against its schema."""
    program = Fiducia(world.bin, folder / "home")
    (folder / "secret").write_text("a pass phrase\n")
    (folder / "secret").chmod(0o600)
    answer = world.run("init", "--name", "Klinik", "--passphrase-file", folder / "secret", program=program)
    checks.equal([(line["schema"], line["keys"]) for line in answer.lines], [("fiducia.init/1", "encrypted")],
                 "init says what it made", answer)
    answer = world.run("store", "check", program=program)
    checks.equal([(line["schema"], line["status"]) for line in answer.lines], [("fiducia.store-check/1", "intact")],
                 "an empty store is intact", answer)
    (folder / "home/evidence.db").unlink()
    answer = world.run("store", "accept", "--passphrase-file", folder / "secret", program=program)
    checks.equal([(line["schema"], line["status"]) for line in answer.lines], [("fiducia.store/1", "accepted")],
                 "a new store is accepted", answer)
    store = folder / "home/evidence.db"
    store.write_bytes(b"\0" * 4096 + store.read_bytes()[4096:])
    answer = world.run("store", "check", program=program)
    checks.that(answer.code in (1, 2), "a broken one is not", answer)


def test_a_wrong_word_is_named(world, folder, checks):
    ledger = world.bin / "fiducia-ledger"
    for words, said in (
            ((), "`fiducia ledger` needs one of its commands: status, check"),
            (("serv",), '"serv" is not a command of `fiducia ledger`: those are status, check'),
            (("serv",), "the nearest is `serve`"),
            (("witness", "sevre"), '"sevre" is not a command of `fiducia ledger witness`'),
            (("witness",), "`fiducia ledger witness` needs one of its commands: "),
            (("--home", "x"), '"--home" stands before it'),
            (("serve", "--prot", "1"), '"--prot" is not an option of `fiducia ledger serve`'),
            (("status", "--jsno"), "the nearest is `--json`")):
        if not ledger.exists():
            checks.skip("fiducia-ledger is not built")
            break
        done = subprocess.run([ledger, "ledger", *words], capture_output=True, text=True, timeout=60)
        checks.equal((done.returncode, done.stdout), (1, ""), f"{words} is an error")
        checks.that(said in done.stderr, f"{words}: {said}", done.stderr)
        through = world.program.run("ledger", *words)
        checks.that(said in through.err.decode() and through.code == 1, f"fiducia ledger {words} says the same",
                    through)
    answer = world.program.run("vrify", "x")
    checks.that(b"the nearest is `verify`" in answer.err, "fiducia names the nearest as well", answer)


HELP_PAGES = ((), ("init",), ("device",), ("device", "add"), ("device", "list"), ("device", "revoke"), ("seal",),
              ("verify",), ("export",), ("inspect",), ("store",), ("store", "check"), ("store", "accept"),
              ("ledger",), ("ledger", "status"), ("ledger", "check"), ("ledger", "prove"),
              ("ledger", "verify-proof"))


def test_the_examples_of_the_help_run(world, folder, checks):
    """Each page has some, and each does what it shows, in the folder of somebody who has what it names."""
    template = folder / "template"
    for name, source in (("ct/a.dcm", world.ct), ("scans/b.dcm", world.mr), ("ct.dcm", world.ankle)):
        (template / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, template / name)
    environment = {"PATH": f"{world.bin}:/usr/bin:/bin", "LC_ALL": "C.UTF-8"}

    def run(script, where):
        return subprocess.run(["sh", "-ec", script], cwd=where, capture_output=True, text=True, timeout=120,
                              env={**environment, "HOME": str(where)})

    made = run("""fiducia init --device CT-1 -q
        fiducia seal ct.dcm --out sealed -q
        fiducia export ct.dcm --out ct.evidence -q
        cp ct.dcm copy.dcm
        fiducia ledger prove 1 --out ct.tlog-proof -q
        cp .local/share/fiducia/trust.toml clinic.toml && cp clinic.toml trust.toml
        mkdir partner && cp .local/share/fiducia/ledger/checkpoint partner/""", template)
    checks.equal(made.returncode, 0, "what the examples name is made", made.stderr)
    for page in HELP_PAGES:
        where = folder / ("page-" + "-".join(page))
        shutil.copytree(template, where)
        if page in ((), ("init",), ("device",), ("device", "add")):  # they begin before that
            shutil.rmtree(where / ".local")
            shutil.rmtree(where / "sealed")
            if page and page[0] == "device":
                run("fiducia init -q", where)
        if page == ("export",):
            (where / "ct.evidence").unlink()
            run("fiducia seal ct/ -q; cp .local/share/fiducia/trust.toml .", where)
        shown = run("fiducia " + " ".join((*page, "--help")), where)
        examples = [line.strip() for line in shown.stdout.splitlines() if line.startswith("  fiducia ")]
        checks.that(examples, f"{page}: the help has an example", shown.stdout)
        for example in examples:
            done = run(example, where)
            checks.equal(done.returncode, 0, f"{page}: {example}", done.stdout + done.stderr)
