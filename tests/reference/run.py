#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares the program with the reference: both judge the same files by the same evidence, and
shall come to the same verdict and the same findings (code, frame, tiles, attribute).

    run.py --fiducia PROGRAM [--seed N] [--seconds N] [--keep DIR] [--only NAME] [--part PART]...

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
import rule_cases  # noqa: E402
import sealer  # noqa: E402
import tamper  # noqa: E402
import trust  # noqa: E402
import trust_cases  # noqa: E402
from authority import Authority, rfc3339, trust_text  # noqa: E402

BASE_BYTES_MAX = 3 << 20
PARTS = ("trust", "rules", "own", "program")
# Codes that need a decoder which the reference has not.
PIXEL_CODES = ("pixels.", "codec.", "lossy.", "decoder.")


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
        self.fresh = os.path.join(folder, "home-before")
        shutil.copytree(self.home, self.fresh)
        self.trust_path = os.path.join(self.home, "trust.toml")
        with open(self.trust_path, "rb") as stream:
            self.trust = trust.read(stream.read())

    def seal(self, path):
        """The evidence, or None where the program cannot seal the file."""
        shutil.rmtree(self.home)  # each sample is sealed as if it were the first
        shutil.copytree(self.fresh, self.home)
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
        # 10.1: whether the coder's remark in (0008,2111) counts depends on the samples.
        findings, own_findings = (
            {f for f in found if not f[0].startswith(PIXEL_CODES) and f[3] != "(0008,2111)"
             and f[0] != "encoding.changed"}
            for found in (findings, own_findings))
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


def compare_trust(program, folder, now):
    """Seals of the reference under many trust files, judged by both. Returns (cases, failures)."""
    data = os.path.join(ROOT, "tests", "data", "vectors", "fiducia", "tiny.dcm")
    path = os.path.join(folder, "trusted.dcm")
    shutil.copy(data, path)
    with open(path, "rb") as stream:
        data = stream.read()
    count = failed = 0
    for name, evidence, text, at, verdict, code in trust_cases.cases(data, now):
        evidence_path, trust_path = os.path.join(folder, "t.evidence"), os.path.join(folder, "t.toml")
        for target, content in ((evidence_path, evidence), (trust_path, text.encode())):
            with open(target, "wb") as stream:
                stream.write(content)
        done = call(program, "verify", "--json", "--trust", trust_path, "--evidence",
                    evidence_path, *(["--at", rfc3339(at)] if at is not None else []), path)
        result = (json.loads(done.stdout.splitlines()[0]) if done.stdout
                  else {"error": done.stderr.decode()})
        own = fiducia_reference.verify_path(path, [evidence], trust.read(text.encode()), at)
        found = differences(result, own)
        codes = {finding["code"] for finding in own.get("findings", ())}
        if own.get("verdict") != verdict or code is not None and code not in codes:
            found.append("expected %s %s, reference says %s %s"
                         % (verdict, code, own.get("verdict"), sorted(codes)))
        count += 1
        if found:
            failed += 1
            print("trust: %s:" % name)
            for line in found:
                print("    " + line)
    return count, failed


def compare_rules(program, folder, now):
    """Objects of rule_cases.py, sealed by the reference. Returns (cases, failures)."""
    authority = Authority("Reference CA", now)
    signer = authority.signer("REFERENCE")
    hospital = Hospital.__new__(Hospital)
    place = os.path.join(folder, "rules")
    os.makedirs(place)
    hospital.program, hospital.trust_path = program, os.path.join(folder, "rules.toml")
    text = trust_text([(authority, ["seal"])]).encode()
    with open(hospital.trust_path, "wb") as stream:
        stream.write(text)
    hospital.trust = trust.read(text)
    cases, seals = [], {}
    for number, (name, sealed, judged, verdict) in enumerate(rule_cases.cases()):
        if sealed not in seals:
            try:
                seals[sealed] = sealer.seal(sealed, signer, now=now)
            except sealer.CannotSeal:
                seals[sealed] = None
        path = os.path.join(place, "%05d.dcm" % number)
        cases.append((name, path, verdict, seals[sealed]))
        for target, content in ((path, judged), (path + ".evidence", seals[sealed])):
            if content is not None:
                with open(target, "wb") as stream:
                    stream.write(content)
    results, failed = hospital.judge(place), 0
    for name, path, verdict, evidence in cases:
        own = fiducia_reference.verify_path(path, [], hospital.trust)
        found = (differences(results[path], own) if path in results
                 else ["the program says nothing"])
        if verdict is not None and own.get("verdict") != verdict:
            found.append("expected %s, reference says %s" % (verdict, own.get("verdict")))
        if found:
            failed += 1
            print("%s (%s)%s:" % (name, path, "" if evidence else ", cannot be sealed"))
            for line in found:
                print("    " + line)
    return len(cases), failed


def compare_own_seals(program, folder, paths, seed, now, seconds):
    """Files sealed by the reference: authentic to the program, and so are their re-encodings;
    tampered copies are judged alike. Returns (cases, failures, samples)."""
    started, count, failed, sealed = time.monotonic(), 0, 0, 0
    authority = Authority("Reference CA", now)
    signer = authority.signer("REFERENCE")
    hospital = Hospital.__new__(Hospital)
    hospital.program, hospital.trust_path = program, os.path.join(folder, "own.toml")
    text = trust_text([(authority, ["seal"])]).encode()
    with open(hospital.trust_path, "wb") as stream:
        stream.write(text)
    hospital.trust = trust.read(text)
    for number, path in enumerate(paths):
        if time.monotonic() - started > seconds:
            break
        place = os.path.join(folder, "own-%03d" % number)
        with open(path, "rb") as stream:
            data = stream.read()
        try:
            evidence = sealer.seal(data, signer, now=now)
        except sealer.CannotSeal:
            continue
        os.makedirs(place)
        base = os.path.join(place, "base.dcm")
        for target, content in ((base, data), (base + ".evidence", evidence)):
            with open(target, "wb") as stream:
                stream.write(content)
        chance = random.Random("own %d %s" % (seed, os.path.basename(path)))
        bad = compare_folder(hospital, path, place, dict(tamper.variants(
            place, base, evidence, chance, tampered=3)))
        count, failed, sealed = count + bad[0], failed + bad[1], sealed + 1
        if not bad[1]:
            shutil.rmtree(place)
    return count, failed, sealed


def compare_folder(hospital, path, place, cases, tally=None):
    """Both judge all files of a folder. Returns (cases, failures)."""
    judged, failed = hospital.judge(place), 0
    for name, what in sorted(cases.items()):
        case = os.path.join(place, name)
        program = judged.get(case)
        reference = fiducia_reference.verify_path(case, [], hospital.trust)
        found = (["the program says nothing"] if program is None
                 else differences(program, reference))
        # Files that readers take differently are sealed with a warning, and never authentic.
        fresh = ("indeterminate" if program and any(
            f["code"] in ("reading.ambiguous", "offset-table.wrong") for f in
            program.get("findings", ())) else "authentic")
        if what == "as sealed" and program and program.get("verdict") != fresh:
            found.append("a fresh seal is %s" % program.get("verdict"))
        if tally is not None:
            verdict = reference.get("verdict", "error")
            tally[verdict] = tally.get(verdict, 0) + 1
        if found:
            failed += 1
            print("%s, %s (%s):" % (path, what, case))
            for line in found[:8]:
                print("    " + line)
    return len(cases), failed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fiducia", required=True)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FIDUCIA_SEED", "0")))
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--keep")
    parser.add_argument("--only", help="samples with this in their path")
    parser.add_argument("--part", action="append", choices=PARTS)
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
    now, parts = int(time.time()), arguments.part or PARTS
    paths = [p for p in samples() if not arguments.only or arguments.only in p]
    random.Random(seed).shuffle(paths)
    total = failures = 0
    if "trust" in parts:
        count, failed = compare_trust(arguments.fiducia, folder, now)
        print("%d trust files: %d differ" % (count, failed), flush=True)
        total, failures = total + count, failures + failed
    if "rules" in parts:
        count, failed = compare_rules(arguments.fiducia, folder, now)
        print("%d cases of rules: %d differ" % (count, failed), flush=True)
        total, failures = total + count, failures + failed
    started = time.monotonic()
    if "own" in parts:
        count, failed, sealed = compare_own_seals(arguments.fiducia, folder, paths, seed, now,
                                                  arguments.seconds / 3)
        print("%d copies of %d samples sealed by the reference: %d differ"
              % (count, sealed, failed), flush=True)
        total, failures = total + count, failures + failed
    if "program" in parts:
        left = arguments.seconds - (time.monotonic() - started)
        count, failed = compare_seals(arguments, folder, paths, seed, left)
        total, failures = total + count, failures + failed
    print("%d comparisons, %d differ" % (total, failures))
    if total < 200 and parts == PARTS and not arguments.only:
        print("too few comparisons: the samples are missing")
        return 1
    return 1 if failures else 0


def compare_seals(arguments, folder, paths, seed, seconds):
    """Files sealed by the program. Returns (cases, failures)."""
    started = time.monotonic()
    hospital, tally, sealed, left = Hospital(arguments.fiducia, folder), {}, 0, 0
    count = failed = 0
    for number, path in enumerate(paths):
        if time.monotonic() - started > seconds:
            left = len(paths) - number
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
        cases = dict(tamper.variants(place, base, evidence, chance))
        here = compare_folder(hospital, path, place, cases, tally)
        count, failed, sealed = count + here[0], failed + here[1], sealed + 1
        if not here[1] and not arguments.keep:
            shutil.rmtree(place)
    print("%d copies of %d samples sealed by the program: %d differ; verdicts %s%s"
          % (count, sealed, failed, json.dumps(tally, sort_keys=True),
             "; %d samples left for lack of time" % left if left else ""))
    return count, failed


if __name__ == "__main__":
    sys.exit(main())
