# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line start from: a home, sealed images, checked output."""
import json
import pathlib
import shutil
import subprocess

import jsonschema
import pydicom

from support import PROJECT, Fiducia

# Values of the image below: none of them may be in anything that the program writes.
CANARIES = {
    "PatientName": "Kanarienvogel^Gundula", "PatientID": "KANARIE-4711",
    "PatientBirthDate": "19330303", "PatientComments": "kanarische Bemerkung",
    "StudyDescription": "Kanariensturz", "AccessionNumber": "KANACC99",
    "InstitutionName": "Kanarienklinik", "ReferringPhysicianName": "Doktor^Kanario",
    "StationName": "KANASTATION", "SOPInstanceUID": "1.2.826.0.1.3680043.9.7433.1.777777777",
    "SeriesInstanceUID": "1.2.826.0.1.3680043.9.7433.2.888888888",
    "StudyInstanceUID": "1.2.826.0.1.3680043.9.7433.3.999999999",
}
PRIVATE_CANARY = "KANAPRIVAT"


class World:
    """One home that sealed one image of each kind; tests copy what they change."""

    def __init__(self, given, work, checks):
        self.bin, self.samples, self.work, self.checks = given.bin, given.samples, work, checks
        self.kills = given.kills
        self.lines_seen = 0
        self.schemas = {}
        for path in (PROJECT / "spec").glob("*.schema.json"):
            schema = json.loads(path.read_text())
            self.schemas[schema["title"]] = jsonschema.Draft202012Validator(schema)
        self.home = work / "home"
        self.program = Fiducia(given.bin, self.home)
        self.program.init()
        self.trust = self.home / "trust.toml"
        self.sources = work / "sources"
        self.sources.mkdir()
        real = given.samples / "real/pydicom"
        self.ct = self.sources / "ct.dcm"
        self.mr = self.sources / "mr.dcm"
        self.sr = self.sources / "sr.dcm"
        self.ankle = self.sources / "ankle.dcm"
        shutil.copy(real / "CT_small.dcm", self.ct)
        shutil.copy(real / "MR_small.dcm", self.mr)
        shutil.copy(real / "test-SR.dcm", self.sr)
        shutil.copy(given.samples / "real/octave/CT-MONO2-16-ankle.dcm", self.ankle)
        self.canary = self.sources / "canary.dcm"
        self.make_canary(given.samples / "derived/ct-series/ct-0001.dcm", self.canary)
        self.slices = sorted((given.samples / "derived/ct-series").glob("*.dcm"))
        self.sealed = work / "sealed"
        answer = self.run("seal", self.sources, "--out", self.sealed)
        if answer.code != 0:
            raise SystemExit(f"could not seal the images to start from: {answer}")

    @staticmethod
    def make_canary(source, target):
        ds = pydicom.dcmread(source)
        for keyword, value in CANARIES.items():
            setattr(ds, keyword, value)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.private_block(0x0029, "FIDUCIA SAMPLE HEADER").add_new(0x20, "LO", PRIVATE_CANARY)
        ds.save_as(target, write_like_original=False)

    def folder(self, name):
        path = self.work / name
        path.mkdir()
        return path

    def new_home(self, folder, *arguments):
        program = Fiducia(self.bin, folder)
        program.init(*arguments)
        return program

    def stranger(self, **environment):
        """Somebody with neither a home nor anything else of the sealing house."""
        return Fiducia(self.bin, None, environment)

    def run(self, *arguments, program=None, **options):
        """Runs with --json and checks every line that comes back against its schema."""
        program = program or self.program
        answer = program.run(*arguments, "--json", **options)
        for line in answer.lines:
            self.check_line(line, answer)
        return answer

    def check_line(self, line, answer):
        self.lines_seen += 1
        name = line.get("schema", "")
        validator = self.schemas.get(name)
        if validator is None:
            self.checks.that(False, "each line has a schema", repr(line))
            return
        errors = [error.message[:300] for error in validator.iter_errors(line)]
        self.checks.that(not errors, f"the line fits {name}", f"{errors} {line} {answer.command}")

    def verify(self, *paths, program=None, **options):
        answer = self.run("verify", *paths, program=program, **options)
        return answer, answer.lines[0] if answer.lines else {}


def codes(line):
    return {f["code"] for f in line.get("findings", [])}


def alter_pixels(path, value=1):
    """Flips one bit of one sample; nothing else of the file changes."""
    ds = pydicom.dcmread(path)
    data = bytearray(ds.PixelData)
    data[len(data) // 2] ^= value
    ds.PixelData = bytes(data)
    ds.save_as(path, write_like_original=True)


def alter_attribute(path, keyword="PatientName", value="Evil^Twin"):
    ds = pydicom.dcmread(path)
    setattr(ds, keyword, value)
    ds.save_as(path, write_like_original=True)


def strip_seal(path):
    ds = pydicom.dcmread(path)
    for tag in [t for t in ds.keys() if t.group == 0x0F1D]:
        del ds[tag]
    ds.save_as(path, write_like_original=True)


def compress(source, target, tool="dcmcjpls"):
    subprocess.run([tool, str(source), str(target)], check=True, capture_output=True)


def break_stream(source, target):
    """JPEG-LS whose entropy-coded part is overwritten: readable as DICOM, not as an image."""
    compress(source, target)
    data = bytearray(target.read_bytes())
    start = data.rfind(b"\xff\xda")  # start of scan
    start += 2 + int.from_bytes(data[start + 2:start + 4], "big")
    for i in range(start, len(data) - 8):
        data[i] = 0xFF
    target.write_bytes(data)


def snapshot(folder):
    """Relative path -> bytes of every file below a folder."""
    return {path.relative_to(folder): path.read_bytes()
            for path in pathlib.Path(folder).rglob("*") if path.is_file()}
