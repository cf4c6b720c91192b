# SPDX-License-Identifier: Apache-2.0
"""DER, byte by byte, and what is needed of X.509 extensions. By hand, since Debian's cryptography
holds arcs of object identifiers in 32 bits and reads no certificate with the roles of
spec/trust.md 6."""

from cryptography.hazmat.primitives import serialization

BOOLEAN, INTEGER, BITS, OCTETS, NULL, OID, SEQUENCE, SET, TIME = (
    0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x30, 0x31, 0x18)


class BadDer(ValueError):
    pass


def expect(condition, what):
    if not condition:
        raise BadDer(what)


def items(data):
    """[(tag, content, whole)] of the elements one after the other."""
    result, at = [], 0
    while at < len(data):
        expect(at + 2 <= len(data) and data[at] & 0x1F != 0x1F, "tag")
        length, head = data[at + 1], 2
        if length >= 0x80:
            size = length & 0x7F
            expect(1 <= size <= 4 and at + 2 + size <= len(data), "length")
            length, head = int.from_bytes(data[at + 2:at + 2 + size], "big"), 2 + size
        expect(at + head + length <= len(data), "length")
        result.append((data[at], data[at + head:at + head + length], data[at:at + head + length]))
        at += head + length
    return result


def one(data, tag):
    found = items(data)
    expect(len(found) == 1 and found[0][0] == tag, "one element")
    return found[0][1]


def oid(content):
    numbers, value = [], 0
    expect(content and not content[-1] & 0x80, "object identifier")
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


# --- X.509 -------------------------------------------------------------------------------------

BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE = "2.5.29.19", "2.5.29.15", "2.5.29.37"
DIGITAL_SIGNATURE, NON_REPUDIATION, KEY_CERT_SIGN = 0, 1, 5  # bits of key usage


def extensions(certificate):
    """{object identifier: (critical, value)}. Raises BadDer."""
    result = {}
    for tag, content, _ in items(one(certificate.tbs_certificate_bytes, SEQUENCE)):
        if tag != 0xA3:
            continue
        for _, extension, _ in items(one(content, SEQUENCE)):
            parts = items(extension)
            expect(len(parts) in (2, 3) and parts[0][0] == OID and parts[-1][0] == OCTETS,
                   "extension")
            name = oid(parts[0][1])
            expect(name not in result, "extension twice")
            result[name] = (len(parts) == 3 and parts[1][1] != b"\0", parts[-1][1])
    return result


def constraints(certificate):
    """(cA, path length or None), or None without basicConstraints."""
    _, value = extensions(certificate).get(BASIC_CONSTRAINTS, (None, None))
    if value is None:
        return None
    parts = items(one(value, SEQUENCE))
    ca = bool(parts) and parts[0][0] == BOOLEAN and parts[0][1] != b"\0"
    length = [int.from_bytes(part[1], "big") for part in parts if part[0] == INTEGER]
    return ca, length[0] if length else None


def key_usage(certificate):
    """The set of bits, or None without key usage."""
    _, value = extensions(certificate).get(KEY_USAGE, (None, None))
    if value is None:
        return None
    content = one(value, BITS)[1:]
    return {8 * i + bit for i, byte in enumerate(content) for bit in range(8)
            if byte & 0x80 >> bit}


def extended_key_usages(certificate):
    """(critical, object identifiers), or None without them."""
    critical, value = extensions(certificate).get(EXTENDED_KEY_USAGE, (None, None))
    if value is None:
        return None
    return critical, [oid(part[1]) for part in items(one(value, SEQUENCE))]


def is_authority(certificate):
    basic, usage = constraints(certificate), key_usage(certificate)
    return basic is not None and basic[0] and (usage is None or KEY_CERT_SIGN in usage)


def key_der(key):
    """The SubjectPublicKeyInfo in the one way of spec/trust.md 7."""
    return key.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)
