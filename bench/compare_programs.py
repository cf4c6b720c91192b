#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the commands cost beside another build of Fiducia, an older release for example.

  bench/compare_programs.py OLD_BIN NEW_BIN [--samples FOLDER] [--turns N] [--work FOLDER]

Both programs take turns over the same objects with one worker; homes, copies and evidence lie in
WORK, best a folder in memory (/dev/shm), so that no disk is measured. Processor time, user and
system, decoders included; printed is the median of the ratios new / old of the turns, with the
smallest and the largest. The old program seals what the old one verifies.
"""
import argparse
import os
import pathlib
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parent.parent


def children_s():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def processor_s(argv):
    before = children_s()
    done = subprocess.run(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, argv))}: exit code {done.returncode}: {done.stderr[-400:]!r}")
    return children_s() - before


class Build:
    def __init__(self, folder, work):
        self.program = folder / "fiducia"
        self.work = work
        work.mkdir()
        for home in ("fresh", "known"):
            self.run("init", "--home", work / home)

    def run(self, *arguments):
        return processor_s([self.program, *arguments, "--quiet"])

    def verify(self, objects):
        return self.run("verify", objects, "--home", self.work / "known")

    def seal(self, objects, *more):
        """In a copy of a fresh home: nothing of the turn before is known."""
        for folder in ("turn", "out"):
            shutil.rmtree(self.work / folder, ignore_errors=True)
        shutil.copytree(self.work / "fresh", self.work / "turn")
        return self.run("seal", objects, "--home", self.work / "turn", *more)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=pathlib.Path)
    parser.add_argument("new", type=pathlib.Path)
    parser.add_argument("--samples", type=pathlib.Path, default=SOURCE / "build/samples")
    parser.add_argument("--turns", type=int, default=9)
    parser.add_argument("--work", default="/dev/shm")
    given = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # one worker
    objects = {
        "DX, native, 10 MB": given.samples / "synthetic/dx.dcm",
        "ultrasound of 10 frames": given.samples / "derived/us-rgb-10.dcm",
        "300 CT slices": given.samples / "derived/ct-series",
    }
    print("| Object | verify | seal | seal --out |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=given.work) as folder:
        work = pathlib.Path(folder)
        builds = [Build(given.old.resolve(), work / "old"), Build(given.new.resolve(), work / "new")]
        for name, path in objects.items():
            ratios = {"verify": [], "seal": [], "seal --out": []}
            for build in builds:
                build.run("seal", path, "--home", build.work / "known")
            steps = {
                "verify": lambda build: build.verify(path),
                "seal": lambda build: build.seal(path),
                "seal --out": lambda build: build.seal(path, "--out", build.work / "out"),
            }
            for turn in range(given.turns + 1):
                for step, of in steps.items():
                    old, new = (of(build) for build in builds)
                    if turn > 0:  # the first turn warms caches
                        ratios[step].append(new / old)
            print(f"| {name} | " + " | ".join(
                f"{statistics.median(r):.2f} ({min(r):.2f} to {max(r):.2f})"
                for r in ratios.values()) + " |", flush=True)


main()
