#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The attacker of scripts/demo, and its table.

  demo-attacks.py attack SEALED_FOLDER COPIES_FOLDER MANIFEST   plays the attacks
  demo-attacks.py table MANIFEST VERIFY_JSONL                   prints the table; exit 1 on surprise

A manifest line is JSON: path, what (was done), verdict (expected), code (a finding that must be
there), attribute or region [frame, x, y, width, height] (where it must say so).
"""
import json
import pathlib
import shutil
import sys

import numpy as np
import pydicom
from pydicom.uid import generate_uid

SEAL_GROUP = 0x0F1D
NATIVE = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}


def has_native_pixels(path, side=64):
    try:
        ds = pydicom.dcmread(path, stop_before_pixels=True)
        return (ds.file_meta.TransferSyntaxUID in NATIVE and ds.BitsAllocated in (8, 16)
                and min(ds.Rows, ds.Columns) >= side)
    except (AttributeError, KeyError, OSError, pydicom.errors.InvalidDicomError):
        return False


def change_region(ds, x, y, side, make):
    """Changes a square of the first frame in place, in its own sample format."""
    dtype = {8: "u1", 16: "<i2" if ds.PixelRepresentation else "<u2"}[ds.BitsAllocated]
    data = np.frombuffer(ds.PixelData, dtype).copy()
    samples = ds.SamplesPerPixel
    frame = data[: ds.Rows * ds.Columns * samples]
    if samples > 1 and ds.get("PlanarConfiguration", 0) == 1:
        frame = frame.reshape(samples, ds.Rows, ds.Columns)[0]
    else:
        frame = frame.reshape(ds.Rows, ds.Columns, samples)[:, :, 0]
    lowest = -(1 << (ds.BitsStored - 1)) if ds.PixelRepresentation else 0
    highest = lowest + (1 << ds.BitsStored) - 1
    region = frame[y:y + side, x:x + side]
    changed = make(region.astype(float), float(frame.max()) - float(frame.min()) or 100.0)
    changed = np.clip(np.rint(changed), lowest, highest).astype(dtype)
    assert (changed != region).any(), "the attack changed nothing"
    region[...] = changed
    ds.PixelData = data.tobytes()


def blend_lesion(region, contrast):
    """A soft round spot, as inpainting or a trained network would add it."""
    side = region.shape[0]
    yy, xx = np.mgrid[0:side, 0:side] - (side - 1) / 2
    spot = np.exp(-(yy ** 2 + xx ** 2) / (2 * (side / 5) ** 2))
    return region + spot * contrast * 0.25


def erase(region, _):
    """Paints over a region with its own mean and the noise of its surroundings."""
    rng = np.random.default_rng(1)
    return region.mean() + rng.normal(0, max(region.std() / 4, 1.0), region.shape)


def strip_seal(ds):
    for element in [e for e in ds if e.tag.group == SEAL_GROUP]:
        del ds[element.tag]


def save(ds, path):
    ds.save_as(path, write_like_original=True)


def play(sealed_folder, copies, manifest):
    files = sorted(p for p in sealed_folder.rglob("*") if p.is_file())
    native = [p for p in files if has_native_pixels(p)]
    large = [p for p in native if has_native_pixels(p, 256)] or native
    if not native:
        print("demo: no scan holds uncompressed pixels of 64 x 64 or more; the attacks on pixels "
              "are left out", file=sys.stderr)

    def expect(path, what, verdict, **where):
        manifest.write(json.dumps({"path": str(path), "what": what, "verdict": verdict, **where})
                       + "\n")

    def pick(candidates, number):
        return candidates[number % len(candidates)]

    if native:
        source = large[0]
        ds = pydicom.dcmread(source)
        side = 24
        x, y = ds.Columns // 2 - 30, ds.Rows // 2 + 6
        change_region(ds, x, y, side, blend_lesion)
        target = copies / "attack-1-lesion.dcm"
        save(ds, target)
        expect(target, f"attack: lesion blended into {source.name}", "altered",
               code="pixels.altered", region=[1, x, y, side, side])

    source = pick(files, 1)
    ds = pydicom.dcmread(source)
    ds.PatientName = "Other^Person"
    ds.PatientID = "4711-X"
    target = copies / "attack-2-patient-swap.dcm"
    save(ds, target)
    expect(target, f"attack: patient swapped in {source.name}", "altered",
           code="attribute." + ("altered" if "PatientName" in pydicom.dcmread(source) else "added"),
           attribute="(0010,0010)")

    if large and has_native_pixels(large[0], 256):
        source = large[0]
        ds = pydicom.dcmread(source)
        strip_seal(ds)
        for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
            setattr(ds, keyword, generate_uid())
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        side = 40
        x, y = ds.Columns // 2 - 60, ds.Rows // 2 - 50
        change_region(ds, x, y, side, erase)
        target = copies / "attack-3-stripped.dcm"
        save(ds, target)
        expect(target, f"attack: seal stripped, new UIDs, region erased in {source.name}", "altered",
               code="seal.stripped", region=[1, x, y, side, side])

    if len(files) > 1:
        # Another image takes over the name and the identity of a sealed one.
        victim, other = files[0], pick(files, 2 if len(files) > 2 else 1)
        identity = pydicom.dcmread(victim, stop_before_pixels=True)
        ds = pydicom.dcmread(other)
        strip_seal(ds)
        ds.SOPInstanceUID = identity.SOPInstanceUID
        ds.file_meta.MediaStorageSOPInstanceUID = identity.SOPInstanceUID
        target = copies / "attack-4-replaced.dcm"
        save(ds, target)
        expect(target, f"attack: {victim.name} replaced by {other.name}", "altered")

        # The good seal of one image is put into another.
        donor = pydicom.dcmread(victim)
        ds = pydicom.dcmread(other)
        strip_seal(ds)
        for element in donor:
            if element.tag.group == SEAL_GROUP:
                ds.add(element)
        target = copies / "attack-5-seal-transplanted.dcm"
        save(ds, target)
        expect(target, f"attack: seal of {victim.name} put into {other.name}", "altered")


def overlaps(box, region):
    _, x, y, width, height = region
    return (box["x"] <= x and box["y"] <= y and box["x"] + box["width"] >= x + width
            and box["y"] + box["height"] >= y + height
            # ... and is no more than the tiles of 64 pixels that the region touches
            and box["width"] <= (x + width - 1) // 64 * 64 + 64 - x // 64 * 64
            and box["height"] <= (y + height - 1) // 64 * 64 + 64 - y // 64 * 64)


def place(finding):
    if "box" in finding:
        box = finding["box"]
        return (f"frame {finding.get('frame', '?')}, x {box['x']} to {box['x'] + box['width'] - 1}, "
                f"y {box['y']} to {box['y'] + box['height'] - 1}")
    if "attribute" in finding:
        return finding["attribute"] + " " + finding.get("keyword", "")
    return finding["code"]


def where(result):
    alarms = [f for f in result["findings"] if f["severity"] == "alarm"]
    located = [f for f in alarms if "box" in f] + [
        f for f in alarms if "attribute" in f and "box" not in f]
    shown = located or alarms
    if not shown:
        return result["findings"][0]["code"] if result["findings"] else ""
    more = f" and {len(shown) - 2} more" if len(shown) > 2 else ""
    return "; ".join(place(f).strip() for f in shown[:2]) + more


def surprise(expected, result):
    """What is not as it must be, or ''."""
    if result is None:
        return "there is no result"
    if result["verdict"] != expected["verdict"]:
        first = result["findings"][0]["text"] if result["findings"] else ""
        return f"must be {expected['verdict']}: {first}"
    findings = result["findings"]
    if "code" in expected and all(f["code"] != expected["code"] for f in findings):
        return f"no finding {expected['code']}"
    if "attribute" in expected and all(
            f.get("attribute") != expected["attribute"] for f in findings):
        return f"{expected['attribute']} is not named"
    if "region" in expected and not any(
            f["code"] == "pixels.altered" and f.get("frame") == expected["region"][0]
            and overlaps(f["box"], expected["region"]) for f in findings):
        return "the changed region is not where it was changed"
    return ""


def table(manifest, results):
    rows, wrong = [], 0
    for expected in manifest:
        result = results.get(expected["path"])
        problem = surprise(expected, result)
        wrong += bool(problem)
        rows.append((expected["what"], result["verdict"] if result else "-",
                     "UNEXPECTED: " + problem if problem else where(result)))
    heads = ("what was done", "verdict", "where")
    first = max(len(r[0]) for r in rows + [heads])
    second = max(len(r[1]) for r in rows + [heads])
    print(f"{heads[0]:{first}}  {heads[1]:{second}}  {heads[2]}")
    print("-" * first + "  " + "-" * second + "  " + "-" * 40)
    for what, verdict, text in rows:
        print(f"{what:{first}}  {verdict:{second}}  {text}".rstrip())
    print()
    if wrong:
        print(f"{wrong} of {len(rows)} verdicts are not what they must be.")
        return 1
    print(f"All {len(rows)} verdicts are what they must be.")
    return 0


def main():
    if len(sys.argv) == 5 and sys.argv[1] == "attack":
        with open(sys.argv[4], "a", encoding="utf-8") as manifest:
            play(pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), manifest)
        return 0
    if len(sys.argv) == 4 and sys.argv[1] == "table":
        with open(sys.argv[2], encoding="utf-8") as file:
            manifest = [json.loads(line) for line in file]
        with open(sys.argv[3], encoding="utf-8") as file:
            results = {r["path"]: r for r in map(json.loads, file) if "path" in r}
        return table(manifest, results)
    print(__doc__, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
