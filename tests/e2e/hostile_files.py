# SPDX-License-Identifier: Apache-2.0
"""Files that attack a reader: name -> bytes, and the verdicts that are right for each.

The first dozen are those that were measured on other readers (crashes, gigabytes of memory,
silence); the rest goes through the data set, encapsulated pixels, the image description and the
seal itself.
"""
import struct
import zlib

EXPLICIT_LE = "1.2.840.10008.1.2.1"
IMPLICIT_LE = "1.2.840.10008.1.2"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
DEFLATED = "1.2.840.10008.1.2.1.99"
RLE = "1.2.840.10008.1.2.5"
CODED = {"JPEG baseline": "1.2.840.10008.1.2.4.50", "JPEG lossless": "1.2.840.10008.1.2.4.70",
         "JPEG-LS": "1.2.840.10008.1.2.4.80", "JPEG 2000": "1.2.840.10008.1.2.4.90",
         "HTJ2K": "1.2.840.10008.1.2.4.201", "JPEG XL": "1.2.840.10008.1.2.4.110", "RLE": RLE}
LONG_VR = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UN", b"UR", b"UT", b"SV", b"UV"}
UNDEFINED = 0xFFFFFFFF
BAD = {"malformed", "indeterminate", "unsealed"}  # refused, too much, or just not sealed


def element(tag, vr, value=b"", length=None):
    vr = vr.encode() if isinstance(vr, str) else vr
    head = struct.pack("<HH", tag >> 16, tag & 0xFFFF) + vr
    size = len(value) if length is None else length
    head += struct.pack("<HI", 0, size) if vr in LONG_VR else struct.pack("<H", size)
    return head + value


def item(value=b"", length=None):
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(value) if length is None else length) + value


ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def uid(text):
    data = text.encode()
    return data + b"\0" * (len(data) % 2)


def part10(data, syntax=EXPLICIT_LE, preamble=b"\0" * 128, meta=None):
    if meta is None:
        meta = (element(0x00020001, "OB", b"\0\1") +
                element(0x00020002, "UI", uid("1.2.840.10008.5.1.4.1.1.7")) +
                element(0x00020003, "UI", uid("2.25.1")) + element(0x00020010, "UI", uid(syntax)))
        meta = element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    return preamble + b"DICM" + meta + data


IDENTITY = (element(0x00080016, "UI", uid("1.2.840.10008.5.1.4.1.1.7")) +
            element(0x00080018, "UI", uid("2.25.1")))


def image(rows=8, columns=8, allocated=8, stored=None, high=None, samples=1, sign=0, frames=None,
          photometric=b"MONOCHROME2 ", planar=None, pixels=None, vr="OB", pixel_length=None):
    us = lambda tag, value: element(tag, "US", struct.pack("<H", value)) if value is not None else b""
    stored = allocated if stored is None else stored
    out = IDENTITY + us(0x00280002, samples)
    out += element(0x00280004, "CS", photometric) + us(0x00280006, planar)
    if frames is not None:
        out += element(0x00280008, "IS", frames + b" " * (len(frames) % 2))
    out += us(0x00280010, rows) + us(0x00280011, columns) + us(0x00280100, allocated)
    out += us(0x00280101, stored) + us(0x00280102, (stored - 1) & 0xFFFF if high is None else high)
    out += us(0x00280103, sign)
    if pixels is None:
        pixels = b"\x55" * 64
    return out + element(0x7FE00010, vr, pixels, pixel_length)


def encapsulated(*fragments, table=b"", end=SEQUENCE_END, syntax=RLE, **description):
    body = item(table) + b"".join(item(f) if isinstance(f, bytes) else f[0] for f in fragments) + end
    return part10(image(**description, pixels=b"", pixel_length=UNDEFINED) + body, syntax)


def raw(data):
    """Marks bytes that are no fragment but stand where one would."""
    return (data,)


def nested(depth, closed=True, content=b""):
    opening = element(0x0040A730, "SQ", b"", UNDEFINED) + item(b"", UNDEFINED)
    return IDENTITY + opening * depth + content + ((ITEM_END + SEQUENCE_END) * depth if closed else b"")


def nested_implicit(depth):
    opening = struct.pack("<HHI", 0x0040, 0xA730, UNDEFINED) + item(b"", UNDEFINED)
    return opening * depth + (ITEM_END + SEQUENCE_END) * depth


def nested_unknown(depth):
    """UN of undefined length, which holds implicit VR (PS3.5 6.2.2 note)."""
    return (IDENTITY + element(0x00091001, "UN", b"", UNDEFINED) + item(b"", UNDEFINED) +
            nested_implicit(depth) + ITEM_END + SEQUENCE_END)


def deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def deflate_bomb(inflated_bytes):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    out = packer.compress(image(rows=32768, columns=32768, pixels=b"", pixel_length=inflated_bytes))
    zeros = bytes(1 << 20)
    for _ in range(inflated_bytes >> 20):
        out += packer.compress(zeros)
    return out + packer.flush()


def jpeg_header(rows, columns):
    return (b"\xff\xd8\xff\xc3" + struct.pack(">HBHHB", 11, 8, rows, columns, 1) + b"\1\x11\0" +
            b"\xff\xda" + struct.pack(">HB", 8, 1) + b"\1\0\1\0\0" + b"\0" * 32 + b"\xff\xd9")


def jpeg_2000_header(rows, columns, components=1, tile=None):
    tile = tile or (columns, rows)
    siz = struct.pack(">HIIIIIIIIH", 0, columns, rows, 0, 0, tile[0], tile[1], 0, 0, components)
    siz += b"\7\1\1" * components
    return (b"\xff\x4f\xff\x51" + struct.pack(">H", len(siz) + 2) + siz + b"\xff\x52\0\x0c\0\0\0\1\0\5\4\4\0\1"
            b"\xff\x5c\0\x13\x40" + b"\x40" * 16 + b"\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93" + b"\0" * 16 +
            b"\xff\xd9")


def rle(segments, offsets=None, count=None):
    count = len(segments) if count is None else count
    if offsets is None:
        offsets, here = [], 64
        for segment in segments:
            offsets.append(here)
            here += len(segment)
    offsets = (list(offsets) + [0] * 15)[:15]
    return struct.pack("<16I", count, *offsets) + b"".join(segments)


def sealed_block(evidence, vr="OB", length=None, block=0x10):
    return (element(0x0F1D0000 | block, "LO", b"FIDUCIA ") +
            element(0x0F1D0001 | block << 8, vr, evidence, length))


def with_block(block):
    head = image(pixels=b"\x55" * 64)
    cut = head.index(struct.pack("<HH", 0x0028, 0x0002))
    return part10(head[:cut] + block + head[cut:])


def measured_elsewhere():
    """Those that other readers were measured with."""
    elements = b"".join(element(((0x1001 + 2 * (n // 61440)) << 16) + 0x1000 + n % 61440, "LO")
                        for n in range(1000000))
    return {
        "pixels cut at half": (part10(image(rows=512, columns=512, pixels=b"\1" * (512 * 256),
                                            pixel_length=512 * 512)), {"malformed"}),
        "nested 64": (part10(nested(64)), BAD),
        "nested 1,000": (part10(nested(1000)), {"malformed"}),
        "nested 8,000": (part10(nested(8000)), {"malformed"}),
        "nested 100,000": (part10(nested(100000)), {"malformed"}),
        "UN of length 0xFFFFFFFE": (part10(IDENTITY + element(0x00091001, "UN", b"", 0xFFFFFFFE)),
                                    {"malformed"}),
        "pixels of length 0xFFFFFFFE": (part10(image(vr="OW", pixels=b"\0" * 64,
                                                     pixel_length=0xFFFFFFFE)), {"malformed"}),
        "deflated bomb of 1 GiB": (part10(deflate_bomb(1 << 30), DEFLATED), {"malformed", "indeterminate"}),
        "a million empty elements": (part10(IDENTITY + elements), {"malformed", "indeterminate", "unsealed"}),
        "pixels of odd length": (part10(image(rows=15, columns=15, pixels=b"\1" * 225)), BAD),
        "preamble MZ": (part10(image(), preamble=b"MZ\x90\0" + b"\0" * 124), {"unsealed"}),
        "preamble ELF": (part10(image(), preamble=b"\x7fELF\2\1\1" + b"\0" * 121), {"unsealed"}),
        "preamble PDF": (part10(image(), preamble=b"%PDF-1.4\n" + b" " * 119), {"unsealed"}),
    }


def structure():
    deep = element(0x00081115, "SQ", item(element(0x00081115, "SQ", b"", 1000)))
    sequence = lambda value, length=None: part10(IDENTITY + element(0x00081115, "SQ", value, length))
    group_0002 = lambda syntax: element(0x00020010, "UI", uid(syntax))
    return {
        "empty": (b"", BAD), "one byte": (b"\0", {"malformed"}), "zeros": (b"\0" * 4096, {"malformed"}),
        "only DICM": (b"\0" * 128 + b"DICM", BAD),
        "noise": (bytes((n * 7919 >> 3) & 0xFF for n in range(100000)), {"malformed"}),
        "text": (b"Dear colleague,\n" * 500, {"malformed"}),
        "PNG": (b"\x89PNG\r\n\x1a\n" + b"\0" * 500, {"malformed"}),
        "zip": (b"PK\3\4" + b"\0" * 500, {"malformed"}),
        "DICM then noise": (b"\0" * 128 + b"DICM" + bytes(range(256)) * 8, {"malformed"}),
        "meta length zero": (part10(image(), meta=element(0x00020000, "UL", b"\0\0\0\0") +
                                    group_0002(EXPLICIT_LE)), BAD),
        "meta length 4 GiB": (part10(image(), meta=element(0x00020000, "UL", b"\xff\xff\xff\xff") +
                                     group_0002(EXPLICIT_LE)), BAD),
        "no transfer syntax": (part10(image(), meta=element(0x00020001, "OB", b"\0\1")), BAD),
        "empty transfer syntax": (part10(image(), syntax=""), BAD),
        "unknown transfer syntax": (part10(image(), syntax="1.2.3.4.5.6.7"), BAD),
        "long transfer syntax": (part10(image(), syntax="1.2." + "3" * 60000), BAD),
        "not deflated at all": (part10(image(), DEFLATED), {"malformed"}),
        "deflated, cut": (part10(deflate(image())[:-9], DEFLATED), {"malformed"}),
        "deflated, then noise": (part10(deflate(image()) + b"\xAA" * 1000, DEFLATED), BAD),
        "deflated nested 100,000": (part10(deflate(nested(100000)), DEFLATED), {"malformed"}),
        "implicit nested 100,000": (part10(nested_implicit(100000), IMPLICIT_LE), {"malformed"}),
        "UN nested 100,000": (part10(nested_unknown(100000)), {"malformed"}),
        "nested 100,000, never closed": (part10(nested(100000, closed=False)), {"malformed"}),
        "big endian read as little": (part10(image(), BIG_ENDIAN), BAD),
        "item at top": (part10(IDENTITY + item(b"\0" * 8)), {"malformed"}),
        "item end at top": (part10(IDENTITY + ITEM_END + image()), {"malformed"}),
        "sequence end at top": (part10(IDENTITY + SEQUENCE_END + image()), {"malformed"}),
        "sequence past the file": (sequence(item(b""), 1 << 30), {"malformed"}),
        "item past its sequence": (sequence(item(b"", 4000), 8), {"malformed"}),
        "inner sequence past its item": (part10(IDENTITY + deep), {"malformed"}),
        "item never closed": (sequence(item(b"", UNDEFINED), UNDEFINED), BAD),
        "sequence never closed": (sequence(item(IDENTITY), UNDEFINED), BAD),
        "element instead of item": (sequence(IDENTITY), BAD),
        "a million items": (sequence(item() * 1000000), BAD),
        "100,000 sequences": (part10(IDENTITY + b"".join(
            element(0x00090000 + 0x1000 + n % 60000 + ((n // 60000) << 17), "SQ", item())
            for n in range(100000))), BAD),
        "VR ZZ": (part10(IDENTITY + element(0x00100010, "ZZ", b"ab")), {"malformed", "unsealed"}),
        "VR zero": (part10(IDENTITY + element(0x00100010, b"\0\0", b"ab")), {"malformed", "unsealed"}),
        "tags descend": (part10(element(0x00280010, "US", b"\1\0") + IDENTITY + image()), BAD),
        "the same tag 100,000 times": (part10(IDENTITY + element(0x00100010, "PN", b"AB") * 100000), BAD),
        "two pixel data": (part10(image() + element(0x7FE00010, "OB", b"\0" * 64)), BAD),
        "after pixel data": (part10(image() + element(0x00100010, "PN", b"AB")), BAD),
        "trailing noise": (part10(image() + b"\xde\xad\xbe\xef"), BAD),
        "broken escapes": (part10(element(0x00080005, "CS", b"ISO 2022 IR 87\\ISO 2022 IR 149 ") + IDENTITY +
                                  element(0x00100010, "PN", b"\x1b$B\x1b\x1b$)C\xff\x1b(")), BAD),
        "unknown character set": (part10(element(0x00080005, "CS", b"KLINGON ") + IDENTITY +
                                         element(0x00100010, "PN", b"\xff\xfe\x80\x81")), BAD),
        "1,000 character sets": (part10(element(0x00080005, "CS", b"\\".join([b"ISO_IR 100"] * 1000)[:10998]) +
                                        IDENTITY), BAD),
        "8 MiB of backslashes": (part10(IDENTITY + element(0x00081190, "UR", b"a\\" * (4 << 20))), BAD),
        "1 MiB decimal strings": (part10(IDENTITY + element(0x0018106A, "UT", b"x" * 10) +
                                         element(0x00189999, "UC", b"1e999999999\\" * 90000)), BAD),
    }


def descriptions():
    return {
        "no rows": (part10(image(rows=0)), BAD), "no columns": (part10(image(columns=0)), BAD),
        "65535 x 65535 of 64 bytes": (part10(image(rows=65535, columns=65535)), BAD),
        "2^31 frames": (part10(image(frames=b"2147483647")), BAD),
        "-1 frames": (part10(image(frames=b"-1")), BAD), "0 frames": (part10(image(frames=b"0")), BAD),
        "frames in words": (part10(image(frames=b"abc")), BAD),
        "many digits of frames": (part10(image(frames=b"9" * 4000)), BAD),
        "no samples": (part10(image(samples=0)), BAD),
        "65535 samples": (part10(image(samples=65535)), BAD),
        "0 bits": (part10(image(allocated=0, stored=0)), BAD),
        "3 bits": (part10(image(allocated=3)), BAD), "128 bits": (part10(image(allocated=128)), BAD),
        "65535 bits": (part10(image(allocated=65535)), BAD),
        "more stored than allocated": (part10(image(stored=16)), BAD),
        "high bit 200": (part10(image(high=200)), BAD),
        "signed 7": (part10(image(sign=7)), BAD), "planar 9": (part10(image(samples=3, planar=9)), BAD),
        "strange colours": (part10(image(photometric=b"\xff\0\xfe\1")), BAD),
        "empty pixels": (part10(image(pixels=b"")), BAD),
        "pixels too long": (part10(image(pixels=b"\1" * 6400)), BAD),
        "1 bit, short": (part10(image(rows=999, columns=999, allocated=1)), BAD),
        "422 of odd width": (part10(image(rows=3, columns=3, samples=3, photometric=b"YBR_FULL_422",
                                          planar=0, pixels=b"\1" * 18)), BAD),
        "rows of one byte": (part10(image().replace(
            element(0x00280010, "US", b"\x08\0"), element(0x00280010, "US", b"\x08"))), BAD),
        "rows as text": (part10(image().replace(
            element(0x00280010, "US", b"\x08\0"), element(0x00280010, "LT", b"99"))), BAD),
    }


def encapsulations():
    out = {
        "no fragments": (encapsulated(), BAD),
        "empty fragment": (encapsulated(b""), BAD),
        "100,000 empty fragments": (encapsulated(*[b""] * 100000), BAD),
        "odd fragment": (encapsulated(raw(item(b"\0" * 65))), BAD),
        "fragment past the file": (encapsulated(raw(item(b"\0" * 64, 1 << 30))), {"malformed"}),
        "fragment of undefined length": (encapsulated(raw(item(b"\0" * 64, UNDEFINED))), {"malformed"}),
        "never closed": (encapsulated(b"\0" * 64, end=b""), BAD),
        "element among fragments": (encapsulated(raw(element(0x00100010, "PN", b"AB"))), {"malformed"}),
        "offset table of 3 bytes": (encapsulated(b"\0" * 64, table=b"\1\2\3"), BAD),
        "offsets past the end": (encapsulated(rle([b"\xc1\x55"]), table=b"\xff\xff\xff\x7f"), BAD),
        "offsets that descend": (encapsulated(rle([b"\xc1\x55"]), rle([b"\xc1\x55"]), frames=b"2",
                                              table=struct.pack("<II", 80, 0)), BAD),
        "more frames than fragments": (encapsulated(rle([b"\xc1\x55"]), frames=b"100000"), BAD),
        "RLE of 255 segments": (encapsulated(rle([b"\xc1\x55"], count=255)), BAD),
        "RLE offsets past the end": (encapsulated(rle([b"\xc1\x55"], offsets=[0x7FFFFFFF])), BAD),
        "RLE offset into its header": (encapsulated(rle([b"\xc1\x55"], offsets=[4])), BAD),
        "RLE bomb": (encapsulated(rle([b"\x81\0" * 4000]), rows=65535, columns=65535), BAD),
        "RLE too long": (encapsulated(rle([b"\x81\0" * 4000])), BAD),
        "RLE 64 bytes of header only": (encapsulated(rle([], count=1)), BAD),
        "JPEG of 65535 x 65535": (encapsulated(jpeg_header(65535, 65535), rows=65535, columns=65535,
                                               syntax=CODED["JPEG lossless"]), BAD),
        "JPEG of another size": (encapsulated(jpeg_header(2000, 2000), syntax=CODED["JPEG lossless"]), BAD),
        "JPEG 2000 of 2^31": (encapsulated(jpeg_2000_header(1 << 31, 1 << 31), rows=65535, columns=65535,
                                           syntax=CODED["JPEG 2000"]), BAD),
        "JPEG 2000 of 16,384 components": (encapsulated(jpeg_2000_header(8, 8, 16384),
                                                        syntax=CODED["JPEG 2000"]), BAD),
        "JPEG 2000 of one-pixel tiles": (encapsulated(jpeg_2000_header(4096, 4096, 1, (1, 1)), rows=4096,
                                                      columns=4096, syntax=CODED["JPEG 2000"]), BAD),
        "HTJ2K of 2^31": (encapsulated(jpeg_2000_header(1 << 31, 1 << 31), rows=65535, columns=65535,
                                       syntax=CODED["HTJ2K"]), BAD),
        "native pixels under RLE": (part10(image(), RLE), BAD),
        "encapsulated under native": (encapsulated(b"\0" * 64, syntax=EXPLICIT_LE), BAD),
    }
    for name, syntax in CODED.items():
        out[f"noise as {name}"] = (encapsulated(bytes(range(256)) * 16, syntax=syntax), BAD)
    return out


def seals():
    """Our own private block as the attacker writes it."""
    cbor_depth = b"\x81" * 100000 + b"\0"
    judged = {"altered", "malformed", "indeterminate", "untrusted", "unsealed"}
    return {
        "seal of noise": (with_block(sealed_block(bytes(range(256)))), judged),
        "empty seal": (with_block(sealed_block(b"")), judged),
        "seal of 64 MiB zeros": (with_block(sealed_block(bytes(64 << 20))), judged),
        "seal nested 100,000 deep": (with_block(sealed_block(cbor_depth + b"\0")), judged),
        "seal of 2^63 bytes": (with_block(sealed_block(b"\x5b\x7f" + b"\xff" * 7 + b"\0")), judged),
        "seal of 2^63 entries": (with_block(sealed_block(b"\xbb\x7f" + b"\xff" * 7 + b"\0")), judged),
        "seal as sequence": (with_block(sealed_block(item(IDENTITY), "SQ")), judged),
        "two seals": (with_block(sealed_block(b"\xa0\0") + sealed_block(b"\xa0\0", block=0x11)), judged),
        "a seal in each of 239 blocks": (with_block(b"".join(
            element(0x0F1D0000 | b, "LO", b"FIDUCIA ") for b in range(0x10, 0xFF)) + b"".join(
            element(0x0F1D0001 | b << 8, "OB", b"\xa0\0") for b in range(0x10, 0xFF))), judged),
        "seal in an item": (part10(element(0x00081115, "SQ", item(sealed_block(b"\xa0\0"))) + image()), judged),
    }


def all_files():
    out = {}
    for group in (measured_elsewhere, structure, descriptions, encapsulations, seals):
        made = group()
        assert not out.keys() & made.keys()
        out.update(made)
    return out
