# SPDX-License-Identifier: Apache-2.0
"""The objects of the end-to-end tests: real ones, parts of derived ones, and a made PDF object."""
import shutil
import subprocess

import numpy as np
import pydicom
from pydicom.encaps import encapsulate, generate_pixel_data_frame

CHARACTER_SETS = ["chrArab", "chrFren", "chrFrenMulti", "chrGerm", "chrGreek", "chrH31", "chrH32",
                  "chrHbrw", "chrI2", "chrJapMulti", "chrJapMultiExplicitIR6", "chrKoreanMulti",
                  "chrRuss", "chrSQEncoding", "chrSQEncoding1", "chrX1", "chrX2"]

# Column of the matrix -> files that it stands for. Columns of several files show a count.
COLUMNS = ["CT", "CT512", "DX", "MG", "MR", "US", "RGB", "RGB planar", "colour 8/16/32", "palettes",
           "SEG", "SR", "RT dose", "RT plan/struct", "ECG", "PDF", "big endian", "implicit",
           "private SQ", "charsets", "RLE", "JPEG-LS", "J2K"]


def run(*command):
    subprocess.run([str(c) for c in command], check=True, capture_output=True)


def crop(source, target, rows, columns, frames=None):
    """Cuts the top left part out of native pixels, so that slow encoders stay usable."""
    ds = pydicom.dcmread(source)
    array = ds.pixel_array
    many = int(getattr(ds, "NumberOfFrames", 1)) > 1
    if many:
        array = array[:frames, :rows, :columns]
        ds.NumberOfFrames = array.shape[0]
    else:
        array = array[:rows, :columns]
    ds.Rows, ds.Columns = array.shape[1:3] if many else array.shape[:2]
    ds.PixelData = np.ascontiguousarray(array).tobytes()
    ds.save_as(target, write_like_original=False)


def by_plane(source, target):
    """The same colour image with Planar Configuration 1: all red, all green, all blue."""
    ds = pydicom.dcmread(source)
    array = ds.pixel_array  # frames x rows x columns x 3
    ds.PixelData = np.ascontiguousarray(np.moveaxis(array, -1, 1)).tobytes()
    ds.PlanarConfiguration = 1
    ds.SOPInstanceUID += ".1"
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.save_as(target, write_like_original=False)


def small_pdf(text):
    """One page that shows `text`; cross-reference offsets are right, so that readers take it."""
    stream = f"BT /F1 18 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>",
               b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
               b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
               b"/Resources << /Font << /F1 5 0 R >> >> >>",
               b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
               b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return out + (b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
                  % (len(objects) + 1, start))


def pdf_object(folder):
    """A document whose length is odd, so that the padding byte of OB counts."""
    pdf = folder / "report.pdf"
    body = small_pdf("Befund: kein Patient, nur eine Probe")
    pdf.write_bytes(body if len(body) % 2 else body + b"\n")
    run("pdf2dcm", "+t", "Befund", "+pn", "Beispiel^Erika", "+pi", "SAMPLE-2", "+pb", "19700101",
        "+ps", "F", pdf, folder / "pdf.dcm")
    pdf.unlink()
    return folder / "pdf.dcm"


def bare_codestream(source, target):
    """JPEG 2000 without the file format around it, whose colour profile readers may apply or not."""
    ds = pydicom.dcmread(source)
    frame = next(generate_pixel_data_frame(ds.PixelData, 1))
    frame = frame[frame.index(b"\xff\x4f\xff\x51"):frame.rindex(b"\xff\xd9") + 2]
    ds.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2)])
    ds["PixelData"].is_undefined_length = True
    ds.save_as(target, write_like_original=False)
    return target


def with_own_uid(source, target, number):
    """Several sample files share one SOP Instance UID although they differ, which would be an
    identity conflict; only then a copy gets a UID of its own."""
    ds = pydicom.dcmread(source, force=True)
    ds.SOPInstanceUID = f"2.25.170141183460469231731687303715884{number:04d}"
    if "MediaStorageSOPInstanceUID" in ds.file_meta:
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.save_as(target, write_like_original=True)


def data_columns(data, folder):
    """One column for each folder of real images; identities that are there twice get one of their own."""
    folder.mkdir(parents=True)
    columns, seen = {}, set()
    for number, source in enumerate(sorted(data.rglob("*.dcm"))):
        column = source.relative_to(data).parts[0].removesuffix(".dcm")
        target = folder / f"{column}.{source.stem}.dcm"
        shutil.copy(source, target)
        uid = str(pydicom.dcmread(target, force=True, stop_before_pixels=True).get("SOPInstanceUID", ""))
        if uid and uid in seen:
            with_own_uid(target, target, 9000 + number)
        seen.add(uid)
        columns.setdefault(column, []).append(target)
    return columns


def make_columns(samples, folder):
    """Column -> list of files below `folder`."""
    folder.mkdir(parents=True)
    real, octave = samples / "real/pydicom", samples / "real/octave"
    columns = {}

    def put(column, sources):
        columns[column] = []
        for source in sources:
            target = folder / f"{column.replace(' ', '_').replace('/', '-')}.{source.stem}.dcm"
            if source.parent == folder:
                source.rename(target)
            else:
                shutil.copy(source, target)
            columns[column].append(target)

    crop(samples / "synthetic/dx.dcm", folder / "dx.dcm", 610, 500)
    crop(samples / "synthetic/mg.dcm", folder / "mg.dcm", 574, 480)
    crop(samples / "derived/us-rgb-10.dcm", folder / "us-rgb.dcm", 240, 333, frames=3)
    by_plane(folder / "us-rgb.dcm", folder / "us-planar.dcm")
    run("dcmdrle", octave / "US-PAL-8-10x-echo.dcm", folder / "us-all.dcm")
    crop(folder / "us-all.dcm", folder / "us-palette.dcm", 430, 600, frames=3)
    (folder / "us-all.dcm").unlink()

    put("CT", [real / "CT_small.dcm"])
    put("CT512", [octave / "CT-MONO2-16-ankle.dcm"])
    put("DX", [folder / "dx.dcm"])
    put("MG", [folder / "mg.dcm"])
    put("MR", [real / "MR_small.dcm"])
    put("US", [folder / "us-palette.dcm"])
    put("RGB", [folder / "us-rgb.dcm"])
    put("RGB planar", [folder / "us-planar.dcm"])
    put("colour 8/16/32", [real / f"SC_rgb_rle{kind}.dcm"
                           for kind in ("_2frame", "_16bit", "_16bit_2frame", "_32bit",
                                        "_32bit_2frame")] + [real / "SC_rgb_small_odd.dcm"])
    put("palettes", [real / f"{name}.dcm" for name in ("hotiron", "pet", "spring", "fall")])
    put("SEG", [real / "liver_1frame.dcm"])
    put("SR", [real / "test-SR.dcm", real / "reportsi.dcm"])
    put("RT dose", [real / "rtdose.dcm"])
    put("RT plan/struct", [real / "rtplan.dcm", octave / "rtstruct.dcm"])
    put("ECG", [real / "waveform_ecg.dcm"])
    put("PDF", [pdf_object(folder)])
    put("big endian", [real / "ExplVR_BigEnd.dcm"])
    for name in ("MR_small_implicit", "MR_small_RLE", "MR_small_jpeg_ls_lossless",
                 "MR_small_jp2klossless", "SC_rgb_rle"):
        assert (real / f"{name}.dcm").exists(), name
    put("implicit", [real / "MR_small_implicit.dcm"])
    put("private SQ", [real / "priv_SQ.dcm", real / "nested_priv_SQ.dcm", real / "UN_sequence.dcm"])
    put("charsets", [real / f"{name}.dcm" for name in CHARACTER_SETS])
    put("RLE", [real / "MR_small_RLE.dcm"])
    put("JPEG-LS", [real / "MR_small_jpeg_ls_lossless.dcm"])
    put("J2K", [real / "MR_small_jp2klossless.dcm",
                bare_codestream(real / "GDCMJ2K_TextGBR.dcm", folder / "GDCMJ2K_TextGBR.dcm")])

    seen, number = set(), 0
    for files in columns.values():
        for file in files:
            uid = str(pydicom.dcmread(file, force=True, stop_before_pixels=True)
                      .get("SOPInstanceUID", ""))
            if uid in seen:
                number += 1
                with_own_uid(file, file, number)
            elif uid:
                seen.add(uid)
    assert list(columns) == COLUMNS
    return columns
