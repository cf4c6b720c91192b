# SPDX-License-Identifier: Apache-2.0
"""What survives: a damaged ledger is found, kills and signals leave files whole, processes share."""
import random
import shutil
import signal
import subprocess
import time

from cli_world import snapshot


def test_ledger(world, folder, checks):
    program = world.new_home(folder / "home")
    start = world.run("ledger", "status", program=program).lines[0]
    checks.equal(start["tree_size"], 1, "a new ledger has its first entry")
    out = folder / "out"
    world.run("seal", *world.slices[60:70], "--out", out, program=program)
    status = world.run("ledger", "status", program=program).lines[0]
    checks.equal(status["tree_size"], 11, "each seal has an entry", status)
    checks.that(status["root"] != start["root"], "the root moved")
    answer = world.run("ledger", "check", program=program)
    checks.equal((answer.code, answer.lines[0]["status"]), (0, "intact"), "it is intact", answer)
    path = out / world.slices[60].name
    for target in ("3", path):
        answer = world.run("ledger", "prove", target, "--out", folder / "p.tlog-proof", program=program)
        checks.equal(answer.code, 0, f"proves {target}", answer)
        text = (folder / "p.tlog-proof").read_text()
        checks.that(text.startswith("c2sp.org/tlog-proof@v1\n"), "as C2SP writes it", text[:60])
    # Every file of the ledger, every kind of damage that one can do to it.
    ledger = folder / "home/ledger"
    # Partial tiles of smaller trees stay until they are swept; nothing is read from them.
    # The journal is the appender's, not the public log's.
    files = [p for p in ledger.rglob("*") if p.is_file() and p.stat().st_size > 0 and
             ".journal" not in p.parts and not (p.parent.name.endswith(".p") and p.name != str(status["tree_size"]))]
    checks.that(len(files) >= 4, "the ledger has files", files)
    seed = random.SystemRandom().randrange(1 << 32)
    prng = random.Random(seed)
    for file in files:
        good = file.read_bytes()
        for kind in ("flip", "flip", "flip", "cut", "gone", "swap"):
            data = bytearray(good)
            if kind == "flip":
                data[prng.randrange(len(data))] ^= 1 << prng.randrange(8)
            elif kind == "cut":
                data = data[:prng.randrange(len(data))]
            elif kind == "swap":
                data = bytes(reversed(data))
            if kind == "gone":
                file.unlink()
            else:
                file.write_bytes(data)
            answer = program.run("ledger", "check", "--json")
            if file.name == "signed-root.cbor" and kind == "gone":
                # Copies of a log need no such record.
                checks.equal(answer.code, 0, "a log without its record of roots is intact", answer)
            else:
                checks.that(answer.code in (1, 2) and answer.out.startswith(b"{"),
                            f"{kind} in {file.relative_to(ledger)} is found (seed {seed})", answer)
                if kind != "gone":
                    checks.equal(answer.code, 2, f"{kind} in {file.relative_to(ledger)} is damage "
                                 f"(seed {seed})", answer)
            verified = world.run("verify", path, program=program)
            checks.equal(verified.code, 0, "receipts do not need the ledger", verified)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(good)
    checks.equal(program.run("ledger", "check").code, 0, "restored it is intact")
    journal = ledger / ".journal"
    journal.rename(folder / "journal")
    sealing = world.run("seal", world.ct, program=program)
    checks.equal(sealing.code, 1, "without its journal no log is appended to", sealing)
    (folder / "journal").rename(journal)
    # The checkpoint of another ledger, signed by its own key: another history.
    other = world.new_home(folder / "other")
    world.run("seal", *world.slices[60:70], program=other)
    shutil.copytree(folder / "other/ledger", ledger, dirs_exist_ok=True)
    answer = program.run("ledger", "check")
    checks.equal(answer.code, 2, "another ledger in its place is damage", answer)


def state_of(files, before, world, program, checks, sentence):
    """Each file is the old one, or sealed and authentic; nothing else is there."""
    changed = []
    for path in files:
        if not path.exists():
            checks.that(False, f"{sentence}: {path.name} is lost")
        elif path.read_bytes() != before[path.name]:
            changed.append(path)
    if changed:
        answer = world.run("verify", *changed, program=program)
        checks.equal(answer.code, 0, f"{sentence}: what was replaced is sealed", answer)
        checks.that(all(line["seal"]["found_in"] == "file" for line in answer.lines),
                    f"{sentence}: by a seal of its own", answer)
    return len(changed)


def test_kill_while_sealing_in_place(world, folder, checks):
    """`kill -9` at random moments: old or new, never half; and the next run fixes the rest."""
    images = folder / "images"
    images.mkdir()
    sources = world.slices[100:112]
    for path in sources:
        shutil.copy(path, images)
    files = sorted(images.iterdir())
    before = {path.name: path.read_bytes() for path in files}
    trial = world.new_home(folder / "trial")
    start = time.monotonic()
    trial.run("seal", images, "--out", folder / "trial-out")
    whole_run_s = time.monotonic() - start
    program = world.new_home(folder / "home")
    seed = random.SystemRandom().randrange(1 << 32)
    prng = random.Random(seed)
    killed = partial = number = 0
    while killed < world.kills and number < 10 * world.kills:
        number += 1
        # A file that was sealed is put back, so that each round has work; its seal stays known.
        if all(path.read_bytes() != before[path.name] for path in files):
            for path in files:
                path.write_bytes(before[path.name])
        process = subprocess.Popen([program.program, "seal", str(images), "--in-place", "--json"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   env=program.environment)
        time.sleep(prng.uniform(0, whole_run_s))
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            killed += 1
        process.wait()
        done = state_of(files, before, world, program, checks, f"kill {number} (seed {seed})")
        partial += 0 < done < len(files)
    checks.that(killed == world.kills and partial > 0, "the kills came while it worked",
                f"{killed} of {number}, {partial} with part of the files done")
    check = program.run("ledger", "check")
    checks.equal(check.code, 0, f"the ledger is sound after {killed} kills (seed {seed})", check)
    for path in files:
        path.write_bytes(before[path.name])
    answer = world.run("seal", images, "--in-place", program=program)
    checks.equal(answer.code, 0, "the next run completes", answer)
    checks.that(all(line["status"] in ("sealed", "already-sealed") for line in answer.lines),
                "each image is sealed", answer)
    checks.equal(world.run("verify", images, program=program).code, 0, "all are authentic")
    checks.equal(sorted(p.name for p in images.iterdir()), sorted(before), "nothing is left over")
    print(f"        {killed} of {number} runs were killed, {partial} with part of the files done")


def test_interrupt(world, folder, checks):
    images = folder / "images"
    images.mkdir()
    for path in world.slices[120:180]:
        shutil.copy(path, images)
    files = sorted(images.iterdir())
    before = {path.name: path.read_bytes() for path in files}
    program = world.new_home(folder / "home")
    interrupted = 0
    for number, delay_s in enumerate((0.0, 0.02, 0.05, 0.1, 0.2, 0.4)):
        for name in (signal.SIGINT, signal.SIGTERM):
            process = subprocess.Popen([program.program, "seal", str(images), "--in-place", "--json"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                       env=program.environment)
            time.sleep(delay_s)
            process.send_signal(name)
            out, err = process.communicate(timeout=60)
            # Before the program listens, the signal ends it as it ends any process.
            checks.that(process.returncode in (0, 1, -name), f"{name.name} after {delay_s} s",
                        f"{process.returncode} {out[-300:]} {err[-300:]}")
            interrupted += process.returncode != 0
            state_of(files, before, world, program, checks, f"{name.name} {number}")
    checks.that(interrupted >= 2, "signals came while it worked", str(interrupted))
    checks.equal(program.run("ledger", "check").code, 0, "the ledger is sound")
    answer = world.run("seal", images, "--in-place", program=program)
    checks.equal(answer.code, 0, "the next run completes", answer)
    checks.equal(sorted(p.name for p in images.iterdir()), sorted(before), "nothing is left over")
    process = subprocess.Popen([program.program, "verify", str(world.slices[0].parent), "--json"],
                               stdout=subprocess.PIPE, env=program.environment)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    checks.that(process.returncode in (-signal.SIGINT, 3), "verify can be interrupted",
                str(process.returncode))


def test_processes_share_a_home(world, folder, checks):
    program = world.new_home(folder / "home")
    count, each = 6, 8
    processes = []
    for number in range(count):
        images = folder / f"images-{number}"
        images.mkdir()
        for path in world.slices[180 + number * each:180 + (number + 1) * each]:
            shutil.copy(path, images)
        # The same image for all of them: one seals it, the others find it sealed.
        shutil.copy(world.slices[299], images / "shared.dcm")
        processes.append(subprocess.Popen(
            [program.program, "seal", str(images), "--sidecar", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=program.environment))
    outs = [process.communicate(timeout=120) for process in processes]
    for process, (out, err) in zip(processes, outs):
        checks.equal(process.returncode, 0, "each process succeeds", f"{out[-400:]} {err[-400:]}")
    text = b"".join(out for out, _ in outs)
    checks.equal(text.count(b'"status":"sealed"'), count * each + 1, "each image is sealed once")
    checks.equal(text.count(b'"status":"already-sealed"'), count - 1, "the shared one only once")
    status = world.run("ledger", "status", program=program).lines[0]
    checks.equal(status["tree_size"], 1 + count * each + 1, "the ledger has one entry each", status)
    check = program.run("ledger", "check")
    checks.equal(check.code, 0, "the ledger is consistent", check)
    for number in range(count):
        answer = world.run("verify", folder / f"images-{number}", program=program)
        checks.equal(answer.code, 0, "all are authentic", answer)
    readers = [subprocess.Popen([program.program, "verify", str(folder / f"images-{n}")],
                                stdout=subprocess.DEVNULL, env=program.environment)
               for n in range(count)]
    sealing = world.run("seal", *world.slices[240:260], program=program)
    checks.equal(sealing.code, 0, "sealing goes on beside readers", sealing)
    for reader in readers:
        checks.equal(reader.wait(timeout=60), 0, "and readers beside sealing")


def test_damaged_store(world, folder, checks):
    """The evidence store can be lost or broken; no verdict comes from that."""
    home = folder / "home"
    program = world.new_home(home)
    world.run("seal", *world.slices[270:274], "--out", folder / "out", program=program)
    stripped = world.slices[270]
    checks.equal(world.run("verify", stripped, program=program).code, 0, "found in the store")
    store = [p for p in home.iterdir() if p.name.startswith("evidence.db")]
    good = {p: p.read_bytes() for p in store}
    database = home / "evidence.db"
    prng = random.Random(7)
    for kind in ("garbage", "cut", "pages"):
        for p, data in good.items():
            p.write_bytes(data)
        data = bytearray(database.read_bytes())
        if kind == "garbage":
            data = bytearray(prng.randbytes(len(data)))
        elif kind == "cut":
            data = data[:len(data) // 2]
        else:
            for _ in range(len(data) // 40):
                data[prng.randrange(200, len(data))] ^= 0xFF
        database.write_bytes(data)
        answer = world.run("verify", stripped, program=program)
        checks.that(answer.code in (0, 1, 3, 5), f"a store that is {kind}: no alarm, no crash", answer)
        answer = world.run("verify", folder / "out", program=program)
        checks.that(answer.code in (0, 1), f"a store that is {kind}: seals in files still count or "
                    "it is an error", answer)
    for p, data in good.items():
        p.write_bytes(data)
    checks.equal(world.run("verify", stripped, program=program).code, 0, "restored it is found")
    for p in snapshot(home):
        if str(p).startswith("evidence.db"):
            (home / p).unlink()
    answer = world.run("verify", stripped, program=program)
    checks.that(answer.code in (1, 3), "without a store the stripped image is unsealed", answer)
    answer = world.run("verify", folder / "out", program=program)
    checks.that(answer.code in (0, 1), "sealed files need no store", answer)
