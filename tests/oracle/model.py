# SPDX-License-Identifier: Apache-2.0
"""A file in explicit VR little endian taken to pieces, to be put together again in any other way."""
import struct
import zlib

LONG = set("OB OW OF OD OL OV UN UT UC UR SQ SV UV".split())
KNOWN = "AE AS AT CS DA DS DT FD FL IS LO LT OB OW PN SH SL SS ST TM UI UL US UT UN UC UR SV UV OF OD SQ".split()
IMPLICIT, EXPLICIT, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.1.99"
NATIVE = (IMPLICIT, EXPLICIT, DEFLATED)
SYNTAXES = [IMPLICIT, EXPLICIT, DEFLATED, "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"] + [
    f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70, 80, 81, 90, 91, 110, 201, 202, 203)]
UNDEFINED = 0xFFFFFFFF
PIXELS = 0x7FE00010


class Element:
    """`value`: bytes, or a list of items, which are lists of elements. Raw pixel items are bytes."""

    def __init__(self, tag, vr, value, undefined=False):
        self.tag, self.vr, self.value, self.undefined = tag, vr, value, undefined
        self.length = None  # a lie
        self.forced_un = False
        self.mixed = None  # whose length alone is undefined: that of its items, or of the sequence
        self.explicit_inside = False

    def write(self, implicit):
        value, undefined = self.value, self.undefined
        if isinstance(value, list):
            inner = (implicit or self.forced_un) and not self.explicit_inside
            undefined = self.mixed == "sequence" if self.mixed else self.undefined
            open_items = self.mixed == "items" if self.mixed else self.undefined
            value = b"".join(
                struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED if open_items else len(body)) + body +
                (b"\xfe\xff\x0d\xe0\0\0\0\0" if open_items else b"")
                for body in (write(item, inner) for item in value))
            if undefined:
                value += b"\xfe\xff\xdd\xe0\0\0\0\0"
        length = UNDEFINED if undefined else len(value)
        length = length if self.length is None else self.length
        head = struct.pack("<HH", self.tag >> 16, self.tag & 0xFFFF)
        if implicit:
            return head + struct.pack("<I", length & UNDEFINED) + value
        vr = "UN" if self.forced_un else self.vr
        head += vr.encode("latin-1")
        if vr in LONG:
            return head + struct.pack("<HI", 0, length & UNDEFINED) + value
        return head + struct.pack("<H", length & 0xFFFF) + value


def write(elements, implicit):
    return b"".join(e.write(implicit) for e in elements)


def read(data, at=0, end=None):
    """Elements of an explicit VR little endian data set, as pydicom and we write it."""
    out, end = [], len(data) if end is None else end
    while at < end:
        group, number = struct.unpack_from("<HH", data, at)
        tag = group << 16 | number
        if tag == 0xFFFEE00D:
            return out, at + 8
        vr = data[at + 4:at + 6].decode("latin-1")
        if vr in LONG:
            size, at = struct.unpack_from("<I", data, at + 8)[0], at + 12
        else:
            size, at = struct.unpack_from("<H", data, at + 6)[0], at + 8
        if vr == "SQ":
            value, at = read_items(data, at, None if size == UNDEFINED else at + size)
            out.append(Element(tag, vr, value, size == UNDEFINED))
        elif size == UNDEFINED:
            stop = at
            while data[stop:stop + 4] == b"\xfe\xff\x00\xe0":
                stop += 8 + struct.unpack_from("<I", data, stop + 4)[0]
            out.append(Element(tag, vr, data[at:stop + 8], True))
            at = stop + 8
        else:
            out.append(Element(tag, vr, data[at:at + size]))
            at += size
    return out, at


def read_items(data, at, end):
    items = []
    while end is None or at < end:
        group, number, size = struct.unpack_from("<HHI", data, at)
        at += 8
        if number == 0xE0DD:
            break
        item, at = read(data, at, None if size == UNDEFINED else at + size)
        items.append(item)
    return items, at


def deflated(body, wrapped):
    """Deflated, with what stands around the stream: nothing but a zero to make it even, or more."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 15 if wrapped == "zlib" else 31 if wrapped == "gzip" else -15)
    out = packer.compress(body) + packer.flush()
    if wrapped == "trailer":
        out += struct.pack("<II", zlib.crc32(body), len(body))
    elif wrapped == "bytes":
        out += b"hidden"
    if wrapped == "zero":
        return out + b"\0"
    return out + b"\0" * (len(out) % 2)


class File:
    """A file in explicit VR little endian, taken to pieces."""

    def __init__(self, data):
        assert data[128:132] == b"DICM"
        size = struct.unpack_from("<I", data, 140)[0]
        self.preamble = data[:128]
        self.meta = read(data, 132, 144 + size)[0]
        self.elements = read(data, 144 + size)[0]
        self.syntax = self.of_meta(0x00020010).value.rstrip(b"\0").decode()
        self.implicit, self.deflated, self.tail = False, False, b""
        self.group_length = None
        self.bare = None  # what is left out before the data set
        self.wrapped = None  # what stands around a deflated one

    def of_meta(self, tag):
        return next(e for e in self.meta if e.tag == tag)

    def name(self, syntax):
        uid = syntax.encode()
        for e in self.meta:  # another mutation may have removed it
            if e.tag == 0x00020010:
                e.value = uid + b"\0" * (len(uid) % 2)
        self.syntax = syntax

    def find(self, tag):
        return next((e for e in self.elements if e.tag == tag), None)

    def add_offsets(self, offsets, lengths):
        """Extended offset table and, unless None, its lengths."""
        tables = [Element(0x7FE00001, "OV", struct.pack(f"<{len(offsets)}Q", *offsets))]
        if lengths is not None:
            tables.append(Element(0x7FE00002, "OV", struct.pack(f"<{len(lengths)}Q", *lengths)))
        self.elements = sorted([e for e in self.elements if e.tag not in (0x7FE00001, 0x7FE00002)] + tables,
                               key=lambda e: e.tag)

    @property
    def encapsulated(self):
        pixels = self.find(PIXELS)
        return pixels is not None and pixels.undefined

    def bytes(self):
        body = write(self.elements, self.implicit)
        if self.deflated:
            body = deflated(body, self.wrapped)
        meta = write(self.meta, False)
        if self.group_length is not None:
            meta = meta[:8] + struct.pack("<I", self.group_length & UNDEFINED) + meta[12:]
        elif meta[:4] == b"\2\0\0\0":
            meta = meta[:8] + struct.pack("<I", len(meta) - 12) + meta[12:]
        whole = self.preamble + b"DICM" + meta + body + self.tail
        return whole[{None: 0, "preamble": 128, "prefix": 132, "all": 132 + len(meta)}[self.bare]:]
