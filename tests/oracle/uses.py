# SPDX-License-Identifier: Apache-2.0
"""What spec/seal.md grants, used: a mutant each, that has to stay `authentic` and be the same for each reader
(or to be told otherwise, where the decorator says so). exceptions.py says which words grant it.
"""
import struct
import subprocess
import tempfile
import pathlib
import zlib

import bases
import codestream_mutants as codes
import model
import writer as w
from cases import converted, grey, stream_of, words
from model import PIXELS, Element

USES = {}
RECENT = 0x00080403  # unknown to DCMTK 3.6.7 and pydicom 2.3.1


class Use:
    def __init__(self, base, change, verdicts, but):
        self.base, self.change, self.verdicts, self.but = base, change, verdicts, but

    def of(self, base):
        """The mutant of a base's bytes."""
        f = model.File(base)
        out = self.change(f)
        return f.bytes() if out is None else out


def use(base, *verdicts, name=None, but=None):
    """A mutant of a base; `but` is what readers may tell as different: a pattern of reader, place, and what."""
    def keep(change):
        USES[(name or change.__name__).replace("_", "-")] = Use(base, change, verdicts or ("authentic",), but)
        return change
    return keep


REMARK = r": \(0008,2111\) new: 'Lossless JPEG compression, selection value \d, point transform 0, compression ratio [\d.]+'$"  # the compressor's own, which is granted
GDCM_BITS = r"^GDCM: \(0028,010[12]\) "  # it writes them anew from the codestream; known.json
GDCM_UNUSED = r"^GDCM: the picture$"  # it clears bits outside Bits Stored, of encoded frames only


def put(f, tag, vr, value, elements=None):
    elements = f.elements if elements is None else elements
    elements[:] = sorted([e for e in elements if e.tag != tag] + [Element(tag, vr, value)], key=lambda e: e.tag)


def first_item(f):
    """Elements of the first item of the first sequence that has one."""
    return next(e for e in f.elements if isinstance(e.value, list) and e.value).value[0]


def bare(f, before=b""):
    return before + model.write(f.elements, f.implicit)


# -- 1: the file around the data set

@use("grey8")
def preamble(f):
    f.preamble = bytes(range(128, 256))


@use("grey8")
def meta_values(f):
    for tag, vr, value in ((0x00020003, "UI", b"1.2.3.4"), (0x00020012, "UI", b"1.2.3\0"),
                           (0x00020013, "SH", b"TOOL 2.0"), (0x00020016, "AE", b"STORESCU"),
                           (0x00020100, "UI", b"1.2.3\0"), (0x00020102, "OB", bytes(range(64)))):
        f.meta = sorted([e for e in f.meta if e.tag != tag] + [Element(tag, vr, value)], key=lambda e: e.tag)
    f.of_meta(0x00020003).value = b"1.2.3.4\0"


@use("ct")
def syntax_implicit(f):
    f.implicit = True
    f.name(model.IMPLICIT)


@use("ct")
def syntax_deflated(f):
    f.deflated = True
    f.name(model.DEFLATED)


for tool, command in (("big-endian", ("dcmconv", "+tb")), ("rle", ("dcmcrle",)), ("jpeg-ls", ("dcmcjpls",)),
                      ("jpeg-2000", ("gdcmconv", "--j2k")), ("lossless-jpeg", ("dcmcjpeg", "+e1", "+un"))):
    use("frames=2" if tool == "rle" else "grey8", name="syntax-" + tool, but=REMARK if tool == "lossless-jpeg" else None)(
        lambda f, command=command: converted(f.bytes(), *command))


@use("grey8")
def zeros_behind(f):
    f.tail = bytes(100)


@use("grey8")
def one_zero_behind(f):
    f.tail = b"\0"


@use("grey8")
def many_zeros_behind(f):
    f.tail = bytes(100_000)


@use("odd")
def pad_byte_of_pixels(f):
    e = f.find(PIXELS)
    e.value = e.value[:31 * 31] + b"\xff"


@use("bits")
def pad_bits_of_pixels(f):
    e = f.find(PIXELS)
    e.value = e.value[:-2] + bytes([e.value[-2] | 0xFE, 0xFF])


@use("grey8")
def without_preamble(f):
    return bare(f)


@use("grey8")
def meta_in_a_bare_data_set(f):
    return bare(f, model.write(f.meta, False))


@use("lut")
def undefined_lengths(f):
    next(e for e in f.elements if isinstance(e.value, list)).undefined = True


@use("grey8", name="undefined-lengths-of-private")
def undefined_private(f):
    f.find(0x00191004).undefined = True


@use("ct")
def order(f):
    f.elements[1], f.elements[2] = f.elements[2], f.elements[1]


@use("ct")
def order_in_item(f):
    item = first_item(f)
    item.reverse()


@use("grey8")
def block_number(f):
    for e in f.elements:
        if e.tag == 0x00190010:
            e.tag = 0x001900AB
        elif e.tag >> 8 == 0x001910:
            e.tag = 0x0019AB00 | e.tag & 0xFF


@use("two-blocks")
def block_numbers_exchanged(f):
    for e in f.elements:
        if e.tag >> 16 == 0x0019 and e.tag & 0xFFFF < 0x100:
            e.tag ^= 0x0001
        elif e.tag >> 16 == 0x0019:
            e.tag ^= 0x0100
    f.elements.sort(key=lambda e: e.tag)


# -- 2: reading

@use("lut", "altered")
def delimiter_length(f):
    e = next(e for e in f.elements if isinstance(e.value, list))
    e.undefined = True
    data = f.bytes()
    at = data.rindex(b"\xfe\xff\xdd\xe0\0\0\0\0")
    return data[:at + 4] + b"\x08" + data[at + 5:]


@use("lut", "altered")
def delimiter_in_defined_length(f):
    e = next(e for e in f.elements if isinstance(e.value, list))
    item = model.write(e.value[0], False) + b"\xfe\xff\x0d\xe0\0\0\0\0"
    e.value = struct.pack("<HHI", 0xFFFE, 0xE000, len(item)) + item


@use("rle frames=2")
def odd_fragment(f):
    """The pad byte of the last fragment left out. What a reader makes of it shows whether it may stay."""
    e = f.find(PIXELS)
    parts = codes.fragments(e)
    parts[-1] = parts[-1][:-1] if len(parts[-1]) % 2 == 0 and not parts[-1][-1] else parts[-1]
    codes.set_fragments(e, parts)


@use("grey8", name="private-under-un")
def private_un(f):
    for e in f.elements:
        if e.tag >> 16 & 1 and e.tag & 0xFFFF > 0xFF:
            e.forced_un = True


@use("grey8", "altered", "authentic", name="private-under-another-vr")
def private_other_vr(f):
    f.find(0x00191003).vr = "SS"
    f.find(0x00191001).vr = "SH"


@use("grey8")
def private_number_without_sign(f):
    f.find(0x00191003).vr = "SS"


@use("un-items", but=r": \(0019,ACME 1,01\) ")  # the same items, as bytes
def un_with_delimiter(f):
    e = f.find(0x00191001)
    e.value = e.value[:-8]


@use("ct", but=r": \(0028,0008\) new: '1'$")
def one_frame_said(f):
    put(f, 0x00280008, "IS", b"1 ")


@use("ct", but=r": \(0010,0010\) ")  # a list of attributes shows the delimiters
def empty_components(f):
    e = f.find(0x00100010)
    e.value = e.value.rstrip(b" ") + b"^^=" + b" " * ((len(e.value.rstrip(b" ")) + 3) % 2)


for vr in ("SH", "UN"):
    use("grey8", name="creator-under-" + vr.lower())(lambda f, vr=vr: setattr(f.find(0x00190010), "vr", vr))


@use("private-un", name="private-un-under-a-vr")
def private_known(f):
    for tag, vr in ((0x00191001, "LO"), (0x00191002, "FD"), (0x00191003, "US")):
        f.find(tag).vr = vr


@use("empty", name="empty-under-another-vr")
def empty_vr(f):
    f.find(0x00191001).vr = "SH"


@use("recent", name="recent-under-un")
def recent_un(f):
    f.find(RECENT).vr = "UN"


# -- 5: text, numbers, what has no leaf

TEXT_VRS = {0x00080054: "AE", 0x00101010: "AS", 0x00080060: "CS", 0x00080020: "DA", 0x00181151: "IS",
            0x00280030: "DS", 0x0008002A: "DT", 0x00080070: "LO", 0x00104000: "LT", 0x00100010: "PN",
            0x00080050: "SH", 0x00081190: "UR", 0x00080081: "ST", 0x00080030: "TM", 0x00080119: "UC",
            0x0020000D: "UI", 0x0040A160: "UT"}


def padded(pad):
    def change(f):
        for tag, vr in TEXT_VRS.items():
            e = f.find(tag)
            if e is not None and vr != "CS":
                e.value = e.value.rstrip(b" \0")
                e.value += (pad if vr != "UI" else b"\0") * 2
                e.value += e.value[-1:] * (len(e.value) % 2)
    return change


for pad_name, pad in (("spaces", b" "), ("nuls", b"\0"), ("space-and-nul", b" \0"), ("nul-and-space", b"\0 ")):
    use("text", name="text-padded-by-" + pad_name)(padded(pad))


@use("text")
def leading_spaces(f):
    for tag in (0x00080054, 0x00080060, 0x00080070, 0x00080050):
        e = f.find(tag)
        e.value = b"  " + e.value


@use("text")
def numbers_written_otherwise(f):
    f.find(0x00281052).value = b"-1.024E3"
    f.find(0x00281053).value = b"+2.00 "
    f.find(0x00280030).value = b".5e0\\0000.50"
    f.find(0x00181151).value = b" +00012 "


@use("grey8", name="character-set-of-ascii")
def term_of_ascii(f):
    put(f, 0x00080005, "CS", b"ISO_IR 192")


@use("ct", name="text-in-utf8")
def in_utf8(f):
    f.find(0x00080005).value = b"ISO_IR 192"
    f.find(0x00104000).value = "Müller ".encode()


@use("ct")
def group_length(f):
    put(f, 0x00280000, "UL", b"\1\2\3\4")


@use("ct")
def group_length_in_item(f):
    put(f, 0x00080000, "UL", struct.pack("<I", 40), first_item(f))


@use("ct")
def length_to_end(f):
    put(f, 0x00080001, "UL", b"\xff\xff\xff\x7f")


@use("ct")
def padding(f):
    put(f, 0xFFFCFFFC, "OB", bytes(range(256)))


@use("ct")
def padding_in_item(f):
    put(f, 0xFFFCFFFC, "OB", bytes(range(64)), first_item(f))


def signature_items(value):
    return [[Element(0x04000005, "US", b"\1\0"), Element(0x04000010, "CS", b"RIPEMD160 "),
             Element(0x04000120, "OB", value)]]


@use("ct")
def signatures(f):
    put(f, 0x4FFE0001, "SQ", signature_items(b"\1\2"))
    put(f, 0xFFFAFFFA, "SQ", signature_items(bytes(range(200))))


@use("ct")
def signatures_in_item(f):
    put(f, 0x4FFE0001, "SQ", signature_items(b"\1\2"), first_item(f))
    put(f, 0xFFFAFFFA, "SQ", signature_items(bytes(200)), first_item(f))


@use("rle frames=2")
def total_length(f):
    put(f, 0x7FE00003, "UV", b"\1\2\3\4\5\6\7\0")


@use("grey8")
def planar_of_one_sample(f):
    put(f, 0x00280006, "US", b"\1\0")


@use("rgb")
def planes(f):
    put(f, 0x00280006, "US", b"\1\0")
    e = f.find(PIXELS)
    e.value = e.value[0::3] + e.value[1::3] + e.value[2::3]


@use("rle rgb")
def planar_of_rle(f):
    put(f, 0x00280006, "US", b"\0\0")


@use("embedded")
def own_evidence_taken_out(f):
    f.elements = [e for e in f.elements if e.tag >> 16 != 0x0F1D]


@use("embedded")
def own_evidence_in_another_block(f):
    for e in f.elements:
        if e.tag == 0x0F1D0010:
            e.tag = 0x0F1D00AB
        elif e.tag >> 8 == 0x0F1D10:
            e.tag = 0x0F1DAB00 | e.tag & 0xFF


@use("embedded")
def own_evidence_under_un(f):
    f.find(0x0F1D1001).vr = "UN"


@use("overlay", name="ow-for-ob")
def ob_for_ow(f):
    f.find(0x60003000).vr = "OB"


@use("smallest", name="us-for-ss")
def ss_for_us(f):
    f.find(0x00280106).vr = "SS"


# -- 6 and 7: pixels

@use("frames=2", name="frames-written-otherwise")
def frames_text(f):
    f.find(0x00280008).value = b"+2"


@use("frames=2", name="frames-padded")
def frames_padded(f):
    f.find(0x00280008).value = b" 2  "


def with_parts(change):
    def of(f):
        e = f.find(PIXELS)
        parts = codes.fragments(e)
        change(parts)
        codes.set_fragments(e, parts)
    return of


def frame(change):
    """Changes the only frame."""
    def of(parts):
        parts[1:] = [codes.even(change(b"".join(parts[1:])))]
    return with_parts(of)


def split(parts):
    whole = b"".join(parts[1:])
    parts[1:] = [whole[:100], whole[100:102], b"", whole[102:]]


def one_byte_behind(d):
    """A byte where the pad byte belongs; a comment makes room for it."""
    d = d.rstrip(b"\0")
    if len(d) % 2 == 0:
        at = 4 + struct.unpack_from(">H", d, 4)[0] if d[:4] == b"\xff\x4f\xff\x51" else 2
        d = d[:at] + (codes.segment(0x64, b"\0\1odd") if at > 2 else codes.segment(0xFE, b"odd")) + d[at:]
    return d + b"\x55"


for codec in ("lossless", "jpeg-ls", "j2k"):
    use(codec, name=f"fragments-of-{codec}", but=GDCM_BITS)(with_parts(split))
    use(codec, name=f"zeros-behind-{codec}")(frame(lambda d: d + bytes(8)))
    use(codec, name=f"byte-behind-{codec}")(frame(one_byte_behind))
    use(codec, name=f"ff-behind-{codec}")(frame(lambda d: d + b"\xff" * 8))


@use("rle frames=2")
def empty_fragments(f):
    with_parts(lambda parts: parts.append(b""))(f)


@use("rle frames=2")
def offset_table(f):
    def fill(parts):
        parts[0] = struct.pack("<II", 0, 8 + len(parts[1]))
    with_parts(fill)(f)


@use("rle frames=2", "indeterminate")
def wrong_offset_table(f):
    def fill(parts):
        parts[0] = struct.pack("<II", 0, 10 + len(parts[1]))
    with_parts(fill)(f)


@use("rle frames=2")
def extended_offset_table(f):
    parts = codes.fragments(f.find(PIXELS))
    put(f, 0x7FE00001, "OV", struct.pack("<QQ", 0, 8 + len(parts[1])))
    put(f, 0x7FE00002, "OV", struct.pack("<QQ", *map(len, parts[1:])))


SEGMENTS = {"comment": codes.segment(0xFE, b"comment!"), "application-data": codes.segment(0xE9, bytes(range(60))),
            "icc-profile": codes.segment(0xE2, codes.ICC), "exif": codes.segment(0xE1, b"Exif\0\0MM\0*" + bytes(8))}
for kind, extra in SEGMENTS.items():
    for codec in ("lossless", "jpeg-ls", "jpeg colour"):
        if codec == "jpeg-ls" and kind == "exif":
            continue
        use(codec, name=f"{kind}-in-{codec.split()[0]}")(
            frame(lambda d, extra=extra: d[:2] + extra + d[2:]))


@use("j2k", name="comment-in-j2k")
def j2k_comment(f):
    def change(d):
        size = struct.unpack_from(">H", d, 4)[0]
        return d[:4 + size] + codes.segment(0x64, b"\0\1comment") + d[4 + size:]
    frame(change)(f)


for number in range(1, 8):
    use("ct", name=f"predictor-{number}", but=REMARK)(
        lambda f, n=number: converted(f.bytes(), "dcmcjpeg", "+el", "+sv", str(n), "+un"))


@use("progressive")
def progressive_named_baseline(f):
    f.name(w.JPEG)


@use("signed16", name="jpeg-2000-unsigned")
def unsigned_j2k(f):
    """Pixel Representation 1, Bits Allocated 16, a component of 16 bits without a sign."""
    bits = f.find(PIXELS).value
    stream = stream_of(converted(w.part10(w.image("2.25.7", 32, 32, bits, allocated=16), "2.25.7"), "gdcmconv", "--j2k"))
    e = f.find(PIXELS)
    e.vr, e.undefined = "OB", True
    codes.set_fragments(e, [b"", codes.even(stream)])
    f.name(w.J2K)


@use("rgb", name="jpeg-2000-transform")
def j2k_transform(f):
    return converted(f.bytes(), "gdcmconv", "--j2k")


@use("outside", but=GDCM_UNUSED)
def outside_bits_kept(f):
    return converted(f.bytes(), "dcmcrle")


@use("outside", "indeterminate")
def outside_bits_lost(f):
    return converted(f.bytes(), "dcmcjpls", "+pc")


# -- 10 and 14

@use("ct", name="remark-of-the-compressor", but=REMARK)
def remark(f):
    return converted(converted(f.bytes(), "dcmcjpeg", "+e1", "+un"), "dcmdjpeg")


@use("icon")
def icon_encoded(f):
    return converted(f.bytes(), "dcmcrle")


@use("ct", name="one-zero-behind-deflated")
def deflated_zero(f):
    stream = w.deflate(model.write(f.elements, False))
    return w.meta(model.DEFLATED, "2.25.1") + stream + b"\0"


@use("ct", name="gzip-trailer")
def gzip_trailer(f):
    body = model.write(f.elements, False)
    return (w.meta(model.DEFLATED, "2.25.1") + w.deflate(body) +
            struct.pack("<II", zlib.crc32(body), len(body)) + b"\0" * (len(w.deflate(body)) % 2))


def make_bases(samples):
    """Name -> bytes: those of bases.py, and some that only one use needs."""
    out = dict(bases.make(samples))

    def put_base(name, syntax=w.EXPLICIT, **of):
        uid = f"2.25.73{len(out):04d}"
        out[name] = w.part10(w.image(uid, of.pop("rows", 32), of.pop("columns", 32), of.pop("pixels"), **of), uid, syntax)

    creator = {0x00190010: w.element(0x00190010, "LO", "ACME 1")}
    put_base("private-un", pixels=grey(32, 32), more={
        **creator, 0x00191001: w.raw(0x00191001, "UN", b"text"), 0x00191002: w.raw(0x00191002, "UN", struct.pack("<d", 1.5)),
        0x00191003: w.raw(0x00191003, "UN", b"\7\0")})
    inner = w.item(w.element(0x00080104, "LO", "inner", True)) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    put_base("un-items", pixels=grey(32, 32), more={**creator, 0x00191001: w.raw(0x00191001, "UN", inner)})
    put_base("empty", pixels=grey(32, 32), more={**creator, 0x00191001: w.raw(0x00191001, "LO", b"")})
    put_base("recent", pixels=grey(32, 32), more={RECENT: w.element(RECENT, "CS", "STUDY")})
    text = {"AE": "STORE", "AS": "042Y", "CS": "OT", "DA": "20260101", "IS": "12", "DS": "0.5\\0.5", "DT": "20260101",
            "LO": "text", "LT": "text", "PN": "Test^One", "SH": "text", "UR": "http://a.example/b", "ST": "text", "TM": "1010",
            "UC": "text", "UI": "2.25.5", "UT": "text"}
    put_base("text", pixels=words(32, 32), allocated=16, stored=12, more={
        **{tag: w.element(tag, vr, text[vr]) for tag, vr in TEXT_VRS.items()},
        0x00281052: w.element(0x00281052, "DS", "-1024"), 0x00281053: w.element(0x00281053, "DS", "2")})
    put_base("smallest", pixels=grey(32, 32), more={0x00280106: w.element(0x00280106, "US", 3)})
    return out


def with_evidence(program, data):
    """The file with its evidence inside."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in.dcm"), pathlib.Path(folder, "out")
        source.write_bytes(data)
        subprocess.run([program.program, "seal", source, "--out", target, "--quiet"], check=True, capture_output=True,
                       env=program.environment)
        return (target / "in.dcm").read_bytes()
