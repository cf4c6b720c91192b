#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an encoded image says beside its samples, and what decoders make of lossy colour.

  codestreams.py [--bin DIR] [--samples DIR] [--verbose]

Each case seals a fresh image, which must be `authentic` (or what the case says), changes its encoded
form, and asks for the verdict and for the code that tells what was done.
"""
import io
import pathlib
import struct
import subprocess
import sys
import warnings
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import numpy as np  # noqa: E402
import pydicom  # noqa: E402
from pydicom.dataset import Dataset, FileMetaDataset  # noqa: E402
from pydicom.encaps import encapsulate, generate_pixel_data_frame  # noqa: E402
from support import Checks, Fiducia, WorkFolder, arguments, require_tools  # noqa: E402

warnings.filterwarnings("ignore")
EXPLICIT = "1.2.840.10008.1.2.1"
RLE = "1.2.840.10008.1.2.5"
BASELINE, EXTENDED, LOSSLESS = ("1.2.840.10008.1.2.4." + n for n in ("50", "51", "70"))
JPEG_LS, J2K, J2K_ANY, JXL = ("1.2.840.10008.1.2.4." + n for n in ("80", "90", "91", "110"))
# pydicom 2.3 does not know it.
pydicom.uid.UID_dictionary[JXL] = ("JPEG XL Lossless", "Transfer Syntax", "", "", "")
ALTERED, INDETERMINATE, AUTHENTIC = "altered", "indeterminate", "authentic"
AMBIGUOUS = "reading.ambiguous"


# --- images -----------------------------------------------------------------------------------

def data_set(array, uid, bits=None, photometric=None):
    """A secondary capture of `array`: rows x columns, or rows x columns x 3."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = EXPLICIT
    ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID = uid
    ds.is_little_endian, ds.is_implicit_VR = True, False
    ds.PatientName, ds.PatientID = "Beispiel^Erika", "SAMPLE-7"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = uid + ".1", uid + ".2"
    ds.Modality = "OT"
    colour = array.ndim == 3
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = photometric or ("RGB" if colour else "MONOCHROME2")
    if colour:
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = array.shape[:2]
    ds.BitsAllocated = array.dtype.itemsize * 8
    ds.BitsStored = bits or ds.BitsAllocated
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = 1 if array.dtype.kind == "i" else 0
    ds.PixelData = array.tobytes()
    ds["PixelData"].VR = "OB" if ds.BitsAllocated == 8 else "OW"
    return ds


def grey(kind="u1", bits=8, rows=150, columns=203):
    y, x = np.mgrid[0:rows, 0:columns]
    values = (x * 37 + y * 91 + (x * y) // 7) % (1 << bits)
    if np.dtype(kind).kind == "i":
        values = values - (1 << (bits - 1))
    return values.astype(kind)


def colour(rows=150, columns=203):
    """Edges and texture, so that decoders that spread chrominance otherwise differ."""
    y, x = np.mgrid[0:rows, 0:columns]
    noise = np.random.default_rng(7).normal(0, 12, (rows, columns, 3))
    planes = [128 + 100 * np.sin(x / 17 + y / 31), 128 + 90 * np.cos(x / 11),
              60 + (x * y // 128) % 180]
    return np.clip(np.stack(planes, -1) + noise, 0, 255).astype("u1")


def tool(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True)
    target = pathlib.Path(str(command[-1]))
    if done.returncode != 0 or not target.exists():
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')[:200]}")


def frame_of(ds):
    return next(generate_pixel_data_frame(ds.PixelData, 1))


def with_frame(ds, frame, syntax=None, **attributes):
    """A copy of `ds` with another encoded frame, transfer syntax, attributes."""
    out = pydicom.dcmread(io.BytesIO(to_bytes(ds)))
    out.PixelData = encapsulate([frame])
    out["PixelData"].is_undefined_length = True
    out["PixelData"].VR = "OB"
    if syntax:
        out.file_meta.TransferSyntaxUID = syntax
    for name, value in attributes.items():
        setattr(out, name, value)
    return out


def to_bytes(ds):
    buffer = io.BytesIO()
    ds.save_as(buffer, write_like_original=False)
    return buffer.getvalue()


class Maker:
    """Makes files in a folder, through tools where that is wanted."""

    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    def through(self, ds, *commands):
        """`ds` after each command, `IN` and `OUT` standing for its files."""
        self.count += 1
        path = self.folder / f"{self.count}.dcm"
        ds.save_as(path, write_like_original=False)
        for step, command in enumerate(commands):
            out = self.folder / f"{self.count}-{step}.dcm"
            tool(*[{"IN": path, "OUT": out}.get(word, word) for word in command])
            path = out
        return pydicom.dcmread(path)

    def jxl(self, array, orientation=1):
        """Grey JPEG XL of 8 bits; the encoder takes the orientation from the Exif of a PNG."""
        self.count += 1
        source, target = (self.folder / f"{self.count}.{suffix}" for suffix in ("png", "jxl"))

        def chunk(name, body):
            return (struct.pack(">I", len(body)) + name + body +
                    struct.pack(">I", zlib.crc32(name + body)))
        rows = b"".join(b"\0" + row.tobytes() for row in array)
        exif = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0)
        source.write_bytes(b"\x89PNG\r\n\x1a\n" +
                           chunk(b"IHDR", struct.pack(">IIBBBBB", array.shape[1], array.shape[0], 8,
                                                      0, 0, 0, 0)) +
                           (chunk(b"eXIf", exif) if orientation != 1 else b"") +
                           chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
        tool("cjxl", "-d", "0", source, target)
        return target.read_bytes()


# --- codestreams ------------------------------------------------------------------------------

def rle_frame(array, no_operations=0, surplus=b""):
    """One segment of literal runs, a row each 100 bytes."""
    data = array.tobytes()
    runs = b"\x80" * no_operations
    for at in range(0, len(data), 100):
        part = data[at:at + 100]
        runs += bytes([len(part) - 1]) + part
    frame = struct.pack("<16I", 1, 64, *[0] * 14) + runs + surplus
    return frame + b"\0" * (len(frame) % 2)


def jp2(stream, rows, columns, *boxes, components=1):
    def box(name, body):
        return struct.pack(">I", 8 + len(body)) + name + body
    header = box(b"ihdr", struct.pack(">IIHBBBB", rows, columns, components, 7, 7, 0, 0))
    header += box(b"colr", b"\1\0\0" + struct.pack(">I", 17 if components == 1 else 16))
    for name, body in boxes:
        header += box(name, body)
    return (box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header) +
            box(b"jp2c", stream))


INVERSE_PALETTE = (b"pclr", struct.pack(">HBB", 256, 1, 7) + bytes(range(255, -1, -1)))
PALETTE_MAP = (b"cmap", struct.pack(">HBB", 0, 1, 0))


def even(frame):
    return frame + b"\0" * (len(frame) % 2)


def before_end(frame, extra):
    """`extra` between the codestream and its padding."""
    end = frame.rindex(b"\xff\xd9") + 2
    return frame[:end] + extra


def segment(marker, body):
    return struct.pack(">HH", marker, len(body) + 2) + body


EXIF_MIRRORED = segment(0xFFE1, b"Exif\0\0" + struct.pack("<2sHIHHHIIxxxx", b"II", 42, 8, 1, 0x0112,
                                                          3, 1, 2))


def without_jfif(frame):
    at = frame.index(b"\xff\xe0")
    return frame[:at] + frame[at + 2 + struct.unpack(">H", frame[at + 2:at + 4])[0]:]


# --- cases ------------------------------------------------------------------------------------

class Lossy:
    """What a compressor with loss makes of the sealed file, evidence and all."""

    def __init__(self, *command):
        self.command = command


class Case:
    def __init__(self, name, base, variants, verdict=AUTHENTIC, code=None):
        self.name, self.base, self.variants = name, base, variants
        self.verdict, self.code = verdict, code


def cases(make):
    number = iter(range(1, 1000))

    def native(array, **more):
        return data_set(array, f"2.25.7000{next(number)}", **more)

    # RLE.
    g8 = grey()
    ds = native(g8)
    plain = with_frame(ds, rle_frame(g8), RLE)
    yield Case("rle", plain, {
        "no-operation": (with_frame(ds, rle_frame(g8, no_operations=2), RLE), ALTERED, AMBIGUOUS),
        "surplus": (with_frame(ds, rle_frame(g8, surplus=b"\3abcd"), RLE), ALTERED, AMBIGUOUS),
        "other runs": (make.through(ds, ["dcmcrle", "IN", "OUT"]), AUTHENTIC, None),
        "by gdcm": (make.through(ds, ["gdcmconv", "--rle", "IN", "OUT"]), AUTHENTIC, None)})
    ds = native(g8)
    yield Case("rle sealed with no-operation", with_frame(ds, rle_frame(g8, no_operations=2), RLE),
               {"plain now": (with_frame(ds, rle_frame(g8), RLE), INDETERMINATE, AMBIGUOUS),
                "and a surplus": (with_frame(ds, rle_frame(g8, 2, b"\3abcd"), RLE), ALTERED,
                                  AMBIGUOUS)},
               INDETERMINATE, AMBIGUOUS)

    # JPEG: processes, bytes around, orientation.
    ds = native(g8)
    lossless = make.through(ds, ["dcmcjpeg", "+e1", "IN", "OUT"])
    stream = frame_of(lossless)
    yield Case("jpeg lossless", lossless, {
        "named extended": (with_frame(lossless, stream, EXTENDED), ALTERED, AMBIGUOUS),
        "named baseline": (with_frame(lossless, stream, BASELINE), ALTERED, AMBIGUOUS),
        "another image behind": (with_frame(lossless, even(before_end(stream, stream))), ALTERED,
                                 AMBIGUOUS),
        "bytes behind": (with_frame(lossless, before_end(stream, b"hidden")), ALTERED, AMBIGUOUS),
        "mirrored by Exif": (with_frame(lossless, stream[:2] + EXIF_MIRRORED + stream[2:]), ALTERED,
                             AMBIGUOUS),
        "fill bytes": (with_frame(lossless, before_end(stream, b"\0\0\xff\xff\0\0")), AUTHENTIC,
                       None),
        "a comment": (with_frame(lossless, even(stream[:2] + segment(0xFFFE, b"remark") +
                                                stream[2:])), AUTHENTIC, None),
        "by gdcm": (make.through(lossless, ["dcmdjpeg", "IN", "OUT"],
                                 ["gdcmconv", "--jpeg", "IN", "OUT"]), AUTHENTIC, None),
        "decompressed": (make.through(lossless, ["dcmdjpeg", "IN", "OUT"]), AUTHENTIC, None)})

    # JPEG: colours.
    c8 = colour()
    ds = native(c8)
    base = make.through(ds, ["dcmcjpeg", "+eb", "IN", "OUT"])
    stream = frame_of(base)
    painted = make.through(base, ["dcmdjpeg", "IN", "OUT"])
    samples = bytearray(painted.PixelData)
    for y in range(20, 40):
        samples[(y * 203 + 30) * 3:(y * 203 + 60) * 3] = bytes(90)
    painted.PixelData = bytes(samples)
    by_others = make.through(base, ["gdcmconv", "--raw", "IN", "OUT"])
    shifted = make.through(base, ["dcmdjpeg", "IN", "OUT"])
    shifted.PixelData = bytes(min(255, v + (i % 5 == 0)) for i, v in enumerate(shifted.PixelData))
    mislabelled = make.through(base, ["gdcmconv", "--raw", "IN", "OUT"])
    mislabelled.PhotometricInterpretation = "RGB"
    yield Case("jpeg colour", base, {
        "called RGB": (with_frame(base, stream, PhotometricInterpretation="RGB"), ALTERED,
                       "attribute.altered"),
        "called RGB, extended": (with_frame(base, stream, EXTENDED,
                                            PhotometricInterpretation="RGB"), ALTERED, AMBIGUOUS),
        "extended": (with_frame(base, stream, EXTENDED), AUTHENTIC, None),
        "by dcmdjpeg": (make.through(base, ["dcmdjpeg", "IN", "OUT"]), AUTHENTIC, None),
        "by dcmdjpeg, not converted": (make.through(base, ["dcmdjpeg", "+cn", "IN", "OUT"]),
                                       AUTHENTIC, None),
        "by dcmdjpeg, by plane": (make.through(base, ["dcmdjpeg", "+pl", "IN", "OUT"]), AUTHENTIC,
                                  None),
        "by gdcm": (by_others, AUTHENTIC, None),
        "by gdcm, then rle": (make.through(base, ["gdcmconv", "--rle", "IN", "OUT"]), AUTHENTIC,
                              None),
        "by gdcm, then j2k": (make.through(base, ["gdcmconv", "--j2k", "IN", "OUT"]), AUTHENTIC,
                              None),
        "by gdcm, then dcmcrle": (make.through(by_others, ["dcmcrle", "IN", "OUT"]), AUTHENTIC,
                                  None),
        "not converted, called RGB": (mislabelled, INDETERMINATE, "decoder.differs"),
        "by another decoder": (shifted, INDETERMINATE, "decoder.differs"),
        "painted": (painted, ALTERED, "pixels.altered")})

    # JPEG 2000: boxes, signs, colours.
    ds = native(g8)
    base = make.through(ds, ["gdcmconv", "--j2k", "IN", "OUT"])
    stream = frame_of(base)
    raw = stream[:stream.rindex(b"\xff\xd9") + 2]
    yield Case("jpeg 2000", base, {
        "plain boxes": (with_frame(base, even(jp2(raw, 150, 203))), ALTERED, AMBIGUOUS),
        "palette": (with_frame(base, even(jp2(raw, 150, 203, INVERSE_PALETTE, PALETTE_MAP))),
                    ALTERED, AMBIGUOUS),
        "channels": (with_frame(base, even(jp2(raw, 150, 203, (b"cdef", struct.pack(
            ">HHHH", 1, 0, 1, 0))))), ALTERED, AMBIGUOUS),
        "bytes behind": (with_frame(base, even(raw + b"hidden")), ALTERED, AMBIGUOUS),
        "under .91": (with_frame(base, stream, J2K_ANY), AUTHENTIC, None)})
    s12 = grey("i2", 12)
    ds = native(s12, bits=12)
    base = make.through(ds, ["gdcmconv", "--j2k", "IN", "OUT"])
    unsigned = native((s12.astype("i4") & 0xFFF).astype("u2"), bits=12)
    masked = frame_of(make.through(unsigned, ["gdcmconv", "--j2k", "IN", "OUT"]))
    masked_ls = frame_of(make.through(unsigned, ["dcmcjpls", "IN", "OUT"]))
    yield Case("signed 12 bits", base, {
        "signs not extended": (with_frame(base, masked), ALTERED, AMBIGUOUS),
        "signs not extended, JPEG-LS": (with_frame(base, masked_ls, JPEG_LS), ALTERED, AMBIGUOUS),
        "signs not extended, native": (native_of(base, (s12.astype("i4") & 0xFFF).astype("<u2")),
                                       ALTERED, AMBIGUOUS),
        "native": (make.through(base, ["gdcmconv", "--raw", "IN", "OUT"]), None, None),
        "jpeg-ls": (make.through(ds, ["dcmcjpls", "IN", "OUT"]), AUTHENTIC, None),
        "jpeg": (make.through(ds, ["dcmcjpeg", "+e1", "IN", "OUT"]), AUTHENTIC, None),
        "rle": (make.through(ds, ["gdcmconv", "--rle", "IN", "OUT"]), AUTHENTIC, None)})

    # JPEG XL.
    ds = native(g8)
    base = with_frame(ds, even(make.jxl(g8)), JXL)
    yield Case("jpeg xl", base, {
        "again": (with_frame(ds, even(make.jxl(g8)), JXL), AUTHENTIC, None),
        "mirrored": (with_frame(base, even(make.jxl(g8, orientation=2))), ALTERED, AMBIGUOUS)})

    # YBR_FULL_422.
    y, x = np.mgrid[0:150, 0:204]
    pairs = np.stack([(x * 3 + y) % 256, (x // 2 * 5 + y) % 256, (x // 2 + y * 2) % 256],
                     -1).astype("u1")
    ds = native(pairs, photometric="YBR_FULL_422")
    quads = pairs.reshape(150, 102, 2, 3)
    packed = np.stack([quads[..., 0, 0], quads[..., 1, 0], quads[..., 0, 1], quads[..., 0, 2]], -1)
    base = native_of(ds, packed)
    planar = native_of(base, packed)
    planar.PlanarConfiguration = 1
    yield Case("ybr 422", base, {
        "spelled out": (native_of(base, pairs), ALTERED, AMBIGUOUS),
        "planar": (planar, ALTERED, AMBIGUOUS)})
    ds = native(pairs, photometric="YBR_FULL_422")
    yield Case("ybr 422 sealed spelled out", ds, {}, INDETERMINATE, AMBIGUOUS)

    # Offset tables.
    ds = native(g8)
    base = with_frame(ds, rle_frame(g8), RLE)
    yield Case("offset table", base, {
        "wrong": (with_table(base, struct.pack("<I", 10)), INDETERMINATE, "offset-table.wrong"),
        "right": (with_table(base, struct.pack("<I", 0)), AUTHENTIC, None)})

    # A bare data set: no meta information, no byte of it changed.
    ds = native(c8)
    base = make.through(ds, ["dcmcjpeg", "+eb", "IN", "OUT"])
    whole = to_bytes(base)
    yield Case("bare", base, {
        "bare": (whole[144 + struct.unpack("<I", whole[140:144])[0]:], AUTHENTIC, None)})

    # Icons: DCMTK encodes and decodes them with the image.
    def with_icon(ds, icon, **attributes):
        item = Dataset()
        for name in ("SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns",
                     "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"):
            setattr(item, name, getattr(icon, name))
        item.PixelData = icon.PixelData
        item["PixelData"].VR = "OB"
        item["PixelData"].is_undefined_length = icon.file_meta.TransferSyntaxUID != EXPLICIT
        ds.IconImageSequence = [item]
        return ds
    icon = native(grey(rows=31, columns=33))
    base = with_icon(native(g8), icon)
    encoded = make.through(base, ["dcmcjpls", "IN", "OUT"])
    drawn = make.through(encoded, ["dcmdjpls", "IN", "OUT"])
    drawn.IconImageSequence[0].PixelData = bytes(1024)
    yield Case("icon", base, {
        "jpeg-ls": (encoded, AUTHENTIC, None),
        "rle": (make.through(base, ["dcmcrle", "IN", "OUT"]), AUTHENTIC, None),
        "jpeg": (make.through(base, ["dcmcjpeg", "+e1", "IN", "OUT"]), AUTHENTIC, None),
        "there and back": (make.through(encoded, ["dcmdjpls", "IN", "OUT"]), AUTHENTIC, None),
        "by gdcm": (make.through(encoded, ["gdcmconv", "--raw", "IN", "OUT"]), AUTHENTIC, None),
        "drawn": (drawn, ALTERED, "attribute.altered"),
        "drawn, rle": (make.through(drawn, ["dcmcrle", "IN", "OUT"]), ALTERED,
                       "attribute.altered")})
    base = make.through(with_icon(native(g8), icon), ["dcmcrle", "IN", "OUT"])
    yield Case("encoded icon", base, {
        "native": (make.through(base, ["dcmdrle", "IN", "OUT"]), AUTHENTIC, None),
        "j2k by gdcm": (make.through(base, ["gdcmconv", "--j2k", "IN", "OUT"]), AUTHENTIC, None)})

    # An overlay in an unused bit, and what a transcoder makes of it.
    values = grey("u2", 12)
    mark = np.zeros(values.shape, "u1")
    mark[40:60, 100:140] = 1
    marked = (values | (mark.astype("u2") << 13)).astype("<u2")
    base = native(marked, bits=12)
    base.add_new(0x60000010, "US", values.shape[0])
    base.add_new(0x60000011, "US", values.shape[1])
    base.add_new(0x60000040, "CS", "G")
    base.add_new(0x60000050, "SS", [1, 1])
    base.add_new(0x60000100, "US", 16)
    base.add_new(0x60000102, "US", 13)

    def moved(plane, samples=values):
        out = native_of(base, samples)
        bits = np.packbits(plane.ravel(), bitorder="little").tobytes()
        out[0x60000100].value, out[0x60000102].value = 1, 0
        out.add_new(0x60003000, "OW", bits + b"\0" * (len(bits) % 2))
        return out

    def longer(out):
        out[0x60003000].value += b"\0\0"
        return out
    shifted = np.roll(mark, 1, axis=1)
    yield Case("overlay", base, {
        "moved": (moved(mark), AUTHENTIC, "overlay.moved"),
        "moved, jpeg-ls": (make.through(moved(mark), ["dcmcjpls", "IN", "OUT"]), AUTHENTIC,
                           "overlay.moved"),
        "moved and shifted": (moved(shifted), ALTERED, "pixels.altered"),
        "copied": (moved(mark, marked), AUTHENTIC, "overlay.moved"),
        # Readers show the plane, whatever is left in the samples.
        "copied in part": (moved(mark & (np.arange(mark.shape[1]) < 120), marked), ALTERED, "attribute.added"),
        "copied, and nothing of it": (moved(mark * 0, marked), ALTERED, "attribute.added"),
        "moved, with more behind": (longer(moved(mark)), ALTERED, "attribute.added"),
        "gone": (native_of(base, values), ALTERED, "pixels.altered")})

    # Loss after sealing.
    y, x = np.mgrid[0:128, 0:128]
    ct = native(((x * x + 3 * y * y) % 3000 - 1000).astype("i2"))
    ct.RescaleIntercept, ct.RescaleSlope = "-1024", "1"
    ct.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2"
    ct.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    yield Case("lossy", ct, {
        "baseline": Lossy("dcmcjpeg", "+eb"),
        "extended": Lossy("dcmcjpeg", "+ee"),
        "j2k by gdcm": Lossy("gdcmconv", "--j2k", "--lossy", "-r", "20"),
        "j2k by quality": Lossy("gdcmconv", "--j2k", "--lossy", "-q", "60")})
    y, x = np.mgrid[0:128, 0:128]
    yield Case("lossy 12 bits", native(((x * x + 3 * y * y) % 3000).astype("u2"), bits=12), {
        "jpeg by gdcm": Lossy("gdcmconv", "--jpeg", "--lossy", "-q", "85")})
    yield Case("lossy colour", native(c8), {
        "by dcmcjpeg": Lossy("dcmcjpeg", "+eb"),
        "by gdcm": Lossy("gdcmconv", "--jpeg", "--lossy", "-q", "85"),
        "j2k by gdcm": Lossy("gdcmconv", "--j2k", "--lossy", "-r", "20")})

    # A codestream that no decoder reads.
    ds = native(g8)
    base = make.through(ds, ["dcmcjpls", "IN", "OUT"])
    stream = frame_of(base)
    broken = with_frame(base, stream[:len(stream) // 4 * 2])
    yield Case("undecodable", broken, {
        "another byte": (with_frame(base, stream[:len(stream) // 4 * 2 - 2]), ALTERED,
                         "pixels.altered"),
        "whole, native": (ds, INDETERMINATE, "bytes.only")}, AUTHENTIC, "bytes.only")


def native_of(ds, array):
    out = pydicom.dcmread(io.BytesIO(to_bytes(ds)))
    out.file_meta.TransferSyntaxUID = EXPLICIT
    out.PixelData = array.tobytes()
    out["PixelData"].is_undefined_length = False
    out["PixelData"].VR = "OB" if array.dtype.itemsize == 1 else "OW"
    return out


def with_table(ds, table):
    out = pydicom.dcmread(io.BytesIO(to_bytes(ds)))
    value = out.PixelData
    old = struct.unpack("<I", value[4:8])[0]
    out.PixelData = value[:4] + struct.pack("<I", len(table)) + table + value[8 + old:]
    return out


def main():
    given = arguments(__doc__, verbose={"action": "store_true"})
    require_tools("dcmcjpeg", "dcmdjpeg", "dcmcjpls", "dcmcrle", "gdcmconv", "cjxl")
    checks = Checks()
    with WorkFolder(given.work) as work:
        for name in ("tools", "base", "changed"):
            (work / name).mkdir()
        fiducia = Fiducia(given.bin, work / "home")
        fiducia.init()
        expected, later = {}, []
        for case in cases(Maker(work / "tools")):
            stem = case.name.replace(" ", "-")
            case.base.save_as(work / "base" / f"{stem}.dcm", write_like_original=False)
            expected[str(work / "base" / f"{stem}.dcm")] = (case.verdict, case.code)
            for name, variant in case.variants.items():
                path = work / "changed" / f"{stem}--{name.replace(' ', '-')}.dcm"
                if isinstance(variant, Lossy):
                    later.append((variant.command, work / "sealed" / f"{stem}.dcm", path))
                    expected[str(path)] = (INDETERMINATE, "lossy.recompressed")
                    continue
                changed, verdict, code = variant
                if isinstance(changed, bytes):
                    path.write_bytes(changed)
                else:
                    changed.save_as(path, write_like_original=False)
                expected[str(path)] = (verdict, code)
        sealed = fiducia.run("seal", "--json", work / "base", "--out", work / "sealed")
        checks.equal(sealed.code, 0, "everything is sealed", sealed)
        again = fiducia.run("seal", "--json", work / "sealed")
        checks.equal({line["status"] for line in again.lines}, {"already-sealed"},
                     "what was sealed is not sealed again", again)
        for command, source, target in later:
            tool(*command, source, target)
        answer = fiducia.run("verify", "--json", work / "base", work / "changed")
        results = {line["path"]: line for line in answer.lines if "verdict" in line}
        for path, (verdict, code) in expected.items():
            result = results.get(path)
            name = pathlib.Path(path).stem
            if not checks.that(result is not None, f"{name} has a verdict"):
                continue
            codes = [(f["severity"], f["code"], f.get("attribute", "")) for f in result["findings"]]
            if given.verbose:
                print(f"{result['verdict']:14} {name}  {codes}")
            if verdict is not None:
                checks.equal(result["verdict"], verdict, f"{name}: verdict", codes)
            if code is not None:
                checks.that(any(c == code for _, c, _ in codes), f"{name}: says {code}", codes)
    print(f"{checks.passed} checks passed, {len(checks.failed)} failed")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
