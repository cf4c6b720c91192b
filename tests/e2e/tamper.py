# SPDX-License-Identifier: Apache-2.0
"""Rows of the tamper table: what a forger does to a signed file. Each must raise an alarm.

A row says what it does, to which files it applies, and where the alarm has to be.
"""
import subprocess

import pydicom

from reencode import CannotMake, read


def dcmodify(*options):
    def change(path):
        done = subprocess.run(["dcmodify", "-nb", *options, str(path)], capture_output=True)
        if done.returncode != 0:
            raise CannotMake(done.stderr.decode(errors="replace").splitlines()[0])
    return change


def present(*keywords):
    return lambda ds: all(k in ds for k in keywords)


def absent(*keywords):
    return lambda ds: not any(k in ds for k in keywords)


def has_pixels(ds):
    return "PixelData" in ds


def always(ds):
    return True


def flip_pixel_bit(path):
    ds = read(path)
    data = bytearray(ds.PixelData)
    data[len(data) // 2] ^= 1
    ds.PixelData = bytes(data)
    ds.save_as(path, write_like_original=False)


def add_overlay(path):
    ds = read(path)
    bits = ds.Rows * ds.Columns
    ds.add_new(0x60000010, "US", ds.Rows)
    ds.add_new(0x60000011, "US", ds.Columns)
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60000100, "US", 1)
    ds.add_new(0x60000102, "US", 0)
    ds.add_new(0x60003000, "OW", b"\xff" * ((bits + 15) // 16 * 2))
    ds.save_as(path, write_like_original=False)


def add_private(path):
    ds = read(path)
    ds.add_new(0x00990010, "LO", "INTRUDER")
    ds.add_new(0x00991001, "LO", "hidden")
    ds.save_as(path, write_like_original=False)


def rename_writer(path):
    ds = read(path)
    ds.file_meta.ImplementationVersionName = "EVIL_1"
    ds.save_as(path, write_like_original=False)


def cut_off(path):
    data = path.read_bytes()
    path.write_bytes(data[:-1024])


def remove_item(path):
    ds = read(path)
    sequence = next(e for e in ds if e.VR == "SQ" and len(e.value) and e.tag.group != 0x4FFE)
    sequence.value.pop()
    ds.save_as(path, write_like_original=False)


def swap_frames(path):
    ds = read(path)
    size = len(ds.PixelData) // int(ds.NumberOfFrames)
    data = ds.PixelData
    ds.PixelData = data[size:2 * size] + data[:size] + data[2 * size:]
    ds.save_as(path, write_like_original=False)


def with_items(ds):
    return any(e.VR == "SQ" and len(e.value) and e.tag.group != 0x4FFE for e in ds)


# Row -> (which files, the change, element of the place that must be named: an attribute, "pixels",
# "malformed", or None where nothing sealed changes).
CHANGES = {
    "one pixel bit flipped": (has_pixels, flip_pixel_bit, "pixels"),
    "two frames swapped": (lambda ds: int(ds.get("NumberOfFrames", 1) or 1) > 1, swap_frames, "pixels"),
    "PatientName changed": (present("PatientName"), dcmodify("-m", "PatientName=Evil^Twin"),
                            "(0010,0010)"),
    "PatientID changed": (present("PatientID"), dcmodify("-m", "PatientID=EVIL-1"), "(0010,0020)"),
    "StudyDate changed": (present("StudyDate"), dcmodify("-m", "StudyDate=19990101"), "(0008,0020)"),
    "SeriesInstanceUID changed": (present("SeriesInstanceUID"),
                                  dcmodify("-m", "SeriesInstanceUID=1.2.3.4"), "(0020,000E)"),
    "PixelSpacing changed": (present("PixelSpacing"), dcmodify("-m", "PixelSpacing=9\\9"), "(0028,0030)"),
    "PixelSpacing inserted": (absent("PixelSpacing"), dcmodify("-i", "PixelSpacing=9\\9"), "(0028,0030)"),
    "WindowCenter changed": (present("WindowCenter"), dcmodify("-m", "WindowCenter=-999"), "(0028,1050)"),
    "WindowCenter inserted": (absent("WindowCenter"), dcmodify("-i", "WindowCenter=-999"), "(0028,1050)"),
    "RescaleSlope/Intercept changed": (present("RescaleSlope"), dcmodify(
        "-i", "RescaleSlope=2", "-i", "RescaleIntercept=-5"), "(0028,1053)"),
    "RescaleSlope/Intercept inserted": (absent("RescaleSlope"), dcmodify(
        "-i", "RescaleSlope=2", "-i", "RescaleIntercept=-5"), "(0028,1053)"),
    "overlay over the whole image inserted": (has_pixels, add_overlay, "(6000,3000)"),
    "LossyImageCompression=01 inserted": (always, dcmodify("-i", "LossyImageCompression=01"), "(0028,2110)"),
    "PatientComments inserted": (always, dcmodify("-i", "PatientComments=intruder"), "(0010,4000)"),
    "private tag added": (always, add_private, '(0099,"INTRUDER",01)'),
    "last item of a sequence removed": (with_items, remove_item, "["),
    "meta header: ImplementationVersionName changed": (always, rename_writer, None),
    "last 1 KiB cut off": (always, cut_off, "malformed"),
}
