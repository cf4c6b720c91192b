#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the program with the reference: both judge the same files by the same evidence, and
shall come to the same verdict and the same findings (code, frame, tiles, attribute).

    run.py --fiducia PROGRAM [--seed N] [--keep DIR] [--limit N]

Exit status: 0 agreed, 1 they differ, 77 skipped (a Python package is missing)."""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

try:
    import cryptography  # noqa: F401
    import numpy  # noqa: F401
    import pydicom
except ImportError as error:
    print("skipped: %s (Debian packages python3-cryptography, python3-numpy, python3-pydicom)"
          % error)
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)

import fiducia_reference  # noqa: E402
import tamper  # noqa: E402
import trust  # noqa: E402

BASE_BYTES_MAX = 3 << 20
# Codes that need a decoder which the reference has not.
PIXEL_CODES = ("pixels.", "codec.", "lossy.")


def samples():
    """Paths of files to seal."""
    found = []
    data = os.path.join(os.path.dirname(pydicom.__file__), "data")
    for folder in (os.path.join(data, "test_files"), os.path.join(data, "charset_files"),
                   os.path.join(ROOT, "build", "samples", "real", "octave"),
                   os.path.join(ROOT, "build", "samples", "derived"),
                   os.path.join(ROOT, "tests", "data", "vectors", "fiducia")):
        for base, _, names in sorted(os.walk(folder)):
            series = [os.path.join(base, name) for name in sorted(names) if name.endswith(".dcm")]
            # Slices of one series are alike.
            found += series if len(series) < 100 else series[:2]
    return [path for path in found if os.path.getsize(path) <= BASE_BYTES_MAX]


def call(*arguments):
    return subprocess.run(arguments, capture_output=True, check=False)


class Hospital:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.home = os.path.join(folder, "home")
        made = call(program, "init", "--home", self.home, "--name", "Reference Hospital")
        if made.returncode:
            sys.exit("init: " + made.stderr.decode())
        self.trust_path = os.path.join(self.home, "trust.toml")
        with open(self.trust_path, "rb") as stream:
            self.trust = trust.read(stream.read())

    def seal(self, path):
        """The evidence, or None where the program cannot seal the file."""
        database = os.path.join(self.home, "evidence.db")
        for suffix in ("", "-wal", "-shm"):  # each sample is sealed as if it were the first
            if os.path.exists(database + suffix):
                os.remove(database + suffix)
        sealed = call(self.program, "seal", "--home", self.home, "--sidecar", "--json", path)
        if sealed.returncode or not os.path.exists(path + ".evidence"):
            return None
        with open(path + ".evidence", "rb") as stream:
            return stream.read()

    def judge(self, folder):
        """{path: JSON} of a whole folder."""
        done = call(self.program, "verify", "--json", "--trust", self.trust_path, folder)
        results = {}
        for line in done.stdout.decode().splitlines():
            result = json.loads(line)
            results[result.get("path") or result["error"].get("path")] = result
        return results


def summary(result):
    """(verdict, findings) in the form in which the two are compared."""
    if "error" in result:
        return "error", set()
    findings = set()
    for finding in result["findings"]:
        code = finding["code"]
        if code.startswith("malformed."):
            code = "malformed"  # which damage a reader names first is its own affair
        if code == result["verdict"]:
            continue
        findings.add((code, finding.get("frame"), json.dumps(finding.get("tiles")),
                      finding.get("attribute")))
    return result["verdict"], findings


def differences(program, reference):
    """Sentences; empty if the two agree."""
    verdict, findings = summary(program)
    own_verdict, own_findings = summary(reference)
    more = any(finding[0] == "findings.more" for finding in findings)
    if any(finding[0] == "codec.missing" for finding in own_findings):
        if any(finding[0] == "lossy.recompressed" for finding in findings):
            return []  # 10.4 changes what header findings mean, and needs the samples
        findings = {f for f in findings if not f[0].startswith(PIXEL_CODES)}
        own_findings = {f for f in own_findings if not f[0].startswith(PIXEL_CODES)}
        if own_verdict == "indeterminate" and verdict in ("authentic", "altered", "indeterminate"):
            verdict = own_verdict
        elif verdict != own_verdict and verdict == "altered":
            own_verdict = verdict
    if reference.get("decoder_lacks"):
        findings = {f for f in findings if f[3] != "(0028,0004)"}
        own_findings = {f for f in own_findings if f[3] != "(0028,0004)"}
    result = []
    if verdict != own_verdict:
        result.append("verdict: program %s, reference %s" % (verdict, own_verdict))
    if not more:
        result += ["program only: %r" % (f,) for f in sorted(findings - own_findings, key=repr)]
    result += ["reference only: %r" % (f,) for f in sorted(own_findings - findings, key=repr)
               if not more]
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fiducia", required=True)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FIDUCIA_SEED", "0")))
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--keep")
    parser.add_argument("--only")
    arguments = parser.parse_args()
    seed = arguments.seed or random.SystemRandom().randrange(1, 1 << 32)
    print("rerun with FIDUCIA_SEED=%d" % seed, flush=True)
    if not os.access(arguments.fiducia, os.X_OK):
        sys.exit("no program at " + arguments.fiducia)
    folder = arguments.keep or tempfile.mkdtemp(prefix="fiducia-reference-")
    os.makedirs(folder, exist_ok=True)
    try:
        return compare(arguments, seed, folder)
    finally:
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)


def compare(arguments, seed, folder):
    hospital = Hospital(arguments.fiducia, folder)
    started, compared, undecided, failed, by_verdict = time.monotonic(), 0, 0, 0, {}
    paths = [p for p in samples() if not arguments.only or arguments.only in p]
    order = random.Random(seed)
    order.shuffle(paths)
    unfinished = 0
    for number, path in enumerate(paths):
        if time.monotonic() - started > arguments.seconds:
            unfinished = len(paths) - number
            break
        place = os.path.join(folder, "%03d" % number)
        os.makedirs(place)
        base = os.path.join(place, "base.dcm")
        shutil.copy(path, base)
        evidence = hospital.seal(base)
        if evidence is None:
            shutil.rmtree(place)
            continue
        chance = random.Random("%d %s" % (seed, os.path.basename(path)))
        cases = {os.path.join(place, name): what
                 for name, what in tamper.variants(place, base, evidence, chance)}
        judged = hospital.judge(place)
        bad_here = 0
        for case, what in sorted(cases.items()):
            program = judged.get(case)
            reference = fiducia_reference.verify_path(case, [], hospital.trust)
            found = (["the program says nothing"] if program is None
                     else differences(program, reference))
            if what == "as sealed" and program and program.get("verdict") != "authentic":
                found.append("the program's own seal is %s" % program.get("verdict"))
            compared += 1
            verdict = reference.get("verdict", "error")
            by_verdict[verdict] = by_verdict.get(verdict, 0) + 1
            undecided += any(f["code"] == "codec.missing" for f in reference.get("findings", ()))
            if found:
                bad_here += 1
                failed += 1
                print("%s, %s (%s):" % (path, what, case))
                for line in found[:8]:
                    print("    " + line)
        if not bad_here and not arguments.keep:
            shutil.rmtree(place)
    print("%d comparisons of %d samples in %.0f s; verdicts %s; %d without a decoder; %d differ%s"
          % (compared, len(paths) - unfinished, time.monotonic() - started,
             json.dumps(by_verdict, sort_keys=True), undecided, failed,
             "; %d samples left for lack of time" % unfinished if unfinished else ""))
    if compared < 300 and not arguments.only:
        print("too few comparisons: the samples are missing")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
