#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile files: each gets a verdict or a coded error, quickly and in little memory.

  hostile.py [--bin DIR] [--samples DIR] [--mutations N] [--seconds N] [--sanitized]

Random mutations print their seed; FIDUCIA_SEED repeats them.
"""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import hostile_files  # noqa: E402
import oracle  # noqa: E402
from support import (CONTRACT_EXIT_CODES, EXIT_OF_VERDICT, Answer, Checks, Fiducia,  # noqa: E402
                     WorkFolder, arguments, require_tools, worst)

warnings.filterwarnings("ignore")
WALL_S_MAX = 2.0
RSS_MIB_MAX = 256


class Launcher:
    """Runs programs through launcher.py, which measures them."""

    def __init__(self, scratch):
        self.out, self.err = scratch / "out", scratch / "err"
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(pathlib.Path(__file__).with_name("launcher.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, program, *arguments_, timeout_s=120):
        argv = [program.program, *map(str, arguments_)]
        request = {"argv": argv, "env": program.environment, "out": str(self.out),
                   "err": str(self.err), "timeout_s": timeout_s}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        done = json.loads(self.process.stdout.readline())
        return Measured(done, Answer(subprocess.CompletedProcess(
            argv, done["code"], self.out.read_bytes(), self.err.read_bytes()), argv[1:]))


class Measured:
    """One run with what it took; the memory is that of the process or its decoder."""

    def __init__(self, done, answer):
        self.answer, self.wall_s, self.rss_mib = answer, done["wall_s"], done["rss_mib"]


def check_one(checks, measured, path, allowed, given):
    answer = measured.answer
    checks.that(answer.code in CONTRACT_EXIT_CODES, "the exit code is of the contract", answer)
    try:
        lines = answer.lines
    except (AssertionError, ValueError) as error:
        checks.that(False, "the output is JSON lines", f"{error} {answer}")
        return
    if not checks.equal(len(lines), 1, "there is one answer", answer):
        return
    line = lines[0]
    if line["schema"] == "fiducia.error/1":
        checks.equal(answer.code, 1, "an error gives 1", answer)
        checks.that(allowed == {"error"}, "a verdict was expected, not an error", answer)
    else:
        verdict = line["verdict"]
        checks.equal(answer.code, EXIT_OF_VERDICT[verdict], "the exit code is the verdict's", answer)
        checks.that(verdict in allowed, f"the verdict is one of {sorted(allowed)}", answer)
        checks.that(all(f["text"] and f["code"] for f in line["findings"]), "findings say why", answer)
        if verdict == "malformed":
            checks.that(any(f["code"].startswith("malformed.") for f in line["findings"]),
                        "and what is malformed", answer)
    if not given.sanitized:
        checks.that(measured.wall_s < WALL_S_MAX, f"answered within {WALL_S_MAX} s",
                    f"{measured.wall_s:.2f} s")
        checks.that(measured.rss_mib < RSS_MIB_MAX, f"within {RSS_MIB_MAX} MiB",
                    f"{measured.rss_mib:.0f} MiB")


def crafted(given, work, program, checks):
    folder = work / "crafted"
    folder.mkdir()
    files = hostile_files.all_files()
    # Sealed elsewhere, so that the files stay unknown to the home that judges them.
    other_home = Fiducia(given.bin, work / "other-home")
    other_home.init()
    slowest, largest = ("", 0.0), ("", 0.0)
    for number, (name, (data, allowed)) in enumerate(files.items()):
        checks.context = name
        path = folder / f"{number:03d}.dcm"
        path.write_bytes(data)
        measured = given.launcher.run(program, "verify", path, "--json")
        check_one(checks, measured, path, allowed, given)
        slowest = max(slowest, (name, measured.wall_s), key=lambda x: x[1])
        largest = max(largest, (name, measured.rss_mib), key=lambda x: x[1])
        if name.startswith("nested 100,000") and not given.sanitized:
            checks.that(measured.wall_s < 0.5, "takes milliseconds", f"{measured.wall_s:.3f} s")
        for command in ("inspect", "seal"):
            other = given.launcher.run(other_home, command, path, "--json")
            checks.that(other.answer.code in CONTRACT_EXIT_CODES, f"{command} survives it", other.answer)
        path.unlink()
    checks.context = ""
    print(f"{len(files)} crafted files; slowest: {slowest[0]} {slowest[1]:.2f} s, "
          f"most memory: {largest[0]} {largest[1]:.0f} MiB")


def odd_places(given, work, program, checks):
    """What is no regular file, and evidence beside a file that is not what it seems."""
    checks.context = "odd places"
    folder = work / "places"
    folder.mkdir()
    shutil.copy(work / "sealed/MR_small.dcm", folder / "good.dcm")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to(folder)
    (folder / "dangling.dcm").symlink_to(folder / "nowhere")
    (folder / "zero.dcm").symlink_to("/dev/zero")
    measured = given.launcher.run(program, "verify", folder, "--strict", "--json", timeout_s=20)
    checks.that(measured.answer.code in CONTRACT_EXIT_CODES and measured.wall_s < 10,
                "a folder with a pipe, loops and devices is walked", measured.answer)
    checks.that(b"good.dcm" in measured.answer.out, "and the image in it is judged", measured.answer)
    for place in ("/dev/zero", "/dev/null", folder / "pipe", folder / "dangling.dcm", "/proc/self/mem",
                  "/dev"):
        measured = given.launcher.run(program, "verify", place, "--json", timeout_s=20)
        checks.that(measured.answer.code in (1, 6) and measured.wall_s < 10, f"{place} is no image",
                    measured.answer)
    sidecar = folder / "good.dcm.evidence"
    plain = folder / "plain"
    plain.mkdir()
    shutil.copy(work / "sources/CT_small.dcm", plain / "ct.dcm")
    sidecar = plain / "ct.dcm.evidence"
    stranger = Fiducia(given.bin, work / "empty-home")
    stranger.init()
    for name, make in (("2 GiB of nothing", lambda: os.truncate(sidecar, 2 << 30)),
                       ("noise", lambda: sidecar.write_bytes(bytes(range(256)) * 100)),
                       ("a folder", lambda: (sidecar.unlink(), sidecar.mkdir()))):
        sidecar.write_bytes(b"") if not sidecar.exists() else None
        make()
        measured = given.launcher.run(stranger, "verify", plain / "ct.dcm", "--json")
        checks.that(measured.answer.code in CONTRACT_EXIT_CODES - {0},
                    f"{name} as evidence beside the file is no pass", measured.answer)
        checks.that(given.sanitized or measured.rss_mib < RSS_MIB_MAX, f"{name}: within {RSS_MIB_MAX} MiB",
                    f"{measured.rss_mib:.0f} MiB")


def run_folder(given, work, program, checks, folder, sentence):
    """One run over many files: a line each, exit code of the worst, nothing lost."""
    names = sorted(p.name for p in folder.iterdir())
    measured = given.launcher.run(program, "verify", folder, "--strict", "--json")
    answer = measured.answer
    lines = answer.lines
    checks.equal(len(lines), len(names), f"{sentence}: each file has an answer", answer)
    codes = [EXIT_OF_VERDICT[line["verdict"]] if line["schema"] == "fiducia.verify/1" else 1
             for line in lines]
    checks.equal(answer.code, worst(codes), f"{sentence}: the exit code is that of the worst")
    checks.that(not any(line["schema"] == "fiducia.error/1" for line in lines),
                f"{sentence}: no file gets an error instead of a verdict",
                [line for line in lines if line["schema"] == "fiducia.error/1"][:3])
    checks.that(b"internal" not in answer.out, f"{sentence}: no rule of its own was broken",
                [line for line in lines if "internal" in json.dumps(line)][:3])
    if not given.sanitized:
        checks.that(measured.rss_mib < 2 * RSS_MIB_MAX, f"{sentence}: within {2 * RSS_MIB_MAX} MiB",
                    f"{measured.rss_mib:.0f} MiB")
    return {pathlib.Path(line["path"]).name: line for line in lines}, measured


def truncations(given, work, program, checks):
    """A sealed file cut at, and around, the start of each element: never a pass."""
    checks.context = "truncations"
    source = work / "sealed/MR_small.dcm"
    data = source.read_bytes()
    elements = json.loads(program.run("inspect", source, "--json").out)["elements"]
    cuts = {0, 1, 127, 128, 131, 132, 133, len(data) - 1}
    for e in elements:
        for delta in (-1, 0, 1, 4, 6, 8, 11, 12):
            cuts.add(e["offset"] + delta)
    cuts = sorted(c for c in cuts if 0 <= c < len(data))
    folder = work / "cut"
    folder.mkdir()
    for cut in cuts:
        (folder / f"{cut:06d}.dcm").write_bytes(data[:cut])
    lines, _ = run_folder(given, work, program, checks, folder, "cut files")
    counts = {}
    # Trailing padding is not sealed (spec/seal.md): without it the file is as authentic as before.
    padding = {e["offset"] for e in elements if e["tag"] == "(FFFC,FFFC)"}
    for name, line in lines.items():
        counts[line["verdict"]] = counts.get(line["verdict"], 0) + 1
        if int(name.split(".")[0]) in padding:
            checks.equal(line["verdict"], "authentic", f"{name}: only padding is missing", line)
            continue
        # A cut between two elements leaves a readable data set: its seal or pixels are gone.
        checks.that(line["verdict"] in ("malformed", "altered", "unsealed", "indeterminate"),
                    f"{name}: is no pass", line)
    print(f"{len(cuts)} cuts: {counts}")
    shutil.rmtree(folder)


def mutate(prng, data, donor):
    data = bytearray(data)
    kinds = []
    for _ in range(prng.choice((1, 1, 1, 1, 2, 3, 8))):
        kind = prng.choice(("bit", "bit", "byte", "word", "insert", "delete", "copy", "splice", "cut"))
        here = prng.randrange(len(data))
        # Structure is denser at the start; uniform draws would mostly hit pixels.
        if prng.random() < 0.6:
            here = prng.randrange(min(len(data), 4000))
        if kind == "bit":
            data[here] ^= 1 << prng.randrange(8)
        elif kind == "byte":
            data[here] = prng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF))
        elif kind == "word":
            word = prng.choice((b"\xff\xff\xff\xff", b"\xfe\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\x00\xe0",
                                b"\xfe\xff\xdd\xe0", b"\0\0\0\x80", b"SQ\0\0", b"UN\0\0"))
            data[here:here + 4] = word
        elif kind == "insert":
            data[here:here] = prng.randbytes(prng.choice((1, 2, 4, 8, 100)))
        elif kind == "delete":
            del data[here:here + prng.choice((1, 2, 4, 8, 100))]
        elif kind == "copy":
            there = prng.randrange(len(data))
            data[here:here + 16] = data[there:there + 16]
        elif kind == "splice":
            there = prng.randrange(len(donor))
            data[here:here + 64] = donor[there:there + 64]
        else:
            del data[max(here, 1):]
        kinds.append(kind)
        if not data:
            data = bytearray(b"\0")
    return bytes(data), kinds


def mutations(given, work, program, checks):
    """Random damage to sealed files. What still passes must be equal in the eyes of pydicom."""
    seed = int(os.environ.get("FIDUCIA_SEED", random.SystemRandom().randrange(1 << 32)))
    checks.context = f"mutations, FIDUCIA_SEED={seed}"
    print(f"mutations: FIDUCIA_SEED={seed}")
    prng = random.Random(seed)
    sources = sorted(p for p in (work / "sealed").iterdir() if p.stat().st_size < 120000)
    contents = {p: p.read_bytes() for p in sources}
    counts, total, passed, no_opinion = {}, 0, 0, 0
    start = time.monotonic()
    while total < given.mutations and (time.monotonic() - start < given.seconds or total < 1):
        folder = work / "mutated"
        folder.mkdir()
        origin = {}
        for number in range(min(700, given.mutations - total)):
            source = prng.choice(sources)
            data, kinds = mutate(prng, contents[source], contents[prng.choice(sources)])
            if data == contents[source]:
                continue
            name = f"{total + number:06d}.{source.name}"
            (folder / name).write_bytes(data)
            origin[name] = (source, kinds)
        lines, measured = run_folder(given, work, program, checks, folder, "mutated files")
        for name, line in lines.items():
            counts[line["verdict"]] = counts.get(line["verdict"], 0) + 1
            if line["verdict"] != "authentic":
                continue
            passed += 1
            source, kinds = origin[name]
            try:
                differences = oracle.attribute_differences(source, folder / name)
                pixels = oracle.pixels_differ(source, folder / name, work)
                if pixels and oracle.samples(folder / name, work) is None:
                    raise oracle.NoOpinion("it lost its way before the pixels")
            except Exception:  # pydicom cannot read it: then only this program has an opinion
                no_opinion += 1
                continue
            if not checks.that(not differences and not pixels,
                               f"{name} ({kinds}) passed although it differs",
                               f"{differences} pixels: {pixels}"):
                shutil.copy(folder / name, work / f"passed-{name}")
        total += len(origin)
        shutil.rmtree(folder)
    checks.that(total >= min(given.mutations, 700) * 0.95, "enough files were tried", str(total))
    checks.that(counts.get("altered", 0) > 50 and counts.get("malformed", 0) > 50,
                "the damage is of all kinds", counts)
    print(f"{total} mutated files: {counts}; of {passed} that passed pydicom could not judge {no_opinion}")


def main():
    given = arguments(__doc__.splitlines()[0],
                      mutations={"type": int, "default": 6000, "help": "how many mutated files"},
                      seconds={"type": int, "default": 120, "help": "stop mutating after this time"},
                      sanitized={"action": "store_true", "help": "a sanitizer build: do not measure"})
    if given.sanitized and os.environ.get("FIDUCIA_WHOLE", "0") in ("", "0"):
        given.mutations = min(given.mutations, 1500)  # each takes five times as long
    require_tools("dcmcjpls", "dcmconv", "gdcmconv")
    checks = Checks()
    with WorkFolder(given.work) as work:
        given.launcher = Launcher(work)
        (work / "sources").mkdir()
        real = given.samples / "real/pydicom"
        for name in ("CT_small", "MR_small", "liver_1frame", "test-SR", "rtdose", "MR_small_RLE",
                     "MR_small_jp2klossless", "MR_small_jpeg_ls_lossless", "SC_rgb_rle_2frame",
                     "SC_rgb_jpeg_dcmtk", "chrH32", "rtplan", "nested_priv_SQ", "image_dfl"):
            shutil.copy(real / f"{name}.dcm", work / "sources")
        program = Fiducia(given.bin, work / "home")
        program.init()
        answer = program.run("seal", work / "sources", "--out", work / "sealed", "--json")
        bad = [line for line in answer.lines if line.get("status") not in ("sealed",)]
        # Several of the samples are one image in several encodings, under one identity.
        checks.that(len(answer.lines) - len(bad) >= 10, "the sources are sealed", bad)
        for part in (crafted, odd_places, truncations, mutations):
            start = time.monotonic()
            part(given, work, program, checks)
            print(f"{time.monotonic() - start:6.1f} s  {part.__name__}", flush=True)
            checks.context = ""
        check = program.run("ledger", "check")
        checks.equal(check.code, 0, "the ledger is sound after all that", check)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
