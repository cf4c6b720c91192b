#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills `fiducia seal --in-place` at random moments: kill_in_place_test.py FIDUCIA [ROUNDS]

After every kill each file is the old one or the whole sealed one, never between; after the next
run all are sealed, verify as authentic, the ledger is intact, and no temporary file is left.
"""
import hashlib
import os
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time

FILES = 24


def element(group, number, vr, value):
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB") else b" "
    head = struct.pack("<HH2s", group, number, vr.encode())
    if vr in ("OB", "OW"):
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def image(index, rng):
    meta = element(2, 0x10, "UI", b"1.2.840.10008.1.2.1")
    meta = element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    us = lambda n, v: element(0x28, n, "US", struct.pack("<H", v))
    side = 192
    return (b"\0" * 128 + b"DICM" + meta
            + element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.2")
            + element(8, 0x18, "UI", b"1.2.3.%d" % (index + 1))
            + us(2, 1) + element(0x28, 4, "CS", b"MONOCHROME2") + us(0x10, side) + us(0x11, side)
            + us(0x100, 16) + us(0x101, 16) + us(0x102, 15) + us(0x103, 0)
            + element(0x7FE0, 0x10, "OW", rng.randbytes(side * side * 2)))


def digest(path):
    return hashlib.sha256(path.read_bytes()).digest()


def main():
    fiducia = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 100
    seed = int(os.environ.get("FIDUCIA_SEED", random.randrange(2**32)))
    print(f"rerun with FIDUCIA_SEED={seed}")
    rng = random.Random(seed)
    work = pathlib.Path(tempfile.mkdtemp(prefix="fiducia-kill-"))
    environment = {**os.environ, "FIDUCIA_HOME": str(work / "home")}

    def run(*arguments):
        return subprocess.run([fiducia, *map(str, arguments)], env=environment,
                              capture_output=True, text=True, timeout=120)

    killed = partly = cleaned = 0
    try:
        assert run("init").returncode == 0
        scans = work / "scans"
        originals = {f"{i:02}.dcm": image(i, rng) for i in range(FILES)}
        shutil.copytree(work / "home", work / "fresh-home")

        def reset():
            shutil.rmtree(scans, ignore_errors=True)
            shutil.rmtree(work / "home")
            shutil.copytree(work / "fresh-home", work / "home")
            scans.mkdir()
            for name, data in originals.items():
                (scans / name).write_bytes(data)

        reset()
        started = time.monotonic()
        assert run("seal", scans, "--in-place").returncode == 0
        full_s = time.monotonic() - started
        old = {name: hashlib.sha256(data).digest() for name, data in originals.items()}

        for number in range(rounds):
            reset()
            process = subprocess.Popen([fiducia, "seal", str(scans), "--in-place"],
                                       env=environment, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            time.sleep(rng.uniform(0, full_s * 1.1))
            process.kill()
            killed += process.wait() != 0
            changed = [p for p in sorted(scans.glob("*.dcm")) if digest(p) != old[p.name]]
            assert len(list(scans.glob("*.dcm"))) == FILES, "a file is gone"
            partly += 0 < len(changed) < FILES
            if changed:  # new: then it must be whole, which the verifier can tell
                answer = run("verify", *changed)
                assert answer.returncode == 0, f"round {number}: {answer.stdout}{answer.stderr}"
                for path in changed:
                    assert b"FIDUCIA" in path.read_bytes(), f"round {number}: {path} has no seal"
            temporaries = [p for p in scans.iterdir() if p.name.startswith(".")]
            cleaned += bool(temporaries)
            answer = run("seal", scans, "--in-place")
            assert answer.returncode == 0, f"round {number}: {answer.stdout}{answer.stderr}"
            names = sorted(p.name for p in scans.iterdir())
            assert names == sorted(originals), f"round {number}: left over {names}"
            assert run("verify", scans).returncode == 0, f"round {number}: not all are authentic"
            assert run("ledger", "check").returncode == 0, f"round {number}: ledger damaged"
        print(f"{rounds} rounds: {killed} killed, {partly} with some files sealed, "
              f"{cleaned} with a temporary file to clean")
        assert killed >= rounds // 4, "too few kills hit a running process to prove anything"
        assert partly > 0, "no kill fell between two files"
    finally:
        shutil.rmtree(work, ignore_errors=True)


main()
