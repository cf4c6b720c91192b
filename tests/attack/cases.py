# SPDX-License-Identifier: Apache-2.0
"""One function a case: (base, {name: mutant}) as files' bytes; the decorator says what must be told.

The base is synthetic and `authentic` once sealed, unless the case says otherwise. The docstring says
which reader takes the mutant for something else than we do.
"""
import collections
import pathlib
import re
import struct
import subprocess
import tempfile
import zlib

from writer import *  # noqa: F403  a vocabulary, not a module

Case = collections.namedtuple("Case", "make verdicts codes base of says never_says")
CASES = {}
DIFFERS = ("altered",)
NEVER = ("altered", "indeterminate", "malformed")


def case(verdicts, *codes, base=("authentic",), says=None, never_says=None, **of):
    """`codes`: one of them has to be among the findings that are no notes; `of`: what one mutant has
    instead, as (verdicts, codes...). `says`, `never_says`: mutant (or base) -> what the text of some
    finding, or of none, has to match."""
    def keep(make):
        CASES[make.__name__] = Case(make, verdicts, codes, base, of, says or {}, never_says or {})
        return make
    return keep


def uid_of(number):
    return f"2.25.70{number:04d}"


def grey(rows=128, columns=128, shift=0):
    return bytes((x * 3 + y * 5 + (x * y >> 4) + shift) % 251 for y in range(rows) for x in range(columns))


def words(rows=128, columns=128, top=4096):
    return b"".join(struct.pack("<H", (x * 37 + y * 91) % top) for y in range(rows) for x in range(columns))


def colour(rows=128, columns=128):
    return bytes(v for y in range(rows) for x in range(columns)
                 for v in ((x * 2) % 256, (y * 2) % 256, 255 - (x + y) % 256))


def converted(data, *command):
    """What a program makes of a file: command IN OUT."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in.dcm"), pathlib.Path(folder, "out.dcm")
        source.write_bytes(data)
        subprocess.run([*command, source, target], check=True, capture_output=True)
        return target.read_bytes()


def fragments_of(data):
    """Those of the last encapsulated Pixel Data, without the offset table."""
    at = data.rindex(struct.pack("<HH", 0x7FE0, 0x0010) + b"OB\0\0\xff\xff\xff\xff") + 12
    parts = []
    while data[at:at + 4] == b"\xfe\xff\x00\xe0":
        size = struct.unpack_from("<I", data, at + 4)[0]
        parts.append(data[at + 8:at + 8 + size])
        at += 8 + size
    return parts[1:]


def stream_of(data):
    """The only frame of an encapsulated file."""
    return b"".join(fragments_of(data))


def changed(elements, **by_tag):
    """t00280004=b'..' replaces, None removes."""
    out = dict(elements)
    for name, data in by_tag.items():
        if data is None:
            del out[int(name[1:], 16)]
        else:
            out[int(name[1:], 16)] = data
    return out


# -- two data sets in one file

def with_hidden_data_set(uid):
    """An image in implicit VR, and an element without a leaf to put before it whose value is another
    image in explicit VR: the first bytes of its length spell a VR."""
    fake = body_of(image(uid, 128, 128, grey(shift=90), patient="Other^Patient"))
    fake += b"\xfc\xff\xfc\xffOB\0\0"  # swallows what follows for those who read explicit VR
    genuine = image(uid, 128, 128, grey(), implicit=True)
    size = 0x4F4C  # "LO" as the low half of a length: an empty value for explicit readers
    fake += struct.pack("<I", size + 8 + len(body_of(genuine)) - len(fake) - 12)
    return genuine, raw(0x00080001, "UL", fake + bytes(size - len(fake)), implicit=True)


@case(NEVER, "reading.ambiguous", "malformed.not_dicom", "malformed")
def polyglot_fallback():
    """Explicit VR is named; read as implicit VR, LengthToEnd swallows another data set that DCMTK, GDCM
    and pydicom show."""
    uid = uid_of(1)
    genuine, hidden = with_hidden_data_set(uid)
    return part10(genuine, uid, IMPLICIT), {"mutant": meta(EXPLICIT, uid) + hidden + body_of(genuine)}


@case(NEVER, "reading.ambiguous", "malformed")
def polyglot_plain():
    """Orderly implicit VR, and an element without a leaf that is a whole data set in explicit VR."""
    uid = uid_of(2)
    genuine, hidden = with_hidden_data_set(uid)
    return part10(genuine, uid, IMPLICIT), {"mutant": meta(IMPLICIT, uid) + hidden + body_of(genuine)}


@case(NEVER, "reading.ambiguous", "malformed", "encoding.changed")
def polyglot_two_syntaxes():
    """(0002,0000) is 0: readers disagree where group 0002 ends, and in which encoding the rest is."""
    uid = uid_of(3)
    genuine, hidden = with_hidden_data_set(uid)
    return part10(genuine, uid, IMPLICIT), {
        "mutant": meta(IMPLICIT, uid, 0) + hidden + body_of(genuine),
        "length-only": meta(IMPLICIT, uid, 0) + body_of(genuine)}


@case(NEVER, "reading.ambiguous", "malformed")
def polyglot_unknown_vr():
    """VR `QQ`: with a length of 16 bits for some readers, of 32 for others."""
    uid = uid_of(4)
    e = image(uid, 128, 128, grey())
    hidden = struct.pack("<HH", 8, 1) + b"QQ\0\0" + struct.pack("<I", 65544) + bytes(65544)
    return part10(e, uid), {"mutant": part10(changed(e, t00080001=hidden), uid),
                            "short": part10(changed(e, t00200062=raw(0x00200062, "QQ", b"L ")), uid)}


# -- forms of values that some reader takes otherwise

@case(NEVER, "reading.ambiguous", "attribute.altered")
def un_standard_attribute():
    """A standard attribute under UN in explicit VR: DCMTK does not apply it."""
    uid = uid_of(5)
    lut = element(0x00283002, "US", [4096, 0, 16], True) + element(0x00283004, "LO", "US", True)
    lut += raw(0x00283006, "OW", words(64, 64, 65536), True)
    short = {0x20500020: element(0x20500020, "CS", "INVERSE"), 0x00281052: element(0x00281052, "DS", "-1024"),
             0x00281053: element(0x00281053, "DS", "2")}
    base = image(uid, 128, 128, words(), allocated=16, stored=12, more=short)
    under = lambda tag, value: {tag: raw(tag, "UN", value)}  # noqa: E731
    return part10(base, uid), {
        "presentation-lut-shape": part10({**base, **under(0x20500020, b"INVERSE ")}, uid),
        "rescale-intercept": part10({**base, **under(0x00281052, b"-1024 ")}, uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered", "item.added")
def un_modality_lut():
    """The modality LUT under UN: DCMTK does not apply it."""
    uid = uid_of(6)

    def lut(implicit):
        return (element(0x00283002, "US", [4096, 0, 16], implicit) + element(0x00283003, "LO", "x", implicit) +
                element(0x00283004, "LO", "US", implicit) + raw(0x00283006, "OW", words(64, 64, 65536), implicit))
    base = image(uid, 128, 128, words(), allocated=16, stored=12,
                 more={0x00283000: sequence(0x00283000, lut(False))})
    return part10(base, uid), {
        "un": part10(changed(base, t00283000=raw(0x00283000, "UN", item(lut(True)))), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def un_overlay():
    """Overlay Data under UN: DCMTK shows no overlay."""
    uid = uid_of(7)
    plane = bytes((i * 37) % 256 for i in range(128 * 128 // 8))
    base = image(uid, 128, 128, grey(), more={
        0x60000010: element(0x60000010, "US", 128), 0x60000011: element(0x60000011, "US", 128),
        0x60000040: element(0x60000040, "CS", "G"), 0x60000050: element(0x60000050, "SS", [1, 1]),
        0x60000100: element(0x60000100, "US", 1), 0x60000102: element(0x60000102, "US", 0),
        0x60003000: raw(0x60003000, "OW", plane)})
    return part10(base, uid), {
        "data": part10(changed(base, t60003000=raw(0x60003000, "UN", plane)), uid),
        "rows": part10(changed(base, t60000010=raw(0x60000010, "UN", b"\x80\0")), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def un_number_of_frames():
    """Number of Frames under UN: DCMTK shows one."""
    uid = uid_of(8)
    base = image(uid, 128, 128, grey() + grey(shift=9), more={0x00280008: element(0x00280008, "IS", "2")})
    return part10(base, uid), {"un": part10(changed(base, t00280008=raw(0x00280008, "UN", b"2 ")), uid)}


@case(DIFFERS, "attribute.altered", "reading.ambiguous")
def number_as_text():
    """DCMTK reads 0 from a DS of 20 leading zeros, 50 from an IS `50E-1`."""
    uid = uid_of(9)
    base = image(uid, 128, 128, grey(), more={0x00281052: element(0x00281052, "DS", "-1024"),
                                              0x00281053: element(0x00281053, "DS", "1")})
    return part10(base, uid), {
        "zeros": part10(changed(base, t00281052=element(0x00281052, "DS", "-" + "0" * 20 + "1024")), uid),
        "exponent": part10(changed(base, t00200013=element(0x00200013, "IS", "50E-1")), uid),
        "point": part10(changed(base, t00200013=element(0x00200013, "IS", "5.0")), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered", "attribute.added")
def planar_configuration():
    """Planar Configuration of another form: readers disagree about the colours."""
    uid = uid_of(10)
    base = image(uid, 128, 128, colour(), samples=3, colour="RGB")
    return part10(base, uid), {
        "ul": part10(changed(base, t00280006=element(0x00280006, "UL", 0)), uid),
        "two-values": part10(changed(base, t00280006=element(0x00280006, "US", [0, 1])), uid),
        "empty": part10(changed(base, t00280006=raw(0x00280006, "US", b"")), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def ybr_422():
    """YBR_FULL_422 as three samples a pixel, or with Planar Configuration 1: other pictures everywhere."""
    uid = uid_of(11)
    full = colour()
    pairs = b"".join(bytes((full[i], full[i + 3], full[i + 1], full[i + 2])) for i in range(0, len(full), 6))
    spelled = b"".join(bytes((full[i], full[i + 1], full[i + 2], full[i + 3], full[i + 1], full[i + 2]))
                       for i in range(0, len(full), 6))
    base = image(uid, 128, 128, pairs, samples=3, colour="YBR_FULL_422")
    return part10(base, uid), {
        "spelled-out": part10(changed(base, t7FE00010=raw(PIXELS, "OB", spelled)), uid),
        "planar": part10(changed(base, t00280006=element(0x00280006, "US", 1)), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered", "pixels.altered")
def odd_length():
    """INVERSE in 7 bytes: DCMTK ignores it."""
    uid = uid_of(12)
    base = image(uid, 128, 128, grey(), more={0x20500020: element(0x20500020, "CS", "INVERSE")})
    return part10(base, uid), {
        "inverse": part10(changed(base, t20500020=raw(0x20500020, "CS", b"INVERSE")), uid),
        "one-byte-us": part10(changed(base, t00280103=raw(0x00280103, "US", b"\0")), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def lut_data_ob():
    """LUT Data under OB: DCMTK does not apply the table."""
    uid = uid_of(13)

    def base(vr):
        lut = element(0x00283002, "US", [4096, 0, 16]) + element(0x00283004, "LO", "US")
        return image(uid, 128, 128, words(), allocated=16, stored=12, more={
            0x00283000: sequence(0x00283000, lut + raw(0x00283006, vr, words(64, 64, 65536)))})
    return part10(base("OW"), uid), {"ob": part10(base("OB"), uid)}


@case(NEVER, "reading.ambiguous", "attribute.altered")
def nul_before_term():
    """`\\0RGB`: GDCM shows one channel as grey."""
    uid = uid_of(14)
    base = image(uid, 128, 128, colour(), samples=3, colour="RGB")
    return part10(base, uid), {"rgb": part10(changed(base, t00280004=raw(0x00280004, "CS", b"\0RGB")), uid),
                               "name": part10(changed(base, t00100010=raw(0x00100010, "PN", b"\0\0Test^One")), uid)}


# -- codestreams

@case(DIFFERS, "attribute.altered", "reading.ambiguous")
def jpeg_relabel():
    """A YBR JPEG that calls itself RGB: DCMTK shows other colours."""
    uid = uid_of(15)
    native = part10(image(uid, 128, 128, colour(), samples=3, colour="RGB"), uid)
    stream = stream_of(converted(native, "dcmcjpeg", "+eb", "+un"))
    base = image(uid, 128, 128, encapsulated(stream), samples=3, colour="YBR_FULL_422")
    rgb = changed(base, t00280004=element(0x00280004, "CS", "RGB"))
    return part10(base, uid, JPEG), {"rgb": part10(rgb, uid, JPEG), "rgb-extended": part10(rgb, uid, JPEG_EXTENDED)}


def box(kind, data):
    return struct.pack(">I", 8 + len(data)) + kind + data


def jp2(stream, bits, more=b"", colour=17):
    """The 128 x 128 grey codestream in boxes; `bits`: precision - 1, and 0x80 if it is signed."""
    header = box(b"ihdr", struct.pack(">IIHBBBB", 128, 128, 1, bits, 7, 0, 0))
    header += box(b"colr", b"\x01\0\0" + struct.pack(">I", colour)) + more
    whole = struct.pack(">I", 0) + b"jp2c" + stream  # to the end of the file
    return box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header) + whole


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed")
def jp2_palette():
    """JPEG 2000 in JP2 boxes with a palette that inverts: GDCM applies it."""
    uid = uid_of(16)
    native = part10(image(uid, 128, 128, grey()), uid)
    stream = stream_of(converted(native, "gdcmconv", "--j2k"))
    if b"\xff\x4f\xff\x51" in stream[:200]:
        stream = stream[stream.index(b"\xff\x4f\xff\x51"):]
    base = image(uid, 128, 128, encapsulated(stream))
    palette = struct.pack(">HB", 256, 3) + b"\x07\x07\x07" + b"".join(bytes([255 - i] * 3) for i in range(256))
    mapping = b"".join(struct.pack(">HBB", 0, 1, i) for i in range(3))
    boxes = jp2(stream, 7, box(b"pclr", palette) + box(b"cmap", mapping), colour=16)
    return part10(base, uid, J2K), {"boxed": part10(changed(base, t7FE00010=encapsulated(boxes)), uid, J2K)}


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed")
def jp2_signed():
    """Signed JPEG 2000 in JP2 boxes, which PS3.5 A.4.4 forbids: pydicom with Pillow finds no header at the
    start, does not undo the sign, and shows every sample wrong."""
    uid = uid_of(74)
    signed = b"".join(struct.pack("<h", (x * 37 + y * 91) % 4096 - 2048) for y in range(128) for x in range(128))
    native = image(uid, 128, 128, signed, allocated=16, signed=1)
    stream = stream_of(converted(part10(native, uid), "gdcmconv", "--j2k"))
    f = lambda data: part10(changed(native, t7FE00010=encapsulated(data)), uid, J2K)  # noqa: E731
    return f(stream), {"boxed": f(jp2(stream, 0x8F))}


@case(NEVER, "reading.ambiguous", "pixels.altered")
def j2k_signs_not_extended():
    """Signed 12 bits re-encoded as unsigned: pydicom and GDCM show negative values 4,096 too high."""
    uid = uid_of(17)
    signed = b"".join(struct.pack("<h", (x * 37 + y * 91) % 4096 - 2048) for y in range(128) for x in range(128))
    base = image(uid, 128, 128, signed, allocated=16, stored=12, signed=1)
    bare = b"".join(struct.pack("<H", v & 0xFFF) for v, in struct.iter_unpack("<h", signed))
    unsigned = part10(image(uid, 128, 128, bare, allocated=16, stored=12), uid)
    stream = stream_of(converted(unsigned, "gdcmconv", "--j2k"))
    return part10(base, uid), {
        "unsigned": part10(changed(base, t7FE00010=encapsulated(stream)), uid, J2K)}


def j2k_of(values, precision):
    """JPEG 2000 of unsigned words by gdcmconv, which writes a precision of 16. With the values moved up by the
    difference of the level shifts, the same coefficients are those of a lower precision."""
    shift = (1 << 15) - (1 << precision - 1)
    moved = b"".join(struct.pack("<H", v + shift) for v, in struct.iter_unpack("<H", values))
    stream = stream_of(converted(part10(image("2.25.7", 128, 128, moved, allocated=16), "2.25.7"), "gdcmconv", "--j2k"))
    assert stream[:4] == b"\xff\x4f\xff\x51" and stream[42] == 15
    return stream[:42] + bytes([precision - 1]) + stream[43:]


@case(NEVER, "reading.ambiguous", "pixels.altered", **{"all-16": (("authentic",),), "all-12": (("authentic",),)})
def j2k_precision_mixed():
    """Frames of different precision: pydicom takes that of the first for all, and shows others 16 times too
    dark or too bright. One for all frames, as gdcmconv writes it, stays."""
    uid, frames = uid_of(45), (words(), words(top=3001))
    two = {0x00280008: element(0x00280008, "IS", "2")}
    f = lambda *bits: part10(image(uid, 128, 128, encapsulated(*map(j2k_of, frames, bits)), allocated=16,  # noqa: E731
                                   stored=12, more=two), uid, J2K)
    base = part10(image(uid, 128, 128, b"".join(frames), allocated=16, stored=12, more=two), uid)
    return base, {"12-16": f(12, 16), "16-12": f(16, 12), "all-16": f(16, 16), "all-12": f(12, 12)}


@case(NEVER, "reading.ambiguous", "pixels.altered", **{
    "all-sample": (("authentic",),), "all-line": (("authentic",),), "all-none": (("authentic", "indeterminate"),)})
def jpeg_ls_interleaving_mixed():
    """Colour frames of JPEG-LS with different interleaving: GDCM takes the planes of some in the wrong order."""
    uid, pixels = uid_of(46), colour() + colour()[::-1]
    native = image(uid, 128, 128, pixels, samples=3, colour="RGB", more={0x00280008: element(0x00280008, "IS", "2")})
    by = {mode: fragments_of(converted(part10(native, uid), "dcmcjpls", "+un", f"+i{mode[0]}"))
          for mode in ("sample", "line", "none")}
    f = lambda a, b: part10(changed(native, t7FE00010=encapsulated(by[a][0], by[b][1])), uid, JPEG_LS)  # noqa: E731
    return part10(native, uid), {"sample-none": f("sample", "none"), "none-line": f("none", "line"),
                                 **{f"all-{mode}": f(mode, mode) for mode in by}}


def png(pixels, rows, columns, orientation=None):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    lines = b"".join(b"\0" + pixels[y * columns:(y + 1) * columns] for y in range(rows))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0))
    if orientation:
        out += chunk(b"eXIf", b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" +
                     struct.pack(">H", orientation) + bytes(6))
    return out + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def jxl(picture):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in.png"), pathlib.Path(folder, "out.jxl")
        source.write_bytes(picture)
        subprocess.run(["cjxl", "-d", "0", "--container=0", source, target], check=True, capture_output=True)
        return target.read_bytes()


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed")
def jxl_mirrored():
    """Lossless JPEG XL with orientation 2: mirrored by decoders that follow it."""
    uid = uid_of(18)
    base = image(uid, 128, 128, encapsulated(jxl(png(grey(), 128, 128))))
    mirrored = jxl(png(grey(), 128, 128, 2))
    return part10(base, uid, JXL_LOSSLESS), {
        "mirrored": part10(changed(base, t7FE00010=encapsulated(mirrored)), uid, JXL_LOSSLESS)}


def rle(pixels, noise=b""):
    """One segment of literal runs; `noise` (control bytes 0x80) stands before each."""
    out = b"".join(noise + bytes([127]) + pixels[i:i + 128] for i in range(0, len(pixels), 128))
    return struct.pack("<16I", 1, 64, *([0] * 14)) + out


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed")
def rle_control_128():
    """Control bytes 0x80: skipped by most, a run of 129 for DCMTK."""
    uid = uid_of(19)
    base = image(uid, 128, 128, encapsulated(rle(grey())))
    return part10(base, uid, RLE), {
        "noise": part10(changed(base, t7FE00010=encapsulated(rle(grey(), b"\x80\0"))), uid, RLE),
        "noise-alone": part10(changed(base, t7FE00010=encapsulated(rle(grey(), b"\x80"))), uid, RLE)}


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed")
def rle_fragments():
    """An RLE frame in two fragments, where PS3.5 A.4.2 has one: DCMTK decodes the first and leaves the rest blank."""
    uid = uid_of(75)
    frames, more = [rle(grey()), rle(grey(shift=9))], {0x00280008: element(0x00280008, "IS", "2")}
    table = struct.pack("<II", 0, 8 + len(frames[0]) + len(frames[0]) % 2)

    def f(*parts):
        pixels = encapsulated(*parts)
        return part10(image(uid, 128, 128, pixels[:12] + struct.pack("<HHI", 0xFFFE, 0xE000, 8) + table + pixels[20:],
                            more=more), uid, RLE)
    return f(*frames), {"second": f(frames[0], frames[1][:6000], frames[1][6000:])}


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed")
def jpeg_lossless_named_lossy():
    """Lossless grey JPEG under a lossy transfer syntax: DCMTK shows other values."""
    uid = uid_of(20)
    native = part10(image(uid, 128, 128, grey()), uid)
    base = image(uid, 128, 128, encapsulated(stream_of(converted(native, "dcmcjpeg", "+e1", "+un"))))
    return part10(base, uid, JPEG_LOSSLESS), {
        "extended": part10(base, uid, JPEG_EXTENDED), "baseline": part10(base, uid, JPEG)}


# -- bytes that nobody looks at

@case(NEVER, "reading.ambiguous", "malformed")
def deflate_trailer():
    """Bytes behind the end of a deflated data set."""
    uid = uid_of(21)
    e = image(uid, 128, 128, grey())
    stream = deflate(body_of(e))
    return part10(e, uid, DEFLATED), {"zip-behind": meta(DEFLATED, uid) + stream + b"PK\3\4" + b"hidden " * 1000,
                                      "second-stream": meta(DEFLATED, uid) + stream * 2}


# -- what ordinary tools do

@case(("authentic",))
def bare_jpeg():
    """An encapsulated JPEG as a bare data set, not a byte of it changed."""
    uid = uid_of(22)
    native = part10(image(uid, 128, 128, colour(), samples=3, colour="RGB"), uid)
    e = image(uid, 128, 128, encapsulated(stream_of(converted(native, "dcmcjpeg", "+eb", "+un"))), samples=3,
              colour="YBR_FULL_422")
    return part10(e, uid, JPEG), {"bare": body_of(e)}


def small(number, syntax=EXPLICIT, implicit=False, **more):
    uid = uid_of(number)
    e = image(uid, 128, 128, grey(), implicit)
    e.update({int(k[1:], 16): v for k, v in more.items()})
    return part10(e, uid, syntax)


@case(DIFFERS, "attribute.altered", says={"dictionary": "representation", "cs": "representation"},
      never_says={"dictionary": "differs from the seal", "patient-name": "differs from the seal"},
      **{"patient-name": (("authentic",),)})
def vr_only():
    """The same bytes under another VR: by a tool's dictionary (DCMTK takes a private IS for SS), or put
    right. What is another value for some reader alarms, and says that it is the VR."""
    creator = element(0x20050010, "LO", "Philips MR Imaging DD 001")
    f = lambda private, name: small(23, t20050010=creator, t2005102D=raw(0x2005102D, private, b"12"),  # noqa: E731
                                    t00100010=raw(0x00100010, name, b"DOE^JANE"))
    return f("IS", "CS"), {"dictionary": f("SS", "CS"), "patient-name": f("IS", "PN"), "cs": f("IS", "LT")}


@case(("authentic",), **{"high-bit": (DIFFERS, "attribute.altered"), "text": (DIFFERS, "attribute.altered")})
def vr_same_number():
    """The same number under US and SS, where it is one; a name is not a code for every reader."""
    creator = element(0x20050010, "LO", "Philips MR Imaging DD 001")
    f = lambda vr, large, name="PN": small(  # noqa: E731
        43, t20050010=creator, t2005102D=raw(0x2005102D, vr, b"\x0c\0"), t2005102E=raw(0x2005102E, large, b"\0\x80"),
        t00100010=raw(0x00100010, name, b"Test^One"))
    return f("US", "US"), {"dictionary": f("SS", "US"), "high-bit": f("US", "SS"), "text": f("US", "US", "CS")}


@case(("authentic",))
def unsigned_signed_private():
    """UL that DCMTK's dictionary calls SL: the same number for every reader."""
    creator = element(0x00270010, "LO", "GEMS_IMAG_01")
    f = lambda vr: small(24, t00270010=creator, t00271033=element(0x00271033, vr, 1140852768))  # noqa: E731
    return f("UL"), {"sl": f("SL")}


@case(("authentic",))
def empty_private_sequence():
    """An empty private element that became an empty sequence."""
    name = "Philips MR Imaging DD 001"
    base = small(25, IMPLICIT, True, t20050010=element(0x20050010, "LO", name, True),
                 t20051083=raw(0x20051083, "UN", b"", True))
    return base, {"sq": small(25, t20050010=element(0x20050010, "LO", name), t20051083=raw(0x20051083, "SQ", b""))}


@case(("authentic",))
def one_frame():
    """Number of Frames 1 and absent are the same."""
    base = small(26, t00280008=element(0x00280008, "IS", "1"))
    return base, {"absent": small(26), "gdcmconv": converted(base, "gdcmconv", "--raw"),
                  "gdcmconv-j2k": converted(base, "gdcmconv", "--j2k")}


@case(("authentic",))
def un_with_delimiter():
    """UN of defined length whose items end with a delimiter; GDCM and DCMTK give it undefined length."""
    inner = item(element(0x00080104, "LO", "inner", True)) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    creator = element(0x00190010, "LO", "ACME")
    return (small(27, t00190010=creator, t00191001=raw(0x00191001, "UN", inner)),
            {"undefined-length": small(27, t00190010=creator,
                                       t00191001=raw(0x00191001, "UN", inner, length=0xFFFFFFFF))})


@case(("authentic",))
def bare_private_first():
    """A bare data set that begins with a private group."""
    e = {0x01F10010: element(0x01F10010, "LO", "ELSCINT1"), 0x01F11001: element(0x01F11001, "LO", "x"),
         0x30060002: element(0x30060002, "SH", "y")}
    return part10(e, uid_of(28)), {"bare": body_of(e)}


@case(DIFFERS, "pixels.altered", "attribute.altered", says={"unsigned": r"\(unsigned\).*\(signed\)"})
def sign_only():
    """Only Pixel Representation differs."""
    f = lambda signed: part10(image(uid_of(29), 128, 128, words(top=65536), allocated=16,  # noqa: E731
                                    signed=signed), uid_of(29))
    return f(1), {"unsigned": f(0)}


@case(("authentic",))
def binary_creator():
    """A binary value where a private creator belongs stays as it is when the text is converted."""
    odd = element(0x00110010, "FD", 1.1)
    f = lambda term, text: small(30, t00080005=element(0x00080005, "CS", term), t00110010=odd,  # noqa: E731
                                 t00104000=element(0x00104000, "LT", text))
    return f("ISO_IR 100", b"M\xfcller"), {"utf8": f("ISO_IR 192", b"M\xc3\xbcller")}


def blank_vr(number, tag, element_bytes):
    def make():
        """Sealed with a warning, never authentic: what one reader takes for a VR is a length for another."""
        return small(number, **{tag: element_bytes}), {}
    return make


for kind, number, tag, written in (
        ("blanks", 31, "t00280120", struct.pack("<HH", 0x28, 0x120) + b"  " + struct.pack("<H", 2) + b"\0\0"),
        ("hyphens", 131, "t001021B0", struct.pack("<HH", 0x10, 0x21B0) + b"--" + struct.pack("<H", 4) + b"G000"),
        ("implicit_element", 132, "t00111001", element(0x00110010, "LO", "Test") + raw(0x00111001, "", b"12", True))):
    made = blank_vr(number, tag, written)
    made.__name__ = "blank_vr_" + kind
    case(("indeterminate",), base=("indeterminate",))(made)


@case(("indeterminate",), base=("indeterminate",), never_says={"base": "representation"})
def untouched_un():
    """A known attribute stored as UN, untouched: ambiguous, but no other representation than at sealing."""
    return small(44, t00189305=raw(0x00189305, "UN", struct.pack("<d", 1.5))), {}


@case(("authentic", "indeterminate"))
def empty_fragment():
    """An empty fragment behind the last frame of RLE without an offset table."""
    uid = uid_of(32)
    frames = [rle(grey()), rle(grey(shift=9))]
    f = lambda *all: part10(image(uid, 128, 128, encapsulated(*all), more={  # noqa: E731
        0x00280008: element(0x00280008, "IS", "2")}), uid, RLE)
    return f(*frames), {"empty-last": f(*frames, b"")}


def modified(data, *settings):
    """With attributes set by dcmodify: "(gggg,eeee)=value"."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "file.dcm")
        path.write_bytes(data)
        subprocess.run(["dcmodify", "-nb", *(part for s in settings for part in ("-i", s)), path], check=True,
                       capture_output=True)
        return path.read_bytes()


@case(("authentic",), no_loss=(DIFFERS, "attribute.added"), other_method=(DIFFERS, "attribute.added"),
      two_methods=(DIFFERS, "attribute.added"), ratio_of_decoded=(DIFFERS, "attribute.added"),
      false_ratio=(DIFFERS, "attribute.added"), derivation=(DIFFERS, "attribute.added"))
def lossy_flag():
    """Sealed as lossy JPEG without (0028,2110): dcmdjpeg adds it, as PS3.3 demands, and GDCM the method
    as well. What is not true of the sealed image alarms."""
    uid = uid_of(33)
    native = part10(image(uid, 128, 128, colour(), samples=3, colour="RGB"), uid)
    stream = stream_of(converted(native, "dcmcjpeg", "+eb", "+un"))
    base = part10(image(uid, 128, 128, encapsulated(stream), samples=3, colour="YBR_FULL_422"), uid, JPEG)
    plain, gdcm = converted(base, "dcmdjpeg"), converted(base, "gdcmconv", "--raw")
    ratio = 3 * 128 * 128 / (len(stream) + len(stream) % 2)
    return base, {
        "dcmdjpeg": plain, "gdcmconv": gdcm,
        "method": modified(plain, "(0028,2114)=ISO_10918_1"),
        "ratio": modified(base, "(0028,2110)=01", f"(0028,2112)={ratio:.2f}"),
        "no_loss": modified(plain, "(0028,2110)=00"),
        "other_method": modified(gdcm, "(0028,2114)=ISO_15444_1"),
        "two_methods": modified(gdcm, "(0028,2114)=ISO_10918_1\\ISO_10918_1"),
        "ratio_of_decoded": modified(plain, f"(0028,2112)={ratio:.2f}"),
        "false_ratio": modified(base, f"(0028,2112)={ratio * 1.1:.2f}"),
        "derivation": modified(plain, "(0008,2111)=Lossy compression")}


@case(DIFFERS, "attribute.added", "attribute.altered")
def lossy_flag_untrue():
    """Sealed without any loss: that there was some is a lie, whatever the encoding is now."""
    uid = uid_of(47)
    base = part10(image(uid, 128, 128, grey(shift=41), more={0x00282110: element(0x00282110, "CS", "00")}), uid)
    return base, {"flag": modified(base, "(0028,2110)=01"),
                  "method": modified(base, "(0028,2114)=ISO_10918_1"),
                  "ratio": modified(converted(base, "dcmcjpls"), "(0028,2112)=2")}


@case(("indeterminate",), "lossy.recompressed")
def lossy_ct():
    """Compression with loss after sealing: indeterminate, not altered."""
    uid = uid_of(34)
    pixels = b"".join(struct.pack("<h", (x * x + 3 * y * y) % 3000 - 1000) for y in range(128) for x in range(128))
    base = part10(image(uid, 128, 128, pixels, allocated=16, signed=1, more={
        0x00080008: element(0x00080008, "CS", "ORIGINAL\\PRIMARY\\AXIAL"),
        0x00281052: element(0x00281052, "DS", "-1024"), 0x00281053: element(0x00281053, "DS", "1")}), uid)
    return base, {"baseline": converted(base, "dcmcjpeg", "+eb"), "extended": converted(base, "dcmcjpeg", "+ee"),
                  "j2k": converted(base, "gdcmconv", "--j2k", "--lossy", "-r", "20")}


def plane_of(bits):
    return bytes(sum(bits[i + k] << k for k in range(8)) for i in range(0, len(bits), 8))


@case(DIFFERS, "attribute.added", "attribute.altered", "pixels.altered", "reading.ambiguous", moved=(("authentic",),))
def overlay_moved_subset():
    """A plane in (60xx,3000) with some, or none, of the overlay's bits, while they stay in Pixel Data as well:
    readers show the plane alone, and a mark has gone."""
    uid, mark = uid_of(49), [int(i // 7 % 3 == 0) for i in range(128 * 128)]
    plain = [i * 13 % 4096 for i in range(128 * 128)]
    packed = lambda values: struct.pack(f"<{len(values)}H", *values)  # noqa: E731
    both = packed([v | m << 12 for v, m in zip(plain, mark)])

    def overlay(allocated, position, plane=None):
        out = {0x60000010: element(0x60000010, "US", 128), 0x60000011: element(0x60000011, "US", 128),
               0x60000040: element(0x60000040, "CS", "G"), 0x60000050: element(0x60000050, "SS", [1, 1]),
               0x60000100: element(0x60000100, "US", allocated), 0x60000102: element(0x60000102, "US", position)}
        return {**out, 0x60003000: raw(0x60003000, "OW", plane_of(plane))} if plane else out

    def f(pixels, more):
        return part10(image(uid, 128, 128, pixels, allocated=16, stored=12, more=more), uid)
    half = mark[:8192] + [0] * 8192
    return f(both, overlay(16, 12)), {"moved": f(packed(plain), overlay(1, 0, mark)),
                                      "none": f(both, overlay(1, 0, [0] * len(mark))), "half": f(both, overlay(1, 0, half)),
                                      "lost": f(packed(plain), overlay(1, 0, half))}


# -- each exception that spec/seal.md grants, in the form that tools write

@case(("authentic",))
def granted_exceptions():
    """Not covered (section 1), left out (5.4), padding (2.8), in legitimate forms: authentic."""
    uid = uid_of(40)
    creator = {0x00190010: element(0x00190010, "LO", "ACME"), 0x00191001: element(0x00191001, "LO", "x")}
    moved = {0x00190011: element(0x00190011, "LO", "ACME"), 0x00191101: element(0x00191101, "LO", "x")}
    inner = element(0x00080100, "SH", "A")
    code = {0x00081140: sequence(0x00081140, inner)}
    endless = raw(0x00081140, "SQ", b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + inner +
                  b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0", length=0xFFFFFFFF)
    e = image(uid, 128, 128, grey(), more={**code, **creator})
    plain = {tag: data for tag, data in e.items() if tag not in creator}
    file = part10(e, uid)
    group28 = sum(len(data) for tag, data in e.items() if tag >> 16 == 0x28)
    implicit = image(uid, 128, 128, grey(), True, more={
        0x00081140: sequence(0x00081140, element(0x00080100, "SH", "A", True), implicit=True),
        0x00190010: element(0x00190010, "LO", "ACME", True), 0x00191001: element(0x00191001, "LO", "x", True)})
    return file, {
        "1-preamble": b"II*\0" + bytes(range(124)) + file[128:],
        "1-implementation": file.replace(b"2.25.99\0", b"2.25.98\0"),
        "1-transfer-syntax-implicit": part10(implicit, uid, IMPLICIT),
        "1-transfer-syntax-deflated": part10(e, uid, DEFLATED),
        "1-pad-bytes": part10(changed(e, t00100020=element(0x00100020, "LO", "ID1   ")), uid),
        "1-private-block": part10({**plain, **moved}, uid),
        "1-undefined-lengths": part10(changed(e, t00081140=endless), uid),
        "2.8-zeros": file + bytes(100),
        "5.3-number": part10(changed(e, t00200013=element(0x00200013, "IS", "+5")), uid),
        "5.4-group-length": part10(changed(e, t00280000=element(0x00280000, "UL", group28)), uid),
        "5.4-padding": part10(changed(e, tFFFCFFFC=element(0xFFFCFFFC, "OB", bytes(64))), uid),
        "5.4-character-set": part10(changed(e, t00080005=element(0x00080005, "CS", "ISO_IR 192")), uid)}


@case(("authentic",))
def granted_planar():
    """5.4: Planar Configuration, when the samples lie as it says."""
    uid = uid_of(41)
    pixels = colour()
    base = image(uid, 128, 128, pixels, samples=3, colour="RGB")
    return part10(base, uid), {"planes": part10(changed(
        base, t00280006=element(0x00280006, "US", 1),
        t7FE00010=raw(PIXELS, "OB", pixels[0::3] + pixels[1::3] + pixels[2::3])), uid)}


@case(("authentic",))
def granted_offset_table():
    """5.4 and 7: a right offset table, none, and fragments are not covered."""
    uid = uid_of(42)
    frames = [rle(grey()), rle(grey(shift=9))]
    more = {0x00280008: element(0x00280008, "IS", "2")}
    base = image(uid, 128, 128, encapsulated(*frames), more=more)
    size = 8 + len(frames[0]) + len(frames[0]) % 2
    table = struct.pack("<HHIII", 0xFFFE, 0xE000, 8, 0, size)
    with_table = base[PIXELS][:12] + table + base[PIXELS][20:]
    extended = {0x7FE00001: raw(0x7FE00001, "OV", struct.pack("<QQ", 0, size)),
                0x7FE00002: raw(0x7FE00002, "OV", struct.pack("<QQ", *map(len, frames)))}
    return part10(base, uid, RLE), {"basic": part10(changed(base, t7FE00010=with_table), uid, RLE),
                                    "extended": part10({**base, **extended}, uid, RLE)}
