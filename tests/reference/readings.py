# SPDX-License-Identifier: Apache-2.0
"""Forms of a file that readers take differently: spec/seal.md section 14."""

import re

import reader
from dictionary import ALL, RECENT, UNIT, allowed
from header import DECODED, PADDING, TEXTS, embedded_evidence
from reader import (CHARACTER_SET, DUPLICATE, FOREIGN_VR, FORM_WITHOUT_LEAF, MISPLACED,
                    NUL_IN_TEXT, ORDER, PIXEL_DATA_VR, SIGN_BY_PLACE, UNDER_UN, UNKNOWN_VR, VALUE_LENGTH)

MISPLACED_GROUPS = {0, 1, 2, 3, 5, 7, 0xFFFF}
SPECIFIC_CHARACTER_SET, LENGTH_TO_END, PLANAR = 0x00080005, 0x00080001, 0x00280006
PLANAR_PATH = b"\0\x28\0\0\x06"
SIGNATURES = (0xFFFAFFFA, 0x4FFE0001)


def _units(vr):
    return 4 if vr == "AT" else UNIT.get(vr, 1)


def _class(vr):
    """VRs under which every reader gets the same value share a class."""
    return "text" if vr in TEXTS and vr not in ("DS", "IS") else vr


def _standard(tag):
    """The VRs of PS3.6 for a standard attribute that common dictionaries know."""
    return [] if tag >> 16 & 1 or tag in RECENT else allowed(tag)


def _has_inner_nul(value):
    return b"\0" in value.rstrip(b"\0 ")


def _of_any(leaf):
    """Kinds of any element."""
    element = leaf.element
    choices = _standard(element.tag)
    if element.tag >> 16 in MISPLACED_GROUPS:
        yield MISPLACED
    if element.letters == "UN" and choices and "UN" not in choices:
        yield UNDER_UN
    if element.letters is not None and element.letters not in ALL:
        yield UNKNOWN_VR
    elif element.letters not in (None, "UN") and choices \
            and _class(element.letters) not in [_class(vr) for vr in choices]:
        yield FOREIGN_VR
    if element.items is not None:
        return
    if element.letters == "SQ" or element.letters is None and element.value \
            and not element.tag >> 16 & 1 and "SQ" in allowed(element.tag):
        yield FOREIGN_VR  # text in the place of a sequence
    if element.fragments is None and (len(element.value) % 2
                                      or len(element.value) % _units(element.vr)):
        yield VALUE_LENGTH
    if element.vr in TEXTS and _has_inner_nul(element.value) \
            or element.vr == "CS" and b"\0" in element.value:
        yield NUL_IN_TEXT


def _in_doubtful_set(leaf):
    """16"""
    value, charset = leaf.element.value, leaf.charset
    if leaf.element.items is not None or leaf.element.vr not in DECODED or not value:
        return False
    if not any(byte >= 0x80 or byte == 0x1B for byte in value):
        terms = [term.strip(b" \0") for term in charset.term.split(b"\\")]
        return charset.unknown and any(t and not t.startswith((b"ISO", b"GB")) for t in terms)
    return (charset.unknown or leaf.other_set or re.search(rb"IR[ _]203", charset.term)
            or re.search(rb"\x1b\(B(?:[^\x1b\x80-\xff]|\x1b\()*[\x80-\xff]", value))


def _sign_is_elsewhere(leaf, data_set):
    """17: DCMTK does not know the sign yet, or not that of what is around the item."""
    element = leaf.element
    if element.letters is not None or element.items is not None or element.fragments is not None \
            or element.tag >> 16 & 1 or not {"US", "SS"} <= set(allowed(element.tag)) \
            or not any(byte & 0x80 for byte in element.value[1::2]):
        return False
    if leaf.depth > 0:
        return True
    tags = [id(e) for e in data_set.elements]
    said = data_set.first(0x00280103)
    return said is not None and tags.index(id(said)) > tags.index(id(element))


def _out_of_order(data_set):
    """19"""
    sequence = pixels = False
    for element in data_set.elements:
        if element.tag == SPECIFIC_CHARACTER_SET and sequence or element.tag < reader.PIXEL_DATA and pixels:
            return True
        sequence = sequence or element.letters == "SQ" \
            or element.letters is None and "SQ" in allowed(element.tag)
        pixels = pixels or element.tag == reader.PIXEL_DATA
    return False


def _fragments(data_set):
    """Number of fragments of Pixel Data, without the offset table."""
    element = data_set.first(reader.PIXEL_DATA)
    if element is None or element.fragments is None:
        return 0
    data, at, count = element.fragments, 0, -1
    while at < len(data):
        at, count = at + 8 + int.from_bytes(data[at + 4:at + 8], "little"), count + 1
    return count


def _only_signature(items):
    return all((e.tag >> 16 == 0x0400 or e.tag == SPECIFIC_CHARACTER_SET
                or 0x00080100 <= e.tag <= 0x00080123) and _only_signature(e.items or ())
               for item in items for e in item.elements)


def _has_form(leaf, data_set, evidence):
    """9: what has no leaf is in its one form."""
    element, tag = leaf.element, leaf.element.tag
    size = len(element.value) if element.items is None and element.fragments is None else -1

    def form(vr, condition):
        return element.letters in (None, vr) and condition

    if tag == SPECIFIC_CHARACTER_SET or id(element) in evidence or tag >> 16 in MISPLACED_GROUPS:
        return True
    if tag & 0xFFFF == 0 or tag == LENGTH_TO_END:
        return form("UL", size == 4)
    if tag == PADDING:
        return form("OB", True)
    if tag == PLANAR:
        return form("US", size == 0 or size == 2 and element.value in (b"\0\0", b"\1\0"))
    if tag in (0x7FE00001, 0x7FE00002):
        return form("OV", 0 <= size <= 8 * _fragments(data_set))
    if tag == 0x7FE00003:
        return form("UV", size == 8 and _fragments(data_set))
    return tag in SIGNATURES and element.items is not None and _only_signature(element.items)


def _pixel_data(element, data_set):
    if element.letters is not None:
        bits = data_set.first(0x00280100)
        small = bits is None or int.from_bytes(bits.value[:2], "little") <= 8
        due = {0x7FE00008: ("OF",), 0x7FE00009: ("OD",)}.get(
            element.tag, ("OW", "OB") if element.fragments is not None or small else ("OW",))
        if element.letters not in due:
            yield PIXEL_DATA_VR
    samples, planar = data_set.first(0x00280002), data_set.first(PLANAR)
    if element.tag == reader.PIXEL_DATA and samples is not None \
            and int.from_bytes(samples.value[:2], "little") > 1 \
            and (planar is None or not planar.value):
        yield FORM_WITHOUT_LEAF
    if element.tag == reader.PIXEL_DATA and element.fragments is None and len(element.value) % 2:
        yield VALUE_LENGTH


def find(file, leaves, left_out, covered):
    """{kind: name of its first place, or None}. `leaves` and `left_out` are those of the walk."""
    met = [(kind, b"", None) for kind in file.readings]
    evidence = embedded_evidence(file.data_set)[1]
    if _out_of_order(file.data_set):
        met.append((ORDER, b"", None))
    for leaf in leaves:
        if _sign_is_elsewhere(leaf, file.data_set):
            met.append((SIGN_BY_PLACE, leaf.path, leaf.name))
        met += [(kind, leaf.path, leaf.name) for kind in _of_any(leaf)]
        if leaf.duplicate:
            met.append((DUPLICATE, leaf.path, leaf.name))
        if _in_doubtful_set(leaf):
            met.append((CHARACTER_SET, leaf.path, leaf.name))
    for leaf in left_out:
        if leaf.element is covered:
            kinds = list(_pixel_data(covered, file.data_set))
        else:
            kinds = list(_of_any(leaf))
            if not _has_form(leaf, file.data_set, evidence):
                kinds.append(FORM_WITHOUT_LEAF)
        for kind in kinds:
            absent = leaf.element is covered and kind == FORM_WITHOUT_LEAF
            met.append((kind, PLANAR_PATH, "(0028,0006)") if absent
                       else (kind, leaf.path, leaf.name))
    result = {}
    for kind, _, name in sorted(met, key=lambda item: item[:2]):
        result.setdefault(kind, name)
    return result


def all_under_un(data_set):
    """A tool wrote every standard attribute under UN."""
    those = [e for e in data_set.elements if _standard(e.tag) and e.tag & 0xFFFF
             and e.tag >> 16 not in (0x0028, 0x7FE0)]
    return bool(those) and all(e.letters == "UN" for e in those)
