# SPDX-License-Identifier: Apache-2.0
"""Deterministic CBOR (RFC 8949 4.2.1) as spec/evidence.md section 1 wants it: shortest heads,
definite lengths, map keys ascending, no floats. Decoding refuses everything else."""

from dataclasses import dataclass


class CborError(Exception):
    pass


@dataclass
class Tagged:
    tag: int
    value: object


DEPTH_MAX = 16


def _head(major, number):
    for extra, limit, width in ((None, 24, 0), (24, 1 << 8, 1), (25, 1 << 16, 2), (26, 1 << 32, 4)):
        if number < limit:
            first = number if extra is None else extra
            return bytes([major << 5 | first]) + (number.to_bytes(width, "big") if width else b"")
    return bytes([major << 5 | 27]) + number.to_bytes(8, "big")


def encode(value):
    if value is None:
        return b"\xf6"
    if value is True:
        return b"\xf5"
    if value is False:
        return b"\xf4"
    if isinstance(value, int):
        return _head(0, value) if value >= 0 else _head(1, -1 - value)
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        text = value.encode("utf-8")
        return _head(3, len(text)) + text
    if isinstance(value, (list, tuple)):
        return _head(4, len(value)) + b"".join(encode(item) for item in value)
    if isinstance(value, dict):
        pairs = sorted((encode(key), encode(item)) for key, item in value.items())
        return _head(5, len(pairs)) + b"".join(key + item for key, item in pairs)
    if isinstance(value, Tagged):
        return _head(6, value.tag) + encode(value.value)
    raise TypeError(type(value))


class _Decoder:
    def __init__(self, data, sorted_maps):
        self.data = data
        self.at = 0
        self.sorted_maps = sorted_maps

    def take(self, count):
        if count > len(self.data) - self.at:
            raise CborError("truncated")
        self.at += count
        return self.data[self.at - count:self.at]

    def head(self):
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if info < 24:
            return major, info, info
        if info > 27 or major == 7:
            raise CborError("indefinite length, float or reserved head")
        width = 1 << (info - 24)
        number = int.from_bytes(self.take(width), "big")
        if number < 24 or (width > 1 and number < 1 << (8 * (width // 2))):
            raise CborError("head is not the shortest")
        return major, info, number

    def item(self, depth=0):
        if depth > DEPTH_MAX:
            raise CborError("nested too deep")
        major, info, number = self.head()
        if major == 0:
            return number
        if major == 1:
            return -1 - number
        if major == 2:
            return bytes(self.take(number))
        if major == 3:
            try:
                return self.take(number).decode("utf-8")
            except UnicodeDecodeError as error:
                raise CborError("text is not UTF-8") from error
        if major == 4:
            if number > len(self.data) - self.at:
                raise CborError("truncated")
            return [self.item(depth + 1) for _ in range(number)]
        if major == 5:
            return self.map(number, depth)
        if major == 6:
            return Tagged(number, self.item(depth + 1))
        if info in (20, 21, 22):
            return {20: False, 21: True, 22: None}[info]
        raise CborError("simple value or float")

    def map(self, count, depth):
        if count > len(self.data) - self.at:
            raise CborError("truncated")
        result, seen, last = {}, set(), b""
        for _ in range(count):
            start = self.at
            key = self.item(depth + 1)
            encoded = self.data[start:self.at]
            if not isinstance(key, (int, str, bytes)) or isinstance(key, bool):
                raise CborError("key of a kind that is not used")
            if encoded in seen or (self.sorted_maps and encoded <= last):
                raise CborError("keys are not ascending")
            seen.add(encoded)
            last = encoded
            result[key] = self.item(depth + 1)
        return result


def decode(data, pad_allowed=False, sorted_maps=True):
    """One item from `data`; with `pad_allowed` a single 00 may follow it. COSE headers of others
    are not always sorted (spec/ledger.md section 7), hence `sorted_maps`."""
    decoder = _Decoder(data, sorted_maps)
    value = decoder.item()
    rest = data[decoder.at:]
    if rest and not (pad_allowed and rest == b"\x00"):
        raise CborError("bytes after the end")
    return value


def split_items(data, pad_allowed=False):
    """The encoded items of an array, each as its bytes; or `data` itself if it is no array."""
    decoder = _Decoder(data, True)
    if not data or data[0] >> 5 != 4:
        return [data]
    _, _, count = decoder.head()
    items = []
    for _ in range(count):
        start = decoder.at
        decoder.item(1)
        items.append(data[start:decoder.at])
    rest = data[decoder.at:]
    if rest and not (pad_allowed and rest == b"\x00"):
        raise CborError("bytes after the end")
    return items
