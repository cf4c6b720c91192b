#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Derives and computes sample images: make-samples.py FOLDER, which holds real/octave.

Everything is a function of fixed seeds, so that two runs give the same pixels and UIDs.
"""
import hashlib
import pathlib
import sys

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

CT = "1.2.840.10008.5.1.4.1.1.2"
DX = "1.2.840.10008.5.1.4.1.1.1.1"
MG = "1.2.840.10008.5.1.4.1.1.1.2"
US_MULTIFRAME = "1.2.840.10008.5.1.4.1.1.3.1"
SERIES_SLICES = 300


def uid(name):
    """A UID below 2.25 (UUID-derived, PS3.5 B.2) that depends on `name` only."""
    return "2.25." + str(int.from_bytes(hashlib.sha256(name.encode()).digest()[:15], "big"))


def write(ds, path, sop_class, instance):
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = instance
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = instance
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("fiducia samples")
    ds.file_meta = meta
    ds.is_little_endian = True
    ds.is_implicit_VR = False
    ds.preamble = b"\0" * 128
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, write_like_original=False)


def header(modality, study, description):
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ImageType = ["DERIVED", "SECONDARY"]
    ds.StudyDate = ds.SeriesDate = ds.ContentDate = "20260105"
    ds.StudyTime = ds.SeriesTime = ds.ContentTime = "081500"
    ds.AccessionNumber = "A-0001"
    ds.Modality = modality
    ds.Manufacturer = "Fiducia samples"
    ds.InstitutionName = "Probe-Klinikum"
    ds.ReferringPhysicianName = "Beispiel^Erika"
    ds.StationName = modality + "-SAMPLE"
    ds.StudyDescription = "Sample study, no patient"
    ds.SeriesDescription = description
    ds.PatientName = "Müster^Jörg"
    ds.PatientID = "SAMPLE-1"
    ds.PatientBirthDate = "19700101"
    ds.PatientSex = "O"
    ds.StudyInstanceUID = uid(study)
    ds.SeriesInstanceUID = uid(study + modality + description)
    ds.FrameOfReferenceUID = uid(study + modality + "frame of reference")
    ds.StudyID = "1"
    ds.SeriesNumber = 1
    ds.DerivationDescription = description
    return ds


def pixels(ds, array, stored, photometric="MONOCHROME2", signed=False):
    ds.SamplesPerPixel = 3 if array.ndim > 2 and array.shape[-1] == 3 else 1
    ds.PhotometricInterpretation = photometric
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    frames = array.ndim - (3 if ds.SamplesPerPixel == 3 else 2)
    if frames:
        ds.NumberOfFrames = array.shape[0]
    ds.Rows, ds.Columns = array.shape[frames], array.shape[frames + 1]
    ds.BitsAllocated = array.dtype.itemsize * 8
    ds.BitsStored = stored
    ds.HighBit = stored - 1
    ds.PixelRepresentation = 1 if signed else 0
    ds.add_new(0x7FE00010, "OW" if array.dtype.itemsize == 2 else "OB", array.tobytes())


def ct_series(real, folder):
    """300 slices: the real 512 x 512 slice, moved by sub-steps, with a little noise each."""
    source = pydicom.dcmread(real / "CT-MONO2-16-ankle.dcm")
    base = source.pixel_array.astype(np.int32)
    rng = np.random.default_rng(20260105)
    for number in range(1, SERIES_SLICES + 1):
        ds = header("CT", "ct study", "Derived from one real CT slice: shifted, noise added")
        ds.InstanceNumber = number
        ds.ImagePositionPatient = [-125.0, -125.0, round(number * 0.6, 4)]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.SliceThickness = "0.6"
        ds.SliceLocation = str(round(number * 0.6, 4))
        ds.PixelSpacing = [0.488281, 0.488281]
        ds.KVP = "120"
        ds.RescaleSlope = "1"
        ds.RescaleIntercept = "0"
        ds.WindowCenter = "600"
        ds.WindowWidth = "2400"
        block = ds.private_block(0x0029, "FIDUCIA SAMPLE HEADER", create=True)
        block.add_new(0x10, "LO", "sample " + str(number))
        block.add_new(0x11, "DS", [str(number), "0.5"])
        image = np.roll(base, (number % 7, -(number % 5)), axis=(0, 1))
        image = image + rng.integers(-3, 4, image.shape)
        pixels(ds, np.clip(image, -32768, 32767).astype("<i2"), 16, signed=True)
        write(ds, folder / f"ct-{number:04d}.dcm", CT, uid(f"ct slice {number}"))


def smooth_field(rng, rows, columns, cells):
    """A smooth random field in 0..1, bilinear over a coarse grid."""
    grid = rng.random((cells + 2, cells + 2))
    y = np.linspace(0, cells, rows)
    x = np.linspace(0, cells, columns)
    y0, x0 = y.astype(int), x.astype(int)
    fy, fx = (y - y0)[:, None], (x - x0)[None, :]
    a = grid[np.ix_(y0, x0)] * (1 - fx) + grid[np.ix_(y0, x0 + 1)] * fx
    b = grid[np.ix_(y0 + 1, x0)] * (1 - fx) + grid[np.ix_(y0 + 1, x0 + 1)] * fx
    return a * (1 - fy) + b * fy


def radiograph(folder):
    """A digital radiograph: 2048 columns x 2500 rows, 14 of 16 bits."""
    rng = np.random.default_rng(14)
    image = 0.6 * smooth_field(rng, 2500, 2048, 5) + 0.3 * smooth_field(rng, 2500, 2048, 40)
    image = image * 14000 + rng.normal(0, 30, image.shape)
    ds = header("DX", "dx study", "Synthetic radiograph")
    ds.InstanceNumber = 1
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImagerPixelSpacing = [0.143, 0.143]
    ds.ViewPosition = "PA"
    ds.BodyPartExamined = "CHEST"
    ds.WindowCenter = "7000"
    ds.WindowWidth = "13000"
    view = Dataset()
    view.CodeValue, view.CodingSchemeDesignator = "399348003", "SCT"
    view.CodeMeaning = "antero-posterior projection"
    ds.ViewCodeSequence = Sequence([view])
    pixels(ds, np.clip(image, 0, 16383).astype("<u2"), 14)
    write(ds, folder / "dx.dcm", DX, uid("dx image"))


def mammogram(folder):
    """A mammogram: 12 of 16 bits, MONOCHROME1, with a wide constant border."""
    rng = np.random.default_rng(12)
    rows, columns = 2294, 1914
    y, x = np.mgrid[0:rows, 0:columns]
    inside = ((y - rows / 2) / (rows * 0.42)) ** 2 + (x / (columns * 0.62)) ** 2 < 1
    tissue = 0.5 * smooth_field(rng, rows, columns, 8) + 0.4 * smooth_field(rng, rows, columns, 90)
    image = np.where(inside, 3600 - tissue * 3000 + rng.normal(0, 12, (rows, columns)), 4095)
    ds = header("MG", "mg study", "Synthetic mammogram")
    ds.InstanceNumber = 1
    ds.PresentationIntentType = "FOR PRESENTATION"
    ds.ImageLaterality = "L"
    ds.ImagerPixelSpacing = [0.1, 0.1]
    ds.WindowCenter = "2000"
    ds.WindowWidth = "3800"
    pixels(ds, np.clip(image, 0, 4095).astype("<u2"), 12, photometric="MONOCHROME1")
    write(ds, folder / "mg.dcm", MG, uid("mg image"))


def colour_ultrasound(real, folder):
    """The real palette ultrasound as RGB frames: its palette looked up, 8 bits a sample."""
    source = pydicom.dcmread(real / "US-PAL-8-10x-echo.dcm")
    index = source.pixel_array
    tables = []
    for keyword in ("Red", "Green", "Blue"):
        words = getattr(source, keyword + "PaletteColorLookupTableData")
        entries = getattr(source, keyword + "PaletteColorLookupTableDescriptor")[0] or 65536
        table = np.frombuffer(words, "<u2" if len(words) >= 2 * entries else "u1")[:entries]
        tables.append((table >> 8).astype("u1") if table.max() > 255 else table.astype("u1"))
    rgb = np.stack([table[np.minimum(index, len(table) - 1)] for table in tables], axis=-1)
    ds = header("US", "us study", "Derived from a real ultrasound: palette looked up")
    ds.InstanceNumber = 1
    ds.FrameTime = "40"
    ds.FrameIncrementPointer = 0x00181063
    pixels(ds, np.ascontiguousarray(rgb), 8, photometric="RGB")
    write(ds, folder / "us-rgb-10.dcm", US_MULTIFRAME, uid("us colour"))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: make-samples.py FOLDER")
    root = pathlib.Path(sys.argv[1])
    real = root / "real" / "octave"
    ct_series(real, root / "derived" / "ct-series")
    colour_ultrasound(real, root / "derived")
    radiograph(root / "synthetic")
    mammogram(root / "synthetic")


main()
