#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Judges the golden set again: images, evidence and trust files as an earlier version wrote them, with what
was said of them. Every later version has to say the same: verdict, exit code, and of each finding its
code, severity and place. Texts may be rewritten, and members added.

  golden_test.py [--bin DIR] [--set DIR] [NAME...]

A set is a folder of tests/data/golden with cases.json: for each case the arguments of `fiducia verify`
(run in that folder), `exit`, and what was said. make.py makes a new set; none is ever changed.
"""
import argparse
import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from support import Checks, PROJECT  # noqa: E402

SETS = PROJECT / "tests/data/golden"
KEPT = ("code", "severity", "attribute", "frame", "tiles", "box")  # of a finding: what it is, and where


def essence(line):
    """What of one result every later version has to repeat."""
    findings = [{key: finding[key] for key in KEPT if key in finding} for finding in line["findings"]]
    return {"verdict": line["verdict"],
            "findings": sorted(findings, key=lambda finding: json.dumps(finding, sort_keys=True))}


def said(program, folder, arguments):
    """Exit code and essence of `fiducia verify`, away from any home."""
    done = subprocess.run([program, "verify", *arguments, "--json"], cwd=folder, capture_output=True, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LC_ALL": "C.UTF-8"}, check=False)
    line, = [json.loads(line) for line in done.stdout.decode("utf-8").splitlines()]
    return {"exit": done.returncode, **essence(line)}


def differences(was, now):
    out = [f"{key} {now[key]}, was {was[key]}" for key in ("exit", "verdict") if was[key] != now[key]]
    out += [f"no longer found: {finding}" for finding in was["findings"] if finding not in now["findings"]]
    out += [f"new: {finding}" for finding in now["findings"] if finding not in was["findings"]]
    return out or ([] if was == now else ["the same findings, another number of times"])


def check_comparison(checks, was):
    """The comparison can fail: every part of an answer is changed once."""
    for change in ({"exit": -1}, {"verdict": "x"}, {"findings": []}, {"findings": was["findings"] * 2}):
        checks.that(differences(was, {**was, **change}), f"a change is seen: {list(change)}")
    for key in KEPT:
        changed = [{**was["findings"][0], key: "x"}, *was["findings"][1:]]
        checks.that(differences(was, {**was, "findings": changed}), f"a change of {key} is seen")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    parser.add_argument("--set", type=pathlib.Path, action="append", help="only this one")
    parser.add_argument("name", nargs="*", help="only these cases")
    given = parser.parse_args()
    program = (given.bin / "fiducia").resolve()
    checks = Checks()
    codes, verdicts = set(), set()
    for folder in given.set or sorted(path.parent for path in SETS.glob("*/cases.json")):
        cases = json.loads((folder / "cases.json").read_text())
        for name, case in cases.items():
            if given.name and name not in given.name:
                continue
            was = {key: case[key] for key in ("exit", "verdict", "findings")}
            now = said(program, folder, case["arguments"])
            wrong = differences(was, now)
            checks.that(not wrong, f"{folder.name}/{name} is judged as before", "\n        ".join(wrong))
            verdicts.add(now["verdict"])
            codes |= {finding["code"] for finding in now["findings"]}
            if was["findings"] and was["findings"][0].get("attribute"):
                sample = was
    if not given.name:
        check_comparison(checks, sample)
        checks.equal(sorted(verdicts), ["altered", "authentic", "indeterminate", "malformed", "unsealed", "untrusted"],
                     "every verdict is there")
    print(f"{len(codes)} codes: {', '.join(sorted(codes))}")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
