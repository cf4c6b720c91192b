# SPDX-License-Identifier: Apache-2.0
"""Evidence that costs a verifier as much as can be had: keys, chains and receipts that anybody can
make, for nobody has to have signed anything. Each function makes of one good evidence as many as a
verifier reads of a sidecar, all different, so that nothing that it remembers helps it."""
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests/reference"))
import asn1  # noqa: E402
import cbor  # noqa: E402
import cose  # noqa: E402

EVIDENCES = 64  # src/core/limits.h, object_evidences_max
RECEIPTS = 16
CHAIN = 8
SIGN1, RECEIPT_LIST = 2, 6  # keys of evidence
NULL = b"\x05\x00"
RSA, SHA256_RSA = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.11"
random_bits = random.Random(1)


def rsa_key(bits, exponent_bits):
    """A SubjectPublicKeyInfo. To check a signature costs the same whatever the modulus is made of."""
    def odd(count):
        return random_bits.getrandbits(count) | 1 << (count - 1) | 1
    numbers = asn1.der(0x30, asn1.der_integer(odd(bits)), asn1.der_integer(odd(exponent_bits)))
    return asn1.der(0x30, asn1.der(0x30, asn1.der_oid(RSA), NULL), asn1.der(0x03, b"\0", numbers))


def name(text):
    return asn1.der(0x30, asn1.der(0x31, asn1.der(0x30, asn1.der_oid("2.5.4.3"),
                                                  asn1.der(0x0C, text.encode()))))


def certificate(subject, issuer, key, bits):
    algorithm = asn1.der(0x30, asn1.der_oid(SHA256_RSA), NULL)
    is_authority = asn1.der(0x30, asn1.der_oid(asn1.BASIC_CONSTRAINTS), asn1.der(0x01, b"\xFF"),
                            asn1.der(0x04, asn1.der(0x30, asn1.der(0x01, b"\xFF"))))
    body = asn1.der(
        0x30, asn1.der(0xA0, asn1.der_integer(2)), asn1.der_integer(random_bits.getrandbits(120)),
        algorithm, name(issuer),
        asn1.der(0x30, asn1.der(0x17, b"200101000000Z"), asn1.der(0x17, b"490101000000Z")),
        name(subject), key, asn1.der(0xA3, asn1.der(0x30, is_authority)))
    return asn1.der(0x30, body, algorithm,
                    asn1.der(0x03, b"\0", random_bits.randbytes(bits // 8)))


def rsa_chains(bits, exponent_bits):
    """Each signed by the first of a chain of eight of the largest keys that are taken."""
    def change(evidence):
        out = []
        map_ = cbor.decode(evidence)
        message = cose.read_sign1(map_[SIGN1])
        for _ in range(EVIDENCES):
            chain = [certificate("C%d" % i, "C%d" % (i + 1), rsa_key(bits, exponent_bits), bits)
                     for i in range(CHAIN)]
            head = {cose.ALG: cose.PS256, cose.CONTENT_TYPE: message.protected[cose.CONTENT_TYPE],
                    cose.X5CHAIN: chain}
            signature = b"\0" + random_bits.randbytes(bits // 8 - 1)  # below the modulus
            map_[SIGN1] = cbor.encode(cbor.Tagged(
                18, [cbor.encode(head), {}, message.payload, signature]))
            out.append(cbor.encode(map_))
        return out
    return change


def receipts(evidence):
    """Each with as many receipts as may be, the path as long as it can be, signed by nobody."""
    levels = 62
    out = []
    map_ = cbor.decode(evidence)
    good = cbor.decode(map_[RECEIPT_LIST][0], sorted_maps=False).value
    for _ in range(EVIDENCES):
        made = []
        for _ in range(RECEIPTS):
            proof = cbor.encode([1 << levels, random_bits.getrandbits(levels - 1),
                                 [random_bits.randbytes(32) for _ in range(levels)]])
            unprotected = {key: {-1: [proof]} for key in good[1]}
            made.append(cbor.encode(cbor.Tagged(
                18, [good[0], unprotected, None, b"\1" * 32 + random_bits.randbytes(31) + b"\1"])))
        map_[RECEIPT_LIST] = made
        # Another seal each: of one seal only one evidence is judged.
        message = cose.read_sign1(map_[SIGN1])
        map_[SIGN1] = cbor.encode(cbor.Tagged(18, [
            message.protected_bytes, {}, message.payload, b"\1" * 32 + random_bits.randbytes(31) + b"\1"]))
        out.append(cbor.encode(map_))
    return out
