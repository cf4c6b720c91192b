#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what interop_log wrote with an implementation that shares nothing with ours: the
reference of tests/reference (Python, its own CBOR, its own trees, the package `cryptography`).

  check_log.py FOLDER VECTORS     VECTORS: tests/data/vectors
"""
import base64
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reference"))
import ledger  # noqa: E402
from salts import inclusion_path, merkle_root, root_of_path  # noqa: E402


def tile_name(number):
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    return "/".join(groups)


def read_entries(log, size):
    entries = []
    for tile in range((size + 255) // 256):
        width = min(256, size - 256 * tile)
        path = log / "tile" / "entries" / (tile_name(tile) + (f".p/{width}" if width < 256 else ""))
        data = path.read_bytes()
        while data:
            length = int.from_bytes(data[:2], "big")
            assert len(data) >= 2 + length, path
            entries.append(data[2:2 + length])
            data = data[2 + length:]
    assert len(entries) == size
    return entries


def check_tiles(log, leaves):
    """Every tile of the final tree, level by level, from the leaves alone."""
    hashes, level = leaves, 0
    while hashes:
        for tile in range((len(hashes) + 255) // 256):
            part = hashes[256 * tile:256 * tile + 256]
            name = tile_name(tile) + (f".p/{len(part)}" if len(part) < 256 else "")
            assert (log / "tile" / str(level) / name).read_bytes() == b"".join(part), name
        full = len(hashes) // 256
        hashes = [merkle_root(hashes[256 * t:256 * t + 256]) for t in range(full)]
        level += 1
    return level


def tlog_proof_holds(text, leaves, key):
    """The whole of C2SP tlog-proof, without witnesses."""
    lines, checkpoint = text.split("\n\n", 1)
    header, index, *path = lines.split("\n")
    assert header == "c2sp.org/tlog-proof@v1" and index.startswith("index ")
    number = int(index[len("index "):])
    note = ledger.read_checkpoint(checkpoint)
    assert note.signed_by(key) and note.origin == key.name
    root = root_of_path(leaves[number], number, note.size, [base64.b64decode(p) for p in path])
    return root == note.root


def check_receipt(data, leaves, key):
    receipt = ledger.read_receipt(data)
    assert receipt.origin == key.name
    root = ledger.receipt_root(receipt, leaves[receipt.index], key)
    assert root == merkle_root(leaves[:receipt.size]), "receipt"
    assert receipt.path == inclusion_path(leaves[:receipt.size], receipt.index)
    other = leaves[(receipt.index + 1) % len(leaves)]
    assert ledger.receipt_root(receipt, other, key) is None
    return receipt


def flips_are_refused(data, leaves, key):
    """Every single bit of a receipt counts, but for a tree size that leaves the path the same
    (spec/ledger.md section 7): then nothing else that is read may differ."""
    good = ledger.read_receipt(data)
    for bit in range(8 * len(data)):
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << (bit % 8)
        try:
            receipt = ledger.read_receipt(bytes(broken))
        except ledger.BadReceipt:
            continue
        if ledger.receipt_root(receipt, leaves[good.index], key) is None:
            continue
        assert receipt.size != good.size, f"bit {bit}"
        assert (receipt.index, receipt.origin, receipt.time, receipt.path) == \
            (good.index, good.origin, good.time, good.path), f"bit {bit}"


def check_published(vectors):
    """The working group's own examples: form only, for their key is not published."""
    receipt = ledger.read_receipt((vectors / "cose-inclusion-receipt.cbor").read_bytes())
    assert (receipt.size, receipt.index, len(receipt.path)) == (5, 3, 3)
    assert receipt.origin == "https://transparency-service.example.com"
    try:
        ledger.read_receipt((vectors / "cose-consistency-receipt.cbor").read_bytes())
    except ledger.BadReceipt:
        return
    raise AssertionError("a receipt of consistency passed for one of inclusion")


def main():
    folder, vectors = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    log = folder / "log"
    key = ledger.read_verifier_key((folder / "vkey").read_text())
    note = ledger.read_checkpoint((log / "checkpoint").read_bytes().decode())
    assert note.origin == key.name and note.signed_by(key)
    leaves = [ledger.leaf_hash(entry) for entry in read_entries(log, note.size)]
    assert merkle_root(leaves) == note.root
    levels = check_tiles(log, leaves)
    checkpoints = list((folder / "checkpoints").iterdir())
    for path in checkpoints:
        earlier = ledger.read_checkpoint(path.read_bytes().decode())
        assert earlier.signed_by(key) and earlier.size == int(path.name)
        assert earlier.root == merkle_root(leaves[:earlier.size]), path
    proofs = list((folder / "proofs").iterdir())
    for path in proofs:
        text = path.read_text(encoding="utf-8")
        assert tlog_proof_holds(text, leaves, key), path
        assert not tlog_proof_holds(text, leaves[1:] + leaves[:1], key), path
    receipts = sorted((folder / "receipts").iterdir())
    for path in receipts:
        check_receipt(path.read_bytes(), leaves, key)
    smallest = min(receipts, key=lambda path: (path.stat().st_size, path.name))
    flips_are_refused(smallest.read_bytes(), leaves, key)
    check_published(vectors)
    assert checkpoints and proofs and receipts
    print(f"{note.size} entries on {levels} levels: {len(checkpoints)} checkpoints, "
          f"{len(proofs)} tlog-proofs, {len(receipts)} receipts agree")


if __name__ == "__main__":
    main()
