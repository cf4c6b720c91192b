#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that were once judged wrongly: made anew, sealed in a fresh home, mutated, verified.

  run.py [--bin DIR] [--work DIR] [--list] [--waiting] [CASE...]

Each case of cases.py seals its base, which must then have the verdict that the case states, and
verifies its mutants by that evidence. waiting.json names what the program does not pass yet: it is
printed, and does not fail.
"""
import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
from cases import CASES  # noqa: E402
from support import Checks, Fiducia, PROJECT, WorkFolder, require_tools  # noqa: E402

# Case/mutant -> what is still said.
WAITING = json.loads((HERE / "waiting.json").read_text())


def judged(program, path, evidence):
    line = program.run("verify", path, "--evidence", evidence, "--json").lines[0]
    return line["verdict"], {f["code"]: f["severity"] for f in line["findings"]}


def fault(seen, verdicts, codes):
    """None, or what is wrong with (verdict, codes) of a mutant."""
    verdict, findings = seen
    if verdict not in verdicts:
        return f"{verdict}, not {' or '.join(verdicts)}"
    told = [code for code, severity in findings.items() if severity != "note"]
    if codes and not any(t == c or t.startswith(c + ".") for t in told for c in codes):
        return f"{verdict} without {' or '.join(codes)}"
    return None


def try_case(name, program, folder):
    """Mutant (or `base`) -> (what is wrong or None, what was seen)."""
    make, verdicts, codes, base_verdicts, of = CASES[name]
    base, mutants = make()
    (folder / name).mkdir()
    path = folder / name / "base.dcm"
    path.write_bytes(base)
    sealed = program.run("seal", path, "--sidecar", "--json")
    evidence = folder / name / "base.dcm.evidence"
    if sealed.code != 0:
        return {"base": (f"is not sealed: {sealed.out[:300]!r}{sealed.err[:300]!r}", None)}
    seen = judged(program, path, evidence)
    out = {"base": (fault(seen, base_verdicts, ()), seen)}
    for mutant, data in mutants.items():
        target = folder / name / f"{mutant}.dcm"
        target.write_bytes(data)
        seen = judged(program, target, evidence)
        expected = of.get(mutant, (verdicts, *codes))
        out[mutant] = (fault(seen, expected[0], expected[1:]), seen)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    parser.add_argument("--work", type=pathlib.Path, help="keep the files here")
    parser.add_argument("--list", action="store_true", help="print what each mutant is told")
    parser.add_argument("--waiting", action="store_true", help="print a new list of waiting cases")
    parser.add_argument("case", nargs="*")
    given = parser.parse_args()
    require_tools("dcmcjpeg", "dcmdjpeg", "gdcmconv", "cjxl")
    checks, waiting = Checks(), {}
    with WorkFolder(given.work) as work:
        program = Fiducia(given.bin.resolve(), work / "home")
        program.init()
        for name in given.case or CASES:
            for mutant, (wrong, seen) in try_case(name, program, work).items():
                key = f"{name}/{mutant}"
                if wrong:
                    waiting[key] = wrong
                if given.list:
                    print(f"{'FAULT' if wrong else 'ok   '} {key}: {wrong or ''} {seen}")
                if key in WAITING:
                    checks.skip(f"{key} waits for a fix: {wrong}" if wrong else
                                f"{key} passes now: take it off waiting.json")
                else:
                    checks.that(not wrong, f"{key}: {wrong}", seen)
    if given.waiting:
        print(json.dumps(waiting, indent=1))
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
