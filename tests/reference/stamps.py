# SPDX-License-Identifier: Apache-2.0
"""Time-stamp tokens (RFC 3161, RFC 5652, RFC 5816): reading and making them, byte by byte."""

import datetime
import hashlib
import os
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

import asn1
from asn1 import INTEGER, OCTETS, OID, SEQUENCE, SET, TIME, der, der_integer, der_oid

TOKEN_BYTES_MAX = 64 << 10
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
ESS_V1, ESS_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
SHA1 = "1.3.14.3.2.26"
DIGESTS = {"2.16.840.1.101.3.4.2.1": hashes.SHA256(), "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
           "2.16.840.1.101.3.4.2.3": hashes.SHA512()}
SHA256 = "2.16.840.1.101.3.4.2.1"


class BadStamp(Exception):
    pass


def _expect(condition, what):
    if not condition:
        raise BadStamp(what)


# --- reading -----------------------------------------------------------------------------------

@dataclass
class Stamp:
    policy: str
    imprint: bytes
    time: int      # fractions cut off
    latest: int    # accuracy added, rounded up
    signer: x509.Certificate
    others: list   # certificates that came along


def _moment(text):
    """(seconds, microseconds, rounded up) of YYYYMMDDhhmmss[.s]Z."""
    body, _, fraction = text[:-1].partition(".")
    _expect(text.endswith("Z") and len(body) == 14 and body.isdigit(), "time")
    _expect("." not in text or fraction.isdigit() and len(fraction) < 20, "time")
    try:
        time = datetime.datetime.strptime(body, "%Y%m%d%H%M%S")
    except ValueError as error:
        raise BadStamp("time") from error
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    beyond = any(c != "0" for c in fraction[6:])
    seconds = int(time.replace(tzinfo=datetime.timezone.utc).timestamp())
    return seconds, micros + beyond


def _accuracy(content):
    """Microseconds."""
    factors, total = {INTEGER: 10**6, 0x80: 1000, 0x81: 1}, 0
    for tag, value, _ in asn1.items(content):
        _expect(tag in factors and value and not value[0] & 0x80, "accuracy")
        total += factors[tag] * int.from_bytes(value, "big")
    return total


def _tst_info(data):
    """(policy, imprint, time, latest)"""
    items = asn1.items(asn1.one(data, SEQUENCE))
    _expect([item[0] for item in items[:5]] == [INTEGER, OID, SEQUENCE, INTEGER, TIME], "TSTInfo")
    _expect(items[0][1] == b"\x01", "version")
    imprint = asn1.items(items[2][1])
    _expect(len(imprint) == 2 and imprint[1][0] == OCTETS
            and asn1.oid(asn1.items(imprint[0][1])[0][1]) == SHA256, "imprint")
    accuracy = 0
    for tag, content, _ in items[5:]:
        if tag == SEQUENCE:
            accuracy = _accuracy(content)
        elif tag == 0xA1:
            for _, extension, _ in asn1.items(content):
                parts = asn1.items(extension)
                _expect(not (parts[1][0] == 0x01 and parts[1][1] != b"\0"), "critical extension")
        else:
            _expect(tag in (0x01, INTEGER, 0xA0), "TSTInfo")
    seconds, micros = _moment(items[4][1].decode("ascii", "replace"))
    latest = seconds + -(-(micros + accuracy) // 10**6)
    return asn1.oid(items[1][1]), imprint[1][1], seconds, latest


def _attributes(content):
    result = {}
    for _, attribute, _ in asn1.items(content):
        kind, values = asn1.items(attribute)
        name, values = asn1.oid(kind[1]), asn1.items(values[1])
        _expect(name not in result and len(values) == 1, "attribute twice")
        result[name] = values[0]
    return result


def _named_signer(attribute):
    """(digest, hash) of the first ESSCertIDv2."""
    identifier = asn1.items(asn1.items(asn1.items(asn1.one(attribute[2], SEQUENCE))[0][1])[0][1])
    if identifier[0][0] == OCTETS:
        return hashes.SHA256(), identifier[0][1]
    digest = DIGESTS.get(asn1.oid(asn1.items(identifier[0][1])[0][1]))
    _expect(digest is not None and identifier[1][0] == OCTETS, "weak ESSCertIDv2")
    return digest, identifier[1][1]


def _check_signature(certificate, digest, signature, signed):
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            _expect(isinstance(key, rsa.RSAPublicKey), "key")
            key.verify(signature, signed, padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise BadStamp("signature") from error


def _hash(digest, data):
    return hashlib.new(digest.name, data).digest()


def may_stamp(certificate):
    purposes, usage = asn1.extended_key_usages(certificate), asn1.key_usage(certificate)
    return purposes == (True, ["1.3.6.1.5.5.7.3.8"]) and (
        usage is None or usage <= {asn1.DIGITAL_SIGNATURE, asn1.NON_REPUDIATION})


def read(token, anchor):
    """A token whose signature holds, by the certificate it carries or by `anchor`. The chain is
    not checked. Raises BadStamp."""
    try:
        return _read(token, anchor)
    except (IndexError, ValueError) as error:
        raise BadStamp(str(error)) from error


def _read(token, anchor):
    _expect(len(token) <= TOKEN_BYTES_MAX, "too long")
    outer = asn1.items(asn1.one(token, SEQUENCE))
    _expect(len(outer) == 2 and asn1.oid(outer[0][1]) == SIGNED_DATA and outer[1][0] == 0xA0, "CMS")
    parts = asn1.items(asn1.one(outer[1][1], SEQUENCE))
    _expect([p[0] for p in parts[:3]] == [INTEGER, SET, SEQUENCE], "SignedData")
    content = asn1.items(parts[2][1])
    _expect(asn1.oid(content[0][1]) == TST_INFO and content[1][0] == 0xA0, "content")
    info = asn1.one(content[1][1], OCTETS)
    certificates = [x509.load_der_x509_certificate(item[2]) for part in parts[3:]
                    if part[0] == 0xA0 for item in asn1.items(part[1]) if item[0] == SEQUENCE]
    infos = ([asn1.items(item[1]) for item in asn1.items(parts[-1][1])]
             if parts[-1][0] == SET else [])
    _expect(len(infos) == 1, "one signer")
    signer_info = infos[0]
    _expect(signer_info[3][0] == 0xA0, "signed attributes")
    issuer, serial = asn1.items(signer_info[1][1])
    digest = DIGESTS.get(asn1.oid(asn1.items(signer_info[2][1])[0][1]))
    _expect(digest is not None, "weak digest")
    serial = int.from_bytes(serial[1], "big", signed=True)
    signer = next((c for c in certificates + [anchor] if c.serial_number == serial
                   and c.issuer.public_bytes() == issuer[2]), None)
    _expect(signer is not None, "no certificate")
    attributes = _attributes(signer_info[3][1])
    _expect(CONTENT_TYPE in attributes
            and asn1.oid(attributes[CONTENT_TYPE][1]) == TST_INFO, "contentType")
    _expect(MESSAGE_DIGEST in attributes
            and attributes[MESSAGE_DIGEST][1] == _hash(digest, info), "messageDigest")
    _expect(ESS_V2 in attributes, "ESSCertIDv2")
    name_digest, name = _named_signer(attributes[ESS_V2])
    encoded = signer.public_bytes(serialization.Encoding.DER)
    _expect(_hash(name_digest, encoded) == name, "another signer named")
    _check_signature(signer, digest, signer_info[5][1], der(SET, signer_info[3][1]))
    _expect(may_stamp(signer), "not for time-stamping")
    return Stamp(*_tst_info(info), signer, [c for c in certificates if c != signer])


# --- making ------------------------------------------------------------------------------------

def _algorithm(oid):
    return der(SEQUENCE, der_oid(oid))


def make(key, certificate, imprint, time, policy="2.999.1", accuracy=1, name_digest=SHA256,
         others=(), fraction=""):
    """A token by an EC key. `time`: seconds, `fraction`: ".25"; `name_digest` SHA1 gives the old
    ESSCertID."""
    moment = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    text = moment.strftime("%Y%m%d%H%M%S") + fraction + "Z"
    info = der(SEQUENCE, der_integer(1), der_oid(policy),
               der(SEQUENCE, _algorithm(SHA256), der(OCTETS, imprint)),
               der_integer(int.from_bytes(os.urandom(8), "big")), der(TIME, text.encode()),
               der(SEQUENCE, der_integer(accuracy)))
    encoded = certificate.public_bytes(serialization.Encoding.DER)
    if name_digest == SHA1:
        kind, identifier = ESS_V1, der(SEQUENCE, der(OCTETS, hashlib.sha1(encoded).digest()))
    else:
        kind = ESS_V2
        identifier = der(SEQUENCE, der(OCTETS, hashlib.sha256(encoded).digest()))

    def attribute(oid, value):
        return der(SEQUENCE, der_oid(oid), der(SET, value))

    attributes = b"".join(sorted([
        attribute(CONTENT_TYPE, der_oid(TST_INFO)),
        attribute(MESSAGE_DIGEST, der(OCTETS, hashlib.sha256(info).digest())),
        attribute(kind, der(SEQUENCE, der(SEQUENCE, identifier)))]))
    signature = key.sign(der(SET, attributes), ec.ECDSA(hashes.SHA256()))
    signer = der(SEQUENCE, der_integer(1),
                 der(SEQUENCE, certificate.issuer.public_bytes(),
                     der_integer(certificate.serial_number)),
                 _algorithm(SHA256), der(0xA0, attributes),
                 _algorithm("1.2.840.10045.4.3.2"), der(OCTETS, signature))
    carried = b"".join(c.public_bytes(serialization.Encoding.DER)
                       for c in (certificate, *others))
    signed = der(SEQUENCE, der_integer(3), der(SET, _algorithm(SHA256)),
                 der(SEQUENCE, der_oid(TST_INFO), der(0xA0, der(OCTETS, info))),
                 der(0xA0, carried), der(SET, signer))
    return der(SEQUENCE, der_oid(SIGNED_DATA), der(0xA0, signed))
