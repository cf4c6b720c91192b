# SPDX-License-Identifier: Apache-2.0
"""An independent opinion on two files: which attributes and pixels differ, according to pydicom.

It shares no code with the program. Where a cell of the matrix is not `authentic`, this decides
whether the tool that made the file changed the content, or the program gave a false alarm.
"""
import decimal
import re
import subprocess

import numpy as np
import pydicom
from pydicom.values import convert_SQ

# Not content (DESIGN 4.3): what a change of encoding may set, add or drop.
OUTSIDE = {0x00080001, 0x00080005, 0x00280006, 0xFFFCFFFC, 0x7FE00001, 0x7FE00002, 0x7FE00003}
UNIT_BYTES = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4,
              "FD": 8, "OD": 8, "SV": 8, "UV": 8, "OV": 8}
TEXT = {"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}


def path_of(ds, tag, prefix):
    """The path as the program writes it: private elements by creator and low byte."""
    if tag.is_private and not tag.is_private_creator:
        creator = ds.get((tag.group, tag.element >> 8)) if tag.element >= 0x1000 else None
        if creator is not None:
            name = str(creator.value).rstrip(" \0")
            return f'{prefix}({tag.group:04X},"{name}",{tag.element & 0xFF:02X})'
    return f"{prefix}({tag.group:04X},{tag.element:04X})"


class Element:
    """One element: its VR, its bytes in little endian, and on demand what they mean."""

    def __init__(self, ds, tag):
        raw = ds.get_item(tag)
        self.ds, self.tag = ds, tag
        self.bytes = None
        if isinstance(raw, pydicom.dataelem.RawDataElement) and isinstance(raw.value, bytes):
            data = raw.value
            unit = UNIT_BYTES.get(raw.VR or "", 1)
            if not raw.is_little_endian and unit > 1 and len(data) % unit == 0:
                data = np.frombuffer(data, f">u{unit}").astype(f"<u{unit}").tobytes()
            self.bytes = data
        self.element = ds[tag]
        self.vr = self.element.VR

    def items(self):
        """The items when it is a sequence, also one that became UN bytes (PS3.5 6.2.2)."""
        if self.vr == "SQ":
            return list(self.element.value)
        if self.vr == "UN" and self.bytes and self.bytes[:4] == b"\xfe\xff\x00\xe0":
            try:
                return list(convert_SQ(self.bytes, True, True))
            except Exception:  # any parser error: it is not a sequence after all
                return None
        return [] if self.vr == "UN" and not self.bytes else None

    def meaning(self):
        value = self.element.value
        if self.vr in ("DS", "IS"):
            # From the text of the file: the library's numbers are binary or checked for range.
            text = self.bytes.decode("ascii", "replace") if self.bytes is not None else None
            parts = text.rstrip(" \0").split("\\") if text is not None else [
                str(v) for v in (value if isinstance(value, (list, pydicom.multival.MultiValue))
                                 else [value])]
            try:
                return [decimal.Decimal(p.strip(" \0")) if p.strip(" \0") else "" for p in parts]
            except decimal.InvalidOperation:
                return parts
        if self.vr in TEXT:
            values = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
            return [str(v if v is not None else "").rstrip(" \0").rstrip("=") for v in values]
        return self.bytes if self.bytes is not None else value


def without_padding(data):
    return data.rstrip(b" \0") if data is not None else b""


# What DCMTK's lossless JPEG coder writes in front of Derivation Description (spec/seal.md 10.1).
REMARK = re.compile(r"Lossless JPEG compression, selection value [1-7], point transform \d+, "
                    r"compression ratio \d+(\.\d+)?( \[(?P<old>.*)\])?", re.DOTALL)


def without_remarks(text):
    while (found := REMARK.fullmatch(text)) is not None:
        text = found["old"] or ""
    return text


def is_remark_only(ds, tag):
    return tag == 0x00082111 and without_remarks(str(ds[tag].value)) == ""


def one_colour_model(values):
    return ["RGB" if value == "YBR_RCT" else value for value in values]


def same_element(a, b):
    if a.vr == b.vr:
        if a.tag == 0x00280004:  # the reversible transform of JPEG 2000 is how RGB is encoded
            return one_colour_model(a.meaning()) == one_colour_model(b.meaning())
        if a.tag == 0x00082111:
            return without_remarks(a.meaning()[0]) == without_remarks(b.meaning()[0])
        if a.vr in TEXT or a.vr in ("DS", "IS"):
            return a.meaning() == b.meaning()
        if a.bytes is not None and b.bytes is not None:
            odd = abs(len(a.bytes) - len(b.bytes)) == 1  # a padding byte that was added or dropped
            return without_padding(a.bytes) == without_padding(b.bytes) if odd else a.bytes == b.bytes
        return a.element.value == b.element.value
    if {a.vr, b.vr} & TEXT and {a.vr, b.vr} & {"OB", "OW"}:
        return False  # what was text is none for any reader
    return without_padding(a.bytes) == without_padding(b.bytes)


def own_block_tags(ds):
    """The seal's own private block (0F1D,xx..) is not content."""
    blocks = {t.element for t in ds.keys() if t.group == 0x0F1D and t.is_private_creator and
              str(ds[t].value).strip() == "FIDUCIA"}
    return {t for t in ds.keys() if t.group == 0x0F1D and
            (t.element in blocks or t.element >> 8 in blocks)}


def keys_by_path(ds, prefix):
    skipped = own_block_tags(ds)
    return {path_of(ds, tag, prefix): tag for tag in ds.keys()
            if tag not in skipped and tag not in OUTSIDE and tag.element != 0 and
            tag.group not in (0x0000, 0x0002, 0x7FE0, 0xFFFA) and tag != 0x4FFE0001 and
            not tag.is_private_creator}


def is_one_frame(ds, tag, prefix):
    """Number of Frames 1, which may be said or not."""
    return not prefix and tag == 0x00280008 and ds[tag].value == 1


# Encodings with loss, and what (0028,2114) calls them (PS3.3 C.7.6.1.1.5.1).
LOSSY = {"1.2.840.10008.1.2.4.50": "ISO_10918_1", "1.2.840.10008.1.2.4.51": "ISO_10918_1",
         "1.2.840.10008.1.2.4.81": "ISO_14495_1", "1.2.840.10008.1.2.4.91": "ISO_15444_1"}


def syntax_of(ds):
    return str(getattr(ds, "file_meta", {}).get("TransferSyntaxUID", ""))


def follows_from_loss(a, b):
    """Paths of what a decoder of a codestream with loss writes truly (spec/seal.md 10.1, 6.7)."""
    if syntax_of(a) not in LOSSY:
        return set()
    out = set()
    if a.get("LossyImageCompression", "") in (None, "", "00") and b.get("LossyImageCompression") == "01":
        out.add("(0028,2110)")
    if not a.get("LossyImageCompressionMethod") and \
            b.get("LossyImageCompressionMethod") == LOSSY[syntax_of(a)]:
        out.add("(0028,2114)")
    # A decoder may; whoever keeps the codestream has no reason to call its colours something else.
    if syntax_of(b) not in LOSSY and \
            str(a.get("PhotometricInterpretation", "")).startswith("YBR_") and \
            b.get("PhotometricInterpretation") in ("RGB", "YBR_FULL"):
        out.add("(0028,0004)")
    return out


def attribute_differences(source, target):
    """Paths of attributes and sequences that differ: {path: added|removed|altered|items}."""
    out = {}
    explained = follows_from_loss(*(pydicom.dcmread(path, force=True, stop_before_pixels=True)
                                    for path in (source, target)))
    pending = [(pydicom.dcmread(source, force=True), pydicom.dcmread(target, force=True), "")]
    while pending:
        a, b, prefix = pending.pop()
        of_a, of_b = keys_by_path(a, prefix), keys_by_path(b, prefix)
        for path in of_a.keys() - of_b.keys():
            if not is_one_frame(a, of_a[path], prefix):
                out[path] = "removed"
        for path in of_b.keys() - of_a.keys():
            if not is_remark_only(b, of_b[path]) and not is_one_frame(b, of_b[path], prefix):
                out[path] = "added"
        for path in of_a.keys() & of_b.keys():
            one, two = Element(a, of_a[path]), Element(b, of_b[path])
            if one.vr == "SQ" or two.vr == "SQ":
                items_a, items_b = one.items(), two.items()
                if items_a is None or items_b is None:
                    out[path] = "altered"
                    continue
                if len(items_a) != len(items_b):
                    first = min(len(items_a), len(items_b)) + 1
                    out[f"{path}[{first}]"] = "removed" if len(items_a) > len(items_b) else "added"
                for number, pair in enumerate(zip(items_a, items_b), 1):
                    pending.append((*pair, f"{path}[{number}]."))
            elif not same_element(one, two):
                out[path] = "altered"
    return {path: how for path, how in out.items() if path not in explained}


DECODERS = {"1.2.840.10008.1.2.4.57": ("dcmdjpeg",), "1.2.840.10008.1.2.4.70": ("dcmdjpeg",),
            "1.2.840.10008.1.2.4.80": ("dcmdjpls",), "1.2.840.10008.1.2.4.90": ("gdcmconv", "--raw"),
            "1.2.840.10008.1.2.4.50": ("dcmdjpeg",), "1.2.840.10008.1.2.4.51": ("dcmdjpeg",),
            "1.2.840.10008.1.2.4.81": ("dcmdjpls",), "1.2.840.10008.1.2.4.91": ("gdcmconv", "--raw")}
# What the decoders of colour JPEG give, each of them rightly (spec/seal.md 6.7).
COLOUR_DECODERS = [("dcmdjpeg",), ("dcmdjpeg", "+cn"), ("gdcmconv", "--raw")]


class NoOpinion(Exception):
    """Nothing independent of the program decodes these pixels here."""


class Unreadable(NoOpinion):
    """The tool that wrote the pixels cannot read them either."""


def samples(path, scratch, decoder=None):
    """Decoded pixels as numpy has them, colour by pixel. `decoder`: another than the usual one."""
    ds = pydicom.dcmread(path, force=True)
    if "PixelData" not in ds:
        return None
    syntax = getattr(ds, "file_meta", {}).get("TransferSyntaxUID")
    if syntax is None:
        ds.file_meta = pydicom.dataset.FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = (pydicom.uid.ImplicitVRLittleEndian if ds.is_implicit_VR
                                          else pydicom.uid.ExplicitVRLittleEndian)
    elif syntax == pydicom.uid.ExplicitVRBigEndian:
        # Words of OW are swapped, whatever Bits Allocated says (PS3.5 7.3); the library takes
        # 8 and 32 bit samples otherwise.
        data = ds.PixelData
        if ds["PixelData"].VR == "OW":
            data = np.frombuffer(data, ">u2").astype("<u2").tobytes()
        else:
            assert ds.BitsAllocated <= 8, "OB holds bytes"
        ds.PixelData = data
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        ds.is_little_endian = True
    elif syntax in DECODERS:
        native = scratch / (path.stem + ".native.dcm")
        done = subprocess.run([*(decoder or DECODERS[syntax]), str(path), str(native)],
                              capture_output=True)
        if done.returncode != 0:
            raise Unreadable(f"{DECODERS[syntax][0]} cannot decode it")
        ds = pydicom.dcmread(native)
        native.unlink()
    elif syntax.is_compressed and syntax != pydicom.uid.RLELossless:
        raise NoOpinion(str(syntax))
    try:
        return ds.pixel_array
    except (NotImplementedError, RuntimeError) as error:
        raise NoOpinion(str(error)) from error


def pixels_differ(source, target, scratch):
    """Whether decoded samples differ. Errors: NoOpinion."""
    one, two = samples(source, scratch), samples(target, scratch)
    if one is None or two is None:
        return (one is None) != (two is None)
    if one.shape == two.shape and np.array_equal(one, two):
        return False
    ds = pydicom.dcmread(source, force=True, stop_before_pixels=True)
    if syntax_of(ds) not in LOSSY or ds.get("SamplesPerPixel") != 3:
        return True
    return not any(np.array_equal(samples(source, scratch, decoder), two)
                   for decoder in COLOUR_DECODERS)
