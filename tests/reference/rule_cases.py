# SPDX-License-Identifier: Apache-2.0
"""Small objects for the rules of spec/seal.md that copies of ordinary samples seldom reach: each is
sealed, changed, and judged by both."""

import zlib
from dataclasses import dataclass

IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
SHORT = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL",
         "SS", "ST", "TM", "UI", "UL", "US"}
SET, NAME, FRAMES = 0x00080005, 0x00100010, 0x00280008
SEQUENCE, INNER, TEXT = 0x00400275, 0x0040A730, 0x00081030
CREATOR, PRIVATE = 0x00290010, 0x00291001
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
UNDEFINED = 0xFFFFFFFF
AUTHENTIC, ALTERED, UNDECIDED = "authentic", "altered", "indeterminate"


@dataclass
class Encoding:
    explicit: bool = True
    big: bool = False

    def number(self, value, count):
        return value.to_bytes(count, "big" if self.big else "little")

    def tag(self, tag):
        return self.number(tag >> 16, 2) + self.number(tag & 0xFFFF, 2)

    def header(self, tag, vr, length):
        if not self.explicit or tag >> 16 == 0xFFFE:
            return self.tag(tag) + self.number(length, 4)
        vr = vr.encode("latin-1")
        if vr.decode("latin-1") in SHORT:
            return self.tag(tag) + vr + self.number(length, 2)
        return self.tag(tag) + vr + b"\0\0" + self.number(length, 4)

    def element(self, tag, vr, value=b""):
        """`value`: bytes, or for a sequence a list of items, each a list of elements."""
        if isinstance(value, list):
            value = b"".join(self.item(item) for item in value)
        return self.header(tag, vr, len(value)) + value

    def item(self, elements):
        content = self.data_set(elements)
        return self.header(ITEM, "", len(content)) + content

    def data_set(self, elements):
        """Elements are tuples for `element`, or bytes as they stand."""
        return b"".join(e if isinstance(e, bytes) else self.element(*e) for e in elements)


LITTLE, BIG, PLAIN = Encoding(), Encoding(big=True), Encoding(explicit=False)
BY_SYNTAX = {EXPLICIT: LITTLE, BIG_ENDIAN: BIG, IMPLICIT: PLAIN, DEFLATED: LITTLE, RLE: LITTLE}
BASE = [(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.88.11\0"), (0x00080018, "UI", b"1.2.3.4\0")]


def file(elements, syntax=EXPLICIT, behind=b""):
    """A file with the elements of BASE before them; those of tag up to (0008,0005) first."""
    first = [e for e in elements if not isinstance(e, bytes) and e[0] <= SET]
    body = BY_SYNTAX[syntax].data_set(first + BASE + [e for e in elements if e not in first])
    body += behind
    if syntax == DEFLATED:
        packer = zlib.compressobj(wbits=-15)
        body = packer.compress(body) + packer.flush()
        body += bytes(len(body) % 2)
    uid = syntax.encode()
    meta = LITTLE.element(0x00020010, "UI", uid + bytes(len(uid) % 2))
    return (bytes(128) + b"DICM"
            + LITTLE.element(0x00020000, "UL", len(meta).to_bytes(4, "little")) + meta + body)


def _even(value, pad=b" "):
    return value + pad * (len(value) % 2)


def _private(vr, value, syntax=EXPLICIT):
    return file([(CREATOR, "LO", b"ACME"), (PRIVATE, vr, value)], syntax)


def _private_vrs():
    """5.5.3 for private elements: sealed VR, VR of the file, value, verdict."""
    for sealed, other, value, verdict in [
            ("US", "SS", b"\1\0\xff\x7f", AUTHENTIC), ("SS", "US", b"\1\0\0\x80", ALTERED),
            ("UL", "SL", b"\0\x80\xff\x7f", AUTHENTIC), ("SL", "UL", b"\0\0\0\x80", ALTERED),
            ("UV", "SV", b"\xff\xff\xff\xff\xff\xff\xff\x7f", AUTHENTIC),
            ("SV", "UV", b"\0\0\0\0\0\0\0\x80", ALTERED), ("US", "UL", b"\1\0\0\0", ALTERED),
            ("FL", "UL", b"\1\0\0\0", ALTERED), ("FL", "OF", b"\1\0\0\0", ALTERED),
            ("LO", "SH", b" abc", AUTHENTIC), ("LO", "ST", b"abcd", AUTHENTIC),
            ("LO", "ST", b" abc", ALTERED), ("LO", "UC", b"abcd", AUTHENTIC),
            ("LO", "UT", b"ab\\c", ALTERED), ("ST", "UT", b"ab\\c", AUTHENTIC),
            ("LT", "UR", b"ab c", AUTHENTIC), ("AE", "UI", b"1.2 ", AUTHENTIC),
            ("CS", "LO", b"A\\B ", AUTHENTIC), ("DA", "DT", b"20240101", AUTHENTIC),
            ("LO", "CS", b"M\xfcll", ALTERED), ("LO", "SH", b"M\xfcll", AUTHENTIC),
            ("CS", "AE", b"M\xfcll", AUTHENTIC), ("LO", "UT", b"M\xfcll", AUTHENTIC),
            ("PN", "LO", b"A^B^", ALTERED), ("PN", "LO", b"A^BC", AUTHENTIC),
            ("PN", "SH", b" A^B", ALTERED), ("DS", "LO", b"1.50", AUTHENTIC),
            ("LO", "DS", b"1.50", AUTHENTIC), ("DS", "LO", b"abcd", ALTERED),
            ("DS", "IS", b"12", AUTHENTIC), ("DS", "IS", b"1.50", ALTERED),
            ("IS", "DS", b"12", AUTHENTIC), ("DS", "LO", b"1.5\\2 ", AUTHENTIC),
            ("DS", "ST", b"1.5\\2 ", ALTERED), ("DS", "ST", b"1.50", AUTHENTIC),
            ("DS", "LO", b"\\ ", AUTHENTIC), ("DS", "LO", b"  ", AUTHENTIC),
            ("LO", "IS", b"\0\0", AUTHENTIC), ("ST", "LO", b"  ", AUTHENTIC),
            ("LO", "US", b"  ", ALTERED), ("IS", "SS", b"12", ALTERED),
            ("OB", "OW", b"\1\2", AUTHENTIC), ("OB", "LO", b"ab", ALTERED),
            ("OB", "UN", b"\1\2", AUTHENTIC), ("UN", "LO", b"ab", AUTHENTIC),
            ("LO", "UN", b"ab", AUTHENTIC), ("FL", "LO", b"", AUTHENTIC),
            ("OB", "DS", b"", AUTHENTIC), ("UN", "SQ", b"", AUTHENTIC), ("AT", "UL", b"\1\0\2\0",
                                                                         ALTERED),
            ("LO", "SQ", b"", AUTHENTIC), ("SQ", "LO", b"", AUTHENTIC), ("SQ", "UN", b"",
                                                                         AUTHENTIC)]:
        yield ("%s is %s, %r" % (sealed, other, value), _private(sealed, value),
               _private(other, value), verdict)
        orphans = [file([(PRIVATE, vr, value)]) for vr in (sealed, other)]
        yield "orphan %s is %s, %r" % (sealed, other, value), *orphans, verdict
        items = [file([(SEQUENCE, "SQ", [[(CREATOR, "LO", b"ACME"), (PRIVATE, vr, value)]])])
                 for vr in (sealed, other)]
        yield "in an item %s is %s, %r" % (sealed, other, value), *items, verdict
    yield ("a sequence of no items is a text", _private("LO", b"ab"), _private("SQ", b""), ALTERED)
    empty = LITTLE.header(PRIVATE, "SQ", UNDEFINED) + LITTLE.header(SEQUENCE_END, "", 0)
    yield ("a sequence of no items and undefined length is an empty text", _private("LO", b""),
           file([(CREATOR, "LO", b"ACME"), empty]), AUTHENTIC)
    yield ("a sequence of one empty item is an empty text", _private("LO", b""),
           _private("SQ", [[]]), ALTERED)
    for text in (b"\xe4\\", b"A\\"):
        pair = [file([(SET, "CS", b"GBK "), (CREATOR, "LO", b"ACME"), (PRIVATE, vr, text)])
                for vr in ("LO", "UT")]
        yield "a byte 5C in GBK %r" % text, *pair, ALTERED


def _standard_vrs():
    for tag, sealed, other, value, verdict in [
            (0x00280106, "US", "SS", b"\1\0", AUTHENTIC), (0x00280106, "US", "SS", b"\0\x80",
                                                           ALTERED),
            (0x0040A160, "LT", "UT", b"a\\bc", AUTHENTIC), (0x0040A160, "UT", "LT", b"abcd",
                                                            ALTERED),
            (0x0040A160, "LO", "UT", b"a\\bc", ALTERED), (0x0040A160, "LO", "UT", b"abcd",
                                                          AUTHENTIC),
            (0x00081030, "LO", "SH", b"abcd", ALTERED), (0x00081030, "SH", "LO", b"abcd",
                                                         AUTHENTIC),
            (0x00081030, "DS", "LO", b"1.50", UNDECIDED), (0x00081030, "OB", "LO", b"abcd",
                                                           ALTERED),
            (0x00281200, "US", "OW", b"\1\0", AUTHENTIC), (0x00281201, "OW", "US", b"\1\0",
                                                           ALTERED),
            (0x00081030, "LO", "SQ", b"", ALTERED), (SEQUENCE, "SQ", "UN", b"", ALTERED),
            (0x60003000, "OB", "OW", b"\1\0", AUTHENTIC)]:
        yield ("standard %08X %s is %s, %r" % (tag, sealed, other, value),
               file([(tag, sealed, value)]), file([(tag, other, value)]), verdict)


def _creators():
    def made(vr, value=b"ACME", block=0x10, **where):
        elements = [(CREATOR - 0x10 + block, vr, value),
                    (0x00290001 | block << 8, "LO", b"abcd")]
        return file([(SEQUENCE, "SQ", [elements])] if where.get("inside") else elements,
                    where.get("syntax", EXPLICIT))

    for vr in ("OB", "OW", "FL", "US", "UL", "AT", "OF"):
        for inside in (False, True):
            for text in ("LO", "UT", "UN", "OB", "IS"):
                yield ("creator %s is %s%s" % (vr, text, " in an item" * inside),
                       made(vr, inside=inside), made(text, inside=inside), None)
    for vr in ("UN", "UT", "UR", "DS", "IS", "UI", "PN", "DA", "OB", "SQ"):
        for value in (b"ACME", b""):
            yield ("creator LO is %s %r" % (vr, value), made("LO", value), made(vr, value), None)
            yield ("creator %s is LO %r" % (vr, value), made(vr, value), made("LO", value), None)
        yield "creator %s moved" % vr, made(vr), made(vr, block=0x11), None
    yield "binary creator is another", made("OB"), made("LO", b"ACMF"), ALTERED
    yield "binary creator moved", made("OB"), made("OB", block=0x11), ALTERED
    yield "creator of an unknown VR", made("LO"), made("ZZ"), ALTERED
    own = [(0x0F1D0010, "OB", b"FIDUCIA "), (0x0F1D1001, "OB", b"\1\2")]
    yield "binary creator FIDUCIA", file(own), file(own), AUTHENTIC
    yield ("binary creator FIDUCIA is text", file(own),
           file([(0x0F1D0010, "LO", b"FIDUCIA "), own[1]]), None)
    for syntax in (IMPLICIT, BIG_ENDIAN):
        yield "binary creator in " + syntax, made("OB"), made("OB", syntax=syntax), None
        yield "binary creator from " + syntax, made("OB", syntax=syntax), made("OB"), None
    twins = [(CREATOR, "OB", b"ACME"), (CREATOR + 1, "LO", b"ACME"), (0x00291001, "LO", b"a "),
             (0x00291101, "LO", b"b ")]
    yield "binary creator beside its twin", file(twins), file(twins), AUTHENTIC
    yield ("binary creator beside its twin, moved", file(twins),
           file([twins[0], (CREATOR + 2, "LO", b"ACME"), twins[2], (0x00291201, "LO", b"b ")]),
           None)
    twice = [(CREATOR, "OB", b"ACME"), (CREATOR, "LO", b"ACMF"), (PRIVATE, "LO", b"a ")]
    yield "binary creator and another of its number", file(twice), file(twice), None
    # Converted: the text is, the binary value is not.
    for vr in ("OB", "LO"):
        before = file([(SET, "CS", b"ISO_IR 100"), (TEXT, "LO", b"M\xfcll"), (CREATOR, vr,
                                                                              b"M\xfc"),
                       (PRIVATE, "LO", b"M\xfcll")])
        after = file([(SET, "CS", b"ISO_IR 192"), (TEXT, "LO", b"M\xc3\xbcll "), (CREATOR, vr,
                                                                                  b"M\xfc"),
                      (PRIVATE, "LO", b"M\xc3\xbcll ")])
        yield ("creator %s is not converted" % vr, before, after,
               AUTHENTIC if vr == "OB" else ALTERED)


def _names():
    def named(name, charset=None):
        return file(([(SET, "CS", _even(charset))] if charset is not None else [])
                    + [(NAME, "PN", _even(name))])

    for sealed, other, verdict in [
            (b"Doe^John", b"Doe^John^^^", AUTHENTIC), (b"Doe^John^^^ ", b"Doe^John", AUTHENTIC),
            (b"Doe", b" Doe", ALTERED), (b"Doe^=X", b"Doe=X", AUTHENTIC),
            (b"A=B=C^^", b"A^=B^=C", AUTHENTIC), (b"A==", b"A", AUTHENTIC), (b"^^=", b"",
                                                                             AUTHENTIC),
            (b"^^", b"  ", AUTHENTIC), (b"A\\^^", b"A\\", AUTHENTIC), (b"A\\", b"A", ALTERED),
            (b"A\\B", b"A^\\B=^", AUTHENTIC), (b"Doe ^^", b"Doe^^", ALTERED),
            (b"Doe^ ^", b"Doe^", None), (b"=A", b"A", ALTERED), (b"A^^B", b"A^B", ALTERED),
            (b"A= =", b"A=", None), (b"A ", b"A\0", AUTHENTIC), (b"A^ =B", b"A=B", ALTERED),
            (b"A^\0^", b"A^", None), (b"^A", b"A", ALTERED), (b"A\\ B", b"A\\B", ALTERED),
            (b"M\xfcller^^", b"M\xfcller", ALTERED), (b"A\\^^\\B", b"A\\\\B", AUTHENTIC)]:
        yield "PN %r is %r" % (sealed, other), named(sealed), named(other), verdict
    for charset, sealed, other in [
            (b"ISO_IR 192", b"M\xc3\xbcller^^", b"M\xc3\xbcller"),
            (b"ISO_IR 100", b"M\xfcller^=^", b"M\xfcller"),
            (b"\\ISO 2022 IR 87", b"Yamada=\x1b$B;3ED\x1b(B^^", b"Yamada=\x1b$B;3ED\x1b(B"),
            (b"ISO_IR 13", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3^", b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3"),
            (b"GBK", b"\xcd\xf5^^", b"\xcd\xf5"), (b"GBK", b"\x81^^", b"\x81^")]:
        yield ("PN %r is %r in %r" % (sealed, other, charset), named(sealed, charset),
               named(other, charset), AUTHENTIC)


TERMS = [b"", b"\\", b"\\\\", b"ISO_IR 6", b"ISO_IR 100", b"ISO_IR 100\0", b"ISO_IR 100  ",
         b" ISO_IR 100", b"ISO IR 100", b"iso_ir 100", b"ISO-IR 100", b"ISO_IR  100",
         b"ISO_IR 0100",
         b"ISO_IR100", b"IR 100", b"ISO_IR", b"ISO_IR ", b"latin1", b"LATIN1", b"ISO 8859-1",
         b"UTF-8",
         b"ISO 2022 IR 100", b"ISO 2022 IR 6", b"ISO 2022 IR 192", b"ISO 2022 IR 87", b"ISO_IR 87",
         b"ISO 2022 IR 149", b"ISO 2022 IR 58", b"ISO_IR 149", b"ISO 2022 100", b"ISO_2022 IR 100",
         b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 149", b"\\ISO 2022 IR 58", b"\\ISO 2022 IR 159",
         b"ISO 2022 IR 6\\ISO 2022 IR 87", b"ISO_IR 6\\ISO 2022 IR 87",
         b"ISO_IR 100\\ISO 2022 IR 87",
         b"ISO 2022 IR 100\\ISO_IR 101", b"ISO 2022 IR 100\\ISO 2022 IR 101", b"\\ISO_IR 100",
         b"ISO 2022 IR 100 \\ISO 2022 IR 144", b"ISO 2022 IR 100\\ ISO 2022 IR 144",
         b"ISO 2022 IR 87\\ISO 2022 IR 100", b"ISO 2022 IR 100\\", b"ISO_IR 100\\", b"\\GBK",
         b"GBK\\",
         b"GB18030", b"GBK", b"gbk", b"GB 18030", b"ISO 2022 GBK", b"ISO_IR 192", b"ISO_IR 192\\",
         b"ISO_IR 192\\ISO 2022 IR 87", b"\\ISO_IR 192", b"ISO_IR 13", b"ISO 2022 IR 13",
         b"ISO 2022 IR 13\\ISO 2022 IR 87", b"ISO_IR 13\\ISO 2022 IR 87", b"ISO_IR 203",
         b"ISO_IR 166",
         b"ISO_IR 999", b"ISO 2022 IR 999", b"XYZ", b"ISO 2022 IR 100\\XYZ"]
TEXTS = [b"M\xfcller", b"abc~\\d", b"M\xc3\xbcller", b"a\x1b$B;3ED\x1b(Bb", b"a\x1b$)C\xb1\xe8b",
         b"\x1b-LA\xd0b", b"\xb1\xe8", b"\x81", b"\xb1\\~"]


def _terms():
    for term in TERMS:
        elements = [(SET, "CS", _even(term)), (TEXT, "LO", b"abcd")]
        # A text each in attributes of another VR, so that one object tries many.
        for number, text in enumerate(TEXTS):
            for place, vr in enumerate(("LO", "ST", "PN", "UT")):
                elements.append((0x00111000 + 0x10 * number + place, vr, _even(text)))
        elements.insert(2, (0x00110010, "LO", b"ACME"))
        whole = file(elements)
        yield "term %r" % term, whole, whole, None
        for text in (b"abcd", b"M\xfcller"):
            one = [file([(SET, "CS", _even(t)), (NAME, "PN", _even(text))])
                   for t in (term, b"ISO_IR 100")]
            yield "term %r, text %r" % (term, text), one[0], one[0], None
            yield "term %r becomes ISO_IR 100, text %r" % (term, text), *one, None
            yield "term ISO_IR 100 becomes %r, text %r" % (term, text), *one[::-1], None


def _sets_in_items():
    texts = {"ASCII": b"abcd", "text": b"M\xfcller", "escape": b"a\x1b(Bb"}
    sets = {"none": None, "ISO_IR 100": b"ISO_IR 100", "padded": b"ISO_IR 100\0\0", "empty": b"",
            "ISO_IR 101": b"ISO_IR 101", "bad": b"latin1", "two": b"\\ISO 2022 IR 100"}

    def with_set(name, *elements):
        return ([(SET, "CS", _even(sets[name]))] if sets[name] is not None else []) + list(elements)

    for outer in sets:
        for inner in sets:
            for text, value in texts.items():
                place = (TEXT, "LO", _even(value))
                one = file(with_set(outer, (SEQUENCE, "SQ", [with_set(inner, place)])))
                yield "set %s, in an item %s, %s" % (outer, inner, text), one, one, None
    for middle in ("none", "ISO_IR 101", "ISO_IR 100"):
        for inner in ("none", "ISO_IR 101", "ISO_IR 100", "empty"):
            place = (TEXT, "LO", b"M\xfcll")
            one = file(with_set("ISO_IR 100", (SEQUENCE, "SQ", [
                with_set(middle, (INNER, "SQ", [with_set(inner, place)]))])))
            yield "sets %s and %s in items" % (middle, inner), one, one, None
    for vr in ("CS", "LT", "UN", "UR", "DS", "OB", "UC"):
        for own in ("none", "ISO_IR 101"):
            one = file(with_set("ISO_IR 100", (SEQUENCE, "SQ", [
                with_set(own, (CREATOR, "LO", b"ACME"), (PRIVATE, vr, b"M\xfcll"))])))
            yield "set %s in an item, %s" % (own, vr), one, one, None
    for letters in ("SQ", "LO", "UN", "OB"):
        value = b"" if letters == "SQ" else b"ISO_IR 101"
        one = file(with_set("ISO_IR 100", (SEQUENCE, "SQ", [[
            (SET, letters, value), (TEXT, "LO", b"M\xfcll")]])))
        yield "set of VR %s in an item" % letters, one, one, None
    for items in ([[]], [[(TEXT, "LO", b"ab")]]):
        one = file(with_set("ISO_IR 100", (SEQUENCE, "SQ", [[
            (SET, "SQ", items), (TEXT, "LO", b"M\xfcll")]])))
        yield "set of %d items in an item" % len(items), one, one, None
    twice = file(with_set("ISO_IR 100", (SEQUENCE, "SQ", [[
        (SET, "CS", b"ISO_IR 100"), (SET, "CS", b"ISO_IR 101"), (TEXT, "LO", b"M\xfcll")]])))
    yield "two sets in an item", twice, twice, None
    plain = with_set("ISO_IR 100", (SEQUENCE, "SQ", [[(TEXT, "LO", b"M\xfcll")]]))
    changed = with_set("ISO_IR 100", (SEQUENCE, "SQ", [[(SET, "CS", b"ISO_IR 192"),
                                                        (TEXT, "LO", b"M\xc3\xbcll ")]]))
    yield "an item got a set of its own", file(plain), file(changed), ALTERED
    yield "an item lost its own set", file(changed), file(plain), UNDECIDED


def _text_under_un():
    """5.7: the character set alone is another, beside bytes whose VR nobody said."""
    def made(term, value, vr="UN", syntax=EXPLICIT):
        return file(([(SET, "CS", term)] if term else []) + [
            (CREATOR, "LO", b"ACME"), (PRIVATE, vr, value)], syntax)
    latin, greek, japanese, unicode = b"ISO_IR 100", b"ISO_IR 126", b"ISO_IR 13 ", b"ISO_IR 192"
    for name, before, after, value, verdict in [
            ("another set", latin, greek, b"\xf8rst", UNDECIDED), ("no set", latin, b"", b"\xf8rst", UNDECIDED),
            ("UTF-8", latin, unicode, b"\xf8rst", UNDECIDED), ("ASCII", latin, unicode, b"text", AUTHENTIC),
            ("a number", latin, greek, b"\xf8\1", AUTHENTIC), ("a NUL behind", latin, greek, b"\xf8\0", UNDECIDED),
            ("a NUL inside", latin, greek, b"\xf8\0rs", AUTHENTIC), ("lines", latin, greek, b"\xf8\r\n\t", UNDECIDED),
            ("code extensions", latin, b"ISO 2022 IR 100 ", b"\xf8rst", AUTHENTIC),
            ("escape", latin, b"ISO 2022 IR 100 ", b"a\x1b-A", UNDECIDED),
            ("backslash and tilde", latin, japanese, b"a\\b~", UNDECIDED),
            ("backslash and tilde in Latin", latin, greek, b"a\\b~", AUTHENTIC)]:
        yield "text under UN, " + name, made(before, value), made(after, value), verdict
    yield "text under UN, a VR as well", made(latin, b"\xf8rst"), made(greek, b"\xf8rst", "LO"), UNDECIDED
    yield ("text under UN, sealed in implicit VR", made(latin, b"\xf8rst", syntax=IMPLICIT),
           made(greek, b"\xf8rst"), UNDECIDED)
    yield "text under a VR", made(latin, b"\xf8rst", "LO"), made(greek, b"\xf8rst", "LO"), ALTERED


def _blank_vrs():
    small, after = TEXT, (0x00081050, "PN", b"A^B ")
    for encoding, syntax in ((LITTLE, EXPLICIT), (BIG, BIG_ENDIAN)):
        for letters in (b"\0\0", b"  ", b"??", b"\0\x08", b"lo", b"L\0", b"\0A", b"\xff\xff",
                        b"-A"):
            short = encoding.tag(small) + letters + encoding.number(4, 2) + b"abcd"
            last = encoding.tag(0x00400555) + letters + encoding.number(4, 2) + b"abcd"
            many = short + encoding.tag(0x00081040) + letters + encoding.number(2, 2) + b"ab"
            for name, elements in [
                    ("before", [short, after]), ("last", [last]), ("twice", [many, after]),
                    ("before zeros", [last, bytes(12)]),
                    ("in an item", [(SEQUENCE, "SQ", [[short], [short, after]])]),
                    ("first of an item before an element", [(SEQUENCE, "SQ", [[short, after]])]),
                    ("in an item of undefined length", [
                        encoding.header(SEQUENCE, "SQ", UNDEFINED),
                        encoding.header(ITEM, "", UNDEFINED), short,
                        encoding.header(ITEM_END, "", 0), encoding.header(SEQUENCE_END, "", 0)]),
                    ("before a lower tag", [(0x00200010, "SH", b"ab"),
                                            encoding.tag(0x00200011) + letters
                                            + encoding.number(2, 2) + b"12", (0x00080060, "CS",
                                                                              b"CT")]),
                    ("before an unknown VR", [short, (0x00081050, "ZZ", b"abcd")]),
                    ("before other blanks", [short, encoding.tag(0x00081040) + b"#!"
                                             + encoding.number(2, 2) + b"ab", after])]:
                one = file(elements, syntax)
                yield "VR %r %s, %s" % (letters, name, syntax), one, one, None
        for tag, value in ((small, b"abcd"), (small, b""), (0x00080060, b"CT"), (0x00080060,
                                                                                 b"a" * 258),
                           (SEQUENCE, bytes(encoding.item([(TEXT, "LO", b"ab")]))),
                           (SEQUENCE, b"text in its place "), (0x0040A30A, b"1.50")):
            later = (max(tag, 0x00080060) + 0x10, "LO", b"ab")
            implicit = encoding.tag(tag) + encoding.number(len(value), 4) + value
            for name, elements in (("", [implicit, later]), (" last", [implicit]),
                                   (" in an item", [(INNER, "SQ", [[implicit, later],
                                                                   [implicit]])])):
                one = file(elements, syntax)
                yield ("implicit %08X of %d bytes%s, %s" % (tag, len(value), name, syntax), one,
                       one, None)
        undefined = (encoding.tag(SEQUENCE) + encoding.number(UNDEFINED, 4)
                     + encoding.header(SEQUENCE_END, "", 0))
        yield ("implicit of undefined length, " + syntax, file([undefined], syntax),
               file([undefined], syntax), None)
    one = file([(0x00080018, "UI", b"1.2 ")])
    first = one.replace(b"\x08\0\x16\0UI", b"\x08\0\x16\0\0\0")
    yield "the first VR is blank", file([]), first, None
    for name in (b"\2\0\x10\0UI", b"\2\0\0\0UL"):
        for letters in (b"\0\0", b"ui", b"ZZ"):
            yield ("meta %r is %r" % (name, letters), one, one.replace(name, name[:4] + letters),
                   None)
    plain = file([(small, "LO", b"abcd"), after])
    blank = file([LITTLE.tag(small) + b"\0\0\4\0abcd", after])
    yield "a VR is blanked", plain, blank, ALTERED
    yield "a blank VR is filled", blank, plain, UNDECIDED


def _missing_delimiters():
    for encoding, syntax in ((LITTLE, EXPLICIT), (BIG, BIG_ENDIAN), (PLAIN, IMPLICIT), (LITTLE,
                                                                                        DEFLATED)):
        head = encoding.header(SEQUENCE, "SQ", UNDEFINED)
        item = encoding.header(ITEM, "", UNDEFINED) + encoding.element(TEXT, "LO", b"abcd")
        item_end, end = encoding.header(ITEM_END, "", 0), encoding.header(SEQUENCE_END, "", 0)
        nested = (head + encoding.header(ITEM, "", UNDEFINED) + encoding.header(INNER, "SQ",
                                                                                UNDEFINED)
                  + item)
        whole = head + item + item_end + end
        defined = encoding.element(SEQUENCE, "SQ", item)
        within = (head + encoding.header(ITEM, "", len(encoding.element(INNER, "SQ", item)))
                  + encoding.element(INNER, "SQ", item))
        for name, part in [
                ("both", head + item), ("that of the sequence", head + item + item_end),
                ("all of a nested one", nested), ("all but the inner item's", nested + item_end),
                ("no items", head), ("in the middle", head + item + encoding.element(0x00400555,
                                                                                     "LT")),
                ("a defined item", head + encoding.item([(TEXT, "LO", b"abcd")])),
                ("item in a defined sequence", defined), ("within defined ones", within),
                ("one and zeros", head + item + item_end + bytes(8)),
                ("part of an element", head + item + item_end + b"\xfe\xff"),
                ("part of a value", (head + item)[:-2]),
                ("fragments", encoding.header(0x7FE00010, "OB", UNDEFINED) + encoding.item([])
                 + encoding.item([b"abcd"])),
                ("offset table alone", encoding.header(0x7FE00010, "OB",
                                                       UNDEFINED) + encoding.item([])),
                ("fragments, not even a table", encoding.header(0x7FE00010, "OB", UNDEFINED)),
                ("unknown", encoding.header(PRIVATE, "UN", UNDEFINED) + PLAIN.header(ITEM, "",
                                                                                     UNDEFINED)
                 + PLAIN.element(TEXT, "LO", b"abcd")),
                ("a private sequence", encoding.header(PRIVATE, "SQ", UNDEFINED) + item)]:
            one = file([part], syntax)
            yield "delimiters missing: %s, %s" % (name, syntax), one, one, None
            if name in ("both", "that of the sequence"):
                yield ("delimiters taken: %s, %s" % (name, syntax), file([whole], syntax), one,
                       ALTERED)
                yield ("delimiters put: %s, %s" % (name, syntax), one, file([whole], syntax),
                       UNDECIDED)
    open_item = PLAIN.header(ITEM, "", UNDEFINED) + PLAIN.element(TEXT, "LO", b"abcd")
    for tag in (SEQUENCE, PRIVATE):
        one = file([(tag, "UN", open_item)])
        yield "delimiter missing in the value of UN %08X" % tag, one, one, None
    sealed = _private("SQ", [[(TEXT, "LO", b"abcd")]])
    yield "delimiter missing in what is read as items", sealed, _private("UN", open_item), None
    rle = file([LITTLE.header(0x7FE00010, "OB",
                              UNDEFINED) + LITTLE.item([]) + LITTLE.item([b"abcd"])], RLE)
    yield "delimiter of fragments missing, named encapsulated", rle, rle, None


def _text_in_sequences():
    texts = [b"ANONYMOUS ", b"A ", b"ABC", b"\xfe\xff\x00\xe0", b"\xfe\xff\x00\xe0\1\0\0",
             b"\xfe\xff\x00\xe0\x20\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0", b"\xfe\xff\x01\0abcd",
             b"\xff\xfe\xe0\0\0\0\0\0", b"\0\0\0\0\0\0\0\0", b"  "]
    for syntax in (EXPLICIT, IMPLICIT, BIG_ENDIAN):
        for text in texts:
            for tag in (SEQUENCE, PRIVATE, 0x0008001D, 0xFFFAFFFA):
                for letters in ("SQ", "UN", "ZZ")[:1 if syntax == IMPLICIT else 3]:
                    one = file([(tag, letters, text)], syntax)
                    yield "%08X %s holds %r, %s" % (tag, letters, text, syntax), one, one, None
            inner = file([(INNER, "SQ", [[(SEQUENCE, "SQ", text)]])], syntax)
            yield "a sequence in an item holds %r, %s" % (text, syntax), inner, inner, None
    items = [(SEQUENCE, "SQ", [[(TEXT, "LO", b"abcd")]])]
    text = [(SEQUENCE, "SQ", b"ANONYMOUS ")]
    for a in (EXPLICIT, IMPLICIT, BIG_ENDIAN):
        for b in (EXPLICIT, IMPLICIT, BIG_ENDIAN):
            yield "items are text, %s to %s" % (a, b), file(items, a), file(text, b), ALTERED
            yield "text is items, %s to %s" % (a, b), file(text, a), file(items, b), ALTERED
            yield "text stays, %s to %s" % (a, b), file(text, a), file(text, b), UNDECIDED
    for letters in ("LO", "UN", "UT", "OB"):
        yield ("text of a sequence is %s" % letters, file(text), file([(SEQUENCE, letters,
                                                                        text[0][2])]), None)
        yield ("%s is text of a sequence" % letters, file([(SEQUENCE, letters, text[0][2])]),
               file(text), None)
        yield ("private text of a sequence is %s" % letters, _private("SQ", b"ANON"),
               _private(letters, b"ANON"),
               None)
        yield ("private %s is text of a sequence" % letters, _private(letters, b"ANON"),
               _private("SQ", b"ANON"),
               None)


def _structure():
    item = PLAIN.item([(TEXT, "LO", b"abcd")])
    end, item_end = PLAIN.header(SEQUENCE_END, "", 0), PLAIN.header(ITEM_END, "", 0)
    inner = PLAIN.element(INNER, "SQ", item)
    values = {"items": item, "delimiter": item + end, "two delimiters": item + end + end,
              "delimiter alone": end,
              "delimiter with length": item + PLAIN.header(SEQUENCE_END, "", 2) + b"ab",
              "undefined alone": PLAIN.header(ITEM, "", UNDEFINED) + end,
              "of length 8": item + PLAIN.header(SEQUENCE_END, "", 8),
              "item delimiter": item + item_end,
              "inner": PLAIN.header(ITEM, "", len(inner + end)) + inner + end,
              "inner's value": PLAIN.item([(INNER, "SQ", item + end)]),
              "inner unknown": PLAIN.item([(0x00291002, "UN", item + end)]),
              "undefined inner": PLAIN.item([PLAIN.header(INNER, "SQ", UNDEFINED) + item + end]),
              "undefined inner without": PLAIN.item([PLAIN.header(INNER, "SQ", UNDEFINED) + item]),
              "undefined item": PLAIN.header(ITEM, "", UNDEFINED) + inner + item_end,
              "undefined item and delimiter": PLAIN.header(ITEM, "",
                                                           UNDEFINED) + inner + item_end + end,
              "open item and delimiter": PLAIN.header(ITEM, "", UNDEFINED) + inner + end,
              "text in a sequence": PLAIN.item([(INNER, "SQ", b"ANONYMOUS ")])}
    for name, value in values.items():
        for letters in ("UN", "OB", "SQ"):
            for one in (_private(letters, value), file([(SEQUENCE, letters, value)])):
                yield "structure %s, %s" % (name, letters), one, one, None
        for syntax in (EXPLICIT, IMPLICIT):
            yield ("structure %s, sealed as items, %s" % (name, syntax),
                   _private("SQ", [[(TEXT, "LO", b"abcd")]]), _private("UN", value, syntax), None)
            yield ("structure %s, sealed in implicit VR, %s" % (name, syntax),
                   _private("UN", item, IMPLICIT), _private("UN", value, syntax), None)
        yield ("structure %s, sealed as bytes" % name, _private("OB", value), _private("UN", value),
               AUTHENTIC)


def _one_frame():
    values = [None, b"1 ", b" 1", b"01", b"+1", b"2 ", b"", b"1\0", b"1\\1 ", b"1.0 "]

    def framed(value, vr="IS", syntax=EXPLICIT):
        return file([] if value is None else [(FRAMES, vr, value)], syntax)

    for sealed in values:
        for other in values:
            yield "frames %r become %r" % (sealed, other), framed(sealed), framed(other), None
    for vr in ("US", "UN", "LO", "DS", "OB"):
        yield "frames of %s added" % vr, framed(None), framed(b"1 ", vr), None
        yield "frames of %s removed" % vr, framed(b"1 ", vr), framed(None), None
    yield "frames added in implicit VR", framed(None), framed(b"1 ", syntax=IMPLICIT), AUTHENTIC
    twice = [(FRAMES, "IS", b"1 "), (FRAMES, "IS", b"1 ")]
    yield "frames added twice", framed(None), file(twice), ALTERED
    yield "a second one added", framed(b"1 "), file(twice), ALTERED
    yield "frames removed twice", file(twice), framed(None), None
    yield "one of two removed", file(twice), framed(b"1 "), None
    yield ("frames in an item", file([(SEQUENCE, "SQ", [[(FRAMES, "IS", b"1 ")]])]),
           file([(SEQUENCE, "SQ", [[]])]), ALTERED)


def _signs():
    for syntax in (IMPLICIT, EXPLICIT):
        for value in (b"\1\0", b"\0\x80", b"\1\0\0\x80", b"\0\x80\1\0", b"\x80", b"\x80\1\x80",
                      b""):
            for tag in (0x00189810, 0x00280106, 0x00281201):
                for said in ([(0x00280103, "US", b"\0\0")], [(0x00280103, "US", b"\1\0")], []):
                    after = [(tag, "US", value)]
                    for elements in (after + said, said + after):
                        one = file(elements, syntax)
                        yield "%08X %r, %s" % (tag, value, syntax), one, one, None
    inner = [(SEQUENCE, "SQ", [[(0x00280106, "US", b"\0\x80"), (0x00280103, "US", b"\1\0")]])]
    for elements in (inner, inner + [(0x00280103, "US", b"\1\0")]):
        one = file(elements, IMPLICIT)
        yield "in an item, %d" % len(elements), one, one, None
    said = (0x00280103, "US", b"\1\0")
    twice = [said, (0x00280106, "US", b"\0\x80"), said]
    yield "between two", file(twice, IMPLICIT), file(twice, IMPLICIT), None
    for a, b in ((EXPLICIT, IMPLICIT), (IMPLICIT, EXPLICIT)):
        signed = [(0x00280071, "SS", b"\0\x80"), (0x00280103, "US", b"\1\0")]
        yield "from %s to %s" % (a, b), file(signed, a), file(signed, b), ALTERED


def _nul_in_text():
    for vr in ("CS", "LO", "UI", "SH", "PN", "DS", "ST", "AE"):
        for value in (b"1234", b"123\0", b"12\0\0", b"12\0 ", b"1\0 2", b"\0\0", b"\0001 "):
            for tag in (0x00080060, PRIVATE):
                one = file([(tag, vr, value)])
                yield "%08X %s %r" % (tag, vr, value), one, one, None
    yield ("a NUL in place of a space", file([(0x20500020, "CS", b"INVERSE ")]),
           file([(0x20500020, "CS", b"INVERSE\0")]), ALTERED)


def _bare():
    base = file([(CREATOR, "LO", b"ACME"), (PRIVATE, "LO", b"abcd")])
    for tag, vr in ((0x00090010, "LO"), (0x00290010, "LO"), (0x00290010, "SH"), (0x002900FF, "LO"),
                    (0x00290100, "LO"), (0x0029000F, "LO"), (0x01010010, "LO"), (0x00280010, "LO"),
                    (0x1F290010, "LO"), (0x1F280010, "LO"), (0x1F290010, "UN"), (0x29000010, "LO")):
        for encoding in (LITTLE, BIG, PLAIN):
            value = (b"ACME" if encoding is not PLAIN else b"ACME" * 3)
            body = encoding.data_set([(tag, vr, value), (tag + 0x10000, "LO", b"abcd")])
            yield "bare %08X %s, %r" % (tag, vr, encoding), base, body, None
            yield "bare sealed %08X %s, %r" % (tag, vr, encoding), body, body, None
    for tag in (0x03FF0010, 0x04000010, 0x04010010, 0x20500010):
        for encoding in (LITTLE, BIG, PLAIN):
            one = encoding.data_set([(tag | 0x10000, "LO", b"ACME")])
            yield "bare, first group %04X, %r" % (tag >> 16 | 1, encoding), one, one, None
    for uid in (b"", b"\0\0", b"  ", b".\0"):
        # Meta information whose transfer syntax is empty names none.
        meta = LITTLE.element(0x00020010, "UI", uid)
        for elements in (BASE, [(0x04010010, "LO", b"ACME")]):
            one = (bytes(128) + b"DICM" + LITTLE.element(0x00020000, "UL",
                                                         len(meta).to_bytes(4, "little"))
                   + meta + LITTLE.data_set(elements))
            yield "transfer syntax %r, %08X" % (uid, elements[0][0]), one, one, None
    for value in (b"", b"\0", b"\0\0", b"\0\0\0\0", b"  "):
        own = [(CREATOR, "LO", b"ACME"), (PRIVATE, "LO", b"abcd"),
               (0x0F1D0010, "LO", b"FIDUCIA "), (0x0F1D1001, "OB", value)]
        yield "an element of evidence that holds %r" % value, base, file(own), None
    for element in (b"\2\0\x10\0", b"\2\0\0\0"):
        yield "meta elements alone %r" % element, base, element + b"UI\2\x001 ", None


RULES = {"private VRs": _private_vrs, "standard VRs": _standard_vrs, "creators": _creators,
         "names": _names, "terms": _terms, "sets in items": _sets_in_items, "blank VRs": _blank_vrs,
         "missing delimiters": _missing_delimiters, "text in sequences": _text_in_sequences,
         "read by structure": _structure, "one frame": _one_frame, "signs by place": _signs,
         "NUL in text": _nul_in_text, "text under UN": _text_under_un,
         "bare data sets": _bare}


def cases():
    """Yields (name, file that is sealed, file that is judged, expected verdict or None)."""
    for rule, made in RULES.items():
        for name, sealed, judged, verdict in made():
            yield "%s: %s" % (rule, name), sealed, judged, verdict
