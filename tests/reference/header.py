# SPDX-License-Identifier: Apache-2.0
"""Canonical paths, values and leaves of the header: spec/seal.md section 5."""

import hashlib
import re
from dataclasses import dataclass

import reader
from charset import Charset

EMPTY, BYTES, TEXT, RAW, DECIMAL, ITEMS, FRAGMENTS = range(7)
VALUES_BOTH = {"AE", "CS", "LO", "SH"}
VALUES_TRAILING = {"DA", "TM", "DT", "AS", "UC", "UI", "PN"}
WHOLE = {"ST", "LT", "UT", "UR"}
TEXTS = VALUES_BOTH | VALUES_TRAILING | WHOLE | {"DS", "IS"}
DECODED = {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
# Of each tag, the first in a data set or item.
LEFT_OUT = {0x00080001, 0x00080005, 0xFFFAFFFA, 0x4FFE0001}
PADDING = 0xFFFCFFFC
LEFT_OUT_AT_TOP = {0x00280006, 0x7FE00001, 0x7FE00002, 0x7FE00003}
NUMBER = re.compile(rb"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")


@dataclass
class Leaf:
    path: bytes
    name: str
    element: reader.Element
    charset: Charset
    depth: int
    duplicate: bool = False
    other_set: bool = False  # in an item with a character set of its own


def trim(data, leading):
    if isinstance(data, bytes):
        data = data.rstrip(b" \0")
        return data.lstrip(b" ") if leading else data
    data = data.rstrip(" \0")
    return data.lstrip(" ") if leading else data


def _ascii(data):
    return all(byte < 0x80 and byte != 0x1B for byte in data)


def text_value(data, vr, charset):
    both, separates = vr in VALUES_BOTH, vr not in WHOLE
    data = trim(data, both)
    if not data:
        return EMPTY, b""
    if vr in DECODED:
        text = charset.decode(data, separates, vr == "PN")
    else:
        text = data.decode("ascii") if _ascii(data) else None
    if text is None:
        return RAW, charset.term + b"\0" + data if vr in DECODED else data
    if separates:
        text = "\\".join(trim(part, both) for part in text.split("\\"))
    if vr == "PN":
        text = "\\".join(_without_empty_components(part) for part in text.split("\\"))
    text = text.encode("utf-8")
    return (TEXT, text) if text else (EMPTY, b"")


def _without_empty_components(name):
    return "=".join(group.rstrip("^") for group in name.split("=")).rstrip("=")


def decimal(part, vr):
    match = NUMBER.fullmatch(part)
    if not match or len(part) > (16 if vr == "DS" else 12):
        return None
    if vr == "IS" and not (part.lstrip(b"+-").isdigit() and -2**31 <= int(part) < 2**31):
        return None
    sign, whole, fraction, exponent = match[1], match[2], match[3] or b"", int(match[4] or b"0")
    if not whole + fraction or not -280 <= exponent <= 280:
        return None
    digits = (whole + fraction).lstrip(b"0")
    exponent -= len(fraction)
    if not digits:
        return b"0"
    short = digits.rstrip(b"0")
    exponent += len(digits) - len(short)
    return ((b"-" if sign == b"-" else b"") + short
            + (b"E%d" % exponent if exponent else b""))


def decimal_value(data, vr, charset):
    whole = trim(data, True)
    if not whole:
        return EMPTY, b""
    parts = [trim(part, True) for part in whole.split(b"\\")]
    numbers = [decimal(part, vr) if part else b"" for part in parts]
    if all(number is not None for number in numbers):
        return DECIMAL, b"\\".join(numbers)
    if not _ascii(whole):
        return RAW, whole
    return text_value(data, "CS", charset)


def bytes_value(data, vr, charset):
    """(kind, value) of the little endian bytes `data` read as `vr`."""
    if not data:
        return EMPTY, b""
    if vr in VALUES_BOTH or vr in VALUES_TRAILING or vr in WHOLE:
        return text_value(data, vr, charset)
    if vr in ("DS", "IS"):
        return decimal_value(data, vr, charset)
    return BYTES, data + b"\0" * (len(data) % 2)  # the pad byte that a writer adds


def canonical(element, vr, charset):
    """(kind, value) of an element read as `vr`, or None where it cannot be read so."""
    if element.items is not None:
        return (ITEMS, len(element.items).to_bytes(4, "big")) if vr == "SQ" else None
    if vr == "SQ":
        return None
    if element.fragments is not None:
        return FRAGMENTS, element.fragments
    return bytes_value(element.value, vr, charset)


def preimage(salt, path, vr, kind, value):
    return (b"\0fiducia/attr/1\0" + salt + len(path).to_bytes(4, "big") + path + vr.encode()
            + bytes([kind]) + len(value).to_bytes(8, "big") + value)


def leaf_hash(*parts):
    return hashlib.sha256(preimage(*parts)).digest()


def printable(creator):
    """A creator as findings show it."""
    return "".join(chr(byte) if 0x20 <= byte < 0x7F and byte != 0x22 else "?" for byte in creator)


def _u16(number):
    return number.to_bytes(2, "big")


class Creators:
    """The private creators of one data set (5.1). `sealed_vrs` as in `walk`, for the paths under
    `prefix`."""

    def __init__(self, data_set, charset, prefix=b"", sealed_vrs=None):
        self.block, counts = {}, {}
        self.by_element, binary = {}, set()
        for element in data_set.elements:
            group, number = element.tag >> 16, element.tag & 0xFFFF
            if group % 2 == 0 or not 0x10 <= number <= 0xFF:
                continue
            name = b""
            if element.items is None and element.fragments is None:
                kind, name = bytes_value(element.value, "LO", charset)
                if kind == RAW:
                    name = trim(element.value, True)
            self.by_element[id(element)] = name
            sealed = (sealed_vrs or {}).get(prefix + _u16(group) + b"\3" + _u16(number))
            if element.said not in TEXTS | {"UN", None} or sealed not in TEXTS | {None}:
                binary.add((group, name))
            self.block.setdefault((group, number), name)
            counts[group, name] = counts.get((group, name), 0) + 1
        # The same (gggg,00bb) twice: which counts would be each reader's choice, so none does.
        blocks = [e.tag for e in data_set.elements if id(e) in self.by_element]
        doubled = {self.block[tag >> 16, tag & 0xFFFF] for tag in blocks if blocks.count(tag) > 1}
        self.usable = {key for key, count in counts.items()
                       if count == 1 and 0 < len(key[1]) <= 1024 and key[1] not in doubled
                       and key not in binary}

    def step(self, element):
        """(bytes of the step, its text)."""
        group, number = element.tag >> 16, element.tag & 0xFFFF
        plain = "(%04X,%04X)" % (group, number)
        if group % 2 == 0:
            return _u16(group) + b"\0" + _u16(number), plain
        if id(element) in self.by_element:
            # A second one with another creator goes by the name of the first.
            name = self.block[group, number]
            if (group, name) in self.usable:
                return (_u16(group) + b"\1" + _u16(len(name)) + name,
                        '(%04X,"%s")' % (group, printable(name)))
        else:
            name = self.block.get((group, number >> 8))
            if name is not None and (group, name) in self.usable:
                return (_u16(group) + b"\2" + _u16(len(name)) + name + bytes([number & 0xFF]),
                        '(%04X,"%s",%02X)' % (group, printable(name),
                                              number & 0xFF))
        return _u16(group) + b"\3" + _u16(number), plain


def _depends_on_charset(data):
    """5.7: whether a value can be text that reads otherwise in another character set."""
    text = trim(data, False)
    return (all(byte >= 0x20 or byte in b"\t\n\f\r\x1b" for byte in text)
            and any(byte >= 0x80 or byte in b"\x1b\\~" for byte in text))


class UntypedText:
    """The digest of 5.7. `salt`: that of the leaf behind the last."""

    def __init__(self, salt):
        self.parts, self.first = [b"\0fiducia/text/1\0" + salt], None

    def add(self, path, leaf):
        element = leaf.element
        if element.items is not None or element.fragments is not None \
                or not _depends_on_charset(element.value):
            return
        self.first = self.first or leaf.name
        self.parts.append(len(path).to_bytes(4, "big") + path)
        for vr in ("LO", "UT", "PN"):
            kind, value = bytes_value(element.value, vr, leaf.charset)
            self.parts.append(bytes([kind]) + len(value).to_bytes(8, "big") + value)

    def digest(self):
        return hashlib.sha256(b"".join(self.parts)).digest()


def charset_of(data_set, outer):
    element = data_set.first(0x00080005)
    if element is None:
        return outer
    return Charset(element.value if element.items is None else b"")


def embedded_evidence(data_set, sealed_vrs=None):
    """The element that holds evidence (evidence.md 5), or None, and what 5.4 leaves out for it
    (against an evidence, by its `sealed_vrs`)."""
    creators = Creators(data_set, charset_of(data_set, Charset()), b"", sealed_vrs)
    out, found = set(), None
    if (0x0F1D, b"FIDUCIA") not in creators.usable:
        return found, out
    for element in data_set.elements:
        step = creators.step(element)[0]
        if step == _u16(0x0F1D) + b"\1" + _u16(7) + b"FIDUCIA":
            out.add(id(element))
        if step == _u16(0x0F1D) + b"\2" + _u16(7) + b"FIDUCIA" + b"\1":
            if found is None and element.items is None:
                found = element
                out.add(id(element))
    return found, out


def walk(data_set, covered, sealed_vrs=None, left_out=None):
    """Leaves in canonical order. `covered` is the element of the pixel tree or None;
    `sealed_vrs` maps a path to the VR of the evidence (5.5.1). What has no leaf (5.4) goes to
    `left_out`."""
    leaves = []
    skipped = embedded_evidence(data_set, sealed_vrs)[1]
    if covered is not None:
        skipped.add(id(covered))
    _walk(data_set, b"", "", Charset(), skipped, sealed_vrs or {}, leaves, 0,
          [] if left_out is None else left_out, False)
    leaves.sort(key=lambda leaf: leaf.path)  # stable
    return leaves


def _left_out(element, depth):
    tag = element.tag
    if tag == PADDING:
        return element.items is None
    return (tag & 0xFFFF == 0 or depth == 0 and tag >> 16 in (0, 2) or tag in LEFT_OUT
            or depth == 0 and tag in LEFT_OUT_AT_TOP)


def _walk(data_set, prefix, name_prefix, outer, skipped, sealed_vrs, leaves, depth, left_out,
          other_set):
    charset = charset_of(data_set, outer)
    other_set = other_set or depth > 0 and charset.term != outer.term
    creators, met = Creators(data_set, charset, prefix, sealed_vrs), set()
    for element in data_set.elements:
        tag = element.tag
        duplicate = tag in met
        met.add(tag)
        step, text = creators.step(element)
        path, name = prefix + step, name_prefix + text
        if id(element) in skipped or not duplicate and _left_out(element, depth):
            left_out.append(Leaf(path, name, element, charset, depth))
            continue
        sealed = sealed_vrs.get(path)
        if sealed and (element.said is None or element.said == "UN" or tag >> 16 & 1):
            if sealed == "SQ" and element.items is None and element.fragments is None:
                items = reader.read_items(element.value, data_set, depth)
                if items is not None:
                    element.items, element.vr = items, "SQ"
            elif sealed != "SQ" and element.by_structure and element.defined and element.raw:
                element.items, element.vr, element.by_structure = None, "UN", False
        leaves.append(Leaf(path, name, element, charset, depth, duplicate, other_set))
        for number, item in enumerate(element.items or (), 1):
            _walk(item, path + number.to_bytes(4, "big"), "%s[%d]." % (name, number), charset,
                  skipped, sealed_vrs, leaves, depth + 1, left_out, other_set)
