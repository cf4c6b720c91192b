# SPDX-License-Identifier: Apache-2.0
"""Value representations of PS3.6, by pydicom's tables and what newer editions added, and those of
PS3.5."""

import os

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

# VR: bytes of one unit, for the swapping of spec/seal.md 2.6.
UNIT = {"US": 2, "SS": 2, "OW": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4, "OF": 4, "OL": 4,
        "FD": 8, "OD": 8, "OV": 8, "SV": 8, "UV": 8}
SHORT = {"AE", "AS", "AT", "CS", "DA", "DS", "DT", "FL", "FD", "IS", "LO", "LT", "PN", "SH", "SL",
         "SS", "ST", "TM", "UI", "UL", "US"}
LONG = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
ALL = SHORT | LONG

# Attributes that are newer than Debian's pydicom: tag, VR, name, keyword.
_NEWER, RECENT = {}, set()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts",
                       "dictionary-supplement.tsv"), encoding="utf-8") as _lines:
    for _line in _lines:
        if not _line.startswith("#") and "\t" in _line:
            _fields = _line.rstrip("\n").split("\t")
            _NEWER[_fields[0].lower()] = _fields[1]
            # Unknown to DCMTK 3.6.7 and to pydicom 2.3.1 (spec/seal.md 14).
            if _fields[4:] != ["dcmtk"] and int(_fields[0], 16) not in DicomDictionary:
                RECENT.add(int(_fields[0], 16))

_MASKS = []
for _pattern, _entry in RepeatersDictionary.items():
    _mask = int("".join("0" if c == "x" else "f" for c in _pattern), 16)
    _MASKS.append((_mask, int(_pattern.replace("x", "0"), 16), _entry))


def _entry(tag):
    newer = _NEWER.get("%08x" % tag)
    if newer is not None:
        return (newer,)
    entry = DicomDictionary.get(tag)
    if entry is None:
        for mask, value, candidate in _MASKS:
            if tag & mask == value:
                return candidate
    return entry


def allowed(tag):
    """The VRs that PS3.6 gives to a standard tag, in its order; empty if it is not there."""
    entry = _entry(tag)
    if entry is None or entry[0] in ("NONE", "OB/OW"):
        return ["OB", "OW"] if entry is not None and entry[0] == "OB/OW" else []
    return [vr for vr in entry[0].split(" or ")]


def look_up(tag, pixel_representation):
    """The VR by spec/seal.md 2.2. `pixel_representation` is called when "US or SS" is to be
    settled and gives 0, 1 or None."""
    group, element = tag >> 16, tag & 0xFFFF
    if element == 0:
        return "UL"
    if group % 2:
        return "LO" if 0x10 <= element <= 0xFF else "UN"
    choices = allowed(tag)
    if not choices:
        return "UN"
    if "OW" in choices:
        return "OW"
    if "US" in choices and "SS" in choices:
        return "SS" if pixel_representation() == 1 else "US"
    return choices[0]


def tag_of(keyword):
    """The tag of a keyword of PS3.6; None if there is none. Of attributes without repeating groups."""
    return _TAGS.get(keyword)


_TAGS = {entry[4]: tag for tag, entry in DicomDictionary.items()}
