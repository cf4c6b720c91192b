# SPDX-License-Identifier: Apache-2.0
"""The trust file (spec/trust.md), and whether it accepts a seal (spec/seal.md section 9)."""

import datetime
import hashlib
import re
import tomllib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import ledger
import stamps

ROLES = {"seal", "amend", "deidentify", "derive", "gateway"}
CLOCK_SLACK_S = 24 * 3600
OBJECT_IDENTIFIER = r"(?=.{3,128}$)([01]\.[1-3]?[0-9]|2\.(0|[1-9][0-9]*))(\.(0|[1-9][0-9]*))*"


class BadTrust(Exception):
    pass


def _expect(condition, what):
    if not condition:
        raise BadTrust(what)


def moment(value):
    """POSIX seconds of a time of the trust file or of --at."""
    try:
        if isinstance(value, str):
            text = value.replace("Z", "+00:00").replace("z", "+00:00")
            value = (datetime.date.fromisoformat(text) if len(text) == 10
                     else datetime.datetime.fromisoformat(text))
    except ValueError as error:
        raise BadTrust("time") from error
    if isinstance(value, datetime.datetime):
        _expect(value.tzinfo is not None, "time without offset")
        return int(value.timestamp() // 1)
    _expect(isinstance(value, datetime.date), "time")
    midnight = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.timezone.utc)
    return int(midnight.timestamp())


@dataclass
class Ledger:
    origin: str
    key: ledger.VerifierKey
    quorum: int
    witnesses: list  # of VerifierKey
    time_stamps: int = 0


@dataclass
class Tsa:
    name: str
    certificate: x509.Certificate
    policies: list


@dataclass
class Trust:
    serial: int
    authorities: list = field(default_factory=list)  # (name, roles, certificate)
    ledgers: list = field(default_factory=list)
    revocations: dict = field(default_factory=dict)  # fingerprint: time
    devices: list = field(default_factory=list)
    tsas: list = field(default_factory=list)


def _table(table, required, optional=()):
    _expect(isinstance(table, dict), "table")
    _expect(set(required) <= set(table) <= set(required) | set(optional),
            "keys: " + ", ".join(sorted(map(str, table))))


def _text(value):
    _expect(isinstance(value, str) and 1 <= len(value.encode()) <= 256
            and not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in value), "text")
    return value


def _unique(values, what):
    _expect(len(values) == len(set(values)), "twice: " + what)


def _count(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _authority(table):
    _table(table, ("name", "roles", "certificate"))
    roles = table["roles"]
    _expect(isinstance(roles, list) and roles and set(roles) <= ROLES, "roles")
    _unique(roles, "role")
    certificate = _certificate(table["certificate"])
    _expect(is_authority(certificate), "no CA certificate")
    return _text(table["name"]), roles, certificate


def _certificate(pem):
    _expect(isinstance(pem, str) and pem.count("-----BEGIN") == 1, "certificate")
    try:
        return x509.load_pem_x509_certificate(pem.strip().encode())
    except ValueError as error:
        raise BadTrust("certificate") from error


def _tsa(table):
    _table(table, ("name", "certificate"), ("policy",))
    certificate = _certificate(table["certificate"])
    _expect(is_authority(certificate) or stamps.may_stamp(certificate), "no TSA certificate")
    policies = table.get("policy", [])
    _expect(isinstance(policies, list) and ("policy" not in table or policies)
            and all(isinstance(p, str) and re.fullmatch(OBJECT_IDENTIFIER, p) for p in policies),
            "policy")
    _unique(policies, "policy")
    return Tsa(_text(table["name"]), certificate, policies)


def _ledger(table, version, tsas):
    _table(table, ("origin", "key", "quorum"),
           ("witness",) if version == 1 else ("witness", "time_stamps"))
    try:
        key = ledger.read_verifier_key(_text(table["key"]))
        witnesses = []
        for witness in table.get("witness", []):
            _table(witness, ("name", "key"))
            witnesses.append((_text(witness["name"]), ledger.read_verifier_key(witness["key"])))
    except (ledger.BadKey, ValueError) as error:
        raise BadTrust("verifier key") from error
    _expect(key.type in (1, 2) and all(w.type == 4 for _, w in witnesses), "type of key")
    _unique([name for name, _ in witnesses], "witness")
    _unique([key.raw] + [w.raw for _, w in witnesses], "public key")
    _expect(_count(table["quorum"]) and table["quorum"] <= len(witnesses), "quorum")
    stamped = table.get("time_stamps", 0)
    _expect(_count(stamped) and stamped <= min(len(tsas), 8), "time_stamps")
    return Ledger(_text(table["origin"]), key, table["quorum"], [w for _, w in witnesses], stamped)


def read(data):
    try:
        root = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTrust(str(error)) from error
    version = root.get("version")
    _expect(version in (1, 2) and isinstance(version, int) and not isinstance(version, bool),
            "version")
    sections = ("authority", "ledger", "revocation", "device", "tsa")[:4 if version == 1 else 5]
    _table(root, ("version", "serial"), sections)
    _expect(_count(root["serial"]), "serial")
    result = Trust(root["serial"])
    for name in sections:
        _expect(isinstance(root.get(name, []), list), name)
    result.authorities = [_authority(table) for table in root.get("authority", [])]
    _unique([name for name, _, _ in result.authorities], "authority")
    _unique([fingerprint(c) for _, _, c in result.authorities], "certificate")
    result.tsas = [_tsa(table) for table in root.get("tsa", [])]
    _unique([tsa.name for tsa in result.tsas], "tsa")
    _unique([fingerprint(tsa.certificate) for tsa in result.tsas], "certificate of a tsa")
    result.ledgers = [_ledger(table, version, result.tsas) for table in root.get("ledger", [])]
    _unique([item.origin for item in result.ledgers], "origin")
    for table in root.get("revocation", []):
        _table(table, ("signer", "at", "reason"))
        signer = _text(table["signer"])
        _expect(signer.startswith("sha256:") and len(signer) == 71, "signer")
        try:
            key = bytes.fromhex(signer[7:])
        except ValueError as error:
            raise BadTrust("signer") from error
        _text(table["reason"])
        _expect(key not in result.revocations, "twice: signer")
        result.revocations[key] = moment(table["at"])
    for table in root.get("device", []):
        _table(table, ("name", "seals_since"), ("station_name", "device_serial_number"))
        result.devices.append((_text(table["name"]), moment(table["seals_since"]), table))
    _unique([name for name, _, _ in result.devices], "device")
    return result


# --- certificates ------------------------------------------------------------------------------

def fingerprint(certificate):
    return certificate.fingerprint(hashes.SHA256())


def _extension(certificate, kind):
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def is_authority(certificate):
    constraints = _extension(certificate, x509.BasicConstraints)
    usage = _extension(certificate, x509.KeyUsage)
    return constraints is not None and constraints.ca and (usage is None or usage.key_cert_sign)


def _strong(certificate):
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.key_size >= 224
    return isinstance(key, ed25519.Ed25519PublicKey)


def _issued(certificate, issuer):
    """The issuer's key signed the certificate, with at least 112 bits of security."""
    if certificate.issuer != issuer.subject:
        return False
    key, data = issuer.public_key(), certificate.tbs_certificate_bytes
    digest = certificate.signature_hash_algorithm
    if digest is not None and digest.digest_size < 28:
        return False
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(certificate.signature, data)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(certificate.signature, data, ec.ECDSA(digest))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, data, padding.PKCS1v15(), digest)
        else:
            return False
        return True
    except (InvalidSignature, TypeError, ValueError):
        return False


def _valid_at(certificate, time):
    utc = datetime.timezone.utc
    return (certificate.not_valid_before.replace(tzinfo=utc).timestamp() <= time
            <= certificate.not_valid_after.replace(tzinfo=utc).timestamp())


def _paths(certificate, rest, authorities, path):
    """Every way from a certificate to an authority."""
    for authority in authorities:
        if certificate == authority:
            yield path + [certificate]
        elif _issued(certificate, authority):
            yield path + [certificate, authority]
    if len(path) < 8:
        for i, candidate in enumerate(rest):
            if is_authority(candidate) and _issued(certificate, candidate):
                yield from _paths(candidate, rest[:i] + rest[i + 1:], authorities,
                                  path + [certificate])


def _depths_kept(path):
    for below, certificate in enumerate(path[1:]):
        constraints = _extension(certificate, x509.BasicConstraints)
        if constraints.path_length is not None and below > constraints.path_length:
            return False
    return True


def _common_name(certificate):
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return names[0].value if names else None


def check_signer(chain, trust, time, at=None, device=None):
    """Codes of findings: signer.untrusted, signer.expired, signer.revoked."""
    codes = []
    authorities = [c for _, roles, c in trust.authorities if "seal" in roles]
    usage = _extension(chain[0], x509.KeyUsage)
    paths = []
    if (usage is None or usage.digital_signature) and _common_name(chain[0]) == device:
        paths = [path for path in _paths(chain[0], chain[1:], authorities, [])
                 if all(_strong(certificate) for certificate in path) and _depths_kept(path)]
    if not paths:
        codes.append("signer.untrusted")
    elif not any(all(_valid_at(certificate, time) for certificate in path) for path in paths):
        codes.append("signer.expired")
    revoked_at = trust.revocations.get(fingerprint(chain[0]))
    if revoked_at is not None and revoked_at <= time and (at is None or revoked_at <= at):
        codes.append("signer.revoked")
    return codes


# --- ledger ------------------------------------------------------------------------------------

def _stamps(evidence, text, trust, at):
    """Times of good stamps over the checkpoint, ascending: each TSA and each TSA's key once."""
    imprint, good = hashlib.sha256(text).digest(), []
    for token in evidence.stamps:
        for number, tsa in enumerate(trust.tsas):
            stamp = _stamp(token, imprint, tsa)
            if stamp is None:
                continue
            revoked_at = trust.revocations.get(fingerprint(stamp.signer))
            revoked = revoked_at is not None and revoked_at <= stamp.latest \
                and (at is None or revoked_at <= at)
            if not revoked and (at is None or stamp.latest <= at):
                key = stamp.signer.public_key().public_bytes(
                    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
                good.append((stamp.latest, number, hashlib.sha256(key).digest()))
            break
    times, used = [], set()
    for latest, number, key in sorted(good):
        if number not in used and key not in used:
            times.append(latest)
            used |= {number, key}
    return times


def _stamp(token, imprint, tsa):
    """The stamp, or None where it does not count for this authority."""
    try:
        stamp = stamps.read(token, tsa.certificate)
    except stamps.BadStamp:
        return None
    if stamp.imprint != imprint or tsa.policies and stamp.policy not in tsa.policies:
        return None
    paths = _paths(stamp.signer, stamp.others, [tsa.certificate], [])
    return stamp if any(all(_strong(c) and _valid_at(c, stamp.time) for c in path)
                        and _depths_kept(path) for path in paths) else None


@dataclass
class Entered:
    missing: list  # codes of what the trust file demands and the evidence lacks
    date: int
    issued_at: int
    by_log: bool


def _judge_receipt(receipt, evidence, leaf, known, trust, at):
    """Entered, or None where the receipt is not good."""
    root = ledger.receipt_root(receipt, leaf, known.key)
    if root is None or receipt.time is None:
        return None
    times, text = [], b""
    if evidence.checkpoint:
        try:
            checkpoint = ledger.read_checkpoint(evidence.checkpoint)
            if checkpoint.origin != known.origin or checkpoint.size != receipt.size \
                    or checkpoint.root != root or not checkpoint.signed_by(known.key):
                return None
            times = [checkpoint.cosigned_at(witness) for witness in known.witnesses]
            text = checkpoint.text
        except (ledger.BadNote, UnicodeError):
            return None
    elif known.quorum:
        return None
    result = Entered([], receipt.time, receipt.time, True)
    times = sorted(t for t in times if t is not None and (at is None or t <= at))
    if len(times) < known.quorum:
        result.missing.append("ledger.unwitnessed")
    elif known.quorum:
        result.date, result.by_log = times[known.quorum - 1], False
    times = _stamps(evidence, text, trust, at)
    if len(times) < known.time_stamps:
        result.missing.append("ledger.unstamped")
    elif known.time_stamps:
        result.date, result.by_log = times[known.time_stamps - 1], False
    return result


def check_ledger(evidence, certificate_der, trust, at=None):
    """(codes of findings, the Entered that dates the seal or None)."""
    if not trust.ledgers:
        return [], None
    signer = hashlib.sha256(certificate_der).digest()
    data = ledger.entry(1, hashlib.sha256(evidence.sign1).digest(), signer,
                        evidence.statement.claimed_at)
    leaf, known_ledger, entered = ledger.leaf_hash(data), False, []
    for encoded in evidence.receipts:
        try:
            receipt = ledger.read_receipt(encoded)
        except ledger.BadReceipt:
            continue  # of no known ledger
        for known in trust.ledgers:
            if known.origin == receipt.origin:
                known_ledger = True
                entered.append(_judge_receipt(receipt, evidence, leaf, known, trust, at))
    entered = [item for item in entered if item is not None]
    if not entered:
        return ["ledger.invalid" if known_ledger else "ledger.missing"], None
    best = min(entered, key=lambda item: (bool(item.missing), item.date, item.issued_at))
    return list(best.missing), best
