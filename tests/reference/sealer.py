# SPDX-License-Identifier: Apache-2.0
"""Seals a file by spec/seal.md, so that the program can be asked whether it agrees."""

import hashlib
import os
import time
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import codestream
import cose
import evidence as evidences
import header
import ledger
import pixels
import reader
import readings
from salts import Salts, merkle_root

CONTENT_TYPE = "application/fiducia-statement+cbor"


class CannotSeal(Exception):
    pass


@dataclass
class Signer:
    key: object
    chain: list  # DER, end entity first
    device: str


def read_signer(key_path, chain_path, device):
    with open(key_path, "rb") as stream:
        key = serialization.load_pem_private_key(stream.read(), None)
    with open(chain_path, "rb") as stream:
        blocks = stream.read().split(b"-----BEGIN CERTIFICATE-----")[1:]
    chain = [x509.load_pem_x509_certificate(b"-----BEGIN CERTIFICATE-----" + block)
             for block in blocks]
    return Signer(key, [c.public_bytes(serialization.Encoding.DER) for c in chain], device)


def _text(data_set, tag):
    element = data_set.first(tag)
    if element is None or element.items is not None:
        return ""
    try:
        text = element.value.split(b"\\")[0].strip(b" \0").decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if len(text.encode()) <= 64 else ""


def _flags(data_set):
    synthetic = _text(data_set, 0x0008001C) == "YES"
    return int(synthetic) | 2 * _text(data_set, 0x00080008).startswith("DERIVED")


def _seal_pixels(image, salts, result):
    """Fills the tables; returns (pixels, encoding) of the statement."""
    frames = image.geometry[0]
    encoded, encoding, wrong, kinds = None, None, False, set()
    if image.encapsulated:
        try:
            whole, wrong = pixels.divide(image)
            encoded = pixels.encoded_frames(image, whole)
            for part in whole:
                kinds |= codestream.kinds(image, part)
        except pixels.BadFrame as error:
            raise CannotSeal(str(error)) from error
        if len(encoded) != frames:
            raise CannotSeal("frames are missing")
        result.encoded = [pixels.code_hash(salts, f, part) for f, part in enumerate(encoded)]
        encoding = [merkle_root(result.encoded), image.term, image.planar]
    elif pixels.native_frame_count(image) < frames:
        raise CannotSeal("frames are missing")
    result.tiles = []
    kinds |= pixels.form_kinds(image, wrong)
    if image.encapsulated:
        kinds |= codestream.layouts(image, whole)
    try:
        for frame in range(frames):
            containers = pixels.decode(image, frame, encoded[frame] if encoded else None)
            if pixels.has_unextended_signs(image, containers):
                kinds.add(pixels.SIGNS_NOT_EXTENDED)
            tiles, bits = pixels.frame_hashes(image, salts, frame, containers)
            result.tiles += tiles
            result.outside.update({(frame, t): digest for t, digest in bits.items()})
    except pixels.NoDecoder:
        # Only the codestreams are sealed: no decoder was at hand.
        result.tiles, result.outside = [], {}
        return [image.geometry, None, 0, False, "", image.term, [], sorted(kinds)], encoding
    except pixels.BadFrame as error:
        raise CannotSeal(str(error)) from error
    if not image.encapsulated:
        tail = pixels.native_tail(image)
        result.tail = pixels.tail_hash(salts, tail) if tail else None
    decoder = {False: "native", True: "rle"}[image.syntax == pixels.RLE]
    return [image.geometry, b"", 0, True, decoder, image.term, [], sorted(kinds)], encoding


def seal(data, signer, log=None, witnesses=(), now=None):
    """Evidence over the file `data`. With a log: an entry in it, a receipt and a checkpoint."""
    try:
        file = reader.read_file(data)
    except reader.Malformed as error:
        raise CannotSeal(str(error)) from error
    now = int(time.time()) if now is None else now
    seed = os.urandom(32)
    salts, image = Salts(seed), pixels.open_image(file)
    result = evidences.Evidence(b"", seed, [], None, {}, None, [], [], "")
    sealed_pixels, encoding = None, None
    if image is not None:
        sealed_pixels, encoding = _seal_pixels(image, salts, result)
    covered, left_out = image.element if image else None, []
    leaves = header.walk(file.data_set, covered, None, left_out)
    met = readings.find(file, leaves, left_out, covered)
    if reader.TWO_READINGS in met:
        raise CannotSeal("the data set can be read in two ways")
    untyped = header.UntypedText(salts.header(len(leaves)))
    for index, leaf in enumerate(leaves):
        vr = leaf.element.vr
        if vr == "UN":
            untyped.add(leaf.path, leaf)
        form = header.canonical(leaf.element, vr, leaf.charset)
        if image is not None and image.term != "?" and b"\\" not in leaf.element.value \
                and leaf.path == b"\0\x28\0\0\x04":
            form = (header.TEXT, image.term.encode())
        result.rows.append([leaf.path, vr,
                            header.leaf_hash(salts.header(index), leaf.path, vr, *form)])
    statement = evidences.Statement(
        _text(file.data_set, 0x00080016), merkle_root([row[2] for row in result.rows]),
        len(result.rows), sealed_pixels, file.transfer_syntax, encoding, now, signer.device,
        _flags(file.data_set), sorted(met), untyped.digest())
    result.statement = statement
    if sealed_pixels and sealed_pixels[1] is not None:
        leaves = result.pixel_leaves()
        sealed_pixels[1], sealed_pixels[2] = merkle_root(leaves), len(leaves)
    algorithm = cose.EDDSA if isinstance(signer.key, ed25519.Ed25519PrivateKey) else cose.ES256
    chain = signer.chain[0] if len(signer.chain) == 1 else signer.chain
    result.sign1 = cose.sign({cose.ALG: algorithm, cose.CONTENT_TYPE: CONTENT_TYPE,
                              cose.X5CHAIN: chain}, {}, statement.encode(), signer.key)
    if log is not None:
        index = log.append(ledger.entry(1, hashlib.sha256(result.sign1).digest(),
                                        hashlib.sha256(signer.chain[0]).digest(), now))
        result.receipts = [log.receipt(index, now)]
        result.checkpoint = log.checkpoint(witnesses, now)
    return result.encode()
