#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a golden set: seals the synthetic images of tests/attack and tests/oracle in a fresh home, changes
them, and writes down what is said of them.

  make.py SET [--bin DIR]        SET: a folder that does not exist, tests/data/golden/N

A set is never changed, and never made again: its keys are thrown away.
"""
import argparse
import json
import pathlib
import shutil
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "attack"), str(HERE.parent / "oracle"), str(HERE.parent / "e2e"), str(HERE)]
from cases import CASES, colour, grey, words  # noqa: E402
from golden_test import said  # noqa: E402
from support import Fiducia, PROJECT, require_tools  # noqa: E402
from uses import USES, make_bases  # noqa: E402
import writer as w  # noqa: E402

FILE_BYTES_MAX = 70_000  # larger ones show nothing that smaller ones do not


class Set:
    def __init__(self, program, folder, work):
        self.program, self.folder, self.work = program, folder, work
        self.cases = {}
        shutil.copy(program.home / "trust.toml", folder / "trust.toml")

    def seal(self, name, data):
        """Writes NAME.evidence; False where the base is too large or is not sealed."""
        if len(data) > FILE_BYTES_MAX:
            return False
        path = self.work / f"{name}.dcm"
        path.write_bytes(data)
        if self.program.run("seal", path, "--sidecar", "--json").code != 0:
            return False
        shutil.copy(self.work / f"{name}.dcm.evidence", self.folder / f"{name}.evidence")
        return True

    def judge(self, name, evidence, data, trust="trust.toml"):
        if len(data) > FILE_BYTES_MAX:
            return
        (self.folder / f"{name}.dcm").write_bytes(data)
        of = ["--evidence", f"{evidence}.evidence"] if evidence else []
        arguments = [f"{name}.dcm", *of, "--trust", trust]
        self.cases[name] = {"arguments": arguments, **said(self.program.program, self.folder, arguments)}


def add_attacks(golden):
    known_gaps = {case.split("/")[0] for case in json.loads((PROJECT / "tests/attack/waiting.json").read_text())}
    for name, (make, *_) in CASES.items():
        if name in known_gaps:
            continue
        base, mutants = make()
        if golden.seal(name, base):
            golden.judge(name, name, base)
            for mutant, data in mutants.items():
                golden.judge(f"{name}.{mutant}", name, data)


def add_uses(golden):
    bases = make_bases(golden.work / "no samples")
    for name, use in USES.items():
        base = "base-" + use.base.replace(" ", "-").replace("=", "")
        if use.base not in bases:
            continue
        if base not in golden.cases and golden.seal(base, bases[use.base]):
            golden.judge(base, base, bases[use.base])
        if base in golden.cases:
            golden.judge(name, base, use.of(bases[use.base]))


def add_places(golden):
    """Tampering in tiles, frames, items and lengths: what a report has to point at."""
    def image(number, pixels, **of):
        uid = f"2.25.73{number:04d}"
        return w.part10(w.image(uid, of.pop("rows", 128), of.pop("columns", 128), pixels, **of), uid)

    def painted(pixels, at, size=1, value=255):
        return pixels[:at] + bytes([value]) * size + pixels[at + size:]

    plain = grey()
    two = {0x00280008: w.element(0x00280008, "IS", "2")}
    refer = lambda *uids: {0x00081140: w.sequence(0x00081140, *(  # noqa: E731
        w.element(0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.7") + w.element(0x00081155, "UI", uid) for uid in uids))}
    rows = {
        "one-pixel": (image(1, plain), image(1, painted(plain, 129 * 70))),
        "many-tiles": (image(2, plain), image(2, bytes(255 - v for v in plain))),
        "one-frame-of-two": (image(3, plain[:4096] * 2, rows=64, columns=64, more=two),
                             image(3, plain[:4096] + painted(plain[:4096], 9), rows=64, columns=64, more=two)),
        "frame-missing": (image(4, plain[:4096] * 2, rows=64, columns=64, more=two),
                          image(4, plain[:4096], rows=64, columns=64)),
        "name": (image(5, plain), image(5, plain, patient="Other^Name")),
        "item-added": (image(6, plain, more=refer("2.25.1")), image(6, plain, more=refer("2.25.1", "2.25.2"))),
        "item-removed": (image(7, plain, more=refer("2.25.1", "2.25.2")), image(7, plain, more=refer("2.25.2"))),
        "colour": (image(8, colour(64, 64), rows=64, columns=64, samples=3, colour="RGB"),
                   image(8, painted(colour(64, 64), 3000, 3), rows=64, columns=64, samples=3, colour="RGB")),
        "outside-bits": (image(9, words(64, 64), rows=64, columns=64, allocated=16, stored=12),
                         image(9, painted(words(64, 64), 1, 1, 0xF0), rows=64, columns=64, allocated=16, stored=12)),
        "cut": (image(10, plain), image(10, plain)[:-5000]),
        "rotated": (image(11, plain), image(11, plain[::-1])),
    }
    for name, (base, mutant) in rows.items():
        if not golden.seal("place-" + name, base):
            sys.exit(f"place-{name} is not sealed")
        golden.judge("place-" + name, "place-" + name, base)
        golden.judge(f"place-{name}.mutant", "place-" + name, mutant)
    golden.judge("no-dicom", None, b"no image at all\n" * 100)
    golden.judge("unsealed", None, image(12, plain))


def add_trust(golden, other):
    """The same seal under other trust files."""
    base = (golden.folder / "place-name.dcm").read_bytes()
    shutil.copy(other.home / "trust.toml", golden.folder / "stranger.trust.toml")
    golden.judge("stranger", "place-name", base, "stranger.trust.toml")
    device, = (path.stem.removeprefix("device-") for path in (golden.program.home / "certs").glob("device-*.pem"))
    answer = golden.program.run("device", "revoke", device, "--at", "1970-01-02", "--reason", "stolen")
    if answer.code != 0:
        sys.exit(f"not revoked: {answer}")
    shutil.copy(golden.program.home / "trust.toml", golden.folder / "revoked.trust.toml")
    golden.judge("revoked", "place-name", base, "revoked.trust.toml")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("set", type=pathlib.Path)
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    given = parser.parse_args()
    require_tools("dcmcjpeg", "dcmdjpeg", "gdcmconv", "cjxl")
    given.set.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        work = pathlib.Path(scratch)
        program, other = (Fiducia(given.bin.resolve(), work / name) for name in ("home", "other"))
        program.init()
        other.init()
        golden = Set(program, given.set.resolve(), work)
        add_attacks(golden)
        add_uses(golden)
        add_places(golden)
        add_trust(golden, other)
    (given.set / "cases.json").write_text("{\n" + ",\n".join(
        f"{json.dumps(name)}: {json.dumps(case)}" for name, case in sorted(golden.cases.items())) + "\n}\n")
    size = sum(path.stat().st_size for path in given.set.iterdir())
    print(f"{len(golden.cases)} cases, {size:,} bytes")


if __name__ == "__main__":
    main()
