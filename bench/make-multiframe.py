#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a native multi-frame CT object: make-multiframe.py SLICES_FOLDER FRAMES OUT.dcm"""
import pathlib
import struct
import sys

import pydicom

slices = sorted(pathlib.Path(sys.argv[1]).glob("*.dcm"))
frames = int(sys.argv[2])
first = pydicom.dcmread(slices[0])
del first.PixelData
first.NumberOfFrames = frames
first.SOPInstanceUID = first.file_meta.MediaStorageSOPInstanceUID = "2.25.20260105000001"
first.save_as(sys.argv[3], write_like_original=False)
images = [pydicom.dcmread(path).PixelData for path in slices[:16]]
with open(sys.argv[3], "ab") as out:
    out.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, frames * len(images[0])))
    for number in range(frames):
        out.write(images[number % len(images)])
