# SPDX-License-Identifier: Apache-2.0
"""Verdicts and exit codes of `verify`, and what reaches them: homes, trust, time, decoders."""
import itertools
import pathlib
import shutil
import subprocess

import pydicom

from cli_world import (alter_attribute, alter_pixels, break_stream, codes, compress, strip_seal)
from support import EXIT_OF_VERDICT, worst


def one_of_each(world, folder):
    """Verdict -> a file that gets it, with this world's home; and one that cannot be opened."""
    files = {verdict: folder / f"{verdict}.dcm" for verdict in EXIT_OF_VERDICT}
    shutil.copy(world.sealed / "ct.dcm", files["authentic"])
    shutil.copy(world.sealed / "mr.dcm", files["altered"])
    alter_attribute(files["altered"])
    shutil.copy(world.slices[2], files["unsealed"])
    foreign = world.new_home(folder / "foreign-home")
    foreign.run("seal", world.slices[1], "--out", folder / "foreign")
    shutil.copy(folder / "foreign" / world.slices[1].name, files["untrusted"])
    break_stream(world.sealed / "ankle.dcm", files["indeterminate"])
    files["malformed"].write_bytes((world.sealed / "ct.dcm").read_bytes()[:20000])
    files["error"] = folder / "not-there.dcm"
    return files


def test_verdicts_and_exit_codes(world, folder, checks):
    files = one_of_each(world, folder)
    for verdict, code in EXIT_OF_VERDICT.items():
        answer, line = world.verify(files[verdict])
        checks.equal(line.get("verdict"), verdict, f"{verdict} is said", answer)
        checks.equal(answer.code, code, f"{verdict} has its exit code", answer)
        checks.equal(len(answer.lines), 1, "one line a file", answer)
        checks.equal(line.get("path"), str(files[verdict]), "the path comes back as given", answer)
        people = world.program.run("verify", files[verdict])
        checks.equal(people.code, code, f"{verdict} has its exit code without --json", people)
        text = people.out.decode()
        checks.that(text.startswith(f"{verdict}  {files[verdict]}  ") and text.count("\n") == 1,
                    "people get one line: verdict, path, reason", people)
        quiet = world.program.run("verify", "--quiet", files[verdict])
        checks.equal((quiet.code, quiet.out, quiet.err),
                     (code, b"" if verdict == "authentic" else people.out, b""),
                     f"{verdict} with --quiet: problems and nothing else", quiet)

    code_of = {**EXIT_OF_VERDICT, "error": 1}
    for one, other in itertools.combinations(files, 2):
        answer, _ = world.verify(files[one], files[other])
        checks.equal(answer.code, worst([code_of[one], code_of[other]]),
                     f"{one} and {other} together give the worse", answer)
    answer, _ = world.verify(*files.values())
    checks.equal(answer.code, 1, "all together give 1", answer)
    checks.equal(len(answer.lines), 7, "each of them has a line", answer)
    answer, _ = world.verify(*(files[v] for v in EXIT_OF_VERDICT))
    checks.equal(answer.code, 2, "all but the error give 2", answer)
    whole = world.run("verify", folder)
    checks.equal(whole.code, 2, "the folder gives 2", whole)
    checks.that(all(line["schema"] == "fiducia.verify/1" for line in whole.lines),
                "a folder of odd files gives verdicts, not errors", whole)
    paths = [pathlib.Path(line["path"]) for line in whole.lines]
    checks.equal(paths, sorted(paths), "lines of a folder come in one order", whole)


def test_each_command_prints_what_its_schema_says(world, folder, checks):
    """Each line is checked as it comes back; here each schema is met, and errors too."""
    program = world.new_home(folder / "home")
    out = folder / "out"
    out.mkdir()
    met = set()
    for arguments, schema in (
            (("device", "add", "B"), "device"), (("device", "revoke", "B"), "device"),
            (("device", "list"), "device"), (("seal", world.ct), "seal"),
            (("inspect", world.ct, "--show-values"), "inspect"),
            (("init", "--home", folder / "other"), "init"), (("store", "check"), "store-check"),
            (("store", "list"), "store-list"),
            (("store", "accept"), "store"),
            (("export", world.ct, "--out", out / "e"), "export"),
            (("export", world.ct, "--out", world.ct), "error"),
            (("verify", world.ct), "verify"), (("inspect", out / "none"), "error"),
            (("ledger", "status"), "ledger"), (("ledger", "check"), "ledger-check"),
            (("ledger", "check", "--against", folder / "home/ledger"), "ledger-check"),
            (("ledger", "prove", "1", "--out", out / "p"), "ledger-proof"),
            (("ledger", "verify-proof", out / "p", world.ct), "ledger-proof-check"),
            (("device", "revoke", "none"), "error"), (("ledger", "prove", "99"), "error")):
        answer = world.run(*arguments, program=program)
        names = {line["schema"] for line in answer.lines}
        checks.equal(names, {f"fiducia.{schema}/1"}, f"the schema of {arguments[:2]}", answer)
        checks.equal(answer.code, 1 if schema == "error" else 0, "and its exit code", answer)
        met |= names
    checks.equal(set(world.schemas) - met, set(), "each schema in spec/ was met")


def test_errors(world, folder, checks):
    overview = world.program.run()
    checks.that(overview.code == 0 and b"verify" in overview.out and overview.err == b"",
                "without arguments the overview is shown", overview)
    for arguments, sentence in (
            (("verify",), "no path"), (("nonsense",), "unknown command"),
            (("verify", "--nonsense", world.ct), "unknown option"),
            (("seal", world.ct, "--in-place", "--sidecar"), "two places for the evidence"),
            (("verify", world.ct, "--at", "yesterday"), "a time that is none"),
            (("ledger",), "ledger without a word")):
        answer = world.program.run(*arguments)
        checks.equal(answer.code, 1, f"{sentence} is a usage error", answer)
        checks.that(answer.out == b"" and answer.err, f"{sentence}: the message goes to stderr", answer)
    for arguments, sentence in (
            (("verify", folder / "none.dcm"), "a missing file"),
            (("inspect", folder / "none.dcm"), "a missing file to inspect"),
            (("inspect", world.sources), "a folder to inspect"),
            (("seal", folder / "none.dcm"), "a missing file to seal"),
            (("seal", world.ct, "--device", "NO-SUCH"), "an unknown device"),
            (("verify", world.ct, "--trust", folder / "none.toml"), "a missing trust file"),
            (("verify", world.ct, "--evidence", folder / "none"), "missing evidence"),
            (("export", folder / "none.dcm", "--out", folder / "x"), "a missing file to export"),
            (("ledger", "prove", "999999"), "an entry that is not there"),
            (("init",), "a home that is there already"),
            (("device", "revoke", "NO-SUCH"), "revoking an unknown device"),
            (("device", "add", "DEVICE-1"), "adding a device twice")):
        answer = world.run(*arguments)
        checks.equal(answer.code, 1, f"{sentence} gives 1", answer)
        schemas = {line["schema"] for line in answer.lines}
        checks.that(schemas and schemas <= {"fiducia.error/1", "fiducia.seal/1"},
                    f"{sentence} gives an error object", answer)
    empty = folder / "empty"
    empty.mkdir()
    answer = world.run("verify", empty)
    checks.equal(answer.code, 1, "an empty folder is an error", answer)
    answer = world.run("verify", world.ct, program=world.new_home(folder / "h2"), cwd=str(empty))
    checks.equal(answer.code, 3, "another home does not know the image", answer)
    nowhere = world.stranger()
    for arguments in (("verify", world.ct), ("seal", world.ct), ("ledger", "status")):
        answer = world.run(*arguments, program=nowhere)
        checks.equal(answer.code, 1, f"{arguments[0]} without a home is an error", answer)
    for arguments in (("--help",), ("verify", "--help"), ("--version",)):
        answer = world.program.run(*arguments)
        checks.that(answer.code == 0 and answer.out and not answer.err, f"{arguments} answers", answer)


def test_inspect(world, folder, checks):
    for name in ("ct", "mr", "sr"):
        answer = world.run("inspect", world.sealed / f"{name}.dcm")
        line = answer.lines[0]
        checks.equal(answer.code, 0, "inspect gives 0", answer)
        checks.that(any(e["found_in"] == "file" for e in line["evidence"]), "shows the seal", line["evidence"])
        checks.that("value" not in line["elements"][5], "shows no values", line["elements"][5])
    altered = folder / "altered.dcm"
    shutil.copy(world.sealed / "ct.dcm", altered)
    alter_pixels(altered)
    checks.equal(world.run("inspect", altered).code, 0, "inspect judges nothing")


def test_location(world, folder, checks):
    """What is said of an alteration: tile, attribute, and nothing else."""
    path = folder / "ankle.dcm"
    shutil.copy(world.sealed / "ankle.dcm", path)
    ds = pydicom.dcmread(path)
    array = ds.pixel_array.copy()
    array[130:140, 200:260] += 7
    ds.PixelData = array.tobytes()
    ds.save_as(path)
    answer, line = world.verify(path)
    checks.equal(codes(line), {"pixels.altered"}, "only pixels are named", answer)
    finding = line["findings"][0]
    checks.equal(finding["tiles"], [[2, 3], [2, 4]], "the tiles are named", answer)
    checks.equal(finding["box"], {"x": 192, "y": 128, "width": 128, "height": 64}, "the box", answer)
    checks.equal(finding["frame"], 1, "the frame is named", answer)


def test_stripped_renamed_altered(world, folder, checks):
    """Seal gone, all identifiers and names new, re-encoded, a region painted over: found again."""
    source, path = folder / "source.dcm", folder / "found.dcm"
    shutil.copy(world.sealed / "ankle.dcm", source)
    strip_seal(source)
    ds = pydicom.dcmread(source)
    array = ds.pixel_array.copy()
    array[256:300, 256:300] = array[100:144, 200:244]
    ds.PixelData = array.tobytes()
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"):
        setattr(ds, keyword, pydicom.uid.generate_uid())
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.PatientName, ds.PatientID = "Somebody^Else", "OTHER"
    ds.save_as(source)
    compress(source, path)
    answer, line = world.verify(path)
    checks.equal((answer.code, line["verdict"]), (2, "altered"), "it is found and altered", answer)
    checks.that({"seal.stripped", "pixels.altered"} <= codes(line), "both are named", answer)
    checks.equal(line["seal"]["found_in"], "store", "the evidence came from the store", answer)
    pixel = next(f for f in line["findings"] if f["code"] == "pixels.altered")
    checks.equal(pixel["tiles"], [[4, 4]], "the painted tile is named", answer)
    attributes = {f.get("attribute") for f in line["findings"]}
    checks.that({"(0010,0010)", "(0008,0018)"} <= attributes, "so are the attributes", answer)
    stranger, line = world.verify(path, "--trust", world.trust, program=world.stranger())
    checks.equal((stranger.code, line["verdict"]), (3, "unsealed"), "without the store it is unsealed",
                 stranger)


def test_stranger_offline(world, folder, checks):
    """Export and trust file are all that somebody else needs, with no home and no network."""
    shutil.copytree(world.sources, folder / "images")
    evidence, trust = folder / "all.evidence", folder / "trust.toml"
    answer = world.run("export", folder / "images", "--out", evidence)
    checks.equal(answer.code, 0, "export gives 0", answer)
    shutil.copy(world.trust, trust)
    verify = (world.program.program, "verify", str(folder / "images"), "--trust", str(trust),
              "--evidence", str(evidence))
    bare = ["env", "-i", "HOME=/nonexistent", *verify]
    done = subprocess.run(bare, capture_output=True, cwd="/")
    checks.equal(done.returncode, 0, "all are authentic in an empty environment", done)
    checks.equal(done.stdout.count(b"authentic  "), 5, "each of them", done)
    alone = ["unshare", "-rn", *bare]
    if subprocess.run(["unshare", "-rn", "true"], capture_output=True).returncode == 0:
        done = subprocess.run(alone, capture_output=True, cwd="/")
        checks.equal(done.returncode, 0, "and without a network", done)
    else:
        checks.skip("verifying in a network name space of its own: not permitted here")
    alter_pixels(folder / "images/mr.dcm")
    done = subprocess.run(bare, capture_output=True, cwd="/")
    checks.equal(done.returncode, 2, "an altered one is still found", done)
    answer = world.run("export", world.slices[9], "--out", folder / "none.evidence")
    checks.that(answer.code != 0 and not (folder / "none.evidence").exists(),
                "nothing to export is not a success", answer)
    mixed = world.run("export", world.slices[9], world.ct, "--out", folder / "mixed.evidence")
    checks.equal(mixed.code, 3, "an unsealed file among them is said", mixed)
    (folder / "bad.evidence").write_bytes(evidence.read_bytes()[:-7])
    answer = world.run("verify", world.ct, "--trust", trust, "--evidence", folder / "bad.evidence",
                       program=world.stranger())
    checks.equal(answer.code, 1, "broken evidence is an error, not a verdict", answer)


def test_time_and_revocation(world, folder, checks):
    program = world.new_home(folder / "home")
    out = folder / "out"
    answer = world.run("seal", world.ct, "--out", out, program=program)
    checks.equal(answer.code, 0, "seals", answer)
    path = out / "ct.dcm"

    def judged(*extra):
        answer, line = world.verify(path, *extra, program=program)
        return answer.code, line.get("verdict"), codes(line)

    checks.equal(judged()[:2], (0, "authentic"), "authentic today")
    checks.equal(judged("--at", "2020-01-01")[1], "untrusted", "not yet sealed in 2020")
    checks.that("seal.later" in judged("--at", "2020-01-01")[2], "and the reason is named",
                judged("--at", "2020-01-01"))
    checks.equal(judged("--at", "2030-01-01T00:00:00Z")[:2], (0, "authentic"), "authentic later")
    world.run("device", "add", "CT-2", program=program)
    names = [line["device"] for line in world.run("device", "list", program=program).lines]
    checks.equal(sorted(names), ["CT-2", "DEVICE-1"], "both devices are listed")
    answer = world.run("seal", world.mr, "--device", "CT-2", "--out", out, program=program)
    checks.equal(answer.lines[0].get("device"), "CT-2", "the chosen device seals", answer)
    revoked = world.run("device", "revoke", "CT-2", "--at", "2090-01-01", "--reason", "sold",
                        program=program)
    checks.equal(revoked.code, 0, "revokes", revoked)
    checks.equal(world.verify(out / "mr.dcm", program=program)[0].code, 0,
                 "a seal from before the revocation counts")
    revoked = world.run("device", "revoke", "DEVICE-1", "--at", "2020-01-01", program=program)
    checks.equal(revoked.code, 0, "revokes", revoked)
    checks.equal(judged()[:2], (4, "untrusted"), "a seal from after the revocation does not")
    checks.that("signer.revoked" in judged()[2], "and the reason is named", judged())
    checks.equal(world.verify(out / "mr.dcm", program=program)[0].code, 0, "the other device stays")
    answer = world.run("seal", world.sr, "--device", "DEVICE-1", "--out", out, program=program)
    checks.that(answer.code == 1 and "signer.revoked" in answer.out.decode(),
                "a revoked device is refused", answer)
    answer = world.run("seal", world.sr, "--out", out, program=program)
    checks.equal(answer.lines[0].get("device"), "CT-2", "the first that counts seals", answer)


def test_codec_missing(world, folder, checks):
    """Without a decoder nothing that needs one passes."""
    path = folder / "ankle.dcm"
    compress(world.sealed / "ankle.dcm", path)
    checks.equal(world.verify(path)[0].code, 0, "with the decoder it is authentic")
    for named in ("/nonexistent/fiducia-codec", "/bin/false", "/"):
        answer, line = world.verify(path, environment={"FIDUCIA_CODEC": named})
        checks.equal((answer.code, line.get("verdict")), (5, "indeterminate"),
                     f"decoder {named}: cannot be decided", answer)
        checks.that(codes(line) & {"codec.missing", "codec.failed"}, "and the reason is named", answer)
        alter = folder / "altered.dcm"
        shutil.copy(path, alter)
        alter_attribute(alter, "StudyDate", "20200101")
        answer, line = world.verify(alter, environment={"FIDUCIA_CODEC": named})
        checks.equal(answer.code, 2, "an altered attribute is found all the same", answer)
    # A decoder that only echoes: given up after some seconds, and no pass.
    answer, line = world.verify(path, environment={"FIDUCIA_CODEC": "/bin/cat"})
    checks.equal(answer.code, 5, "a decoder that hangs: cannot be decided", answer)
    answer, line = world.verify(world.sealed / "ct.dcm",
                                environment={"FIDUCIA_CODEC": "/nonexistent"})
    checks.equal(answer.code, 0, "native pixels need no decoder", answer)
    answer = world.run("seal", path, environment={"FIDUCIA_CODEC": "/nonexistent"},
                       program=world.new_home(folder / "home"))
    if answer.code == 0:
        checks.that(answer.lines[0]["status"] == "sealed", "sealed by its bytes alone", answer)
    else:
        checks.that(answer.lines[0]["status"] == "failed", "or refused", answer)
