# SPDX-License-Identifier: Apache-2.0
"""Copies of a sealed file: re-encoded without loss, and tampered with."""

import copy
import os
import re
import subprocess
import warnings

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

warnings.filterwarnings("ignore", module="pydicom")
pydicom.config.settings.writing_validation_mode = pydicom.config.IGNORE
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE

ENCODINGS = {
    "implicit": ["dcmconv", "+ti"], "explicit": ["dcmconv", "+te"],
    "big-endian": ["dcmconv", "+tb"], "deflated": ["dcmconv", "+td"],
    "undefined-lengths": ["dcmconv", "-e", "+g"], "bare": ["dcmconv", "-F", "+te"],
    "bare-implicit": ["dcmconv", "-F", "+ti"], "utf-8": ["dcmconv", "+U8"],
    "rle": ["dcmcrle"], "planes": ["dcmcrle", "+cm"], "no-rle": ["dcmdrle"],
    "jpeg-lossless": ["dcmcjpeg", "+e1"], "no-jpeg": ["dcmdjpeg"],
}
TAMPERED_PER_FILE = 10


def variants(place, base, evidence, chance, tampered=TAMPERED_PER_FILE):
    """Writes copies beside `base`, each with its evidence; yields (name, what was done)."""
    yield "base.dcm", "as sealed"
    with open(base, "rb") as stream:
        data = stream.read()
    encoded = []
    for name, command in ENCODINGS.items():
        path = os.path.join(place, name + ".dcm")
        done = subprocess.run(command + [base, path], capture_output=True, check=False)
        if done.returncode == 0 and os.path.exists(path):
            _write(path + ".evidence", evidence)
            encoded.append(path)
            yield name + ".dcm", "re-encoded: " + " ".join(command)
        elif os.path.exists(path):
            os.remove(path)
    sources = [base] + encoded
    for number in range(tampered):
        name = "tampered-%02d.dcm" % number
        path = os.path.join(place, name)
        source = chance.choice(sources)
        operation = chance.choice(OPERATIONS)
        try:
            what = operation(source, path, chance)
        except Exception:  # pydicom cannot do everything to every file
            what = None
        if what is None:
            what = flip_bit(source, path, chance)
        _write(path + ".evidence", evidence)
        yield name, "%s, from %s" % (what, os.path.basename(source))
    for number, change in enumerate(EVIDENCE_CHANGES):
        name = "evidence-%02d.dcm" % number
        _write(os.path.join(place, name), data)
        changed, what = change(evidence, chance)
        _write(os.path.join(place, name + ".evidence"), changed)
        yield name, what


def _write(path, data):
    with open(path, "wb") as stream:
        stream.write(data)


def _open(source):
    return pydicom.dcmread(source, force=True)


def _save(data_set, path):
    data_set.save_as(path, write_like_original=True)


def flip_bit(source, path, chance):
    """Any bit of the file, or of the part behind the meta information."""
    data = bytearray(open(source, "rb").read())
    at = chance.randrange(min(132, len(data) - 1), len(data))
    data[at] ^= 1 << chance.randrange(8)
    _write(path, data)
    return "bit of byte %d flipped" % at


def flip_header_bit(source, path, chance):
    data = bytearray(open(source, "rb").read())
    at = chance.randrange(132, min(len(data), 3000))
    data[at] ^= 1 << chance.randrange(8)
    _write(path, data)
    return "bit of byte %d flipped" % at


def flip_pixels(source, path, chance):
    data_set = _open(source)
    pixels = bytearray(data_set.PixelData)
    if not pixels or not isinstance(data_set.PixelData, bytes):
        return None
    for _ in range(chance.randrange(1, 4)):
        pixels[chance.randrange(len(pixels))] ^= 1 << chance.randrange(8)
    data_set.PixelData = bytes(pixels)
    _save(data_set, path)
    return "bits of pixels flipped"


def cut_pixels(source, path, chance):
    data_set = _open(source)
    pixels = data_set.PixelData
    if data_set.file_meta.TransferSyntaxUID.is_compressed or len(pixels) < 4:
        return None
    if chance.random() < 0.5:
        data_set.PixelData = pixels[:2 * chance.randrange(len(pixels) // 2)]
        what = "pixels cut"
    else:
        data_set.PixelData = pixels + bytes(chance.randrange(256) for _ in range(
            2 * chance.randrange(1, 40)))
        what = "bytes behind the pixels"
    _save(data_set, path)
    return what


def image_attribute(source, path, chance):
    data_set = _open(source)
    keyword = chance.choice(["Rows", "Columns", "BitsStored", "HighBit", "SamplesPerPixel",
                             "BitsAllocated", "PixelRepresentation", "NumberOfFrames",
                             "PlanarConfiguration", "PhotometricInterpretation"])
    if keyword not in data_set:
        return None
    if keyword == "PhotometricInterpretation":
        value = chance.choice(["MONOCHROME1", "MONOCHROME2", "RGB", "YBR_FULL", "YBR_RCT",
                               "YBR_FULL_422", "PALETTE COLOR"])
    else:
        value = max(0, int(data_set[keyword].value or 0) + chance.choice([-1, 1, 2, 8]))
    setattr(data_set, keyword, value)
    _save(data_set, path)
    return "%s is %s" % (keyword, value)


def _any_data_set(data_set, chance):
    """The data set itself, or one of its items."""
    while True:
        items = [item for element in data_set if element.VR == "SQ" for item in element.value]
        if not items or chance.random() < 0.5:
            return data_set
        data_set = chance.choice(items)


def remove_attribute(source, path, chance):
    data_set = _open(source)
    target = _any_data_set(data_set, chance)
    tag = chance.choice(list(target.keys()))
    del target[tag]
    _save(data_set, path)
    return "%s removed" % tag


def add_attribute(source, path, chance):
    data_set = _open(source)
    target = _any_data_set(data_set, chance)
    tag, vr, value = chance.choice([
        (0x00081030, "LO", "added"), (0x00104000, "LT", "added"), (0x00180050, "DS", "1.0"),
        (0x00400275, "SQ", Sequence([Dataset()])), (0x00080005, "CS", "ISO_IR 100"),
        (0x00090010, "LO", "ACME"), (0x00091001, "UN", b"\1\2\3\4"), (0x0F1D0010, "LO", "FIDUCIA"),
        (0x00280006, "US", 1), (0x00080001, "UL", 5), (0x60003000, "OW", b"\0\1\2\3"),
        (0xFFFCFFFC, "OB", b"\0\0"), (0x00090000, "UL", 4)])
    if tag in target:
        return None
    target.add_new(tag, vr, value)
    _save(data_set, path)
    return "%08X added" % tag


def change_attribute(source, path, chance):
    data_set = _open(source)
    target = _any_data_set(data_set, chance)
    candidates = [e for e in target if e.VR in (
        "LO", "SH", "CS", "DA", "TM", "UI", "DS", "IS", "US", "PN", "LT", "ST", "SS", "UL")]
    if not candidates:
        return None
    element = chance.choice(candidates)
    if element.VR in ("US", "UL", "SS"):
        element.value = chance.randrange(100)
    elif element.VR in ("DS", "IS"):
        element.value = str(chance.randrange(1000))
    else:
        element.value = chance.choice(["", "CHANGED", "1.2.3", "A\\B", " x "])
    _save(data_set, path)
    return "%s changed" % element.tag


def change_items(source, path, chance):
    data_set = _open(source)
    target = _any_data_set(data_set, chance)
    sequences = [element for element in target if element.VR == "SQ"]
    if not sequences:
        return None
    element = chance.choice(sequences)
    items = list(element.value)
    if items and chance.random() < 0.5:
        del items[chance.randrange(len(items))]
        what = "item removed from"
    else:
        for _ in range(chance.randrange(1, 3)):
            items.insert(chance.randrange(len(items) + 1),
                         copy.deepcopy(chance.choice(items)) if items else Dataset())
        what = "items added to"
    element.value = Sequence(items)
    _save(data_set, path)
    return "%s %s" % (what, element.tag)


def insert_raw(source, path, chance):
    """An element in front of Pixel Data or at the end, byte by byte: duplicates, odd forms."""
    data = open(source, "rb").read()
    element = chance.choice([
        b"\x10\x00\x10\x00PN\x04\x00A^B ", b"\x28\x00\x10\x00US\x02\x00\x10\x00",
        b"\x29\x00\x10\x00LO\x04\x00ACME\x29\x00\x01\x10UN\0\0\x04\0\0\0ABCD",
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 192", b"\x11\x00\x01\x00OB\0\0\x02\0\0\0\1\2",
        b"\x09\x00\x10\x10UN\0\0\x08\0\0\0\xfe\xff\x00\xe0\0\0\0\0",
        b"\x40\x00\x75\x02SQ\0\0\xff\xff\xff\xff\xfe\xff\xdd\xe0\0\0\0\0",
        b"\xe0\x7f\x10\x00OW\0\0\x02\0\0\0\1\2", bytes(2 * chance.randrange(1, 20)),
        b"\x10\x00\x20\x00ZZ\0\0\x02\0\0\0ab"])
    places = [m.start() for m in re.finditer(rb"\xe0\x7f\x10\x00(OW|OB)", data)]
    at = places[0] if places and chance.random() < 0.5 else len(data)
    _write(path, data[:at] + element + data[at:])
    return "%r put in at byte %d" % (element, at)


def cut_file(source, path, chance):
    data = open(source, "rb").read()
    _write(path, data[:chance.randrange(140, len(data))])
    return "file cut"


def embed(source, path, chance):
    """Moves a private block to another number (legitimate)."""
    data_set = _open(source)
    for creator in [e for e in data_set if e.tag.is_private_creator and e.tag.element < 0x40]:
        group, block = creator.tag.group, creator.tag.element
        if (group, 0x77) in data_set:
            continue
        for element in [e for e in data_set if e.tag.group == group
                        and e.tag.element >> 8 == block]:
            data_set.add_new((group, 0x7700 | element.tag.element & 0xFF), element.VR,
                             element.value)
            del data_set[element.tag]
        data_set.add_new((group, 0x77), "LO", creator.value)
        del data_set[creator.tag]
        _save(data_set, path)
        return "block %04X,%02X moved to 77" % (group, block)
    return None


OPERATIONS = [flip_bit, flip_header_bit, flip_pixels, flip_pixels, cut_pixels, image_attribute,
              remove_attribute, add_attribute, add_attribute, change_attribute, change_attribute,
              change_items, change_items, insert_raw, insert_raw, cut_file, embed]


def _flip_evidence(evidence, chance):
    data = bytearray(evidence)
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    return bytes(data), "bit of byte %d of the evidence flipped" % at


def _cut_evidence(evidence, chance):
    return evidence[:chance.randrange(len(evidence))], "evidence cut"


def _pad_evidence(evidence, chance):
    pad = bytes([0] * chance.randrange(1, 3))
    return evidence + pad, "evidence with %d more bytes" % len(pad)


EVIDENCE_CHANGES = [_flip_evidence] * 4 + [_cut_evidence, _pad_evidence]
