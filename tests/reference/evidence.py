# SPDX-License-Identifier: Apache-2.0
"""Evidence (spec/evidence.md) and statement (spec/seal.md section 8)."""

import hashlib
from dataclasses import dataclass, field
from typing import Optional

import cbor
import cose
import dictionary
import stamps
from cbor import CborError
from pixels import TILE
from salts import merkle_root

STATEMENT_TYPE = "application/fiducia-statement+cbor"
EVIDENCE_BYTES_MAX = 256 << 20


class BadEvidence(Exception):
    pass


@dataclass
class Statement:
    sop_class: str
    header_root: bytes
    header_count: int
    # [geometry, root / None, leaf count, lossless, decoder, term, renditions, kinds of 7.1]
    pixels: Optional[list]
    syntax: str
    encoding: Optional[list]  # [root, term, planar]
    claimed_at: int
    device: str
    flags: int
    readings: list = field(default_factory=list)  # kinds of section 14
    untyped: Optional[bytes] = None  # what values under UN are as text (5.7)

    def encode(self):
        map_ = {1: 1, 2: "seal", 3: 1, 4: self.sop_class,
                5: [self.header_root, self.header_count], 6: self.pixels, 7: self.syntax,
                8: self.encoding, 9: self.claimed_at, 10: self.device, 11: self.flags,
                12: self.readings}
        if self.untyped is not None:
            map_[13] = self.untyped
        return cbor.encode(map_)

    @property
    def geometry(self):
        return self.pixels[0] if self.pixels else None

    def object_root(self):
        root = None
        if self.pixels:
            root = self.pixels[1] if self.pixels[1] is not None else self.encoding[0]
        body = [1, self.header_root, self.header_count, self.geometry, root]
        return hashlib.sha256(b"fiducia/object/1" + cbor.encode(body)).digest()


def _expect(condition, what):
    if not condition:
        raise BadEvidence(what)


def _uint(value):
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text64(value):
    return isinstance(value, str) and len(value.encode("utf-8")) <= 64


def _root(value):
    return isinstance(value, bytes) and len(value) == 32


def _ascending(values, least, most):
    return (isinstance(values, list) and all(_uint(v) and least <= v <= most for v in values)
            and values == sorted(set(values)))


def read_statement(payload):
    try:
        map_ = cbor.decode(payload)
    except CborError as error:
        raise BadEvidence("statement: %s" % error) from error
    _expect(isinstance(map_, dict) and set(map_) - {13} == set(range(1, 13)), "statement: keys")
    _expect(13 not in map_ or _root(map_[13]), "text under UN")
    _expect(map_[1] == 1 and map_[2] == "seal" and map_[3] == 1, "statement: version")
    _expect(_text64(map_[4]) and _text64(map_[7]) and _text64(map_[10]) and map_[10], "text")
    _expect(isinstance(map_[5], list) and len(map_[5]) == 2 and _root(map_[5][0])
            and _uint(map_[5][1]), "header")
    _expect(isinstance(map_[9], int) and not isinstance(map_[9], bool), "time")
    _expect(_uint(map_[11]) and map_[11] < 4, "flags")
    _expect(_ascending(map_[12], 0, 1 << 64), "kinds of ambiguity")
    pixels, encoding = map_[6], map_[8]
    if pixels is not None:
        _expect(isinstance(pixels, list) and len(pixels) == 8, "pixels")
        geometry, root, count, lossless, decoder, term, renditions, kinds = pixels
        _expect(isinstance(geometry, list) and len(geometry) == 7
                and all(_uint(number) for number in geometry), "geometry")
        _expect(all(geometry[:3]) and 1 <= geometry[3] <= 4 and geometry[4] in (1, 2, 4, 8)
                and geometry[5] <= 2 and 1 <= geometry[6] <= 8 * geometry[4], "geometry")
        _expect(_uint(count) and isinstance(lossless, bool) and _text64(decoder)
                and _text64(term), "pixels")
        _expect(isinstance(renditions, list) and all(
            isinstance(item, list) and len(item) == 2 and _root(item[1]) for item in renditions)
            and _ascending([item[0] for item in renditions], 1, 3), "renditions")
        _expect(_ascending(kinds, 50, 69), "kinds")
        if root is None:
            _expect(count == 0 and not renditions and not lossless and decoder == ""
                    and encoding is not None,
                    "samples not sealed")
        else:
            _expect(_root(root), "pixels")
    if encoding is not None:
        _expect(pixels is not None and isinstance(encoding, list) and len(encoding) == 3
                and _root(encoding[0]) and _text64(encoding[1]) and _uint(encoding[2]), "encoding")
    return Statement(map_[4], map_[5][0], map_[5][1], pixels, map_[7], encoding, map_[9],
                     map_[10], map_[11], map_[12], map_.get(13))


@dataclass
class Evidence:
    sign1: bytes
    seed: bytes
    rows: list                # [path, vr, hash]
    tiles: Optional[list]     # hashes; None without pixels
    outside: dict             # (frame, tile): hash
    tail: Optional[bytes]
    encoded: list
    receipts: list
    checkpoint: str
    message: "cose.Sign1" = None
    stamps: list = field(default_factory=list)  # tokens of RFC 3161
    statement: Statement = None
    renditions: list = field(default_factory=list)  # of lists of hashes, one a frame

    @property
    def tiles_per_frame(self):
        _, rows, columns = self.statement.geometry[:3]
        return -(-rows // TILE) * -(-columns // TILE)

    def encode(self):
        leaves = None
        if self.tiles is not None:
            leaves = [b"".join(self.tiles),
                      [[f, t, h] for (f, t), h in sorted(self.outside.items())], self.tail,
                      b"".join(self.encoded), [b"".join(item) for item in self.renditions]]
        map_ = {1: 1, 2: self.sign1, 3: self.seed, 4: self.rows, 5: leaves, 6: self.receipts,
                7: self.checkpoint}
        if self.stamps:
            map_[8] = self.stamps
        return cbor.encode(map_)

    def pixel_leaves(self):
        """In the order of spec/seal.md 6.6."""
        result, each = [], self.tiles_per_frame
        for frame in range(self.statement.geometry[0]):
            result += self.tiles[frame * each:(frame + 1) * each]
            result += [h for (f, _), h in sorted(self.outside.items()) if f == frame]
        return result + ([self.tail] if self.tail is not None else [])

    def tables_true(self):
        """9.1: the leaf hashes lead to the signed roots."""
        statement = self.statement
        if merkle_root([row[2] for row in self.rows]) != statement.header_root:
            return False
        if statement.pixels and statement.pixels[1] is not None \
                and merkle_root(self.pixel_leaves()) != statement.pixels[1]:
            return False
        if statement.pixels and [merkle_root(item) for item in self.renditions] \
                != [root for _, root in statement.pixels[6]]:
            return False
        return not statement.encoding or merkle_root(self.encoded) == statement.encoding[0]


def _split(data):
    return [data[i:i + 32] for i in range(0, len(data), 32)]


def read(data):
    """One evidence. Raises BadEvidence where a reader refuses it (evidence.md 1 and 2)."""
    _expect(len(data) <= EVIDENCE_BYTES_MAX, "too long")
    try:
        map_ = cbor.decode(data, pad_allowed=True)
    except CborError as error:
        raise BadEvidence(str(error)) from error
    _expect(isinstance(map_, dict) and set(map_) - {8} == set(range(1, 8)), "keys")
    _expect(map_[1] == 1 and not isinstance(map_[1], bool), "version")
    _expect(isinstance(map_[2], bytes) and _root(map_[3]), "signature or seed")
    _expect(isinstance(map_[4], list), "attributes")
    last = b"\0"
    for row in map_[4]:
        _expect(isinstance(row, list) and len(row) == 3 and isinstance(row[0], bytes)
                and row[0] >= last and row[0] and isinstance(row[1], str) and row[1] in dictionary.ALL and _root(row[2]), "row")
        last = row[0]
    _expect(isinstance(map_[6], list) and len(map_[6]) <= 16
            and all(isinstance(item, bytes) for item in map_[6]), "receipts")
    _expect(isinstance(map_[7], str), "checkpoint")
    result = Evidence(map_[2], map_[3], map_[4], None, {}, None, [], map_[6], map_[7])
    if 8 in map_:
        result.stamps = map_[8]
        _expect(isinstance(map_[8], list) and 1 <= len(map_[8]) <= 8 and map_[7] != ""
                and all(isinstance(token, bytes) and 1 <= len(token) <= stamps.TOKEN_BYTES_MAX
                        for token in map_[8]), "time-stamps")
    try:
        result.message = cose.read_sign1(map_[2])
        _expect(result.message.payload is not None, "payload")
        result.statement = read_statement(result.message.payload)
    except (cose.BadCose, BadEvidence):
        return result  # without a statement: seal.invalid
    _expect(len(result.rows) == result.statement.header_count, "rows")
    _read_leaves(result, map_[5])
    return result


def _read_leaves(result, leaves):
    pixels, encoding = result.statement.pixels, result.statement.encoding
    _expect((leaves is None) == (pixels is None), "leaves")
    if leaves is None:
        return
    _expect(isinstance(leaves, list) and len(leaves) == 5 and isinstance(leaves[0], bytes)
            and isinstance(leaves[1], list) and isinstance(leaves[3], bytes)
            and (leaves[2] is None or _root(leaves[2])), "leaves")
    frames = pixels[0][0]
    tiles = 0 if pixels[1] is None else frames * result.tiles_per_frame
    _expect(len(leaves[0]) == 32 * tiles, "tiles")
    last = (-1, -1)
    for item in leaves[1]:
        _expect(isinstance(item, list) and len(item) == 3 and _uint(item[0]) and _uint(item[1])
                and _root(item[2]) and item[0] < frames and item[1] < result.tiles_per_frame
                and (item[0], item[1]) > last, "outside")
        last = (item[0], item[1])
        result.outside[last] = item[2]
    result.tail = leaves[2]
    _expect(tiles + len(leaves[1]) + (leaves[2] is not None) == pixels[2], "leaf count")
    _expect(len(leaves[3]) == (32 * frames if encoding else 0), "encoded")
    _expect(isinstance(leaves[4], list) and len(leaves[4]) == len(pixels[6]) and all(
        isinstance(item, bytes) and len(item) == 32 * frames for item in leaves[4]), "renditions")
    result.renditions = [_split(item) for item in leaves[4]]
    result.tiles, result.encoded = _split(leaves[0]), _split(leaves[3])
