# SPDX-License-Identifier: Apache-2.0
"""Ledger entries, receipts, checkpoints (spec/ledger.md): checking them, and a small log."""

import base64
import binascii
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import cbor
import cose
from salts import inclusion_path, merkle_root, root_of_path

ORIGIN_CLAIM, TIME_CLAIM = 1, 6


def entry(type_, sign1_hash, signer_hash, claimed_at):
    return cbor.encode([1, type_, sign1_hash, signer_hash, claimed_at])


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


class BadKey(Exception):
    pass


@dataclass
class VerifierKey:
    name: str
    type: int
    id: bytes
    public: object
    raw: bytes

    def verify(self, signature, text):
        if self.type == 1:
            return cose.verify_raw(cose.EDDSA, self.public, signature, text)
        if self.type == 4:
            if len(signature) != 72:
                return False
            time = int.from_bytes(signature[:8], "big")
            signed = b"cosignature/v1\ntime %d\n" % time + text
            return cose.verify_raw(cose.EDDSA, self.public, signature[8:], signed)
        try:
            from cryptography.hazmat.primitives import hashes
            self.public.verify(signature, text, ec.ECDSA(hashes.SHA256()))
            return True
        except Exception:  # InvalidSignature, or no DER
            return False

    @property
    def algorithm(self):
        return cose.ES256 if self.type == 2 else cose.EDDSA


def _base64(text):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKey("base64") from error
    if base64.b64encode(data).decode() != text:
        raise BadKey("stray bits")
    return data


def read_verifier_key(text):
    parts = text.split("+", 2)
    if len(parts) != 3 or not parts[0] or any(c.isspace() or ord(c) < 0x20 for c in parts[0]):
        raise BadKey("form")
    name, key_id, data = parts[0], parts[1], _base64(parts[2])
    if not data:
        raise BadKey("empty")
    type_, raw = data[0], data[1:]
    if type_ in (1, 4):
        if len(raw) != 32:
            raise BadKey("length")
        public = ed25519.Ed25519PublicKey.from_public_bytes(raw)
        computed = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4]
    elif type_ == 2:
        public = serialization.load_der_public_key(raw)
        if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
            raise BadKey("curve")
        computed = hashlib.sha256(raw).digest()[:4]
    else:
        raise BadKey("type")
    if key_id != computed.hex():
        raise BadKey("id")
    return VerifierKey(name, type_, computed, public, raw)


def write_verifier_key(name, type_, public_raw):
    data = bytes([type_]) + public_raw
    key_id = hashlib.sha256(name.encode() + b"\n" + data).digest()[:4].hex()
    return "%s+%s+%s" % (name, key_id, base64.b64encode(data).decode())


class BadNote(Exception):
    pass


@dataclass
class Checkpoint:
    text: bytes
    origin: str
    size: int
    root: bytes
    signatures: list  # (name, id, signature)

    def signed_by(self, key):
        """False: not signed by it. Raises BadNote where its signature fails."""
        return bool(self._good(key))

    def cosigned_at(self, key):
        """The earliest time that a witness states, or None. Raises BadNote as signed_by."""
        return min((int.from_bytes(signature[:8], "big") for signature in self._good(key)),
                   default=None)

    def _good(self, key):
        good = []
        for name, key_id, signature in self.signatures:
            if name == key.name and key_id == key.id:
                if not key.verify(signature, self.text):
                    raise BadNote("signature of %s fails" % name)
                good.append(signature)
        return good


def read_checkpoint(note):
    data = note.encode("utf-8")
    split = data.rfind(b"\n\n")
    if split < 0 or len(data) > 512 << 10 or not data.endswith(b"\n"):
        raise BadNote("form")
    text, signatures = data[:split + 1], []
    for line in data[split + 2:].decode("utf-8").split("\n")[:-1]:
        if not line.startswith("\u2014 ") or line.count(" ") != 2:
            raise BadNote("signature line")
        _, name, value = line.split(" ")
        try:
            raw = _base64(value)
        except BadKey as error:
            raise BadNote("base64") from error
        if len(raw) < 5 or not name or "+" in name:
            raise BadNote("signature line")
        signatures.append((name, raw[:4], raw[4:]))
    if not 1 <= len(signatures) <= 64:
        raise BadNote("number of signatures")
    lines = text.decode("utf-8").split("\n")
    if len(lines) < 4 or not lines[0] or not lines[1].isdecimal() \
            or lines[1] != str(int(lines[1])):
        raise BadNote("body")
    try:
        root = _base64(lines[2])
    except BadKey as error:
        raise BadNote("root") from error
    if len(root) != 32:
        raise BadNote("root")
    return Checkpoint(text, lines[0], int(lines[1]), root, signatures)


class BadReceipt(Exception):
    pass


@dataclass
class Receipt:
    message: cose.Sign1
    origin: str
    time: int  # or None
    size: int
    index: int
    path: list


def read_receipt(data):
    try:
        message = cose.read_sign1(data)
        protected = message.protected
        claims = protected.get(15)
        proofs = message.unprotected.get(396)
        if message.payload is not None or not isinstance(protected.get(1), int) \
                or protected.get(395) != 1 or not isinstance(claims, dict) \
                or not isinstance(claims.get(1), str) or not isinstance(proofs, dict) \
                or not isinstance(proofs.get(-1), list) or len(proofs[-1]) != 1 \
                or not isinstance(proofs[-1][0], bytes):
            raise BadReceipt("form")
        proof = cbor.decode(proofs[-1][0])
    except (cose.BadCose, cbor.CborError) as error:
        raise BadReceipt(str(error)) from error
    if not isinstance(proof, list) or len(proof) != 3 or not isinstance(proof[2], list) \
            or not 1 <= len(proof[2]) <= 64 \
            or not all(isinstance(h, bytes) and len(h) == 32 for h in proof[2]) \
            or not all(isinstance(n, int) and n >= 0 for n in proof[:2]) or proof[1] >= proof[0]:
        raise BadReceipt("proof")
    time = claims.get(6)
    return Receipt(message, claims[1], time if isinstance(time, int) else None, *proof)


def receipt_root(receipt, leaf, key):
    """The root that the ledger's key signed, or None."""
    root = root_of_path(leaf, receipt.index, receipt.size, receipt.path)
    if root is None or receipt.message.protected.get(1) != key.algorithm \
            or not cose.verify(receipt.message, key.public, root):
        return None
    return root


class SmallLog:
    """A log in memory: enough to give receipts and checkpoints."""

    def __init__(self, origin):
        self.origin = origin
        self.key = ed25519.Ed25519PrivateKey.generate()
        raw = self.key.public_key().public_bytes(serialization.Encoding.Raw,
                                                 serialization.PublicFormat.Raw)
        self.verifier_key = write_verifier_key(origin, 1, raw)
        genesis = entry(0, bytes(32), hashlib.sha256(self.verifier_key.encode()).digest(), 0)
        self.leaves = [leaf_hash(genesis)]

    def append(self, data):
        self.leaves.append(leaf_hash(data))
        return len(self.leaves) - 1

    def receipt(self, index, time):
        protected = {1: cose.EDDSA, 15: {ORIGIN_CLAIM: self.origin, TIME_CLAIM: time}, 395: 1}
        proof = cbor.encode([len(self.leaves), index, inclusion_path(self.leaves, index)])
        return cose.sign(protected, {396: {-1: [proof]}}, merkle_root(self.leaves), self.key,
                         detached=True)

    def checkpoint(self, witnesses=(), time=0):
        """`witnesses`: (name, private key). Cosigned at `time`."""
        text = "%s\n%d\n%s\n" % (self.origin, len(self.leaves),
                                 base64.b64encode(merkle_root(self.leaves)).decode())
        lines = [self._line(self.verifier_key, self.key.sign(text.encode()))]
        for name, key in witnesses:
            signed = b"cosignature/v1\ntime %d\n" % time + text.encode()
            lines.append(self._line(witness_key(name, key),
                                    time.to_bytes(8, "big") + key.sign(signed)))
        return text + "\n" + "".join(lines)

    @staticmethod
    def _line(verifier_key, signature):
        name, key_id, _ = verifier_key.split("+", 2)
        return "\u2014 %s %s\n" % (
            name, base64.b64encode(bytes.fromhex(key_id) + signature).decode())


def witness_key(name, key):
    return write_verifier_key(name, 4, key.public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw))
