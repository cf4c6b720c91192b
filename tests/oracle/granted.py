#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each exception that spec/seal.md grants is known, and used: what DCMTK, GDCM and pydicom make of it.

  granted.py [--bin DIR] [--samples DIR] [--work DIR] [--list] [USE...]

Each word that grants something (ignored, left out, any, may, unless, ...) has to stand in a quote of
exceptions.py, which names the mutants of uses.py that make use of it, or why it grants no reading. Each
mutant has to get the verdict that it states, and what is `authentic` is the same for every reader.
"""
import argparse
import collections
import concurrent.futures
import json
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "attack")]
import readers  # noqa: E402
from exceptions import GRANTED, WORDS  # noqa: E402
from run import opinions  # noqa: E402
from support import Checks, Fiducia, PROJECT, WorkFolder, require_tools  # noqa: E402
from uses import USES, make_bases, with_evidence  # noqa: E402

WAITING = json.loads((HERE / "waiting.json").read_text())


def plain(text):
    """Prose on one line: without test vectors and code."""
    text = re.sub(r"<!-- vectors.*?<!-- /vectors -->|```.*?```", " ", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text)


def check_table(checks):
    spec = plain((PROJECT / "spec/seal.md").read_text())
    known, used = [], collections.Counter()
    for quote, grant in GRANTED:
        quote = plain(quote)
        found = [m.start() for m in re.finditer(re.escape(quote), spec)]
        checks.equal(len(found), 1, f"the spec says once: {quote}")
        known += [(at, at + len(quote)) for at in found]
        if isinstance(grant, tuple):
            used.update(grant)
    for word in WORDS.finditer(spec):
        if not any(start <= word.start() and word.end() <= end for start, end in known):
            checks.that(False, "exceptions.py knows what the spec grants",
                        f"`{word[0]}` in: ...{spec[max(0, word.start() - 100):word.end() + 60]}...")
    checks.equal(sorted(used.keys() - USES.keys()), [], "every use that the table names exists")
    checks.equal(sorted(USES.keys() - used.keys()), [], "every use belongs to a quote")


def compare(task):
    name, path, base = task
    seen = opinions(path, 1)
    return name, [f"{reader}: {text}" for reader in seen for text in readers.compared(base[reader], seen[reader], "")]


def check_uses(checks, given, program, work):
    names = given.use or list(USES)
    bases = {name: data for name, data in make_bases(given.samples).items() if name in {USES[n].base for n in names}}
    if any(USES[n].base == "embedded" for n in names):
        bases["embedded"] = with_evidence(program, make_bases(given.samples)["grey8"])
    (work / "bases").mkdir()
    sealed = {}
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for name, data in bases.items():
            path = work / "bases" / f"{name}.dcm"
            path.write_bytes(data)
            if name != "embedded":
                answer = program.run("seal", path, "--json")
                checks.equal(answer.code, 0, f"the base {name} is sealed", answer)
            verdict = program.run("verify", path, "--json").lines[0]["verdict"]
            checks.equal(verdict, "authentic", f"the base {name}")
            sealed[name] = pool.submit(opinions, path, 1)
        sealed = {name: future.result() for name, future in sealed.items()}
        paths = {}
        for name in names:
            path = work / f"{name}.dcm"
            path.write_bytes(USES[name].of(bases[USES[name].base]))
            paths[str(path)] = name
        lines = program.run("verify", *paths, "--json").lines
        checks.equal(len([line for line in lines if line.get("path") in paths]), len(paths), "every mutant is judged")
        tasks, wrong = [], {}
        for line in lines:
            name = paths.get(line.get("path"))
            if name is None:
                continue
            if line["verdict"] not in USES[name].verdicts:
                told = ", ".join(f["code"] for f in line["findings"])
                wrong[name] = f"{line['verdict']} ({told}), not {' or '.join(USES[name].verdicts)}"
            if line["verdict"] == "authentic":
                tasks.append((name, line["path"], sealed[USES[name].base]))
        for name, found in pool.map(compare, tasks):
            found = [text for text in found if not (USES[name].but and re.search(USES[name].but, text))]
            if found:
                wrong[name] = "; ".join(found)
    for name in names:
        if given.list:
            print(f"{'FAULT' if name in wrong else 'ok   '} {name}: {wrong.get(name, '')}")
        if name in WAITING:
            checks.skip(f"{name} waits for a fix: {wrong[name]}" if name in wrong else
                        f"{name} passes now: take it off waiting.json")
        else:
            checks.that(name not in wrong, f"{name}: {wrong.get(name)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    parser.add_argument("--samples", type=pathlib.Path, default=PROJECT / "build/samples")
    parser.add_argument("--work", type=pathlib.Path, help="keep the files here")
    parser.add_argument("--list", action="store_true", help="print every use")
    parser.add_argument("use", nargs="*")
    given = parser.parse_args()
    require_tools("dcmdump", "dcmj2pnm", "dcmconv", "dcmcrle", "dcmcjpeg", "dcmdjpeg", "dcmcjpls", "gdcmconv", "cjxl")
    checks = Checks()
    if not given.use:
        check_table(checks)
    with WorkFolder(given.work) as work:
        program = Fiducia(given.bin.resolve(), work / "home")
        program.init()
        check_uses(checks, given, program, work)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
