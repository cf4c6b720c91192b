# SPDX-License-Identifier: Apache-2.0
"""What DCMTK, GDCM and pydicom make of a file: attributes (path -> value) and samples, as
(attributes or None, picture or None). None: it refuses, or shows nothing, which is no opinion.
"""
import decimal
import io
import pathlib
import re
import subprocess
import warnings

import numpy as np
import pydicom
from pydicom.pixel_data_handlers.util import apply_color_lut, apply_modality_lut

warnings.filterwarnings("ignore")
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

# Not content: spec/seal.md 5.4, and what a change of encoding sets.
OUTSIDE = {0x00080001, 0x00080005, 0xFFFCFFFC, 0x7FE00001, 0x7FE00002, 0x7FE00003, 0x00280006, 0x00280008, 0x4FFE0001, 0xFFFAFFFA}


BYTES = {"UN", "OB", "OW", "OF", "OD", "OL", "OV", "SQ", "ox", "px", "up", "pi", "xs", "lt", "na", "??"}


def outside(tag):
    group, number = tag >> 16, tag & 0xFFFF
    return (tag in OUTSIDE or number == 0 or group <= 2 or group in (0x0F1D, 0x7FE0) or
            bool(group & 1) and number <= 0xFF)


def number_of(text):
    try:
        return str(decimal.Decimal(text.strip(" \0")).normalize() + 0)
    except decimal.InvalidOperation:
        return text.strip(" \0")


def canonical(vr, value):
    if vr in ("DS", "IS") and isinstance(value, (str, bytes)):
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        return "\\".join(number_of(v) for v in text.split("\\"))
    if vr == "PN":
        return "\\".join("=".join(p.rstrip(" ^\0") for p in v.split("=")).rstrip("=")
                         for v in str(value).split("\\"))
    if isinstance(value, bytes):
        return value.rstrip(b" \0")
    values = value if isinstance(value, (list, tuple, pydicom.multival.MultiValue)) else [value]
    return "\\".join(str("" if v is None else v).strip(" \0") for v in values)


def raw_is_little(raw):
    return getattr(raw, "is_little_endian", True) is not False


def walk(ds, prefix, out):
    for tag in ds.keys():
        if outside(int(tag)):
            continue
        raw = ds.get_item(tag)
        name = f"({tag.group:04X},{tag.element:04X})"
        if tag.is_private:  # by creator: the block number is not content
            creator = ds.get((tag.group, tag.element >> 8))
            name = f"({tag.group:04X},{str(creator.value).strip() if creator else '?'},{tag.element & 0xFF:02X})"
        text = raw.value if isinstance(raw, pydicom.dataelem.RawDataElement) else None
        element = ds[tag]
        if element.VR not in ("DS", "IS"):
            text = None
        if element.VR == "SQ":
            out[prefix + name] = ("SQ", len(element.value))
            for i, item in enumerate(element.value):
                walk(item, f"{prefix}{name}[{i}].", out)
        else:
            value = element.value if text is None else text
            if element.VR == "OW" and isinstance(value, bytes) and not raw_is_little(raw) and len(value) % 2 == 0:
                value = np.frombuffer(value, ">u2").astype("<u2").tobytes()
            out[prefix + name] = (element.VR, canonical(element.VR, value))
    return out


def is_bare(path):
    """Whether a file has no prefix: pydicom has to be told that it is DICOM all the same. (One that begins with
    the prefix it refuses.)"""
    if isinstance(path, io.BytesIO):
        return False
    with open(path, "rb") as file:
        head = file.read(132)
        return b"DICM" not in (head[:4], head[128:])


def with_pydicom(path):
    try:
        ds = pydicom.dcmread(path, force=is_bare(path))
        attributes = walk(ds, "", {})
    except Exception:  # it raises what it happens to meet
        return None, None
    try:
        picture = apply_modality_lut(ds.pixel_array, ds)
        if ds.PhotometricInterpretation == "PALETTE COLOR":
            if not ds.is_little_endian:
                return attributes or None, None  # pydicom 2.3.1 does not swap the words of palettes
            picture = apply_color_lut(ds.pixel_array, ds)
        picture = (str(ds.get("PhotometricInterpretation")).strip(" \0"), picture.shape, picture.astype(np.float64).tobytes())
    except Exception:
        picture = None
    return attributes or None, picture


DUMPED = re.compile(rb"^( *)\(([0-9a-f]{4}),([0-9a-f]{4})\) (..) (.*?) +# +(\S+),", re.DOTALL)


def with_dcmtk(path, frame):
    """dcmdump's lines with their values, and the picture after the modality and the presentation LUT."""
    done = subprocess.run(["dcmdump", "-q", "+L", "+U8", path], capture_output=True)
    converted = done.returncode == 0
    if not converted:  # it does not know the character set: no opinion about what is no ASCII
        done = subprocess.run(["dcmdump", "-q", "+L", path], capture_output=True)
    attributes, parents, counts = {}, {}, {}
    for line in done.stdout.split(b"\n") if done.returncode == 0 else []:
        found = DUMPED.match(line)
        if not found:
            continue
        depth, tag = len(found[1]) // 2, int(found[2] + found[3], 16)
        vr, value = found[4].decode("latin-1"), found[5].strip()
        if tag == 0xFFFEE000:
            parent = parents.get(depth - 1)
            counts[parent] = counts.get(parent, 0) + 1
            parents[depth] = f"{parent}[{counts[parent]}]"
            continue
        if tag >> 16 == 0xFFFE or depth and depth - 1 not in parents:
            continue
        name = (parents[depth - 1] + "." if depth else "") + f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        parents[depth] = name
        if outside(tag) or tag >> 16 & 1:  # private blocks may move: pydicom compares these
            continue
        if value.startswith(b"(no value") or vr == "SQ":
            value = b""
        if value[:1] == b"[" and value[-1:] == b"]":
            value = value[1:-1]
        attributes[name] = vr, value
    attributes = {name: (vr, canonical(vr, value.decode("utf-8", "replace")) if converted or value.isascii() else None)
                  for name, (vr, value) in attributes.items()}
    picture = subprocess.run(["dcmj2pnm", "-q", "+opw", "+F", str(frame), path], capture_output=True)
    shown = picture.stdout if picture.returncode == 0 and picture.stdout else None
    return attributes or None, shown


def is_undecoded(data):
    """Whether fragments are left under a transfer syntax that has none: nothing was shown."""
    ds = pydicom.dcmread(io.BytesIO(data), defer_size=1 << 20)
    raw = ds.get_item("PixelData") if "PixelData" in ds else None
    return raw is not None and bool(getattr(raw, "is_undefined_length", False) or
                                    getattr(raw, "length", 0) == 0xFFFFFFFF)


def with_gdcm(path):
    """What GDCM writes when it decodes the file, read back."""
    target = pathlib.Path(str(path) + ".gdcm")
    done = subprocess.run(["gdcmconv", "--raw", path, target], capture_output=True)
    try:
        if done.returncode != 0 or not target.exists():
            return None, None
        data = target.read_bytes()
        if is_undecoded(data):
            return None, None
        return with_pydicom(io.BytesIO(data))
    finally:
        target.unlink(missing_ok=True)


READERS = {"DCMTK": with_dcmtk, "GDCM": lambda path, frame: with_gdcm(path),
           "pydicom": lambda path, frame: with_pydicom(path)}


# What a decompressed JPEG may be called: the picture, compared in RGB, says whether it is the same.
COLOURS = {"YBR_FULL_422", "YBR_FULL", "RGB"}
# (0028,2114) by the last number of the transfer syntax: what spec/seal.md 10.1 grants after a loss.
METHODS = {"50": "ISO_10918_1", "51": "ISO_10918_1", "55": "ISO_10918_1", "81": "ISO_14495_1", "91": "ISO_15444_1"}
# Decoders of these round as they like: the inverse DCT of ISO/IEC 10918-1 is not exact.
ROUNDED = {"50", "51", "55"}


def code_of(syntax):
    """`50` of 1.2.840.10008.1.2.4.50; "" of what is no encoding of that arc."""
    arc = "1.2.840.10008.1.2.4."
    return syntax[len(arc):] if syntax.startswith(arc) else ""


def granted(path, before, after, code):
    """What spec/seal.md grants to tools that decompress a frame of this encoding (5.6, 6.7, 10.1)."""
    if path == "(0028,0004)":
        return code in ROUNDED and {before, after} <= COLOURS
    if path == "(0028,2110)":
        return code in METHODS and before in (None, "", "00") and after == "01"
    return path == "(0028,2114)" and code in METHODS and before in (None, "") and after == METHODS[code]


def compared(base, seen, code):
    """Where a reader shows another thing in the mutant than in the base: list of texts. `code`: code_of the
    base's transfer syntax."""
    out = []
    if base[0] is not None and seen[0] is not None:
        before, after = base[0], seen[0]
        for path in sorted(before.keys() | after.keys()):
            if granted(path, before.get(path, (0, None))[1], after.get(path, (0, None))[1], code):
                continue
            if path not in after or path not in before:
                # An empty value that is nowhere else is no other content for any viewer; nor is what a
                # reader that keeps the bytes of a sequence does not list inside.
                vr, value = (before if path in before else after)[path]
                parent = path.rsplit("[", 1)[0] if "[" in path else None
                if value in ("", b"") or parent and "SQ" not in (
                        before.get(parent, ("SQ",))[0], after.get(parent, ("SQ",))[0]):
                    continue
                if parent and (before.get(parent, ("?",))[0] != "SQ" or after.get(parent, ("?",))[0] != "SQ"):
                    continue
                out.append(f"{path} {'gone' if path in before else 'new'}: {value!r:.200}")
                continue
            (vr, value), (vr2, value2) = before[path], after[path]
            if value is None or value2 is None:
                continue
            if vr != vr2:  # a number written under another VR is the same; what has only bytes is no value
                if {vr, vr2} & BYTES:
                    continue
                value, value2 = (canonical("DS", str(v)) for v in (value, value2))
            if value != value2:
                out.append(f"{path} {vr}: {value!r:.60} became {value2!r:.60}")
    if base[1] is not None and seen[1] is not None and base[1] != seen[1] and not (
            code in ROUNDED and near(base[1], seen[1])):
        out.append("the picture")
    return out


def samples_of(picture):
    """The samples of a picture as an array of float64, colours as RGB (PS3.3 C.7.6.3.1.2)."""
    if isinstance(picture, bytes):  # of dcmj2pnm: a PNM in ASCII, brought to 8 bits
        words = picture.split()
        columns, rows, most = (int(word) for word in words[1:4])
        return np.array(words[4:], dtype=float).reshape(rows, columns, -1) * 255 / most
    colour, shape, data = picture
    samples = np.frombuffer(data).reshape(shape)
    if not colour.startswith("YBR"):
        return samples
    y, cb, cr = samples[..., 0], samples[..., 1] - 128, samples[..., 2] - 128
    rgb = np.stack([y + 1.402 * cr, y - 0.344136 * cb - 0.714136 * cr, y + 1.772 * cb], -1)
    return rgb.round().clip(0, 255)


def near(a, b):
    """Within 2 of the samples' units: rounding of the inverse DCT and of a colour transform."""
    a, b = samples_of(a), samples_of(b)
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0) <= 2)
