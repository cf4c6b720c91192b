# SPDX-License-Identifier: Apache-2.0
"""The files that mutants are made of: small, of several kinds and encodings, explicit little endian."""
import io
import pathlib
import struct
import subprocess
import tempfile

import pydicom
import writer as w
from cases import colour, converted, grey, jxl, png, rle, stream_of, words

PIXELS = w.PIXELS
# Sample -> why. Explicit little endian, small.
SAMPLES = {"CT_small": "private blocks, padding", "MR_small": "", "MR_small_RLE": "", "rtplan": "nested",
           "test-SR": "deeply nested", "JPEG2000": "", "MR_small_jpeg_ls_lossless": "", "pet": "palette"}


def us(*pairs):
    return b"".join(w.element(tag, "US", value) for tag, value in pairs)


def segments(*planes):
    """An RLE frame of these planes."""
    parts = [rle(bytes(plane))[64:] for plane in planes]
    offsets = [64 + sum(map(len, parts[:i])) for i in range(len(parts))]
    return struct.pack("<16I", len(parts), *offsets, *([0] * (15 - len(parts)))) + b"".join(parts)


def more_shapes(put, out):
    """Odd sizes, bits, signs, planes, palettes, icons, functional groups, text in items."""
    put("odd", rows=31, columns=31, pixels=grey(31, 31) + b"\0")
    put("signed16", pixels=b"".join(struct.pack("<h", (x * 97 + y * 911) % 60000 - 30000) for y in range(32)
                                    for x in range(32)), allocated=16, signed=1)
    put("outside", pixels=b"".join(struct.pack("<H", (x * 37 + y * 91) % 4096 | (x % 3 == 0) << 15)
                                   for y in range(32) for x in range(32)), allocated=16, stored=12)
    put("bits", rows=9, columns=9, pixels=grey(1, 10) + b"\1\0", allocated=1,
        more={PIXELS: w.raw(PIXELS, "OB", grey(1, 10) + b"\1\0")})
    rgb, sixteen = colour(32, 32), words(32, 32)
    put("rle rgb", w.RLE, pixels=w.encapsulated(segments(rgb[0::3], rgb[1::3], rgb[2::3])), samples=3, colour="RGB",
        more={0x00280006: w.element(0x00280006, "US", 1)})
    put("rle16", w.RLE, pixels=w.encapsulated(segments(sixteen[1::2], sixteen[0::2])), allocated=16, stored=12)
    tables = {0x00281101 + i: w.element(0x00281101 + i, "US", [256, 0, 16]) for i in range(3)}
    tables.update({0x00281201 + i: w.raw(0x00281201 + i, "OW", words(16, 16, 65536)) for i in range(3)})
    put("palette16", pixels=grey(32, 32), colour="PALETTE COLOR", more=tables)
    icon = (us((0x00280002, 1)) + w.element(0x00280004, "CS", "MONOCHROME2") +
            us((0x00280010, 8), (0x00280011, 8), (0x00280100, 8), (0x00280101, 8), (0x00280102, 7), (0x00280103, 0)))
    put("icon", pixels=grey(32, 32), more={0x00880200: w.sequence(0x00880200, icon + w.raw(PIXELS, "OB", grey(8, 8)))})
    put("icon rle", w.RLE, pixels=w.encapsulated(rle(grey(32, 32))), more={
        0x00880200: w.sequence(0x00880200, icon + w.encapsulated(rle(grey(8, 8))))})
    put("utf8", pixels=grey(32, 32), more={
        0x00080005: w.element(0x00080005, "CS", "ISO_IR 192"), 0x00104000: w.element(0x00104000, "LT", "Müller".encode()),
        0x00081140: w.sequence(0x00081140, w.element(0x00081150, "UI", "1.2.3") + w.element(0x00081155, "UI", "1.2.4") +
                               w.element(0x00400280, "ST", "Größe".encode()))})
    block = lambda b, creator, text: {  # noqa: E731
        0x00190000 | b: w.element(0x00190000 | b, "LO", creator),
        0x00190001 | b << 8: w.element(0x00190001 | b << 8, "LO", text)}
    put("two-blocks", pixels=grey(32, 32), more={**block(0x10, "ACME 1", "one"), **block(0x11, "ACME 2", "two")})
    measures = w.sequence(0x00289110, w.element(0x00180050, "DS", "5") + w.element(0x00280030, "DS", "0.5\\0.5"))
    slope = w.sequence(0x00289145, w.element(0x00281052, "DS", "-1024") + w.element(0x00281053, "DS", "2") +
                       w.element(0x00281054, "LO", "HU"))
    place = lambda z: w.sequence(0x00209113, w.element(0x00200032, "DS", f"0\\0\\{z}"))  # noqa: E731
    put("enhanced frames=2", pixels=sixteen + words(32, 32, 3000), allocated=16, stored=12, more={
        0x00280008: w.element(0x00280008, "IS", "2"), 0x52009229: w.sequence(0x52009229, measures + slope),
        0x52009230: w.sequence(0x52009230, place(1), place(2))})
    try:
        with tempfile.TemporaryDirectory() as folder:
            source, target = pathlib.Path(folder, "in.pgm"), pathlib.Path(folder, "out.j2c")
            source.write_bytes(b"P5 32 32 255\n" + grey(32, 32))
            subprocess.run(["ojph_compress", "-i", source, "-o", target, "-reversible", "true"], check=True, capture_output=True)
            put("htj2k", "1.2.840.10008.1.2.4.201", pixels=w.encapsulated(target.read_bytes()))
    except FileNotFoundError:
        pass  # no encoder of HTJ2K here


def make(samples):
    """Name -> bytes."""
    out = {}

    def put(name, syntax=w.EXPLICIT, **of):
        uid = f"2.25.71{len(out):04d}"
        out[name] = w.part10(w.image(uid, of.pop("rows", 32), of.pop("columns", 32), of.pop("pixels"), **of), uid, syntax)

    creator = {0x00190010: w.element(0x00190010, "LO", "ACME 1"), 0x00191001: w.element(0x00191001, "LO", "x"),
               0x00191002: w.element(0x00191002, "FD", 1.5), 0x00191003: w.element(0x00191003, "US", 7),
               0x00191004: w.sequence(0x00191004, w.element(0x00080100, "SH", "A"))}
    header = {0x00080005: w.element(0x00080005, "CS", "ISO_IR 100"), 0x00104000: w.element(0x00104000, "LT", b"M\xfcller"),
              0x00281050: w.element(0x00281050, "DS", "200"), 0x00281051: w.element(0x00281051, "DS", "400"),
              0x00281052: w.element(0x00281052, "DS", "-1024"), 0x00281053: w.element(0x00281053, "DS", "2"),
              0x00200032: w.element(0x00200032, "DS", "1.5\\-2\\300"), 0x00180050: w.element(0x00180050, "DS", "5"),
              0x00081140: w.sequence(0x00081140, w.element(0x00081150, "UI", "1.2.3") + w.element(0x00081155, "UI", "1.2.4"))}
    plain = words(32, 32)
    put("grey8", pixels=grey(32, 32), more=creator)
    put("ct", pixels=plain, allocated=16, stored=12, more={**header, **creator})
    lut = w.element(0x00283002, "US", [4096, 0, 16]) + w.element(0x00283004, "LO", "US")
    put("lut", pixels=plain, allocated=16, stored=12, more={
        0x00283000: w.sequence(0x00283000, lut + w.raw(0x00283006, "OW", words(64, 64, 65536))),
        0x20500020: w.element(0x20500020, "CS", "INVERSE")})
    put("overlay", pixels=grey(32, 32), more={
        0x60000010: w.element(0x60000010, "US", 32), 0x60000011: w.element(0x60000011, "US", 32),
        0x60000040: w.element(0x60000040, "CS", "G"), 0x60000050: w.element(0x60000050, "SS", [1, 1]),
        0x60000100: w.element(0x60000100, "US", 1), 0x60000102: w.element(0x60000102, "US", 0),
        0x60003000: w.raw(0x60003000, "OW", grey(32, 4))})
    put("rgb", pixels=colour(32, 32), samples=3, colour="RGB")
    two = {0x00280008: w.element(0x00280008, "IS", "2")}
    put("frames=2", pixels=grey(32, 32) + grey(32, 32, 9), more=two)
    put("rle frames=2", w.RLE, pixels=w.encapsulated(rle(grey(32, 32)), rle(grey(32, 32, 9))), more=two)
    native = w.part10(w.image("2.25.7", 32, 32, colour(32, 32), samples=3, colour="RGB"), "2.25.7")
    put("jpeg colour", w.JPEG, pixels=w.encapsulated(stream_of(converted(native, "dcmcjpeg", "+eb", "+un"))), samples=3,
        colour="YBR_FULL_422")
    small = w.part10(w.image("2.25.7", 32, 32, plain, allocated=16, stored=12), "2.25.7")
    code = lambda *tool: w.encapsulated(stream_of(converted(small, *tool)))  # noqa: E731
    for name, syntax, tool in (("lossless", w.JPEG_LOSSLESS, ("dcmcjpeg", "+e1", "+un")),
                               ("jpeg-ls", "1.2.840.10008.1.2.4.80", ("dcmcjpls", "+un")),
                               ("j2k", w.J2K, ("gdcmconv", "--j2k"))):
        put(name, syntax, pixels=code(*tool), allocated=16, stored=12, more=header)
    put("jxl", w.JXL_LOSSLESS, pixels=w.encapsulated(jxl(png(grey(32, 32), 32, 32))))
    put("progressive", w.JPEG[:-2] + "55", pixels=w.encapsulated(stream_of(converted(
        w.part10(w.image("2.25.7", 32, 32, grey(32, 32)), "2.25.7"), "dcmcjpeg", "+ep"))))
    put("jpeg of 12 bits", w.JPEG_EXTENDED, pixels=code("dcmcjpeg", "+ee"), allocated=16, stored=12)
    put("jpeg-ls with loss", "1.2.840.10008.1.2.4.81", pixels=code("dcmcjpls", "+en", "+un"), allocated=16, stored=12)
    more_shapes(put, out)
    for stem in SAMPLES:
        path = samples / "real/pydicom" / f"{stem}.dcm"
        if path.exists():
            ds = pydicom.dcmread(path)
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"2.25.72{len(out):04d}"
            if not ds.file_meta.TransferSyntaxUID.is_compressed:
                ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
            ds.is_little_endian, ds.is_implicit_VR = True, False
            buffer = io.BytesIO()
            ds.save_as(buffer, write_like_original=False)
            out[stem] = buffer.getvalue()
    return out
