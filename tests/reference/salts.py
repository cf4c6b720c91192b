# SPDX-License-Identifier: Apache-2.0
"""Salts (spec/seal.md section 4) and Merkle trees (RFC 9162 2.1)."""

import hashlib


def derive(key, label, index):
    return hashlib.sha256(key + label.ljust(15, b"\0") + index.to_bytes(8, "big")).digest()


class Salts:
    def __init__(self, seed):
        self.seed = seed
        self.header_key = derive(seed, b"fiducia/header", 0)

    def header(self, index):
        return derive(self.header_key, b"fiducia/leaf", index)[:16]

    def _frame(self, frame, label, index):
        return derive(derive(self.seed, b"fiducia/frame", frame), label, index)[:16]

    def tile(self, frame, tile):
        return self._frame(frame, b"fiducia/leaf", tile)

    def bits(self, frame, tile):
        return self._frame(frame, b"fiducia/bits", tile)

    def code(self, frame):
        return self._frame(frame, b"fiducia/code", 0)

    def view(self, frame, number):
        return self._frame(frame, b"fiducia/view", number)

    def tail(self):
        return derive(self.seed, b"fiducia/tail", 0)[:16]


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def merkle_root(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(merkle_root(leaves[:half]), merkle_root(leaves[half:]))


def inclusion_path(leaves, index):
    if len(leaves) <= 1:
        return []
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    if index < half:
        return inclusion_path(leaves[:half], index) + [merkle_root(leaves[half:])]
    return inclusion_path(leaves[half:], index - half) + [merkle_root(leaves[:half])]


def root_of_path(leaf, index, size, path):
    """RFC 9162 2.1.3.2: the root, or None where the path does not fit the size."""
    if index >= size:
        return None
    first, last, root = index, size - 1, leaf
    for part in path:
        if last == 0:
            return None
        if first & 1 or first == last:
            root = node(part, root)
            while not first & 1 and first:
                first, last = first >> 1, last >> 1
        else:
            root = node(root, part)
        first, last = first >> 1, last >> 1
    return root if last == 0 else None
