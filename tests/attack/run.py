#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Files that were once judged wrongly: made anew, sealed in a fresh home, mutated, verified.

  run.py [--bin DIR] [--work DIR] [--list] [--waiting] [CASE...]

Each case of cases.py and text_cases.py seals its base, which must then have the verdict that the case states, and
verifies its mutants by that evidence. Those of scenes.py take more: keys, trust files, a store.
waiting.json names what the program does not pass yet: it is printed, and does not fail.
"""
import argparse
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e")]
from cases import CASES  # noqa: E402
from judging import fault, judged  # noqa: E402
from scenes import SCENES  # noqa: E402
import codec_cases  # noqa: E402, F401  adds to CASES
import text_cases  # noqa: E402, F401
from support import Checks, Fiducia, PROJECT, WorkFolder, require_tools  # noqa: E402

# Case/mutant -> what is still said.
WAITING = json.loads((HERE / "waiting.json").read_text())


def try_case(name, program, folder):
    """Mutant (or `base`) -> (what is wrong or None, what was seen)."""
    (folder / name).mkdir()
    if name in SCENES:
        return {part: (wrong, seen) for part, wrong, seen in SCENES[name](program, folder / name)}
    case = CASES[name]
    base, mutants = case.make()
    path = folder / name / "base.dcm"
    path.write_bytes(base)
    sealed = program.run("seal", path, "--sidecar", "--json")
    evidence = folder / name / "base.dcm.evidence"
    if sealed.code != 0:
        return {"base": (f"is not sealed: {sealed.out[:300]!r}{sealed.err[:300]!r}", None)}
    seen = judged(program, path, evidence)
    words = lambda part: (case.says.get(part), case.never_says.get(part))  # noqa: E731
    out = {"base": (fault(seen, case.base, (), *words("base")), seen)}
    for mutant, data in mutants.items():
        target = folder / name / f"{mutant}.dcm"
        target.write_bytes(data)
        seen = judged(program, target, evidence)
        expected = case.of.get(mutant, (case.verdicts, *case.codes))
        out[mutant] = (fault(seen, expected[0], expected[1:], *words(mutant)), seen)
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    parser.add_argument("--work", type=pathlib.Path, help="keep the files here")
    parser.add_argument("--list", action="store_true", help="print what each mutant is told")
    parser.add_argument("--waiting", action="store_true", help="print a new list of waiting cases")
    parser.add_argument("case", nargs="*")
    given = parser.parse_args()
    require_tools("dcmcjpeg", "dcmdjpeg", "dcmodify", "gdcmconv", "cjxl")
    checks, waiting = Checks(), {}
    with WorkFolder(given.work) as work:
        program = Fiducia(given.bin.resolve(), work / "home")
        program.init()
        for name in given.case or [*CASES, *SCENES]:
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
