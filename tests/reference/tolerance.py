# SPDX-License-Identifier: Apache-2.0
"""What a trust file tolerates in headers (spec/trust.md 8), and records of a loss that are true
(spec/seal.md 10.1)."""

from dataclasses import dataclass

import header
import pixels
from dictionary import allowed, tag_of

TEXT_VRS = header.VALUES_BOTH | header.VALUES_TRAILING | header.WHOLE | {"DS", "IS"}
LISTED = (0x00080010, 0x00080040, 0x00080041, 0x00080054, 0x00080056, 0x00081190, 0x00201000,
          0x00201001, 0x00201003, 0x00201004, 0x00201005, 0x00201200, 0x00201202, 0x00201204,
          0x00201206, 0x00201208, 0x00201209, 0x00280005, 0x00280040, 0x0032000A, 0x0032000C,
          0x0040E010, 0x0040E011, 0x00880130, 0x00880140)
RETIRED = (0x00080010, 0x00080040, 0x00080041, 0x00201000, 0x00201001, 0x00201003, 0x00201004,
           0x00201005, 0x00280005, 0x00280040, 0x0032000A, 0x0032000C)
FLAG, RATIO, METHOD = 0x00282110, 0x00282112, 0x00282114
ARC = "1.2.840.10008.1.2.4."
METHODS = {ARC + end: term for term, ends in {
    "ISO_10918_1": ("50", "51", "53", "55"), "ISO_14495_1": ("80", "81"),
    "ISO_15444_1": ("90", "91"), "ISO_15444_15": ("201", "202", "203"),
    "ISO_18181_1": ("110", "111", "112")}.items() for end in ends}


@dataclass
class Rule:
    tag: int
    change: str
    before: tuple
    now: tuple
    severity: str


PROFILES = {"default-1": [Rule(tag, "removed", (), (), "note") for tag in RETIRED]}


def _values(table, key):
    values = table.get(key, None)
    if values is None:
        return ()
    if not isinstance(values, list) or not values or len(values) != len(set(values)) or any(
            not isinstance(v, str) or len(v) > 256 or any(not " " <= c <= "~" for c in v)
            for v in values):
        raise ValueError(key)
    return tuple(values)


def read_rule(table):
    tag = tag_of(table["attribute"])
    if tag not in LISTED:
        raise ValueError("attribute")
    change, severity = table["change"], table["severity"]
    before, now = _values(table, "from"), _values(table, "to")
    if change not in ("added", "removed", "altered") or severity not in ("note", "warning"):
        raise ValueError("change or severity")
    if change == "added" and before or change == "removed" and now or change == "altered" and not now:
        raise ValueError("from or to")
    if any(before + now) and allowed(tag)[0] not in TEXT_VRS:
        raise ValueError("not text")
    return Rule(tag, change, before, now, severity)


def severity_of(rules, path, change, was, now):
    """Of the first rule that covers a difference; None where none does. `was` and `now` answer for
    a text."""
    if len(path) != 5 or path[2] != 0:
        return None
    tag = int.from_bytes(path[:2] + path[3:], "big")
    for rule in rules:
        if (rule.tag, rule.change) == (tag, change) \
                and (change == "added" or not rule.before or any(map(was, rule.before))) \
                and (change == "removed" or not rule.now or any(map(now, rule.now))):
            return rule.severity
    return None


def _true_ratio(text, statement, image):
    if image is None or not image.encapsulated or image.syntax != statement.syntax:
        return False
    digits = text.replace(b".", b"", 1)
    if not digits.isdigit():
        return False
    frames, rows, columns, samples, size = statement.geometry[:5]
    encoded = sum(map(len, pixels.fragment_list(image)))
    if not encoded:
        return False
    decimals = len(text.partition(b".")[2])
    ratio = frames * rows * columns * samples * size / encoded
    return abs(float(text) - ratio) < 10.0 ** -decimals


def is_true_record(tag, value, statement, image):
    """Whether what a tool wrote about a loss is so."""
    if not statement.pixels or statement.pixels[1] is None or statement.pixels[3]:
        return False
    text = header.trim(value, True)
    if tag == FLAG:
        return text == b"01"
    if tag == METHOD:
        return statement.syntax in METHODS and text == METHODS[statement.syntax].encode()
    return tag == RATIO and _true_ratio(text, statement, image)
