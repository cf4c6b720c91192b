# SPDX-License-Identifier: Apache-2.0
"""COSE_Sign1 (RFC 9052) as spec/seal.md 8.3 and spec/ledger.md section 7 use it."""

from dataclasses import dataclass
from typing import Optional

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

import cbor

ES256, ESP256, ES384, ESP384, EDDSA, ED25519, PS256 = -7, -9, -35, -51, -8, -19, -37
ALG, CRIT, CONTENT_TYPE, X5CHAIN = 1, 2, 3, 33
# Bytes of a coordinate: order of the curve (FIPS 186-4, P-256 and P-384).
ORDERS = {32: 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
          48: int("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
                  "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973", 16)}
UNDERSTOOD = {1, 2, 3, 15, 33, 395}


class BadCose(Exception):
    pass


@dataclass
class Sign1:
    protected_bytes: bytes
    protected: dict
    unprotected: dict
    payload: Optional[bytes]
    signature: bytes

    def chain(self):
        """DER of the certificates, end entity first."""
        value = self.protected.get(X5CHAIN)
        certificates = [value] if isinstance(value, bytes) else value
        if not isinstance(certificates, list) or not certificates \
                or not all(isinstance(item, bytes) for item in certificates) \
                or isinstance(value, list) and len(value) < 2:
            raise BadCose("x5chain")
        return certificates


def read_sign1(data):
    try:
        outer = cbor.decode(data, sorted_maps=False)
        if not isinstance(outer, cbor.Tagged) or outer.tag != 18:
            raise BadCose("no COSE_Sign1")
        items = outer.value
        if not isinstance(items, list) or len(items) != 4 or not isinstance(items[0], bytes) \
                or not isinstance(items[1], dict) or not isinstance(items[3], bytes) \
                or not (items[2] is None or isinstance(items[2], bytes)):
            raise BadCose("no COSE_Sign1")
        protected = cbor.decode(items[0], sorted_maps=False) if items[0] else {}
    except cbor.CborError as error:
        raise BadCose(str(error)) from error
    if not isinstance(protected, dict) or set(protected) & set(items[1]):
        raise BadCose("header maps")
    critical = protected.get(CRIT, [])
    if CRIT in items[1] or not isinstance(critical, list) \
            or CRIT in protected and not critical or not set(critical) <= UNDERSTOOD:
        raise BadCose("crit")
    return Sign1(items[0], protected, items[1], items[2], items[3])


def to_be_signed(protected, payload):
    return cbor.encode(["Signature1", protected, b"", payload])


def verify(message, key, payload):
    """True where the signature holds. The algorithm has to suit the key."""
    algorithm, data = message.protected.get(ALG), to_be_signed(message.protected_bytes, payload)
    return verify_raw(algorithm, key, message.signature, data)


def verify_raw(algorithm, key, signature, data):
    try:
        if algorithm in (EDDSA, ED25519) and isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, data)
            return True
        sizes = {ES256: 32, ESP256: 32, ES384: 48, ESP384: 48}
        if algorithm in sizes and isinstance(key, ec.EllipticCurvePublicKey):
            size = sizes[algorithm]
            if key.curve.key_size != 8 * size or len(signature) != 2 * size:
                return False
            s = int.from_bytes(signature[size:], "big")
            if s > ORDERS[size] // 2:
                return False  # spec/seal.md 8.3: low s
            der = utils.encode_dss_signature(int.from_bytes(signature[:size], "big"), s)
            key.verify(der, data, ec.ECDSA(hashes.SHA256() if size == 32 else hashes.SHA384()))
            return True
        if algorithm == PS256 and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32),
                       hashes.SHA256())
            return True
    except (InvalidSignature, ValueError):
        pass
    return False


def sign(protected, unprotected, payload, key, detached=False):
    """The encoded COSE_Sign1. `key` is an EC P-256 or an Ed25519 private key, as alg says."""
    head = cbor.encode(protected)
    data = to_be_signed(head, payload)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(data)
    else:
        r, s = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hashes.SHA256())))
        s = min(s, ORDERS[32] - s)
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return cbor.encode(cbor.Tagged(18, [head, unprotected, None if detached else payload,
                                        signature]))
