# SPDX-License-Identifier: Apache-2.0
"""Writes DICOM files byte by byte, mistakes included.

An image is a dictionary of tag -> bytes of the whole element, so that a mutation replaces one entry.
"""
import struct
import zlib

LONG = set("OB OW OF OD OL OV UN UT UC UR SQ SV UV".split())
EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE, JPEG, JPEG_EXTENDED = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS, J2K = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.90"
JPEG_LS = "1.2.840.10008.1.2.4.80"
JXL_LOSSLESS = "1.2.840.10008.1.2.4.110"
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
UNITS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "OW": "H"}
PIXELS = 0x7FE00010


def raw(tag, vr, value, implicit=False, length=None):
    """An element of exactly these bytes; `length` may lie."""
    group, number = tag >> 16, tag & 0xFFFF
    length = len(value) if length is None else length
    if implicit:
        return struct.pack("<HHI", group, number, length) + value
    if vr in LONG:
        return struct.pack("<HH", group, number) + vr.encode() + struct.pack("<HI", 0, length) + value
    return struct.pack("<HH", group, number) + vr.encode() + struct.pack("<H", length) + value


def element(tag, vr, value, implicit=False):
    """An element as the standard wants it: text, a number, or a list of numbers; padded."""
    if isinstance(value, str):
        value = value.encode("latin-1")
    elif isinstance(value, (int, float)):
        value = struct.pack("<" + UNITS[vr], value)
    elif isinstance(value, (list, tuple)):
        value = b"".join(struct.pack("<" + UNITS[vr], v) for v in value)
    if len(value) % 2:
        value += b"\0" if vr in ("UI", "OB", "UN") else b" "
    return raw(tag, vr, value, implicit)


def sequence(tag, *items, implicit=False, vr="SQ"):
    return raw(tag, vr, b"".join(item(i) for i in items), implicit)


def item(body):
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(body)) + body


def encapsulated(*fragments, vr="OB"):
    body = struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    for fragment in fragments:
        body += item(fragment + b"\0" * (len(fragment) % 2))
    return raw(PIXELS, vr, body + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), length=0xFFFFFFFF)


def meta(syntax, uid, group_length=None):
    body = raw(0x00020001, "OB", b"\0\1") + element(0x00020002, "UI", SECONDARY_CAPTURE)
    body += element(0x00020003, "UI", uid) + element(0x00020010, "UI", syntax)
    body += element(0x00020012, "UI", "2.25.99")
    return bytes(128) + b"DICM" + element(
        0x00020000, "UL", len(body) if group_length is None else group_length) + body


def image(uid, rows, columns, pixels, implicit=False, allocated=8, stored=None, signed=0, samples=1,
          colour="MONOCHROME2", more=(), patient="Test^One"):
    """Tag -> element. `pixels`: native samples, or the whole element when it is encapsulated."""
    stored = stored or allocated
    e = {}

    def put(tag, vr, value):
        e[tag] = element(tag, vr, value, implicit)

    put(0x00080016, "UI", SECONDARY_CAPTURE)
    put(0x00080018, "UI", uid)
    put(0x00080060, "CS", "OT")
    put(0x00100010, "PN", patient)
    put(0x00100020, "LO", "ID1")
    put(0x0020000D, "UI", "2.25.5")
    put(0x0020000E, "UI", "2.25.6")
    put(0x00200013, "IS", "5")
    put(0x00280002, "US", samples)
    put(0x00280004, "CS", colour)
    if samples > 1:
        put(0x00280006, "US", 0)
    put(0x00280010, "US", rows)
    put(0x00280011, "US", columns)
    put(0x00280100, "US", allocated)
    put(0x00280101, "US", stored)
    put(0x00280102, "US", stored - 1)
    put(0x00280103, "US", signed)
    if pixels[:4] == struct.pack("<HH", 0x7FE0, 0x0010):
        e[PIXELS] = pixels
    else:
        e[PIXELS] = raw(PIXELS, "OB" if allocated == 8 else "OW", pixels, implicit)
    for tag, data in dict(more).items():
        e[tag] = data
    return e


def body_of(elements):
    return b"".join(elements[tag] for tag in sorted(elements))


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def part10(elements, uid, syntax=EXPLICIT):
    body = body_of(elements)
    if syntax == DEFLATED:
        body = deflate(body)
        body += b"\0" * (len(body) % 2)
    return meta(syntax, uid) + body
