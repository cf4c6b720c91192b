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

TOKEN_BYTES_MAX = 64 << 10
SIGNED_DATA, TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE, MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
ESS_V1, ESS_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
SHA1 = "1.3.14.3.2.26"
DIGESTS = {"2.16.840.1.101.3.4.2.1": hashes.SHA256(), "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
           "2.16.840.1.101.3.4.2.3": hashes.SHA512()}
SHA256 = "2.16.840.1.101.3.4.2.1"
INTEGER, OCTETS, NULL, OID, SEQUENCE, SET, TIME = 0x02, 0x04, 0x05, 0x06, 0x30, 0x31, 0x18


class BadStamp(Exception):
    pass


def _expect(condition, what):
    if not condition:
        raise BadStamp(what)


# --- DER ---------------------------------------------------------------------------------------

def _items(data):
    """[(tag, content, whole)] of the elements one after the other."""
    result, at = [], 0
    while at < len(data):
        _expect(at + 2 <= len(data) and data[at] & 0x1F != 0x1F, "tag")
        length, head = data[at + 1], 2
        if length >= 0x80:
            size = length & 0x7F
            _expect(1 <= size <= 4 and at + 2 + size <= len(data), "length")
            length, head = int.from_bytes(data[at + 2:at + 2 + size], "big"), 2 + size
        _expect(at + head + length <= len(data), "length")
        result.append((data[at], data[at + head:at + head + length], data[at:at + head + length]))
        at += head + length
    return result


def _one(data, tag):
    items = _items(data)
    _expect(len(items) == 1 and items[0][0] == tag, "one element")
    return items[0][1]


def _oid(content):
    numbers, value = [], 0
    _expect(content and not content[-1] & 0x80, "object identifier")
    for byte in content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(n) for n in [first, numbers[0] - 40 * first] + numbers[1:])


def der(tag, *contents):
    content = b"".join(contents)
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    width = (size.bit_length() + 7) // 8
    return bytes([tag, 0x80 | width]) + size.to_bytes(width, "big") + content


def der_oid(text):
    numbers = [int(part) for part in text.split(".")]
    out = b""
    for number in [40 * numbers[0] + numbers[1]] + numbers[2:]:
        part = [number & 0x7F]
        while number >> 7:
            number >>= 7
            part.append(number & 0x7F | 0x80)
        out += bytes(reversed(part))
    return der(OID, out)


def der_integer(value):
    return der(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


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
    for tag, value, _ in _items(content):
        _expect(tag in factors and value and not value[0] & 0x80, "accuracy")
        total += factors[tag] * int.from_bytes(value, "big")
    return total


def _tst_info(data):
    """(policy, imprint, time, latest)"""
    items = _items(_one(data, SEQUENCE))
    _expect([item[0] for item in items[:5]] == [INTEGER, OID, SEQUENCE, INTEGER, TIME], "TSTInfo")
    _expect(items[0][1] == b"\x01", "version")
    imprint = _items(items[2][1])
    _expect(len(imprint) == 2 and imprint[1][0] == OCTETS
            and _oid(_items(imprint[0][1])[0][1]) == SHA256, "imprint")
    accuracy = 0
    for tag, content, _ in items[5:]:
        if tag == SEQUENCE:
            accuracy = _accuracy(content)
        elif tag == 0xA1:
            for _, extension, _ in _items(content):
                parts = _items(extension)
                _expect(not (parts[1][0] == 0x01 and parts[1][1] != b"\0"), "critical extension")
        else:
            _expect(tag in (0x01, INTEGER, 0xA0), "TSTInfo")
    seconds, micros = _moment(items[4][1].decode("ascii", "replace"))
    latest = seconds + -(-(micros + accuracy) // 10**6)
    return _oid(items[1][1]), imprint[1][1], seconds, latest


def _attributes(content):
    result = {}
    for _, attribute, _ in _items(content):
        kind, values = _items(attribute)
        name, values = _oid(kind[1]), _items(values[1])
        _expect(name not in result and len(values) == 1, "attribute twice")
        result[name] = values[0]
    return result


def _named_signer(attribute):
    """(digest, hash) of the first ESSCertIDv2."""
    identifier = _items(_items(_items(_one(attribute[2], SEQUENCE))[0][1])[0][1])
    if identifier[0][0] == OCTETS:
        return hashes.SHA256(), identifier[0][1]
    digest = DIGESTS.get(_oid(_items(identifier[0][1])[0][1]))
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
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except x509.ExtensionNotFound:
        return False
    if not usage.critical or [o.dotted_string for o in usage.value] != ["1.3.6.1.5.5.7.3.8"]:
        return False
    try:
        bits = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return not (bits.key_encipherment or bits.data_encipherment or bits.key_agreement
                or bits.key_cert_sign or bits.crl_sign)


def read(token, anchor):
    """A token whose signature holds, by the certificate it carries or by `anchor`. The chain is
    not checked. Raises BadStamp."""
    try:
        return _read(token, anchor)
    except (IndexError, ValueError) as error:
        raise BadStamp(str(error)) from error


def _read(token, anchor):
    _expect(len(token) <= TOKEN_BYTES_MAX, "too long")
    outer = _items(_one(token, SEQUENCE))
    _expect(len(outer) == 2 and _oid(outer[0][1]) == SIGNED_DATA and outer[1][0] == 0xA0, "CMS")
    parts = _items(_one(outer[1][1], SEQUENCE))
    _expect([p[0] for p in parts[:3]] == [INTEGER, SET, SEQUENCE], "SignedData")
    content = _items(parts[2][1])
    _expect(_oid(content[0][1]) == TST_INFO and content[1][0] == 0xA0, "content")
    info = _one(content[1][1], OCTETS)
    certificates = [x509.load_der_x509_certificate(item[2]) for part in parts[3:]
                    if part[0] == 0xA0 for item in _items(part[1]) if item[0] == SEQUENCE]
    infos = [_items(item[1]) for item in _items(parts[-1][1])] if parts[-1][0] == SET else []
    _expect(len(infos) == 1, "one signer")
    signer_info = infos[0]
    _expect(signer_info[3][0] == 0xA0, "signed attributes")
    issuer, serial = _items(signer_info[1][1])
    digest = DIGESTS.get(_oid(_items(signer_info[2][1])[0][1]))
    _expect(digest is not None, "weak digest")
    serial = int.from_bytes(serial[1], "big", signed=True)
    signer = next((c for c in certificates + [anchor] if c.serial_number == serial
                   and c.issuer.public_bytes() == issuer[2]), None)
    _expect(signer is not None, "no certificate")
    attributes = _attributes(signer_info[3][1])
    _expect(_oid(attributes[CONTENT_TYPE][1]) == TST_INFO if CONTENT_TYPE in attributes else False,
            "contentType")
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
