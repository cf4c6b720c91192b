# SPDX-License-Identifier: Apache-2.0
"""Mutants of a DICOM file: of its structure, of its codestream, and on their way through tools.

A mutant is a pure function of (bytes of the base, seed), so that a recipe is two words. Half of the
mutations are what a tool may do, so that there is something for readers to agree about.
"""
import random
import struct

from codestream_mutants import CODE_HOSTILE, CODE_TOOL, fragments, set_fragments
from hops import hop
from model import DEFLATED, IMPLICIT, KNOWN, PIXELS, SYNTAXES, UNDEFINED, Element, File, write

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
    if e is not None and plain(e):  # a sequence by a mutation before has no bytes to add to
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


def m_bare(r, f):
    """Without preamble, or without all that precedes the data set; with meta elements in it, or without."""
    f.bare = r.choice(["all", "preamble", "preamble", "prefix"])


def m_surplus_of_deflate(r, f):
    if not f.encapsulated:
        m_deflated(r, f)
        f.wrapped = r.choice(["zlib", "gzip", "zero", "trailer", "bytes"])


def m_meta_form(r, f):
    """Forms of the meta information that a careless writer could leave."""
    e = next((e for e in f.meta if e.tag == 0x00020010), None)  # another mutation may have removed it
    kind = r.randrange(6)
    if e is None:
        return
    if kind == 0:
        e.value = e.value.rstrip(b"\0") + r.choice([b" ", b"  ", b"\0\0", b" \0", b"\0 "])
        e.value += b"\0" * (len(e.value) % 2)
    elif kind == 1:
        e.value = r.choice([b" ", b"\0", b"0"]) + e.value
        e.value += b"\0" * (len(e.value) % 2)
    elif kind == 2:
        f.meta.append(Element(0x00020100, "UI", b"1.2.3\0"))
        f.meta.append(Element(0x00020102, "OB", r.randbytes(2 * r.randrange(1, 50))))
    elif kind == 3:
        f.meta.insert(0, Element(0x00020000, "UL", struct.pack("<I", r.choice([0, 12, 200]))))
    elif kind == 4:
        f.meta.append(Element(r.choice([0x00030010, 0x00040000, 0x00050010, 0x00020018, 0x0002FFFF]), "LO", b"x "))
    else:
        f.meta = [x for x in f.meta if x.tag in (0x00020000, 0x00020010)]


def m_item_lengths(r, f):
    """Items of undefined length in a sequence of defined length, and the reverse."""
    _, e = any_element(r, f, lambda e: isinstance(e.value, list) and e.value)
    if isinstance(e.value, list):
        e.mixed = r.choice(["items", "sequence"])


def m_empty_item(r, f):
    _, e = any_element(r, f, lambda e: isinstance(e.value, list))
    if isinstance(e.value, list):
        e.value.insert(r.randrange(len(e.value) + 1), [])


def m_item_character_set(r, f):
    """A character set of its own for an item, with its text converted, or not."""
    _, e = any_element(r, f, lambda e: isinstance(e.value, list) and e.value)
    if not isinstance(e.value, list) or not e.value:
        return
    item = r.choice(e.value)
    own, coding = r.choice([(b"ISO_IR 192", "utf-8"), (b"ISO_IR 100", "latin-1"), (b"ISO_IR 101", "iso8859-2")])
    outer = f.find(0x00080005)
    before = "utf-8" if outer is not None and b"192" in outer.value else "latin-1"
    for x in item:
        if plain(x) and x.vr in ("LO", "LT", "PN", "SH", "ST", "UT") and r.random() < 0.8:
            try:
                value = x.value.decode(before).encode(coding)
            except UnicodeError:
                continue
            x.value = value + b" " * (len(value) % 2)
    item[:] = sorted([x for x in item if x.tag != 0x00080005] + [Element(0x00080005, "CS", own)], key=lambda x: x.tag)


def m_term(r, f):
    """The character set under another name, or with others behind it."""
    e = f.find(0x00080005)
    if e is not None:
        old = e.value.strip()
        e.value = r.choice([old.lower(), old.replace(b"_", b" "), old.replace(b"ISO_IR", b"ISO 2022 IR"), old + b"\\ISO 2022 IR 87",
                            old.replace(b"ISO_IR ", b""), b" " + old, old + b"\\", old.replace(b" ", b"_"), b"\\" + old])
        e.value += b" " * (len(e.value) % 2)


def m_lut(r, f):
    """A table of values, and what describes it."""
    _, e = any_element(r, f, lambda e: plain(e) and e.tag in (0x00283002, 0x00283006, 0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203))
    if plain(e):
        kind = r.randrange(4)
        if kind == 0:
            e.vr = r.choice(["US", "SS", "OW", "OB", "UN"])
        elif kind == 1:
            e.value = r.choice([e.value + b"\0\0", e.value[:-2], b""])
        elif kind == 2 and e.value[:2] == b"\0\0":
            e.value = b"\0\1" + e.value[2:]
        else:
            e.forced_un = True


def m_overlay(r, f):
    """An overlay more, one moved to another group, or one that says less."""
    group = next((e.tag >> 16 for e in f.elements if e.tag >> 24 == 0x60), None)
    if group is None:
        return
    kind = r.randrange(3)
    mine = [e for e in f.elements if e.tag >> 16 == group]
    if kind == 0:
        for e in mine:
            e.tag += 0x00020000
    elif kind == 1:
        f.elements += [Element(e.tag + 0x00020000, e.vr, e.value) for e in mine]
    else:
        e = r.choice(mine)
        e.vr = r.choice(["OB", "OW", "US", "SS", "UN", "UL"])
    f.elements.sort(key=lambda e: e.tag)


def m_icon(r, f):
    """Pixel Data inside an item: natively, in fragments, or neither."""
    _, e = any_element(r, f, lambda e: e.tag == PIXELS and e is not f.find(PIXELS))
    if e.tag != PIXELS or e is f.find(PIXELS):
        return
    kind = r.randrange(4)
    if kind == 0 and not e.undefined:
        e.value = b"\xfe\xff\0\xe0\0\0\0\0" + struct.pack("<HHI", 0xFFFE, 0xE000, len(e.value)) + e.value
        e.value += b"\xfe\xff\xdd\xe0\0\0\0\0"
        e.undefined = True
    elif kind == 1:
        e.vr = r.choice(["OB", "OW", "UN"])
    elif kind == 2 and e.undefined:
        e.value = e.value[:-8] + b"\xfe\xff\0\xe0\0\0\0\0" + e.value[-8:]
    elif not e.undefined:
        e.value += r.choice([b"\0\0", r.randbytes(2)])


def m_creators(r, f):
    """What can be odd about private creators: another VR, spaces, twice, empty, no block."""
    elements, e = any_element(r, f, lambda e: e.tag >> 16 & 1 and 0x10 <= e.tag & 0xFFFF <= 0xFF and plain(e))
    if not (e.tag >> 16 & 1):
        return
    kind = r.randrange(7)
    if kind == 0:
        e.vr = r.choice(["SH", "ST", "LT", "UN", "CS", "OB", "UT"])
    elif kind == 1:
        e.value = r.choice([e.value + b"  ", b"  " + e.value, e.value + b"\0\0", e.value.rstrip() + b"\0" * (
            2 - len(e.value.rstrip()) % 2)])
    elif kind == 2:
        elements.append(Element(e.tag + 1, e.vr, e.value))
    elif kind == 3:
        elements.append(Element(e.tag & 0xFFFF0000 | r.randrange(1, 16), "LO", b"LOW "))
    elif kind == 4:
        elements.append(Element(e.tag + r.randrange(1, 30), "LO", r.choice([b"", b"  ", b"OTHER "])))
    elif kind == 5:
        e.value = e.value.swapcase()
    else:
        elements.append(Element(e.tag & 0xFFFF0000 | 0x0F00 | r.randrange(256), "LO", b"orphan"))
    elements.sort(key=lambda e: e.tag)


def m_groups(r, f):
    """Elements where none belong: command groups, those before 0008, those behind the pixels."""
    elements, _ = any_element(r, f)
    group = r.choice([0x0000, 0x0001, 0x0003, 0x0005, 0x0006, 0x0007, 0x7FE1, 0x7FE2, 0x7FE3, 0xFFFC, 0xFFFE, 0xFFFF])
    elements.append(Element(group << 16 | r.choice([0x0000, 0x0010, 0x1010, 0xFFFF]), r.choice(["LO", "OB", "UL", "UN"]),
                            r.choice([b"", b"text", bytes(8)])))
    elements.sort(key=lambda e: e.tag)


def m_private_sequence(r, f):
    """A private sequence as UN: of undefined length, with items in implicit VR as it should be, or in explicit VR."""
    _, e = any_element(r, f, lambda e: isinstance(e.value, list) and e.tag >> 16 & 1)
    if isinstance(e.value, list) and e.tag >> 16 & 1:
        e.undefined = r.random() < 0.7
        e.forced_un = True
        e.explicit_inside = r.random() < 0.3


TOOL = [m_implicit, m_deflated, m_undefined, m_preamble, m_meta_value, m_pad_text, m_group_length, m_padding, m_tail,
        m_number, m_un_private, m_private_block, m_utf8, m_components, m_frames, m_bare, m_item_lengths,
        m_private_sequence]
HOSTILE = [m_meta_structure, m_meta_syntax, m_lead_text, m_vr, m_un, m_un_all, m_value, m_length, m_odd, m_remove,
           m_empty, m_duplicate, m_order, m_nest, m_meta_inside, m_creator, m_character_set, m_geometry, m_photometric,
           m_pixel_tail, m_surplus_of_deflate, m_meta_form, m_empty_item, m_item_character_set, m_term, m_lut,
           m_overlay, m_icon, m_creators, m_groups]


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
    data = f.bytes()
    if r.random() < 0.15:
        data, name = hop(r, data)
        names += [name] if name else []
    return data, names
