#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is called authentic is the same data set and the same picture for DCMTK, GDCM and pydicom.

  run.py [--bin DIR] [--samples DIR] [--mutants N] [--seed N] [--only MUTATION] [--jobs N] [--all]
  run.py --write BASE SEED FILE

Bases of several kinds are sealed; mutants of structure and codestream are verified. Each that is
`authentic` is listed and rendered by the three readers and compared with what the same reader makes of
the sealed base. A disagreement is printed with its recipe; `--write` makes the file of a recipe.
At least a quarter of the mutants must be authentic, or the comparison proves nothing. Disagreements
that are a reader's own are in known.json: reader, recipe's mutation and base, place, reason.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import random
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "e2e"), str(HERE.parent / "attack")]
import bases  # noqa: E402
import mutants  # noqa: E402
import readers  # noqa: E402
from model import File  # noqa: E402
from support import Checks, Fiducia, PROJECT, WorkFolder, require_tools  # noqa: E402

BATCH = 400
FIXED_SEED = 2257787416
KNOWN = json.loads((HERE / "known.json").read_text())


def is_known(base, reader, names, text):
    """A reader's own bug, or a gap of the spec that is waiting for its rule."""
    return any(reader in k["readers"] and (not k["mutations"] or set(names) & set(k["mutations"])) and
               re.search(k.get("bases", ""), base) and re.search(k["place"], text) for k in KNOWN)


def opinions(path, frames):
    return {name: reader(path, frames) for name, reader in readers.READERS.items()}


def judge(task):
    """The disagreements about one authentic mutant: (recipe, reader, text)."""
    base, seed, names, path, sealed, frames, code = task
    seen = opinions(path, frames)
    pathlib.Path(path).unlink()
    return [(base, seed, names, reader, text) for reader in seen
            for text in readers.compared(sealed[reader], seen[reader], code)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    parser.add_argument("--samples", type=pathlib.Path, default=PROJECT / "build/samples")
    parser.add_argument("--work", type=pathlib.Path, help="keep the files here")
    parser.add_argument("--mutants", type=int, default=1600)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FIDUCIA_SEED", 0)))
    parser.add_argument("--fixed", action="store_true", help="the same draw in each run, unless a seed is given")
    parser.add_argument("--write", nargs=3, metavar=("BASE", "SEED", "FILE"))
    parser.add_argument("--only", metavar="MUTATION", help="draw until it is in the recipe")
    parser.add_argument("--jobs", type=int, help="processes at once; one for each processor unless told")
    parser.add_argument("--all", action="store_true", help="print known disagreements, too")
    given = parser.parse_args()
    require_tools("dcmdump", "dcmj2pnm", "gdcmconv", "dcmcjpeg", "dcmcjpls")
    every = bases.make(given.samples)
    if given.write:
        data, names = mutants.mutate(every[given.write[0]], int(given.write[1]))
        pathlib.Path(given.write[2]).write_bytes(data)
        print(given.write[2], *names)
        return 0
    seed = given.seed or (FIXED_SEED if given.fixed else random.SystemRandom().randrange(1, 1 << 32))
    print(f"seed {seed} (FIDUCIA_SEED={seed} repeats it)", flush=True)
    draw, checks = random.Random(seed), Checks()
    verdicts, by_mutation, known = collections.Counter(), collections.defaultdict(collections.Counter), collections.Counter()
    with WorkFolder(given.work) as work, concurrent.futures.ProcessPoolExecutor(given.jobs) as pool:
        program = Fiducia(given.bin.resolve(), work / "home")
        program.init()
        sealed = {}
        (work / "bases").mkdir()
        for name, data in every.items():
            path = work / "bases" / f"{name}.dcm"
            path.write_bytes(data)
            answer = program.run("seal", path, "--json")
            verdict = program.run("verify", path, "--json").lines[0]["verdict"] if answer.code == 0 else "refused"
            checks.equal(verdict, "authentic", f"the base {name}", answer)
            frames = int(re.search(r"frames=(\d+)", name)[1]) if "frames=" in name else 1
            sealed[name] = opinions(path, frames), frames, readers.code_of(File(data).syntax)
        names_of = [n for n in every]
        done = 0
        while done < given.mutants:
            folder = work / f"batch-{done}"
            folder.mkdir()
            made = {}
            for i in range(min(BATCH, given.mutants - done)):
                names = ()
                while not names or given.only and given.only not in names:
                    base, one = draw.choice(names_of), draw.getrandbits(40)
                    data, names = mutants.mutate(every[base], one)
                path = folder / f"{i:05d}.dcm"
                path.write_bytes(data)
                made[str(path)] = (base, one, names)
            done += len(made)
            tasks = []
            for line in program.run("verify", folder, "--json", timeout_s=3600).lines:
                if line.get("path") not in made:
                    continue
                base, one, names = made[line["path"]]
                verdicts[line["verdict"]] += 1
                for n in names:
                    by_mutation[n][line["verdict"]] += 1
                if line["verdict"] == "authentic":
                    tasks.append((base, one, names, line["path"], *sealed[base]))
            for found in pool.map(judge, tasks, chunksize=4):
                for base, one, names, reader, text in found:
                    if is_known(base, reader, names, text):
                        known[f"{reader} {'+'.join(names)}"] += 1
                        if not given.all:
                            continue
                    checks.that(False, f"{reader} sees another {text}", f"{base} {one}: {' '.join(names)}")
            checks.passed += len(tasks)
            for path in folder.iterdir():
                path.unlink()
        judged = sum(verdicts.values())
        checks.equal(judged, given.mutants, "every mutant is judged")
        checks.that(given.only or verdicts["authentic"] * 4 >= judged, "a quarter of the mutants is authentic", dict(verdicts))
    print(dict(verdicts))
    for name, counts in sorted(by_mutation.items()):
        print(f"  {name:18} {dict(counts)}")
    print("known:", dict(known))
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
