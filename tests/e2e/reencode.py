# SPDX-License-Identifier: Apache-2.0
"""Rows of the matrix: lossless changes of encoding, each made by a tool that others use.

A change is a function (source, target, scratch folder); it raises CannotMake with the tool's
reason when the tool does not do that to this object.
"""
import decimal
import re
import shutil
import struct
import subprocess

import numpy as np
import pydicom
from pydicom.encaps import encapsulate, generate_pixel_data_frame
from pydicom.filewriter import write_dataset
from pydicom.filebase import DicomBytesIO
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian,
                         ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless)

# Transfer syntaxes that are younger than the library.
HTJ2K_LOSSLESS = "1.2.840.10008.1.2.4.201"
JPEG_XL_LOSSLESS = "1.2.840.10008.1.2.4.110"
for uid in (HTJ2K_LOSSLESS, JPEG_XL_LOSSLESS):
    pydicom.uid.UID_dictionary.setdefault(uid, (uid, "Transfer Syntax", "", "", ""))
NATIVE = {ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian,
          DeflatedExplicitVRLittleEndian}


class CannotMake(Exception):
    """The tool does not make this variant; the text says why, in the tool's words."""


def first_reason(text):
    """The line of a tool's messages that says why, without its time stamps and paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for line in lines:
        if line.startswith(("F:", "E:")) or "rror" in line or "annot" in line or "ould not" in line:
            return re.sub(r"/\S+/", "", line)[:160]
    return re.sub(r"/\S+/", "", lines[-1])[:160] if lines else "no message"


def tool(*command):
    """A change made by one run of a command line tool; IN and OUT stand for the files."""
    def change(source, target, scratch):
        filled = [str({"IN": source, "OUT": target}.get(c, c)) for c in command]
        done = subprocess.run(filled, capture_output=True, timeout=120)
        text = done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace")
        if done.returncode != 0:
            target.unlink(missing_ok=True)
            raise CannotMake(f"{command[0]}: exit {done.returncode}: {first_reason(text)}")
        if not target.exists():
            raise CannotMake(f"{command[0]}: wrote nothing: {first_reason(text)}")
    return change


def no_rle_in_pieces(source, target, _scratch):
    """gdcmconv leaves RLE as it is and splits it, against PS3.5 A.4.2: DCMTK shows a part of it only."""
    ds = pydicom.dcmread(source, force=True, stop_before_pixels=True)
    if ds.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.5":
        raise CannotMake("RLE in several fragments is no RLE of DICOM")
    shutil.copy(source, target)


def chain(*changes):
    """One change after the other."""
    def change(source, target, scratch):
        here = source
        for number, step in enumerate(changes):
            there = target if number == len(changes) - 1 else scratch / f"{target.stem}.{number}.dcm"
            step(here, there, scratch)
            if here != source:
                here.unlink()
            here = there
    return change


def read(path):
    return pydicom.dcmread(path, force=True)


def is_native(ds):
    syntax = ds.file_meta.get("TransferSyntaxUID") if hasattr(ds, "file_meta") else None
    return syntax is None or syntax in NATIVE


def needs_native_pixels(ds, tool_name):
    if "PixelData" not in ds:
        raise CannotMake(f"{tool_name}: no pixel data")
    if not is_native(ds):
        raise CannotMake(f"{tool_name}: takes native pixels only")


def write(ds, target):
    ds.save_as(target, write_like_original=False)


def pydicom_rewrite(source, target, scratch):
    write(read(source), target)


def pydicom_parse_all(source, target, scratch):
    """Every element goes through pydicom's value types and back."""
    ds = read(source)
    for _ in ds.iterall():
        pass
    ds.walk(lambda dataset, element: setattr(element, "value", element.value)
            if element.VR != "SQ" else None)
    write(ds, target)


def pydicom_encoding(syntax, implicit, little):
    def change(source, target, scratch):
        ds = read(source)
        if not is_native(ds):
            raise CannotMake("pydicom: no decoder for this encoding")
        was_little = ds.is_little_endian
        if was_little != little:
            raise CannotMake("pydicom: does not swap bytes of pixel data")
        ds.file_meta.TransferSyntaxUID = syntax
        ds.is_implicit_VR, ds.is_little_endian = implicit, little
        write(ds, target)
    return change


def pydicom_rle(source, target, scratch):
    ds = read(source)
    needs_native_pixels(ds, "pydicom")
    if not ds.is_little_endian:
        raise CannotMake("pydicom: takes little endian only")
    try:
        ds.compress(RLELossless)
    except (ValueError, AttributeError, NotImplementedError, RuntimeError) as error:
        raise CannotMake(f"pydicom: {str(error).splitlines()[0][:120]}") from error
    write(ds, target)


def needs_group_8(ds):
    if not any(tag.group == 8 for tag in ds.keys()):
        raise CannotMake("without group 0008 nothing tells a bare data set from other bytes")


def bare_data_set(source, target, scratch):
    """Neither preamble nor meta header: what a network message carries."""
    ds = read(source)
    if not is_native(ds):
        raise CannotMake("a bare data set has no place to name a compressed transfer syntax")
    if ds.file_meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        raise CannotMake("a bare data set has no place to say that it is deflated")
    needs_group_8(ds)
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = ds.is_little_endian, ds.is_implicit_VR
    write_dataset(buffer, ds)
    target.write_bytes(buffer.getvalue())


def other_preamble(source, target, scratch):
    """A TIFF header in the preamble (PS3.10 7.1) and another Implementation Version Name."""
    ds = read(source)
    ds.preamble = b"II*\0" + b"\x10\0\0\0" + b"\0" * 120
    ds.file_meta.ImplementationVersionName = "OTHER_WRITER"
    ds.file_meta.SourceApplicationEntityTitle = "ARCHIVE"
    write(ds, target)


def renumber_private_blocks(source, target, scratch):
    """Each private block moves to another number (PS3.5 7.8.1: the creator counts)."""
    moved = []

    def move(ds):
        creators = [e for e in ds if e.tag.is_private_creator]
        blocks = {}
        for number, creator in enumerate(sorted(creators, key=lambda e: e.tag, reverse=True)):
            group, block = creator.tag.group, creator.tag.element
            used = {e.tag.element for e in creators if e.tag.group == group}
            new = 0xFE - number
            assert new not in used or new == block
            blocks[group, block] = new
        for element in list(ds):
            tag = element.tag
            if not tag.is_private:
                if element.VR == "SQ":
                    for item in element.value:
                        move(item)
                continue
            if tag.is_private_creator:
                new = (tag.group << 16) | blocks[tag.group, tag.element]
            elif (tag.group, tag.element >> 8) in blocks:
                new = (tag.group << 16) | (blocks[tag.group, tag.element >> 8] << 8) | tag.element & 0xFF
            else:
                continue  # an element without a creator has no block to move
            if element.VR == "SQ":
                for item in element.value:
                    move(item)
            del ds[tag]
            ds.add(pydicom.DataElement(new, element.VR, element.value))
            moved.append(new)

    ds = read(source)
    for _ in ds.iterall():
        pass
    move(ds)
    if not moved:
        raise CannotMake("no private blocks")
    write(ds, target)


def respell_numbers(source, target, scratch):
    """DS and IS with other spellings of the same decimal value, as they fit in 16 and 12 bytes."""
    spelled = []

    def respell(text, vr):
        value = decimal.Decimal(text)
        wide = 12 if vr == "IS" else 16
        candidates = ["+" + text.strip() if value >= 0 and not text.strip().startswith("+") else text,
                      text.strip() + "0" if "." in text and "E" not in text.upper() else text,
                      " " + text.strip() + " "]
        if vr == "DS":
            candidates.insert(0, f"{value:E}")
        for candidate in candidates:
            if candidate != text and len(candidate) <= wide and decimal.Decimal(candidate.strip()) == value:
                spelled.append(candidate)
                return candidate
        return text

    ds = read(source)

    def visit(dataset):
        for tag in list(dataset.keys()):
            raw = dataset.get_item(tag)
            if getattr(raw, "VR", None) in ("DS", "IS") and isinstance(raw.value, bytes) and raw.value:
                text = raw.value.decode("ascii").rstrip(" \0")
                try:
                    new = "\\".join(respell(part, raw.VR) if part.strip() else part
                                    for part in text.split("\\"))
                except decimal.InvalidOperation:
                    continue
                new = new.encode("ascii")
                new += b" " * (len(new) % 2)
                dataset[tag] = raw._replace(value=new, length=len(new))
            elif getattr(raw, "VR", None) == "SQ":
                for item in dataset[tag].value:
                    visit(item)

    visit(ds)
    if not spelled:
        raise CannotMake("no DS or IS with its VR said in the file")
    write(ds, target)


def swap_planar(source, target, scratch):
    """Native colour pixels from colour-by-pixel to colour-by-plane, or back."""
    ds = read(source)
    needs_native_pixels(ds, "numpy")
    if ds.SamplesPerPixel != 3:
        raise CannotMake("one sample a pixel")
    if not ds.is_little_endian:
        raise CannotMake("little endian only")
    dtype = np.dtype(f"<u{ds.BitsAllocated // 8}")
    frames, rows, columns = int(getattr(ds, "NumberOfFrames", 1)), ds.Rows, ds.Columns
    data = np.frombuffer(ds.PixelData, dtype)[:frames * rows * columns * 3]
    if ds.PlanarConfiguration == 0:
        data = np.moveaxis(data.reshape(frames, rows, columns, 3), -1, 1)
        ds.PlanarConfiguration = 1
    else:
        data = np.moveaxis(data.reshape(frames, 3, rows, columns), 1, -1)
        ds.PlanarConfiguration = 0
    data = np.ascontiguousarray(data).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    write(ds, target)


def item(tag_element, data=None, length=None):
    header = struct.pack("<HHI", 0xFFFE, tag_element, len(data) if length is None else length)
    return header + (data or b"")


def refragment(offset_table):
    """Cuts each frame of encapsulated pixels into fragments of 600 bytes; offset table as said."""
    def change(source, target, scratch):
        ds = read(source)
        if "PixelData" not in ds or is_native(ds):
            raise CannotMake("no encapsulated pixels")
        if ds.file_meta.TransferSyntaxUID == RLELossless:
            raise CannotMake("RLE: one fragment a frame (PS3.5 A.4.2)")
        frames = list(generate_pixel_data_frame(ds.PixelData, int(getattr(ds, "NumberOfFrames", 1))))
        size = 600
        if len(frames) > 1 and offset_table == "none":
            size = 1 << 30  # without a table only whole-frame fragments tell frames apart
        body, offsets, lengths = b"", [], []
        for frame in frames:
            offsets.append(len(body))
            lengths.append(len(frame))
            if offset_table == "extended":  # PS3.3 C.7.6.3.1.8: one fragment a frame
                body += item(0xE000, frame + b"\0" * (len(frame) % 2))
                continue
            for start in range(0, len(frame), size):
                part = frame[start:start + size]
                body += item(0xE000, part + b"\0" * (len(part) % 2))
        table = b""
        if offset_table == "basic":
            table = b"".join(struct.pack("<I", o) for o in offsets)
        ds.PixelData = item(0xE000, table) + body
        ds["PixelData"].is_undefined_length = True
        if offset_table == "extended":
            ds.add_new(0x7FE00001, "OV", b"".join(struct.pack("<Q", o) for o in offsets))
            ds.add_new(0x7FE00002, "OV", b"".join(struct.pack("<Q", n + n % 2) for n in lengths))
        write(ds, target)
    return change


def frames_as_netpbm(ds, whole_bytes):
    """Each frame as PGM or PPM; these hold unsigned samples of at most 16 bits.

    `whole_bytes`: the largest value said is 255 or 65535, whatever Bits Stored is."""
    if ds.PixelRepresentation != 0:
        raise CannotMake("netpbm files hold no signed samples")
    if ds.BitsAllocated not in (8, 16) or ds.BitsStored < 8:
        raise CannotMake(f"netpbm files do not hold {ds.BitsAllocated} bits allocated")
    if ds.HighBit != ds.BitsStored - 1:
        raise CannotMake("bits are not right aligned")
    array = ds.pixel_array
    many = int(getattr(ds, "NumberOfFrames", 1)) > 1
    top = (1 << ds.BitsStored) - 1
    if array.max(initial=0) > top:
        raise CannotMake("samples above Bits Stored")
    if whole_bytes:
        top = 255 if top < 256 else 65535
    out = []
    for frame in array if many else [array]:
        data = frame.astype("u1" if top < 256 else ">u2").tobytes()
        kind = b"P6" if frame.ndim == 3 else b"P5"
        out.append(b"%s\n%d %d\n%d\n%s" % (kind, frame.shape[1], frame.shape[0], top, data))
    return out


def encoder(name, syntax, suffix, command, whole_bytes=False):
    """Encodes frame by frame with a codec's own command line program, and encapsulates."""
    def change(source, target, scratch):
        ds = read(source)
        needs_native_pixels(ds, name)
        coded = []
        for number, image in enumerate(frames_as_netpbm(ds, whole_bytes)):
            kind = "ppm" if image.startswith(b"P6") else "pgm"
            raw = scratch / f"{target.stem}.{number}.{kind}"
            out = raw.with_suffix(suffix)
            raw.write_bytes(image)
            done = subprocess.run([str({"IN": raw, "OUT": out}.get(c, c)) for c in command],
                                  capture_output=True, timeout=120)
            raw.unlink()
            if done.returncode != 0 or not out.exists():
                text = (done.stderr + done.stdout).decode(errors="replace")
                raise CannotMake(f"{name}: {first_reason(text)}")
            coded.append(out.read_bytes())
            out.unlink()
        ds.PixelData = encapsulate(coded)
        ds["PixelData"].VR = "OB"
        ds["PixelData"].is_undefined_length = True
        ds.file_meta.TransferSyntaxUID = syntax
        ds.is_implicit_VR, ds.is_little_endian = False, True
        if ds.SamplesPerPixel == 3:
            ds.PlanarConfiguration = 0
            # PS3.5 8.2.4: OpenJPH applies the reversible colour transform.
            if syntax == HTJ2K_LOSSLESS:
                ds.PhotometricInterpretation = "YBR_RCT"
        write(ds, target)
    return change


def dcmconv_bare(source, target, scratch):
    needs_group_8(read(source))
    tool("dcmconv", "-F", "+te", "IN", "OUT")(source, target, scratch)


to_explicit = tool("dcmconv", "+te", "IN", "OUT")
decompress_rle = tool("dcmdrle", "IN", "OUT")
gdcm_raw = tool("gdcmconv", "--raw", "IN", "OUT")

CHANGES = {
    "unchanged": tool("cp", "IN", "OUT"),
    "dcmconv implicit VR": tool("dcmconv", "+ti", "IN", "OUT"),
    "dcmconv explicit BE": tool("dcmconv", "+tb", "IN", "OUT"),
    "dcmconv deflated": tool("dcmconv", "+td", "IN", "OUT"),
    "dcmconv undefined lengths": tool("dcmconv", "-e", "IN", "OUT"),
    "dcmconv undefined -> defined lengths": chain(tool("dcmconv", "-e", "IN", "OUT"),
                                                  tool("dcmconv", "+e", "IN", "OUT")),
    "dcmconv implicit -> explicit LE": chain(tool("dcmconv", "+ti", "IN", "OUT"), to_explicit),
    "dcmconv BE -> explicit LE": chain(tool("dcmconv", "+tb", "IN", "OUT"), to_explicit),
    "dcmconv deflated -> explicit LE": chain(tool("dcmconv", "+td", "IN", "OUT"), to_explicit),
    "dcmconv group lengths + padding": tool("dcmconv", "+g", "+p", "512", "8", "IN", "OUT"),
    "dcmconv data set without meta header": dcmconv_bare,
    "dcmconv to UTF-8": tool("dcmconv", "+U8", "IN", "OUT"),
    "dcmcrle": tool("dcmcrle", "IN", "OUT"),
    "dcmcrle -> dcmdrle": chain(tool("dcmcrle", "IN", "OUT"), decompress_rle),
    "dcmdrle": decompress_rle,
    "dcmdjpls": tool("dcmdjpls", "IN", "OUT"),
    "dcmcjpeg SV1": tool("dcmcjpeg", "+e1", "IN", "OUT"),
    "dcmcjpeg SV1, 1 kB fragments": tool("dcmcjpeg", "+e1", "+fs", "1", "IN", "OUT"),
    "dcmcjpeg lossless, selection value 6": tool("dcmcjpeg", "+el", "+sv", "6", "IN", "OUT"),
    "dcmcjpeg SV1 -> dcmdjpeg": chain(tool("dcmcjpeg", "+e1", "IN", "OUT"),
                                      tool("dcmdjpeg", "IN", "OUT")),
    "dcmcjpls": tool("dcmcjpls", "IN", "OUT"),
    "dcmcjpls, no offset table": tool("dcmcjpls", "-ot", "IN", "OUT"),
    "dcmcjpls, sample interleave": tool("dcmcjpls", "+is", "IN", "OUT"),
    "dcmcjpls, not interleaved": tool("dcmcjpls", "+in", "IN", "OUT"),
    "dcmcjpls -> dcmdjpls": chain(tool("dcmcjpls", "IN", "OUT"), tool("dcmdjpls", "IN", "OUT")),
    "dcmcjpls -> fragments of 600 bytes": chain(tool("dcmcjpls", "IN", "OUT"), refragment("basic")),
    "dcmcjpls -> no offset table": chain(tool("dcmcjpls", "IN", "OUT"), refragment("none")),
    "dcmcjpls -> extended offset table": chain(tool("dcmcjpls", "IN", "OUT"),
                                               refragment("extended")),
    "gdcmconv --raw": gdcm_raw,
    "gdcmconv --raw --implicit": tool("gdcmconv", "--raw", "--implicit", "IN", "OUT"),
    "gdcmconv --raw --explicit": tool("gdcmconv", "--raw", "--explicit", "IN", "OUT"),
    "gdcmconv --deflated": tool("gdcmconv", "--deflated", "IN", "OUT"),
    "gdcmconv --planar-configuration 1": tool("gdcmconv", "--planar-configuration", "1", "IN", "OUT"),
    "gdcmconv --rle": tool("gdcmconv", "--rle", "IN", "OUT"),
    "gdcmconv --rle -> --raw": chain(tool("gdcmconv", "--rle", "IN", "OUT"), gdcm_raw),
    "gdcmconv --jpeg": tool("gdcmconv", "--jpeg", "IN", "OUT"),
    "gdcmconv --jpeg -> --raw": chain(tool("gdcmconv", "--jpeg", "IN", "OUT"), gdcm_raw),
    "gdcmconv --jpegls": tool("gdcmconv", "--jpegls", "IN", "OUT"),
    "gdcmconv --jpegls -> --raw": chain(tool("gdcmconv", "--jpegls", "IN", "OUT"), gdcm_raw),
    "gdcmconv --j2k": tool("gdcmconv", "--j2k", "IN", "OUT"),
    "gdcmconv --j2k, tiles of 64": tool("gdcmconv", "--j2k", "-t", "64,64", "IN", "OUT"),
    "gdcmconv --j2k, fragments": chain(tool("gdcmconv", "--j2k", "--split", "512", "IN", "OUT"), no_rle_in_pieces),
    "gdcmconv --j2k -> --raw": chain(tool("gdcmconv", "--j2k", "IN", "OUT"), gdcm_raw),
    "ojph_compress HTJ2K": encoder("ojph_compress", HTJ2K_LOSSLESS, ".j2c",
                                   ("ojph_compress", "-i", "IN", "-o", "OUT", "-reversible", "true")),
    # cjxl 0.7 loses the low bits of a PGM file whose largest value is between 255 and 65535.
    "cjxl JPEG XL": encoder("cjxl", JPEG_XL_LOSSLESS, ".jxl",
                            ("cjxl", "IN", "OUT", "-d", "0", "-e", "3", "--container=0"),
                            whole_bytes=True),
    "pydicom read + write": pydicom_rewrite,
    "pydicom every element parsed + written": pydicom_parse_all,
    "pydicom implicit VR": pydicom_encoding(ImplicitVRLittleEndian, True, True),
    "pydicom deflated": pydicom_encoding(DeflatedExplicitVRLittleEndian, False, True),
    "pydicom RLE": pydicom_rle,
    "bare data set": bare_data_set,
    "other preamble and meta header": other_preamble,
    "private blocks renumbered": renumber_private_blocks,
    "DS and IS respelled": respell_numbers,
    "planar configuration swapped": swap_planar,
    "all in a row: implicit -> BE -> UTF-8 -> JPEG-LS -> RLE": chain(
        tool("dcmconv", "+ti", "IN", "OUT"), tool("dcmconv", "+tb", "IN", "OUT"),
        tool("dcmconv", "+U8", "IN", "OUT"), tool("dcmcjpls", "IN", "OUT"),
        tool("dcmdjpls", "IN", "OUT"), tool("dcmcrle", "IN", "OUT")),
}
