# SPDX-License-Identifier: Apache-2.0
"""Cases of codestreams that say more than samples: JPEG XL, HTJ2K, and colour JPEG that GDCM encoded anew."""
import pathlib
import struct
import subprocess
import tempfile
import zlib

from cases import NEVER, box, case, changed, colour, converted, grey, image, jp2, jxl, png, stream_of, uid_of
from writer import JPEG, JXL_LOSSLESS, encapsulated, element, part10

HTJ2K = "1.2.840.10008.1.2.4.201"


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def with_chunks(picture, *chunks):
    """A PNG with chunks behind its header."""
    return picture[:33] + b"".join(chunks) + picture[33:]


def of_profile(curve):
    """An ICC profile (ISO 15076-1) of grey with this gamma."""
    tags = [(b"kTRC", b"curv" + bytes(4) + struct.pack(">IH", 1, int(curve * 256)) + bytes(2)),
            (b"wtpt", b"XYZ " + bytes(4) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)),
            (b"cprt", b"text" + bytes(4) + b"none"), (b"desc", b"desc" + bytes(4) + struct.pack(">I", 2) + b"x" + bytes(80))]
    table, body, at = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", at, len(data))
        body, at = body + data, at + len(data)
    head = struct.pack(">I4sI4s4s4s", at, bytes(4), 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3I", 0xF6D6, 0x10000, 0xD32D)
    return head + bytes(128 - len(head)) + table + body


def with_alpha(rows=128, columns=128):
    """The same grey picture with a channel of transparency."""
    lines = b"".join(b"\0" + bytes(v for x in range(columns) for v in (grey()[y * columns + x], (x * 2) % 256))
                     for y in range(rows))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 4, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def animated(x, y, rows, columns):
    """An animation of two frames, the second a part of the picture."""
    part = b"".join(b"\0" + bytes(columns) for _ in range(rows))
    control = lambda n, *at: chunk(b"fcTL", struct.pack(">IIIIIHHBB", n, *at, 1, 10, 0, 0))  # noqa: E731
    first = png(grey(), 128, 128)
    return (with_chunks(first, chunk(b"acTL", struct.pack(">II", 2, 0)), control(0, 128, 128, 0, 0))[:-12] +
            control(1, columns, rows, x, y) + chunk(b"fdAT", struct.pack(">I", 2) + zlib.compress(part)) +
            chunk(b"IEND", b""))


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed",
      container=(("authentic",),), parts=(("authentic",),), **{"box-orientation": (("authentic",),)})
def jxl_beside_samples():
    """Lossless JPEG XL that holds the sealed samples, and says how to turn, blend, crop or colour them: viewers
    that follow it show another picture. Metadata boxes say nothing to a decoder (ISO/IEC 18181-2)."""
    uid, plain = uid_of(80), png(grey(), 128, 128)
    base, stream = image(uid, 128, 128, encapsulated(jxl(plain))), jxl(plain)
    f = lambda data: part10(changed(base, t7FE00010=encapsulated(data)), uid, JXL_LOSSLESS)  # noqa: E731
    head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    turned = bytes(4) + b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06" + bytes(6)
    profile = chunk(b"iCCP", b"x\0\0" + zlib.compress(of_profile(1.0)))
    return part10(base, uid, JXL_LOSSLESS), {
        **{f"orientation-{n}": f(jxl(png(grey(), 128, 128, n))) for n in (3, 5, 6, 8)},
        "alpha": f(jxl(with_alpha())), "linear": f(jxl(with_chunks(plain, chunk(b"gAMA", struct.pack(">I", 100000))))),
        "profile": f(jxl(with_chunks(plain, profile))),
        "animated": f(jxl(animated(0, 0, 128, 128))), "cropped": f(jxl(animated(32, 32, 64, 64))),
        "second": f(stream + jxl(png(grey(shift=9), 128, 128))),
        "container": f(head + box(b"jxlc", stream)), "hidden": f(stream + b"hidden"),
        "parts": f(head + box(b"jxlp", bytes(4) + stream[:50]) + box(b"jxlp", b"\x80\0\0\1" + stream[50:])),
        "hidden-in-the-box": f(head + box(b"jxlc", stream + b"hidden")), "behind-the-boxes": f(head + box(b"jxlc", stream) + b"hidden"),
        "box-orientation": f(head + box(b"Exif", turned) + box(b"jxlc", stream)),
        "two-codestreams": f(head + box(b"jxlc", stream) + box(b"jxlc", jxl(png(grey(shift=9), 128, 128))))}


def ht(samples, *options, kind="pgm", size=(128, 128)):
    """HTJ2K without loss."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder, "in." + kind), pathlib.Path(folder, "out.j2c")
        source.write_bytes(b"P%d %d %d 255\n" % (5 if kind == "pgm" else 6, *size) + samples)
        subprocess.run(["ojph_compress", "-i", source, "-o", target, "-reversible", "true", *options], check=True,
                       capture_output=True)
        return target.read_bytes()


@case(NEVER, "reading.ambiguous", "pixels.altered", "codec.failed",
      **{"tiles": (("authentic",),), "offset": (("authentic",) + NEVER,)})
def htj2k_beside_samples():
    """HTJ2K of the sealed samples: with another sign, precision or component, in boxes, with bytes before or behind."""
    uid, stream = uid_of(81), ht(grey())
    base = image(uid, 128, 128, encapsulated(stream))
    f = lambda data: part10(changed(base, t7FE00010=encapsulated(data)), uid, HTJ2K)  # noqa: E731
    palette = struct.pack(">HB", 256, 3) + b"\x07\x07\x07" + b"".join(bytes([255 - i] * 3) for i in range(256))
    mapping = b"".join(struct.pack(">HBB", 0, 1, i) for i in range(3))
    assert stream[42] == 7
    return part10(base, uid, HTJ2K), {
        "signed": f(stream[:42] + b"\x87" + stream[43:]), "nine-bits": f(stream[:42] + b"\x08" + stream[43:]),
        "boxes": f(jp2(stream, 7)), "palette": f(jp2(stream, 7, box(b"pclr", palette) + box(b"cmap", mapping), 16)),
        "three-components": f(ht(bytes(v for v in grey() for _ in range(3)), "-colour_trans", "false", kind="ppm")),
        "behind": f(stream + b"hidden"), "second": f(stream + ht(grey(shift=9))),
        "cropped": f(ht(grey(130, 128), size=(128, 130))), "tiles": f(ht(grey(), "-tile_size", "{64,64}")),
        "offset": f(ht(grey(), "-image_offset", "{7,5}", "-tile_offset", "{0,0}", "-tile_size", "{256,256}"))}


@case(NEVER, "attribute.altered", "reading.ambiguous", "pixels.altered", "decoder.differs", gdcmconv=(("authentic",),),
      raw=(("authentic",),))
def jpeg_422_encoded_anew():
    """Colour JPEG that GDCM decoded and encoded without loss: its samples are YCbCr and are called YBR_FULL. Under
    another term, or named a lossy JPEG, readers show other colours."""
    uid = uid_of(82)
    native = part10(image(uid, 128, 128, colour(), samples=3, colour="RGB"), uid)
    base = part10(image(uid, 128, 128, encapsulated(stream_of(converted(native, "dcmcjpeg", "+eb", "+un"))), samples=3,
                        colour="YBR_FULL_422"), uid, JPEG)
    again, raw = converted(base, "gdcmconv", "--jpeg"), converted(base, "gdcmconv", "--raw")
    term = element(0x00280004, "CS", "YBR_FULL")
    assert again.count(term) == 1 and raw.count(term) == 1
    named = lambda data, text: data.replace(term, element(0x00280004, "CS", text))  # noqa: E731
    lossless = b"1.2.840.10008.1.2.4.70"
    out = {"gdcmconv": again, "raw": raw}
    for text in ("RGB", "YBR_PARTIAL_422", "YBR_RCT", "MONOCHROME2"):
        out[f"jpeg-{text.lower()}"], out[f"raw-{text.lower()}"] = named(again, text), named(raw, text)
    out["raw-ybr_full_422"] = named(raw, "YBR_FULL_422")
    return base, {**out, "baseline": again.replace(lossless, b"1.2.840.10008.1.2.4.50"),
                  "extended": again.replace(lossless, b"1.2.840.10008.1.2.4.51")}


JPEG_LOSSLESS, JPEG_LS_LOSSLESS, J2K_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.80",
                                                 "1.2.840.10008.1.2.4.90")


def small_words(number, stored, syntax=None, pixels=None, top=200):
    """A picture of two bytes a sample, native or with this Pixel Data."""
    samples = b"".join(struct.pack("<H", (x * 3 + y * 5) % top) for y in range(128) for x in range(128))
    uid = uid_of(number)
    return part10(image(uid, 128, 128, pixels or samples, allocated=16, stored=stored), uid, *([syntax] if syntax else []))


@case(NEVER, "reading.ambiguous", "attribute.altered")
def precision_below_bits_stored():
    """DCMTK scales a lossless JPEG by the precision of its codestream; GDCM makes one byte a sample of what has
    eight bits, and pydicom takes two of them for one."""
    native = small_words(85, 16)
    eight = uid_of(85)
    narrow = part10(image(eight, 128, 128, bytes((x * 3 + y * 5) % 200 for y in range(128) for x in range(128))), eight)
    out = {"jpeg-8": small_words(85, 16, JPEG_LOSSLESS, encapsulated(stream_of(converted(narrow, "dcmcjpeg", "+el")))),
           "jpeg-ls-8": small_words(85, 16, JPEG_LS_LOSSLESS,
                                    encapsulated(stream_of(converted(narrow, "dcmcjpls", "+el")))),
           "jpeg-2000-8": small_words(85, 16, J2K_LOSSLESS,
                                      encapsulated(stream_of(converted(narrow, "gdcmconv", "--j2k"))))}
    return native, out
