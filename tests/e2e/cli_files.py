# SPDX-License-Identifier: Apache-2.0
"""Files in and out: names, places, permissions, and what may never be written anywhere."""
import os
import pathlib
import resource
import shutil
import signal
import stat
import subprocess

from cli_world import (CANARIES, PRIVATE_CANARY, alter_attribute, alter_pixels, codes, snapshot,
                       strip_seal)


def test_where_the_evidence_goes(world, folder, checks):
    images = folder / "images"
    (images / "a/b").mkdir(parents=True)
    shutil.copy(world.ct, images / "a/ct.dcm")
    shutil.copy(world.mr, images / "a/b/mr.dcm")
    (images / "notes.txt").write_text("no image")
    before = snapshot(images)

    program = world.new_home(folder / "store-home")
    answer = world.run("seal", images, program=program)
    checks.equal(answer.code, 0, "seals into the store", answer)
    checks.equal(snapshot(images), before, "without an option files stay untouched")
    checks.that(all(line["evidence"] == "store" for line in answer.lines
                    if line["status"] == "sealed"), "the place is said", answer)
    checks.equal(sorted(line["status"] for line in answer.lines if line["status"] != "skipped"),
                 ["sealed", "sealed"], "both images are sealed", answer)
    answer, _ = world.verify(images / "a", program=program)
    checks.equal(answer.code, 0, "and found in the store", answer)

    program = world.new_home(folder / "out-home")
    out = folder / "out"
    answer = world.run("seal", images, "--out", out, program=program)
    checks.equal(answer.code, 0, "seals into copies", answer)
    checks.equal(snapshot(images), before, "the sources stay untouched")
    checks.equal(sorted(str(p) for p in snapshot(out)), ["a/b/mr.dcm", "a/ct.dcm"],
                 "the copies keep the folders")
    answer, line = world.verify(out, "--trust", folder / "out-home/trust.toml",
                                program=world.stranger())
    checks.that(answer.code == 0 and all(x["seal"]["found_in"] == "file" for x in answer.lines),
                "a copy carries all that a stranger needs", answer)

    program = world.new_home(folder / "sidecar-home")
    answer = world.run("seal", images, "--sidecar", program=program)
    checks.equal(answer.code, 0, "seals with sidecars", answer)
    after = snapshot(images)
    checks.equal({p: b for p, b in after.items() if p in before}, before, "images stay untouched")
    checks.equal(sorted(str(p) for p in after.keys() - before.keys()),
                 ["a/b/mr.dcm.evidence", "a/ct.dcm.evidence"], "each has a sidecar")
    answer, line = world.verify(images / "a", "--trust", folder / "sidecar-home/trust.toml",
                                program=world.stranger())
    checks.that(answer.code == 0 and all(x["seal"]["found_in"] == "sidecar" for x in answer.lines),
                "sidecars are found", answer)
    for path in images.rglob("*.evidence"):
        path.unlink()

    program = world.new_home(folder / "place-home")
    os.chmod(images / "a/ct.dcm", 0o640)
    answer = world.run("seal", images / "a", "--in-place", program=program)
    checks.equal(answer.code, 0, "seals in place", answer)
    checks.equal(sorted(snapshot(images)), sorted(before), "no file is added or lost")
    checks.equal((images / "a/ct.dcm").stat().st_mode & 0o777, 0o640, "the mode is kept")
    answer, line = world.verify(images / "a", "--trust", folder / "place-home/trust.toml",
                                program=world.stranger())
    checks.that(answer.code == 0 and all(x["seal"]["found_in"] == "file" for x in answer.lines),
                "the files carry their seals", answer)
    answer = world.run("seal", images, "--out", images / "inside", program=program)
    checks.equal(answer.code, 1, "copies into the sealed folder are refused", answer)
    answer = world.run("seal", images / "a/ct.dcm", "--out", images / "a", program=program)
    checks.that(answer.code == 1 or world.verify(images / "a/ct.dcm", program=program)[0].code == 0,
                "a copy never breaks its source", answer)


def test_already_sealed_and_conflicts(world, folder, checks):
    program = world.new_home(folder / "home")
    size = lambda: world.run("ledger", "status", program=program).lines[0]["tree_size"]
    world.run("seal", world.ct, "--out", folder / "out", program=program)
    entries = size()
    root = None
    for path in (world.ct, folder / "out/ct.dcm", world.ct):
        answer = world.run("seal", path, program=program)
        checks.equal((answer.code, answer.lines[0]["status"]), (0, "already-sealed"),
                     "a second seal is not made", answer)
        root = root or answer.lines[0].get("object_root")
        checks.equal(answer.lines[0].get("object_root"), root, "the first one is named", answer)
    checks.equal(size(), entries, "and no entry is added")
    twice = folder / "twice"
    twice.mkdir()
    shutil.copy(world.mr, twice / "one.dcm")
    shutil.copy(world.mr, twice / "two.dcm")
    answer = world.run("seal", twice, program=program)
    checks.equal(sorted(line["status"] for line in answer.lines), ["already-sealed", "sealed"],
                 "the same image twice in one run is sealed once", answer)
    entries = size()
    for change, sentence in ((alter_pixels, "other pixels"), (alter_attribute, "another name")):
        path = folder / "conflict.dcm"
        shutil.copy(world.ct, path)
        change(path)
        answer = world.run("seal", path, program=program)
        checks.equal(answer.code, 1, f"{sentence} under a sealed identity are refused", answer)
        checks.equal(answer.lines[0].get("error", {}).get("code"), "identity.conflict",
                     "as a conflict", answer)
        sealed = folder / "altered-copy.dcm"
        shutil.copy(folder / "out/ct.dcm", sealed)
        change(sealed)
        answer = world.run("seal", sealed, "--in-place", program=program)
        checks.equal(answer.code, 1, f"a broken seal is not papered over: {sentence}", answer)
    checks.equal(size(), entries, "and no entry is added")


def test_odd_names(world, folder, checks):
    names = [b"with space.dcm", b"new\nline.dcm", b"tab\there.dcm", b"latin-\xe9\xff.dcm",
             "ümläut-日本.dcm".encode(), b"quote\"'.dcm", b"esc\x1b[31m.dcm", b"-dash.dcm",
             b"no-suffix", b"x" * 240 + b".dcm"]
    images = os.fsencode(folder) + b"/images"
    os.mkdir(images)
    for number, name in enumerate(names):
        shutil.copy(os.fsencode(world.slices[20 + number]), images + b"/" + name)
    program = world.new_home(folder / "home")
    out = os.fsencode(folder) + b"/out"
    answer = world.run("seal", images, b"--out", out, program=program)
    checks.equal((answer.code, len(answer.lines)), (0, len(names)), "all names are sealed", answer)
    checks.equal(sorted(os.listdir(out)), sorted(names), "and come back byte for byte")
    answer = world.run("verify", out, program=program)
    checks.equal((answer.code, len(answer.lines)), (0, len(names)), "all names are verified", answer)
    people = program.run("verify", out)
    checks.equal(people.out.count(b"\n"), len(names) + 1,
                 "a line a file, whatever its name, and the summary", people)
    checks.that(b"\x1b" not in people.out and b"\t" not in people.out,
                "control characters do not reach the terminal", people)
    for name in names:
        answer = world.run("verify", out + b"/" + name, program=program)
        checks.equal(answer.code, 0, f"{name!r} by itself", answer)
    answer = program.run("verify", "--json", b"--", b"-dash.dcm", cwd=os.fsdecode(out))
    checks.equal(answer.code, 0, "a name that begins with a dash", answer)


def test_standard_input(world, folder, checks):
    data = (world.sealed / "ct.dcm").read_bytes()
    answer, line = world.verify("-", stdin=data)
    checks.equal((answer.code, line.get("path")), (0, "-"), "a sealed file is authentic", answer)
    answer, line = world.verify("-", stdin=world.mr.read_bytes())
    checks.equal((answer.code, line["seal"]["found_in"]), (0, "store"), "found in the store", answer)
    answer, line = world.verify("-", stdin=data[:5000])
    checks.equal(answer.code, 6, "a cut one is malformed", answer)
    answer, line = world.verify("-", stdin=b"")
    checks.that(answer.code in (1, 6), "nothing at all is no pass", answer)
    checks.equal(world.run("verify", "-", "-", stdin=data).code, 1, "twice is an error")
    checks.equal(world.run("seal", "-", "--in-place", stdin=data).code, 1, "it cannot be replaced")
    answer = world.run("inspect", "-", stdin=data)
    checks.equal(answer.code, 0, "it can be inspected", answer)
    program = world.new_home(folder / "home")
    answer = world.run("seal", "-", stdin=world.ct.read_bytes(), program=program)
    checks.equal(answer.code, 0, "it can be sealed", answer)
    checks.equal(world.verify(world.ct, program=program)[0].code, 0, "and is found then")


def as_nobody(world, *arguments):
    """Runs without the rights of root; None when that cannot be arranged here."""
    command = [world.program.program, *map(str, arguments)]
    if os.getuid() == 0:
        command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
    probe = command[:-len(arguments) - 1] + ["test", "-x", world.program.program]
    if os.getuid() == 0 and subprocess.run(probe, capture_output=True).returncode != 0:
        return None
    return subprocess.run(command, capture_output=True, env={**world.program.environment,
                                                             "FIDUCIA_HOME": ""})


def test_permissions(world, folder, checks):
    secret = folder / "secret.dcm"
    shutil.copy(world.sealed / "ct.dcm", secret)
    secret.chmod(0o000)
    trust = folder / "trust.toml"
    shutil.copy(world.trust, trust)
    trust.chmod(0o644)
    done = as_nobody(world, "verify", secret, "--trust", trust, "--json")
    if done is None:
        checks.skip("permissions: another user cannot start the program here")
        return
    checks.that(done.returncode == 1 and b"io.unreadable" in done.stdout,
                "an unreadable file is an error, not a verdict", done)
    locked = folder / "locked"
    locked.mkdir(mode=0o700)
    shutil.copy(world.ct, locked / "ct.dcm")
    locked.chmod(0o000)
    done = as_nobody(world, "verify", locked, "--trust", trust, "--json")
    checks.that(done.returncode == 1, "an unreadable folder is an error", done)
    locked.chmod(0o700)
    home, images = folder / "home", folder / "images"
    program = world.new_home(home)
    images.mkdir()
    shutil.copy(world.ct, images / "ct.dcm")
    if os.getuid() == 0:
        for path in [home, *home.rglob("*")]:
            os.chown(path, 65534, 65534)
    read_only = folder / "read-only"
    read_only.mkdir(mode=0o555)
    if os.getuid() != 0:
        read_only.chmod(0o555)
    images.chmod(0o555)
    for place in (("--out", read_only), ("--out", read_only / "below"), ("--in-place",), ("--sidecar",)):
        done = as_nobody(world, "seal", images, *place, "--home", home, "--json")
        checks.that(done.returncode == 1 and b"io.unwritable" in done.stdout,
                    f"{place[0]} where nothing can be written is an error", done)
    checks.equal(snapshot(images), {pathlib.Path("ct.dcm"): world.ct.read_bytes()}, "the image stays")
    images.chmod(0o755)
    read_only.chmod(0o755)
    done = as_nobody(world, "ledger", "check", "--home", home)
    checks.equal(done.returncode, 0, "the ledger is sound after that", done)
    done = as_nobody(world, "verify", images, "--report", "/nonexistent/r.html", "--trust", trust)
    checks.equal(done.returncode, 1, "a report that cannot be written is an error", done)
    keys = home / "keys"
    checks.equal(keys.stat().st_mode & 0o777, 0o700, "nobody else reads the keys")
    checks.that(all(p.stat().st_mode & 0o077 == 0 for p in keys.iterdir()), "not one of them")


def full_device(folder):
    """The device that is always full, which somebody may have replaced by a file, or one of our own;
    None where that takes more rights."""
    device = os.makedev(1, 7)

    def is_it(path):
        try:
            status = os.stat(path)
            return stat.S_ISCHR(status.st_mode) and status.st_rdev == device
        except OSError:
            return False

    own = folder / "full"
    if is_it("/dev/full"):
        return "/dev/full"
    try:
        os.mknod(own, stat.S_IFCHR | 0o666, device)
        with open(own, "wb"):  # not on a file system without devices
            return own
    except OSError:
        return None


def test_no_room(world, folder, checks):
    """A disk that is full: an error, never a broken file and never a silent success."""
    full = full_device(folder)
    if full is None:
        checks.skip("results that cannot be printed: /dev/full is not what it should be")
    for command, sentence in (("verify", "results that cannot be printed are an error"),
                              ("seal", "the same when sealing")) if full else ():
        with open(full, "wb") as out:
            done = subprocess.run([world.program.program, command, str(world.sealed), "--json"],
                                  stdout=out, stderr=subprocess.PIPE,
                                  env=world.program.environment)
        checks.equal(done.returncode, 1, sentence, done)

    def limited(program, limit_bytes, *arguments):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
        return subprocess.run([program.program, *map(str, arguments)], capture_output=True,
                              env=program.environment, preexec_fn=limit)

    images = folder / "images"
    images.mkdir()
    for path in world.slices[40:44]:
        shutil.copy(path, images)
    before = snapshot(images)
    program = world.new_home(folder / "home")
    for limit_bytes in (0, 100, 5000, 60000, 200000, 524500):
        done = limited(program, limit_bytes, "seal", images, "--in-place", "--json")
        checks.that(done.returncode == 1, f"no room past {limit_bytes} bytes is an error", done)
        checks.equal(snapshot(images), before, f"files stay whole (limit {limit_bytes})")
        check = program.run("ledger", "check")
        checks.equal(check.code, 0, f"the ledger stays sound (limit {limit_bytes})", check)
    answer = world.run("seal", images, "--in-place", program=program)
    checks.equal(answer.code, 0, "with room all are sealed", answer)
    checks.equal(world.verify(images, program=program)[0].code, 0, "and authentic")
    checks.equal(sorted(p.name for p in images.iterdir()), sorted(p.name for p in before),
                 "nothing is left over")

    tmpfs = folder / "tmpfs"
    tmpfs.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(tmpfs)],
                             capture_output=True)
    if mounted.returncode != 0:
        checks.skip("a small file system: not permitted to mount one here")
        return
    try:
        program = world.new_home(folder / "home2")
        answer = world.run("seal", *world.slices[50:54], "--out", tmpfs, program=program)
        checks.equal(answer.code, 1, "a full disk is an error", answer)
        for path in tmpfs.rglob("*.dcm"):
            checks.equal(world.verify(path, program=program)[0].code, 0, "what is there is whole")
        checks.equal([p.name for p in tmpfs.rglob(".*")], [], "nothing half written stays")
    finally:
        subprocess.run(["umount", str(tmpfs)], check=True)


def haystack(folder):
    for path in pathlib.Path(folder).rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()


def test_no_value_leaks(world, folder, checks):
    """Not in what is printed, the report, the store, the ledger, evidence or a proof."""
    home = folder / "home"
    program = world.new_home(home)
    images = folder / "images"
    images.mkdir()
    shutil.copy(world.canary, images / "canary.dcm")
    printed = []

    def keep(answer):
        printed.append((" ".join(map(str, answer.command)), answer.out + answer.err))
        return answer

    def both(*arguments):
        keep(program.run(*arguments))
        return keep(world.run(*arguments, program=program))

    keep(world.run("seal", images, "--sidecar", program=program))
    both("seal", images)
    both("seal", images, "--out", folder / "sealed")
    altered = folder / "altered.dcm"
    shutil.copy(folder / "sealed/canary.dcm", altered)
    alter_pixels(altered)
    for keyword, value in (("PatientName", "Evilkanarie^Twin"), ("PatientID", "EVIL-KANARIE")):
        alter_attribute(altered, keyword, value)
    answer = both("verify", altered, "--report", folder / "altered.html")
    checks.equal(answer.code, 2, "the altered image is found", answer)
    stripped = folder / "stripped.dcm"
    shutil.copy(altered, stripped)
    strip_seal(stripped)
    both("verify", stripped, "--report", folder / "stripped.html")
    both("verify", images, "--report", folder / "good.html")
    conflict = both("seal", stripped)
    checks.equal(conflict.code, 1, "the conflict is found", conflict)
    both("export", images / "canary.dcm", "--out", folder / "canary.evidence")
    both("inspect", images / "canary.dcm")
    both("ledger", "status")
    both("ledger", "prove", "1", "--out", folder / "one.tlog-proof")
    both("ledger", "prove", images / "canary.dcm")
    both("ledger", "check")
    broken = folder / "broken.dcm"
    broken.write_bytes(altered.read_bytes()[:-90000])
    both("verify", broken, "--report", folder / "broken.html")
    both("seal", broken)
    for name in ("altered", "stripped", "good", "broken"):
        page = (folder / f"{name}.html").read_bytes()
        checks.that(page.lstrip().lower().startswith(b"<!doctype html") and len(page) > 2000,
                    f"the report {name}.html is a page")
    checks.that(b"0010,0010" in (folder / "altered.html").read_bytes(),
                "the report names the attribute")

    written = list(haystack(home))
    written += [(str(p), p.read_bytes()) for p in folder.rglob("*") if p.suffix in (
        ".html", ".evidence", ".tlog-proof")]
    checks.that(len(written) > 10 and len(printed) > 20, "there is something to search")
    needles = list(CANARIES.values()) + [PRIVATE_CANARY, "Evilkanarie", "EVIL-KANARIE",
                                         "Kanarienvogel", "Gundula"]
    for where, data in written + printed:
        for needle in needles:
            for encoded in (needle.encode(), needle.encode("utf-16-le")):
                checks.that(encoded not in data and encoded.lower() not in data.lower(),
                            f"a value is in {where}", needle)
    shown = world.run("verify", altered, "--show-values", program=program)
    checks.that(b"Evilkanarie" in shown.out, "--show-values shows it, so the search can find it", shown)
    inspected = world.run("inspect", images / "canary.dcm", "--show-values", program=program)
    checks.that(b"KANARIE-4711" in inspected.out, "inspect --show-values as well", inspected)
    modes = {p.name: oct(p.stat().st_mode & 0o777) for p in folder.glob("*.html")}
    checks.that(all(mode == "0o600" for mode in modes.values()), "reports are for their maker", modes)
