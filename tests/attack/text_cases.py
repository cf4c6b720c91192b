# SPDX-License-Identifier: Apache-2.0
"""Cases of text: character sets that readers take in different ways, and padding."""
import struct

from cases import DIFFERS, EXPLICIT, IMPLICIT, NEVER, case, element, grey, image, part10, raw, sequence, small, uid_of, words
from writer import body_of, meta

AMBIGUOUS = ("indeterminate",), "reading.ambiguous"


def named(number, term, text, comment=b""):
    return small(number, t00080005=element(0x00080005, "CS", term), t00100010=element(0x00100010, "PN", text),
                 t00104000=element(0x00104000, "LT", comment or text))


@case(NEVER, "reading.ambiguous", "attribute.altered")
def character_set_terms():
    """Terms that PS3.3 C.12.1.1.2 does not define, with bytes that some reader decodes by what they seem
    to say: pydicom and GDCM fall back to Latin 1."""
    name = "Müller^Jürgen"
    f = lambda term: named(60, term, name.encode())  # noqa: E731
    return f("ISO_IR 192"), {"code-extension": f("ISO 2022 IR 192"), "lower-case": f("iso_ir 192"),
                             "other-name": f("ISO 10646"), "leading-spaces": f("  ISO_IR 192"),
                             "no-prefix": f("IR 192")}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def character_set_terms_asian():
    """The same with double byte sets that exist with code extensions only, or under another name."""
    f = lambda term, coding: named(61, term, "金".encode(coding))  # noqa: E731
    return f("ISO_IR 192", "utf-8"), {"149": f("ISO_IR 149", "euc_kr"), "58": f("ISO_IR 58", "gb18030"),
                                      "gb": f("ISO 2022 GB18030", "gb18030")}


@case(*AMBIGUOUS, base=("indeterminate",))
def character_set_term_sealed():
    """A term that nobody defined, sealed so."""
    return named(62, "ISO 2022 IR 192", "Müller".encode()), {}


def in_item(number, outer, inner, name, text):
    of_item = element(0x00080005, "CS", inner) if inner else b""
    of_item += element(0x00081150, "UI", "1.2.3") + element(0x00400280, "ST", text)
    return small(number, t00080005=element(0x00080005, "CS", outer), t00100010=element(0x00100010, "PN", name),
                 t00081140=sequence(0x00081140, of_item))


@case(NEVER, "reading.ambiguous", "attribute.altered")
def character_set_in_item():
    """Another character set for an item: DCMTK converts the whole data set by that of the top."""
    name, text = "Sørensen", "Dvořák, Jiří"
    return in_item(63, "ISO_IR 192", None, name.encode(), text.encode()), {
        "other": in_item(63, "ISO_IR 100", "ISO_IR 101", name.encode("latin-1"), text.encode("iso8859-2")),
        "utf8-inside": in_item(63, "ISO_IR 100", "ISO_IR 192", name.encode("latin-1"), text.encode())}


@case(*AMBIGUOUS, base=("indeterminate",))
def character_set_in_item_sealed():
    """The same, sealed so; an item that repeats the set of the top reads alike."""
    return in_item(64, "ISO_IR 100", "ISO_IR 192", b"S\xf8rensen", "Dvořák".encode()), {}


@case(("authentic",))
def character_set_repeated():
    """The same set once more in an item, or another one where all is ASCII."""
    f = lambda inner, text: in_item(65, "ISO_IR 192", inner, "Sørensen".encode(), text)  # noqa: E731
    return f(None, "Dvořák".encode()), {"same": f("ISO_IR 192", "Dvořák".encode())}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def code_string_with_nul():
    """A term padded by a NUL: DCMTK does not know `INVERSE\\0` and shows the picture not inverted."""
    uid = uid_of(66)
    f = lambda value: part10(image(uid, 128, 128, words(), allocated=16, stored=12, more={  # noqa: E731
        0x20500020: raw(0x20500020, "CS", value)}), uid)
    return f(b"INVERSE "), {"nul": f(b"INVERSE\0"), "space-nul": f(b"INVERSE \0\0"), "nuls": f(b"INVERSE\0\0\0")}


@case(*AMBIGUOUS, base=("indeterminate",))
def code_string_with_nul_sealed():
    """The same, sealed so."""
    return small(67, t20500020=raw(0x20500020, "CS", b"INVERSE\0")), {}


@case(DIFFERS, "attribute.altered")
def name_with_leading_spaces():
    """Spaces before a name: PS3.5 6.2 pads PN behind only, and every reader shows them."""
    f = lambda name: small(68, t00100010=element(0x00100010, "PN", name))  # noqa: E731
    return f("Test^One"), {"two": f("  Test^One")}


@case(("authentic",))
def granted_padding():
    """Spaces behind text, and before what PS3.5 6.2 lets have them, in the forms that tools write."""
    f = lambda name, label, number: small(69, t00100010=element(0x00100010, "PN", name),  # noqa: E731
                                          t00100020=element(0x00100020, "LO", label),
                                          t00200013=element(0x00200013, "IS", number))
    return f("Test^One", "ID1", "5"), {"behind": f("Test^One  ", "ID1   ", "5   "), "before": f("Test^One", "  ID1 ", " 5")}


def escaped(text):
    """ISO 2022 IR 87 as writers write it: each character behind its escape."""
    return b"".join(c.encode() if c.isascii() else b"\x1b$B" + bytes(b & 0x7F for b in c.encode("euc_jp")) + b"\x1b(B"
                    for c in text)


@case(NEVER, "reading.ambiguous", "attribute.altered")
def backslash_in_character():
    """A character of two bytes that holds 5C, in a VR with several values: pydicom splits the bytes before it
    decodes them; of IR 87 and PN 3D as well."""
    def f(term, coded, institution):
        return small(70, t00080005=element(0x00080005, "CS", term), t00080080=element(0x00080080, "LO", coded(institution)))
    return f("ISO_IR 192", str.encode, "乗z"), {"gb18030": f("GB18030", lambda s: s.encode("gb18030"), "乗z"),
                                               "gbk": f("GBK", lambda s: s.encode("gbk"), "乗z")}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def backslash_in_escaped_character():
    """The same behind an escape, and 3D in a name."""
    def f(term, coded, name):
        return small(71, t00080005=element(0x00080005, "CS", term), t00080080=element(0x00080080, "LO", coded("俑z")),
                     t00100010=element(0x00100010, "PN", coded(name)))
    plain, japanese = ("ISO_IR 192", str.encode), ("\\ISO 2022 IR 87", escaped)
    return f(*plain, "予^予"), {"ir87": f(*japanese, "予^予")}


@case(("authentic",))
def characters_of_two_bytes():
    """Recoded text without such bytes is the same for every reader."""
    def f(term, coded):
        return small(72, t00080005=element(0x00080005, "CS", term), t00080080=element(0x00080080, "LO", coded("山田")),
                     t00100010=element(0x00100010, "PN", coded("山田^太郎")))
    return f("ISO_IR 192", str.encode), {"ir87": f("\\ISO 2022 IR 87", escaped),
                                         "gb18030": f("GB18030", lambda s: s.encode("gb18030"))}


@case(("indeterminate",), "reading.ambiguous", **{"padded": (("authentic",),),
                                                  "code-extensions": (("authentic",),)})
def private_text_under_un():
    """The character set changed under private text whose VR was not known when it was sealed: pydicom's
    dictionary knows it, and shows other letters. All bytes are as sealed, so it is no alteration that is proven."""
    creator = element(0x00090010, "LO", "GEMS_IDEN_01")
    f = lambda term, text=b"\xf8rsted", vr="UN": small(  # noqa: E731
        73, t00080005=element(0x00080005, "CS", term) if term else b"", t00090010=creator,
        t00091001=raw(0x00091001, vr, text), t00091002=raw(0x00091002, "UN", b"plain "),
        t00091003=raw(0x00091003, "UN", b"\x01\xf8"))
    return f("ISO_IR 100"), {
        "cyrillic": f("ISO_IR 144"), "greek": f("ISO_IR 126"), "none": f(None), "utf8": f("ISO_IR 192"),
        "misspelt": f("ISO-IR 144"), "named": f("ISO_IR 144", vr="LO"), "padded": f("ISO_IR 100  "),
        "code-extensions": f("ISO 2022 IR 100")}


@case(("indeterminate",), "reading.ambiguous", **{"latin1": (("authentic",),)})
def private_text_under_un_japanese():
    """The same where all bytes are ASCII: in ISO_IR 13 5C and 7E are other characters."""
    creator = element(0x00090010, "LO", "GEMS_IDEN_01")
    f = lambda term: small(76, t00080005=element(0x00080005, "CS", term), t00090010=creator,  # noqa: E731
                           t00091001=raw(0x00091001, "UN", b"1\\2~3 "))
    return f("ISO_IR 6"), {"jis": f("ISO_IR 13"), "latin1": f("ISO_IR 100")}


@case(("indeterminate",), "reading.ambiguous")
def private_text_under_un_in_item():
    """The same in an item, by its own character set, or by that of the top; sealed in implicit VR."""
    def f(outer, inner):
        text = element(0x00080005, "CS", inner, True) if inner else b""
        text += element(0x00090010, "LO", "GEMS_IDEN_01", True) + raw(0x00091001, "UN", b"\xf8rsted", True)
        return small(77, IMPLICIT, True, t00080005=element(0x00080005, "CS", outer, True),
                     t00081140=sequence(0x00081140, text, implicit=True))
    return f("ISO_IR 100", None), {"outer": f("ISO_IR 144", None), "inner": f("ISO_IR 100", "ISO_IR 144")}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def character_set_of_python():
    """pydicom takes Python's codecs for character sets: ASCII text becomes another."""
    f = lambda term: small(91, t00080005=element(0x00080005, "CS", term) if term else b"")  # noqa: E731
    return f(None), {"cp037": f("cp037"), "utf16": f("utf_16_le"), "second": f("ISO_IR 192\\cp500")}


@case(("authentic",))
def character_set_misspelt_for_ascii():
    """Terms that begin as those of the standard do leave ASCII as it is, for everybody."""
    f = lambda term: small(92, t00080005=element(0x00080005, "CS", term) if term else b"")  # noqa: E731
    return f(None), {"hyphen": f("ISO-IR 100"), "number": f("ISO_IR 999"), "gb": f("GB2312")}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def text_converted_into_rare_sets():
    """Latin-9 is unknown to most; pydicom shows Latin-1 behind ESC ( B."""
    name = lambda text: raw(0x00100010, "PN", text + b" " * (len(text) % 2))  # noqa: E731
    f = lambda term, text: small(93, t00080005=element(0x00080005, "CS", term), t00100010=name(text))  # noqa: E731
    return f("ISO_IR 192", "Šimek".encode()), {
        "latin-9": f("ISO_IR 203", "Šimek".encode("iso8859-15")),
        "latin-9-extended": f("\\ISO 2022 IR 203", b"\x1b-b" + "Šimek".encode("iso8859-15")),
        "back-to-ascii": f("ISO 2022 IR 101", b"\x1b(B" + "Šimek".encode("iso8859-2"))}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def elements_out_of_order():
    """Readers that stop at Pixel Data, or decode a sequence before they know the character set."""
    item = sequence(0x00081140, raw(0x00100010, "PN", "Müller".encode() + b" "))
    more = {0x00080005: element(0x00080005, "CS", "ISO_IR 192"), 0x00081140: item,
            0x00200060: element(0x00200060, "CS", "L")}

    def f(first=(), last=()):
        e = image(uid_of(94), 128, 128, grey(), more=more)
        moved = {tag: e.pop(tag) for tag in (*first, *last)}
        return meta(EXPLICIT, uid_of(94)) + b"".join(moved[t] for t in first) + body_of(e) \
            + b"".join(moved[t] for t in last)
    return f(), {"sequence-first": f(first=[0x00081140]), "pixels-first": f(first=[0x7FE00010]),
                 "laterality-last": f(last=[0x00200060])}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def sign_that_nobody_says():
    """A negative number in implicit VR, where Pixel Representation says another sign, or stands elsewhere."""
    f = lambda implicit: small(  # noqa: E731
        95, IMPLICIT if implicit else EXPLICIT, implicit,
        t00280106=raw(0x00280106, "SS", struct.pack("<h", -1000), implicit))
    return f(False), {"implicit": f(True)}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def sign_that_nobody_says_in_item():
    """The same in an item: DCMTK looks for Pixel Representation in the item alone."""
    def f(implicit):
        descriptor = raw(0x00283002, "SS", struct.pack("<hhh", 256, -1000, 16), implicit)
        return small(96, IMPLICIT if implicit else EXPLICIT, implicit,
                     t00280103=element(0x00280103, "US", 1, implicit),
                     t00283000=sequence(0x00283000, descriptor, implicit=implicit))
    return f(False), {"implicit": f(True)}
