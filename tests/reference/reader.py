# SPDX-License-Identifier: Apache-2.0
"""Reads a data set by the rules of spec/seal.md section 2, without normalising anything."""

import re
import zlib
from dataclasses import dataclass, field
from typing import Optional

import dictionary

UNDEFINED = 0xFFFFFFFF
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
PIXEL_DATA = 0x7FE00010
NESTING_MAX = 64
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
PAPYRUS, JPIP, JPIP_DEFLATED = "1.2.840.10008.1.20", "1.2.840.10008.1.2.4.94", \
    "1.2.840.10008.1.2.4.95"
JPIP_HT, JPIP_HT_DEFLATED = "1.2.840.10008.1.2.4.204", "1.2.840.10008.1.2.4.205"
DEFLATED_SETS = {DEFLATED, JPIP_DEFLATED, JPIP_HT_DEFLATED}
NATIVE = {IMPLICIT, EXPLICIT, BIG_ENDIAN, DEFLATED, PAPYRUS, JPIP, JPIP_DEFLATED, JPIP_HT,
          JPIP_HT_DEFLATED}
# Transfer syntaxes that can be read; others say nothing about how the data set is encoded.
SYNTAX = re.compile(r"1\.2\.840\.10008\.1\.(20|2|2\.1|2\.1\.9[89]|2\.2|2\.5|2\.8\.1|"
                    r"2\.4\.(5[0-9]|6[0-6]|70|8[01]|9[0-5]|10[0-6](\.1)?|10[78]|11[0-2]|20[1-5]))")


# Kinds of ambiguity (section 14).
(OTHER_ENCODING, TWO_READINGS, META_INFORMATION, UNDER_UN, UNKNOWN_VR, VALUE_LENGTH, NUL_IN_TEXT,
 FOREIGN_VR, FORM_WITHOUT_LEAF, MISPLACED, DUPLICATE, DELIMITER, SURPLUS_BYTES, PIXEL_DATA_FORM,
 PIXEL_DATA_VR, CHARACTER_SET, SIGN_BY_PLACE) = range(1, 18)
ORDER = 19
# What a preamble must not begin with: programs, scripts, markup, PDF, ZIP, pictures.
PREAMBLES = (b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"#!", b"<", b"%PDF",
             b"PK\3\4", b"\xff\xd8\xff", b"\x89PNG", b"GIF8")


class Malformed(Exception):
    pass


@dataclass
class Element:
    tag: int
    vr: str                            # of the reader: said by the file, or looked up
    said: Optional[str]                # what the file says; None where it says nothing we know
    raw: bytes = b""                   # value as in the file
    value: bytes = b""                 # little endian
    items: Optional[list] = None       # of DataSet
    fragments: Optional[bytes] = None  # all behind the header up to the Sequence Delimitation Item
    defined: bool = True               # length
    by_structure: bool = False         # 2.5
    letters: Optional[str] = None      # the VR of the file as it stands there; None: implicit VR


@dataclass
class DataSet:
    elements: list = field(default_factory=list)
    parent: Optional["DataSet"] = None
    pixel_representation: Optional[int] = None

    def first(self, tag):
        for element in self.elements:
            if element.tag == tag:
                return element
        return None

    def find_pixel_representation(self):
        at = self
        while at is not None:
            if at.pixel_representation is not None:
                return at.pixel_representation
            at = at.parent
        return None


def swap(value, unit):
    if unit == 1:
        return value
    whole = len(value) - len(value) % unit
    out = bytearray(value)
    for i in range(unit):
        out[i:whole:unit] = value[unit - 1 - i:whole:unit]
    return bytes(out)


class Reader:
    """One stretch of bytes in one encoding."""

    def __init__(self, data, explicit, big, met=None, whole=False):
        self.data, self.explicit, self.order = data, explicit, "big" if big else "little"
        self.met = set() if met is None else met  # kinds of section 14 that were met on the way
        self.whole = whole  # `data` is a data set to its end, where delimiters may be missing
        self.zeros = 0      # bytes of padding behind it

    def u16(self, at):
        return int.from_bytes(self.data[at:at + 2], self.order)

    def u32(self, at):
        return int.from_bytes(self.data[at:at + 4], self.order)

    def tag(self, at):
        return self.u16(at) << 16 | self.u16(at + 2)

    def need(self, at, count, end):
        if count > end - at:
            raise Malformed("truncated")

    def missing_delimiter(self, at):
        """2.10: what has undefined length ends without one."""
        if not self.whole or at != len(self.data):
            raise Malformed("truncated")
        self.met.add(DELIMITER)

    def data_set(self, at, end, parent, depth, until):
        """Elements up to `end` or to the tag `until`. Returns the data set and the position."""
        if depth > NESTING_MAX:
            raise Malformed("nesting")
        result = DataSet(parent=parent)
        while True:
            if at == end:
                if until is not None:
                    self.missing_delimiter(at)
                return result, at
            if depth == 0 and not self.data[at] and not any(self.data[at:end]):
                self.zeros = end - at
                return result, end
            self.need(at, 8, end)
            tag = self.tag(at)
            if tag == ITEM_END and depth:
                if until is None or self.u32(at + 4):
                    self.met.add(DELIMITER)
                at += 8  # whatever length it has
                if until is None:
                    continue
                return result, at
            if tag >> 16 == 0xFFFE:
                raise Malformed("delimiter where an element should be")
            if not self.explicit and not result.elements \
                    and all(0x41 <= c <= 0x5A for c in self.data[at + 4:at + 6]):
                self.met.add(TWO_READINGS)
            element, at = self.element(tag, at, end, result, depth)
            result.elements.append(element)
            if tag == 0x00280103 and len(element.value) >= 2:
                result.pixel_representation = int.from_bytes(element.value[:2], "little")

    def element(self, tag, at, end, holder, depth):
        said = written = None
        if self.explicit:
            letters = self.data[at + 4:at + 6]
            said = written = letters.decode("latin-1")
            if not all(0x41 <= c <= 0x5A for c in letters):
                if depth == 0 and not holder.elements:
                    raise Malformed("no VR")
                said, length, start = None, self.length_without_vr(tag, at, end), at + 8
            elif said in dictionary.SHORT:
                length, start = self.u16(at + 6), at + 8
            else:
                self.need(at, 12, end)
                length, start = self.u32(at + 8), at + 12
                if said not in dictionary.ALL:
                    said = None
        else:
            length, start = self.u32(at + 4), at + 8
        element, after = self.value(tag, said, length, start, end, holder, depth)
        element.letters = written
        return element, after

    def length_without_vr(self, tag, at, end):
        """2.1: two bytes that are no capital letters stand where the VR belongs."""
        lengths = [length for length in (self.u16(at + 6), self.u32(at + 4))
                   if length <= end - at - 8]

        def greater(after):
            return after + 4 <= end and self.tag(after) > tag

        for length in lengths:
            after = at + 8 + length
            letters = self.data[after + 4:after + 6]
            if after == end or after + 4 <= end and self.tag(after) >> 16 == 0xFFFE \
                    or greater(after) and (letters.decode("latin-1") in dictionary.ALL
                                           or letters == self.data[at + 4:at + 6]):
                return length
        for length in lengths:
            if greater(at + 8 + length):
                return length
        raise Malformed("no VR")

    def value(self, tag, said, length, start, end, holder, depth):
        vr = said
        if said is None or said == "UN":
            vr = dictionary.look_up(tag, holder.find_pixel_representation)

        if length == UNDEFINED:
            if tag == PIXEL_DATA or said in ("OB", "OW"):
                return self.encapsulated(tag, vr, said, start, end)
            if vr != "SQ" and not (said in (None, "UN")):
                raise Malformed("undefined length")
            inner = Reader(self.data, False, False, self.met, self.whole) if said == "UN" else self
            items, after = inner.items(start, end, holder, depth, True)
            return Element(tag, "SQ", said, items=items, defined=False), after

        self.need(start, length, end)
        after = start + length
        raw = self.data[start:after]
        if vr == "SQ" and said in ("SQ", None):
            if raw and (length < 8 or self.u16(start) != 0xFFFE):  # 2.5: text in its place
                return Element(tag, "UN", said, raw=raw, value=raw), after
            items, _ = self.items(start, after, holder, depth, False)
            return Element(tag, "SQ", said, raw=raw, value=raw, items=items), after
        unit = dictionary.UNIT.get(said, 1) if self.order == "big" else 1
        element = Element(tag, vr, said, raw=raw, value=swap(raw, unit))
        if vr == "SQ":  # UN in the file, SQ in PS3.6
            element.items = (read_items(raw, holder, depth, self.met)
                             if not raw or raw.startswith(b"\xfe\xff\x00\xe0") else None)
            element.vr = "UN" if element.items is None else "SQ"
        elif vr == "UN" and is_clean(raw, depth):
            items = read_items(raw, holder, depth)
            if items is not None:
                element.vr, element.items, element.by_structure = "SQ", items, True
        return element, after

    def items(self, at, end, holder, depth, undefined):
        result = []
        while True:
            if at == end:
                if undefined:
                    self.missing_delimiter(at)
                return result, at
            self.need(at, 8, end)
            tag, length = self.tag(at), self.u32(at + 4)
            if tag in (SEQUENCE_END, ITEM_END):
                at += 8
                ends = undefined and tag == SEQUENCE_END
                if length or not ends:
                    self.met.add(DELIMITER)
                if ends:
                    return result, at
                continue
            if tag != ITEM:
                raise Malformed("no Item")
            at += 8
            if length == UNDEFINED:
                item, at = self.data_set(at, end, holder, depth + 1, ITEM_END)
            else:
                self.need(at, length, end)
                item, at = self.data_set(at, at + length, holder, depth + 1, None)
            result.append(item)

    def encapsulated(self, tag, vr, said, start, end):
        at = start
        while True:
            if at == end and at > start:
                self.missing_delimiter(at)
                return Element(tag, vr, said, fragments=self.data[start:at], defined=False), at
            self.need(at, 8, end)
            item, length = self.tag(at), self.u32(at + 4)
            if item == SEQUENCE_END:
                if length:
                    self.met.add(DELIMITER)
                return Element(tag, vr, said, fragments=self.data[start:at], defined=False), at + 8
            if item != ITEM:
                raise Malformed("fragment")
            self.need(at + 8, length, end)
            at += 8 + length


def read_items(raw, holder, depth, met=None):
    """`raw` as items of implicit VR little endian (ordinary rules), or None."""
    reader = Reader(raw, False, False)
    try:
        items = reader.items(0, len(raw), holder, depth, False)[0]
    except Malformed:
        return None
    if met is not None:
        met |= reader.met
    return items


def is_clean(raw, depth):
    """2.5: from end to end a clean run of items in implicit VR little endian."""
    if len(raw) < 8 or raw[:4] != b"\xfe\xff\x00\xe0":
        return False
    try:
        end = len(raw)
        if raw[-8:] == b"\xfe\xff\xdd\xe0\0\0\0\0" and end > 8:
            # GDCM keeps the delimiter of a sequence there; else it is that of one inside.
            try:
                _clean_items(Reader(raw[:-8], False, False), 0, end - 8, depth, False)
                return True
            except Malformed:
                pass
        _clean_items(Reader(raw, False, False), 0, end, depth, False)
        return True
    except Malformed:
        return False


def _clean_items(reader, at, end, depth, undefined):
    if depth > NESTING_MAX:
        raise Malformed("nesting")
    while True:
        if at == end:
            if undefined:
                raise Malformed("truncated")
            return at
        reader.need(at, 8, end)
        tag, length = reader.tag(at), reader.u32(at + 4)
        at += 8
        if undefined and tag == SEQUENCE_END and length == 0:
            return at
        if tag != ITEM:
            raise Malformed("no Item")
        if length == UNDEFINED:
            at = _clean_elements(reader, at, end, depth + 1, True)
        else:
            if length % 2:
                raise Malformed("odd")
            reader.need(at, length, end)
            at = _clean_elements(reader, at, at + length, depth + 1, False)


def _clean_elements(reader, at, end, depth, undefined):
    last = -1
    while True:
        if at == end:
            if undefined:
                raise Malformed("truncated")
            return at
        reader.need(at, 8, end)
        tag, length = reader.tag(at), reader.u32(at + 4)
        at += 8
        if undefined and tag == ITEM_END and length == 0:
            return at
        group = tag >> 16
        if tag <= last or group in (0, 1, 2, 3, 5, 6, 0xFFFE):
            raise Malformed("element")
        last = tag
        vr = dictionary.look_up(tag, lambda: None)
        if length == UNDEFINED:
            if vr not in ("SQ", "UN"):
                raise Malformed("undefined length")
            at = _clean_items(reader, at, end, depth, True)
            continue
        if length % 2:
            raise Malformed("odd")
        reader.need(at, length, end)
        if vr == "SQ":
            _clean_items(reader, at, at + length, depth, False)
        at += length


@dataclass
class File:
    data_set: DataSet
    transfer_syntax: str
    readings: set = field(default_factory=set)  # kinds of section 14 without a place
    preamble: str = ""                          # code of a finding about it


def _plausible(body):
    """A file without the prefix DICM: does it start with a data element?"""
    if len(body) < 8:
        return False
    if body[4:6].decode("latin-1") in dictionary.ALL:
        group = int.from_bytes(body[:2], "big" if _shows_big_endian(body) else "little")
        return 0 < group <= 0xFF or _is_creator(body, "little") or _is_creator(body, "big")
    length = int.from_bytes(body[4:8], "little")
    return 0 < int.from_bytes(body[:2], "little") <= 0xFF and (
        length == UNDEFINED or length <= len(body) - 8)


def _is_creator(body, order):
    group, number = int.from_bytes(body[:2], order), int.from_bytes(body[2:4], order)
    return group % 2 == 1 and 0x10 <= number <= 0xFF and body[4:6] == b"LO"


def _shows_big_endian(body):
    """2.9: the order of bytes that the first tag shows."""
    return len(body) > 7 and (body[0] == 0 and body[1] != 0
                              or _is_creator(body, "big") and not _is_creator(body, "little"))


def _preamble(data):
    """14: what the preamble is besides."""
    if data.startswith((b"II*\0", b"MM\0*")):
        return "preamble.tiff"
    return "preamble.executable" if data.startswith(PREAMBLES) else ""


def _read_meta(data, at, readings):
    """(position behind group 0002, UID of the transfer syntax or None)."""
    start, uid, elements = at, None, []
    explicit = data[at + 4:at + 6].decode("latin-1") in dictionary.ALL
    meta, group = Reader(data, explicit, False), DataSet()
    while len(data) - at >= 8 and meta.u16(at) == 2:
        element, at = meta.element(meta.tag(at), at, len(data), group, 0)
        elements.append(element)
        group.elements.append(element)
        if element.tag == 0x00020010 and uid is None:
            uid = element.value
    tags = [element.tag for element in elements]
    exact = (explicit and not meta.met and uid is not None and tags[0] == 0x00020000
             and len(elements[0].value) == 4
             and 12 + int.from_bytes(elements[0].value, "little") == at - start
             and all(a < b for a, b in zip(tags, tags[1:]))
             and all(e.said is not None and e.vr != "SQ" and e.fragments is None
                     and len(e.value) % 2 == 0 for e in elements)
             and all(e.said in dictionary.allowed(e.tag) for e in elements
                     if dictionary.allowed(e.tag))
             and re.fullmatch(rb"[0-9.]+\0?", uid))
    if not exact:
        readings.add(META_INFORMATION)
    return at, uid.decode("latin-1").strip(" \0") or None if uid is not None else None


def _is_plain(data_set):
    """14, kind 2: nothing about the elements is odd."""
    tags = [element.tag for element in data_set.elements]
    return all(a < b for a, b in zip(tags, tags[1:])) and all(
        (e.tag >> 16 > 6 or e.tag >> 16 == 4) and len(e.raw) % 2 == 0
        and (e.letters is None or e.letters in dictionary.ALL)
        and (e.letters != "SQ" or e.items is not None)
        and all(_is_plain(item) for item in e.items or ()) for e in data_set.elements)


def _reads_too(body, explicit, big):
    other = Reader(body, explicit, big)
    try:
        data_set = other.data_set(0, len(body), None, 0, None)[0]
    except Malformed:
        return False
    return bool(data_set.elements) and not other.met and not other.zeros and _is_plain(data_set)


def read_file(data):
    at, uid, readings, preamble = 0, None, set(), ""
    if data[128:132] == b"DICM":
        at, preamble = 132, _preamble(data)
    elif data[:4] == b"DICM":
        at = 4
    if data[at:at + 2] == b"\2\0" and len(data) - at >= 8:
        at, uid = _read_meta(data, at, readings)
    body = data[at:]
    if uid is not None and not SYNTAX.fullmatch(uid):
        raise Malformed("transfer_syntax")
    if uid is None and not _plausible(body):
        raise Malformed("not_dicom")
    if uid in DEFLATED_SETS:
        inflate = zlib.decompressobj(-15)
        try:
            body = inflate.decompress(body, 1 << 30)
        except zlib.error as error:
            raise Malformed("deflate") from error
        if not inflate.eof:
            raise Malformed("deflate")
        behind = inflate.unused_data
        trailer = zlib.crc32(body).to_bytes(4, "little") + (len(body) & 0xFFFFFFFF).to_bytes(4, "little")
        if behind.startswith(trailer):
            behind = behind[8:]
        if behind not in (b"", b"\0"):
            readings.add(SURPLUS_BYTES)
    # 2.9: as named; else explicit VR in the order of bytes that the first tag shows; else implicit.
    shown = BIG_ENDIAN if _shows_big_endian(body) else EXPLICIT
    attempts = ([uid] if uid else []) + [shown, IMPLICIT]
    for number, syntax in enumerate(attempts):
        reader = Reader(body, syntax != IMPLICIT, syntax == BIG_ENDIAN, whole=True)
        try:
            data_set, _ = reader.data_set(0, len(body), None, 0, None)
            break
        except Malformed:
            if number == len(attempts) - 1 or syntax in DEFLATED_SETS:
                raise
    readings |= reader.met
    taken = (reader.explicit, reader.order == "big")
    for other in ((True, False), (False, False), (True, True)):
        # Nobody tries the other order of bytes where the file names one.
        if other != taken and (uid is None or other[1] == taken[1]) and _reads_too(body, *other):
            readings.add(TWO_READINGS)
    # Nothing names the encoding, and pydicom takes such a group for the other order of bytes.
    if not uid and data_set.elements and data_set.elements[0].tag >> 16 > 0x03FF:
        readings.add(OTHER_ENCODING)
    pixel_data = data_set.first(PIXEL_DATA)
    if uid is not None and number:
        readings.add(OTHER_ENCODING)
    elif uid is not None and pixel_data is not None \
            and (pixel_data.fragments is None) != (uid in NATIVE):
        readings.add(PIXEL_DATA_FORM)
    if pixel_data is not None and pixel_data.fragments is not None:
        # Encapsulated: as the file names it, or nobody says how.
        syntax = "" if uid is None or number and uid in NATIVE else uid
    return File(data_set, syntax, readings, preamble)
