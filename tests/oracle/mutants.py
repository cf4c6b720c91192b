# SPDX-License-Identifier: Apache-2.0
"""Mutants of a DICOM file: of its structure, and of its codestream.

A mutant is a pure function of (bytes of the base, seed), so that a recipe is two words. Half of the
mutations are what a tool may do, so that there is something for readers to agree about.
"""
import random
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

    def write(self, implicit):
        value = self.value
        if isinstance(value, list):
            inner = implicit or self.forced_un
            value = b"".join(
                struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED if self.undefined else len(body)) + body +
                (b"\xfe\xff\x0d\xe0\0\0\0\0" if self.undefined else b"")
                for body in (write(item, inner) for item in value))
            if self.undefined:
                value += b"\xfe\xff\xdd\xe0\0\0\0\0"
        length = UNDEFINED if self.undefined else len(value)
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
        self.head = b"DICM"

    def of_meta(self, tag):
        return next(e for e in self.meta if e.tag == tag)

    def name(self, syntax):
        uid = syntax.encode()
        self.of_meta(0x00020010).value = uid + b"\0" * (len(uid) % 2)
        self.syntax = syntax

    def find(self, tag):
        return next((e for e in self.elements if e.tag == tag), None)

    @property
    def encapsulated(self):
        pixels = self.find(PIXELS)
        return pixels is not None and pixels.undefined

    def bytes(self):
        body = write(self.elements, self.implicit)
        if self.deflated:
            packer = zlib.compressobj(6, zlib.DEFLATED, -15)
            body = packer.compress(body) + packer.flush()
            body += b"\0" * (len(body) % 2)
        meta = write(self.meta, False)
        if self.group_length is not None:
            meta = meta[:8] + struct.pack("<I", self.group_length & UNDEFINED) + meta[12:]
        elif meta[:4] == b"\2\0\0\0":
            meta = meta[:8] + struct.pack("<I", len(meta) - 12) + meta[12:]
        return self.preamble + self.head + meta + body + self.tail


# -- structure

def any_element(r, f, test=lambda e: True):
    """An element at any depth, with the list that it stands in."""
    found, pending = [], [f.elements]
    while pending:
        elements = pending.pop()
        for e in elements:
            if test(e):
                found.append((elements, e))
            if isinstance(e.value, list):
                pending.extend(e.value)
    return r.choice(found) if found else (f.elements, f.elements[0])


def plain(e):
    return isinstance(e.value, bytes) and e.tag != PIXELS


def text(e):
    return plain(e) and e.vr in "AE AS CS DA DS DT IS LO LT PN SH ST TM UI UT UC UR".split()


def m_implicit(r, f):
    if not f.encapsulated:
        f.implicit = True
        f.name(IMPLICIT)


def m_deflated(r, f):
    if not f.encapsulated:
        f.deflated = True
        f.name(DEFLATED)


def m_undefined(r, f):
    _, e = any_element(r, f, lambda e: isinstance(e.value, list))
    if isinstance(e.value, list):
        e.undefined = not e.undefined


def m_preamble(r, f):
    f.preamble = r.choice([b"II*\0" + r.randbytes(124), b"MZ" + r.randbytes(126), r.randbytes(128), bytes(128)])


def m_meta_value(r, f):
    tag, vr, value = r.choice([(0x00020012, "UI", b"1.2.3\0"), (0x00020013, "SH", b"TOOL 2.0"),
                               (0x00020016, "AE", b"STORESCU"), (0x00020003, "UI", b"1.2.3.4.5\0")])
    f.meta = sorted([e for e in f.meta if e.tag != tag] + [Element(tag, vr, value)], key=lambda e: e.tag)


def m_meta_structure(r, f):
    kind = r.randrange(6)
    if kind == 0:
        f.group_length = r.choice([0, 8, len(write(f.meta, False)) - 12 + r.choice([-8, 8, 2, 100]), UNDEFINED])
    elif kind == 1:
        f.meta.append(r.choice(f.meta))
    elif kind == 2:
        r.shuffle(f.meta)
    elif kind == 3:
        f.meta.remove(r.choice(f.meta))
    elif kind == 4:
        e = r.choice(f.meta)
        e.vr = r.choice(KNOWN)
    else:
        e = r.choice(f.meta)
        e.value += r.choice([b"\0\0", b"  ", b"\\1.2.840.10008.1.2\0"])


def m_meta_syntax(r, f):
    f.name(r.choice(SYNTAXES))


def m_pad_text(r, f):
    _, e = any_element(r, f, text)
    if text(e):
        e.value += r.choice([b"  ", b"\0\0", b" \0", b"\0 ", b"    "])


def m_lead_text(r, f):
    _, e = any_element(r, f, text)
    if text(e):
        e.value = r.choice([b"  ", b"\0\0", b" \0", b"\0 ", b"\t "]) + e.value


def m_group_length(r, f):
    elements, e = any_element(r, f)
    group = e.tag >> 16
    size = len(write([x for x in elements if x.tag >> 16 == group], f.implicit))
    vr, value = r.choice([("UL", struct.pack("<I", size))] * 3 + [
        ("UL", r.randbytes(4)), ("OB", r.randbytes(16)), ("US", b"\0\0"), ("UL", b"")])
    elements.append(Element(group << 16, vr, value))
    elements.sort(key=lambda e: e.tag)


def m_padding(r, f):
    f.elements.append(Element(0xFFFCFFFC, r.choice(["OB", "OB", "OW", "UN", "LO"]),
                              r.choice([bytes(64), r.randbytes(64), b""])))


def m_tail(r, f):
    f.tail = r.choice([bytes(2 * r.randrange(1, 50)), bytes(1), r.randbytes(2 * r.randrange(1, 50)), f.elements[3].write(
        f.implicit)])


def m_number(r, f):
    """Another writing of the same number, or nearly."""
    _, e = any_element(r, f, lambda e: plain(e) and e.vr in ("DS", "IS"))
    old = e.value.strip(b" \0") if plain(e) and e.vr in ("DS", "IS") else b""
    if old:
        new = r.choice([b"+" + old, b"0" + old, b"0" * r.randrange(20) + old, old + b".0", old + b"e0", old + b"E+00",
                        b" " + old, old + b".", old + b"0E-1", old + b"\\" + old, old.replace(b"0", b"O")])
        e.value = new + b" " * (len(new) % 2)


def m_vr(r, f):
    _, e = any_element(r, f, lambda e: isinstance(e.value, bytes))
    e.vr = r.choice(KNOWN + ["UN"] * 6 + ["OB"] * 3 + ["QQ", "--", "  ", "ox", "\0\0"])


def m_un_private(r, f):
    _, e = any_element(r, f, lambda e: plain(e) and e.tag >> 16 & 1 and e.tag & 0xFFFF > 0xFF)
    if plain(e):
        e.vr = "UN"


def m_un(r, f):
    """As UN, sequences included, as tools do that do not know them."""
    _, e = any_element(r, f, lambda e: e.tag != PIXELS)
    e.forced_un = True


def m_un_all(r, f):
    for e in f.elements:
        if e.tag != PIXELS:
            e.forced_un = True


def m_value(r, f):
    _, e = any_element(r, f, lambda e: isinstance(e.value, bytes) and e.value)
    if e.value and isinstance(e.value, bytes):
        at = r.randrange(min(len(e.value), 64))
        e.value = e.value[:at] + bytes([e.value[at] ^ 1 << r.randrange(8)]) + e.value[at + 1:]


def m_length(r, f):
    _, e = any_element(r, f, lambda e: isinstance(e.value, bytes))
    if isinstance(e.value, bytes):
        e.length = len(e.value) + r.choice([-2, -1, 1, 2, 8, 65536])


def m_odd(r, f):
    _, e = any_element(r, f, plain)
    if plain(e):
        e.value = r.choice([e.value[:-1], e.value + b"\0", e.value + b" ", e.value.rstrip(b" \0")])


def m_remove(r, f):
    elements, e = any_element(r, f)
    elements.remove(e)


def m_empty(r, f):
    _, e = any_element(r, f, plain)
    e.value = b""


def m_duplicate(r, f):
    elements, e = any_element(r, f)
    other = Element(e.tag, e.vr, e.value, e.undefined)
    if r.randrange(2) and plain(e) and e.value:
        other.value = bytes([e.value[0] ^ 1]) + e.value[1:]
    elements.insert(elements.index(e) + r.randrange(2), other)


def m_order(r, f):
    elements, _ = any_element(r, f)
    if len(elements) > 1:
        i = r.randrange(len(elements) - 1)
        elements[i], elements[i + 1] = elements[i + 1], elements[i]


def m_nest(r, f):
    elements, e = any_element(r, f, plain)
    elements[elements.index(e)] = Element(e.tag, "SQ", [[Element(e.tag, e.vr, e.value)]])


def m_meta_inside(r, f):
    elements, _ = any_element(r, f)
    elements.insert(0, Element(r.choice([0x00020010, 0x00020000, 0x00000002, 0x00041200, 0x00080001, 0xFFFAFFFA,
                                         0x7FE00001, 0x7FE00003]), r.choice(["UI", "UL", "OV", "OB"]),
                               r.choice([b"1.2.840.10008.1.2\0", bytes(8), b""])))


def m_private_block(r, f):
    """Private elements under another block number."""
    old, new = 0x10, r.randrange(0x11, 0xFF)
    group = next((e.tag >> 16 for e in f.elements if e.tag >> 16 & 1), None)
    for e in f.elements:
        if e.tag >> 16 == group:
            number = e.tag & 0xFFFF
            if number == old:
                e.tag = group << 16 | new
            elif number >> 8 == old:
                e.tag = group << 16 | new << 8 | number & 0xFF
    f.elements.sort(key=lambda e: e.tag)


def m_creator(r, f):
    f.elements.append(Element(0x00990010, "LO", r.choice([b"FIDUCIA ", b"ACME", b""])))
    f.elements.append(Element(0x00991001, r.choice(KNOWN), r.randbytes(8)))
    f.elements.sort(key=lambda e: e.tag)


def m_character_set(r, f):
    term = r.choice([b"ISO_IR 100", b"ISO_IR 192", b"ISO_IR 6", b"\\ISO 2022 IR 87", b"", b"GB18030 "])
    f.elements = [e for e in f.elements if e.tag != 0x00080005] + [Element(0x00080005, "CS", term)]
    f.elements.sort(key=lambda e: e.tag)


def m_utf8(r, f):
    """Text brought into UTF-8, as gateways do; ASCII stays as it is."""
    old = f.find(0x00080005)
    if old is not None and old.value.strip() == b"ISO_IR 100":
        for e in f.elements:
            if plain(e) and e.vr in ("LO", "LT", "PN", "SH", "ST", "UT"):
                value = e.value.decode("latin-1").encode()
                e.value = value + b" " * (len(value) % 2)
        old.value = b"ISO_IR 192"


def m_components(r, f):
    _, e = any_element(r, f, lambda e: plain(e) and e.vr == "PN")
    if plain(e) and e.vr == "PN":
        value = e.value.rstrip() + r.choice([b"^", b"^^", b"=", b"==", b"^^="])
        e.value = value + b" " * (len(value) % 2)


def m_frames(r, f):
    if f.find(0x00280008) is None:
        f.elements.append(Element(0x00280008, "IS", r.choice([b"1 ", b"1 ", b"01", b"2 ", b""])))
        f.elements.sort(key=lambda e: e.tag)


def m_geometry(r, f):
    e = f.find(r.choice([0x00280002, 0x00280006, 0x00280100, 0x00280101, 0x00280102, 0x00280103, 0x00280010]))
    if e is not None:
        value = r.choice([0, 1, 2, 7, 8, 11, 12, 15, 16, 64])
        e.value = r.choice([struct.pack("<H", value), struct.pack("<I", value), struct.pack("<HH", value, value),
                            e.value + b"\0\0", b""])
        e.vr = r.choice([e.vr] * 3 + ["UL", "SS", "OB", "UN"])


def m_photometric(r, f):
    e = f.find(0x00280004)
    if e is not None:
        e.value = r.choice([b"MONOCHROME1 ", b"MONOCHROME2 ", b"RGB ", b"YBR_FULL", b"YBR_FULL_422", b"YBR_RCT ",
                            b"YBR_ICT ", b"PALETTE COLOR ", e.value.lower(), b"\0" + e.value[:-1], e.value + b"\0\0"])


def m_pixel_tail(r, f):
    e = f.find(PIXELS)
    if e is not None and not e.undefined:
        e.value += r.choice([b"\0\0", r.randbytes(2), bytes(512)])


TOOL = [m_implicit, m_deflated, m_undefined, m_preamble, m_meta_value, m_pad_text, m_group_length, m_padding, m_tail,
        m_number, m_un_private, m_private_block, m_utf8, m_components, m_frames]
HOSTILE = [m_meta_structure, m_meta_syntax, m_lead_text, m_vr, m_un, m_un_all, m_value, m_length, m_odd, m_remove,
           m_empty, m_duplicate, m_order, m_nest, m_meta_inside, m_creator, m_character_set, m_geometry, m_photometric,
           m_pixel_tail]


# -- codestreams

def fragments(e):
    out, at = [], 0
    while e.value[at:at + 4] == b"\xfe\xff\x00\xe0":
        size = struct.unpack_from("<I", e.value, at + 4)[0]
        out.append(e.value[at + 8:at + 8 + size])
        at += 8 + size
    return out


def set_fragments(e, parts):
    e.value = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(p)) + p for p in parts) + b"\xfe\xff\xdd\xe0\0\0\0\0"


def even(data):
    return data + b"\0" * (len(data) % 2)


def c_offsets(r, f, parts):
    at, table = 0, []
    for p in parts[1:]:
        table.append(at)
        at += 8 + len(p)
    wrong = r.randrange(3)
    if wrong == 1 and table:
        table[r.randrange(len(table))] += r.choice([2, 8, 100])
    elif wrong == 2:
        table = table * 2
    parts[0] = struct.pack(f"<{len(table)}I", *table)


def c_split(r, f, parts):
    i = r.randrange(1, len(parts))
    if len(parts[i]) > 8:
        at = r.randrange(2, len(parts[i]) - 2) & ~1
        parts[i:i + 1] = [parts[i][:at], parts[i][at:]]


def c_empty(r, f, parts):
    parts.insert(r.randrange(1, len(parts) + 1), b"")


def c_trailing(r, f, parts):
    i = r.randrange(1, len(parts))
    parts[i] += r.choice([b"\0\0", bytes(64), b"\xff\xd9", r.randbytes(16), b"\xff\xff"])


def c_header(r, f, parts):
    i = r.randrange(1, len(parts))
    if parts[i]:
        at = r.randrange(min(len(parts[i]), 120))
        parts[i] = parts[i][:at] + bytes([parts[i][at] ^ 1 << r.randrange(8)]) + parts[i][at + 1:]


def c_byte(r, f, parts):
    i = r.randrange(1, len(parts))
    if parts[i]:
        at = r.randrange(len(parts[i]))
        parts[i] = parts[i][:at] + bytes([r.randrange(256)]) + parts[i][at + 1:]


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(data)) + data


def c_segment(r, f, parts):
    """A marker segment behind the first marker(s): comments, application data, Adobe, SPIFF."""
    i = r.randrange(1, len(parts))
    p = parts[i]
    if p[:3] == b"\xff\xd8\xff":
        extra = r.choice([segment(0xFE, b"comment!"), segment(0xE1, b"Exif\0\0MM\0*" + bytes(8)),
                          segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([r.randrange(3)])),
                          segment(0xE8, b"mrfx" + bytes(2)), segment(0xDD, b"\0\0"), segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
                          b"\xff\xff"])
        parts[i] = even(p[:2] + extra + p[2:])
    elif p[:4] == b"\xff\x4f\xff\x51":
        size = struct.unpack_from(">H", p, 4)[0]
        parts[i] = even(p[:4 + size] + segment(0x64, b"\0\1comment") + p[4 + size:])


def c_rle(r, f, parts):
    """Control bytes without output, offsets that overlap, unused segments."""
    i = r.randrange(1, len(parts))
    p = parts[i]
    if f.syntax == "1.2.840.10008.1.2.5" and len(p) > 70:
        kind = r.randrange(4)
        if kind == 0:
            p = p[:64] + b"\x80" * r.choice([1, 2, 3]) + p[64:]
        elif kind == 1:
            p = p + b"\x80\x80"
        elif kind == 2:
            p = struct.pack("<I", struct.unpack_from("<I", p)[0] + 1) + p[4:]
        else:
            p = p[:60] + r.randbytes(4) + p[64:]
        parts[i] = even(p)


def c_boxes(r, f, parts):
    i = r.randrange(1, len(parts))
    p = parts[i]
    if p[:4] == b"\xff\x4f\xff\x51":
        box = lambda kind, data: struct.pack(">I", 8 + len(data)) + kind + data  # noqa: E731
        size = struct.unpack_from(">IIIIIIIIH", p, 8)
        count, depth = size[8], p[42]
        colour = r.choice([16, 17, 18])
        extra = r.choice([b"", box(b"cdef", struct.pack(">H", 3) + struct.pack(">9H", 0, 0, 3, 1, 0, 2, 2, 0, 1)),
                          box(b"res ", b"")])
        header = box(b"ihdr", struct.pack(">IIHBBBB", size[1], size[0], count, depth, 7, 0, 0))
        header += box(b"colr", b"\1\0\0" + struct.pack(">I", colour)) + extra
        parts[i] = even(box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header) +
                        box(b"jp2c", p))


CODE_TOOL = [c_offsets, c_split, c_empty, c_trailing, c_segment]
CODE_HOSTILE = [c_header, c_byte, c_rle, c_boxes]


def mutate(base, seed):
    """(bytes, names of what was done)."""
    r = random.Random(seed)
    f = File(base)
    names = []
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        if f.encapsulated and r.random() < 0.5:
            change = r.choice(CODE_TOOL if r.random() < 0.5 else CODE_HOSTILE)
            pixels = f.find(PIXELS)
            parts = fragments(pixels)
            if len(parts) > 1:
                change(r, f, parts)
                set_fragments(pixels, parts)
        else:
            change = r.choice(TOOL if r.random() < 0.6 else HOSTILE)
            change(r, f)
        names.append(change.__name__)
    return f.bytes(), names
