# SPDX-License-Identifier: Apache-2.0
"""The trust file (spec/trust.md), and whether it accepts a seal (spec/seal.md section 9)."""

import base64
import binascii
import datetime
import hashlib
import re
import tomllib
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

import asn1
import ledger
import stamps
import tolerance
from salts import root_of_path

# The role's number is the last arc of its extended key usage (spec/trust.md 6).
ROLES = ("seal", "amend", "deidentify", "derive", "gateway", "audit", "curate", "calibrate")
ARC = "2.25.194878920291164724983316205274960575822.1."
ANY_USAGE = "2.5.29.37.0"
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
    pinned: list = field(default_factory=list)  # (tree size, root, time)


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
    revocations: dict = field(default_factory=dict)  # hash of a key: time
    devices: list = field(default_factory=list)
    tsas: list = field(default_factory=list)
    tolerance: list = field(default_factory=list)  # rules of the file, then of its profile


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
    _expect(isinstance(roles, list) and roles and set(roles) <= set(ROLES), "roles")
    _unique(roles, "role")
    certificate = _certificate(table["certificate"])
    _expect(_reads(asn1.is_authority, certificate), "no CA certificate")
    return _text(table["name"]), roles, certificate


def _certificate(pem):
    _expect(isinstance(pem, str) and pem.count("-----BEGIN") == 1, "certificate")
    try:
        return x509.load_pem_x509_certificate(pem.strip().encode())
    except ValueError as error:
        raise BadTrust("certificate") from error


def _reads(question, certificate):
    """The answer; no for extensions that cannot be read."""
    try:
        return question(certificate)
    except ValueError:
        return False


def _tsa(table):
    _table(table, ("name", "certificate"), ("policy",))
    certificate = _certificate(table["certificate"])
    _expect(_reads(asn1.is_authority, certificate) or _reads(stamps.may_stamp, certificate),
            "no TSA certificate")
    policies = table.get("policy", [])
    _expect(isinstance(policies, list) and ("policy" not in table or policies)
            and all(isinstance(p, str) and re.fullmatch(OBJECT_IDENTIFIER, p) for p in policies),
            "policy")
    _unique(policies, "policy")
    return Tsa(_text(table["name"]), certificate, policies)


def _ledger(table, version, tsas):
    _table(table, ("origin", "key", "quorum"),
           ("witness", "pinned") if version == 1 else ("witness", "pinned", "time_stamps"))
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
    pinned = table.get("pinned", [])
    _expect(isinstance(pinned, list), "pinned")
    pinned = [_pinned(item) for item in pinned]
    _unique([size for size, _, _ in pinned], "tree_size")
    return Ledger(_text(table["origin"]), key, table["quorum"], [w for _, w in witnesses], stamped,
                  pinned)


def _pinned(table):
    _table(table, ("tree_size", "root", "at"))
    _expect(_count(table["tree_size"]) and table["tree_size"] >= 2, "tree_size")
    try:
        root = base64.b64decode(_text(table["root"]), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadTrust("root") from error
    _expect(len(root) == 32 and base64.b64encode(root).decode() == table["root"], "root")
    return table["tree_size"], root, moment(table["at"])


def _check_shape(text):
    """1: no more than 16 dots on a line, no more than 4 open brackets, outside of strings and
    comments."""
    text = re.sub(r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*',
                  lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)
    depth = 0
    for line in text.split("\n"):
        _expect(line.count(".") <= 16, "too many dots")
        for character in line:
            depth += (character in "[{") - (character in "]}")
            _expect(depth <= 4, "too deep")


def _never_a_key(pems, keys):
    """Hashes that people take for that of a key (spec/trust.md 2, `key`)."""
    yield from (bytes(32), hashlib.sha256(b"").digest())
    for pem in pems:
        certificate = _certificate(pem)
        yield fingerprint(certificate)
        for text in (pem, pem.strip(), pem.strip() + "\n"):
            yield hashlib.sha256(text.encode()).digest()
    for text in keys:
        yield hashlib.sha256(text.encode()).digest()
        raw = ledger.read_verifier_key(text).raw
        if len(raw) == 32:
            yield hashlib.sha256(raw).digest()


def read(data):
    _expect(len(data) <= 4 << 20, "too long")
    try:
        text = data.decode("utf-8")
        _check_shape(text)
        root = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadTrust(str(error)) from error
    version = root.get("version")
    _expect(version in (1, 2) and isinstance(version, int) and not isinstance(version, bool),
            "version")
    sections = ("authority", "ledger", "revocation", "device", "tsa")[:4 if version == 1 else 5]
    _table(root, ("version", "serial"), sections + ("tolerance",))
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
    never = set(_never_a_key(
        [item["certificate"] for name in ("authority", "tsa") for item in
         root.get(name, [])],
        [key for item in root.get("ledger", [])
         for key in [item["key"]] + [w["key"] for w in item.get("witness", [])]]))
    for table in root.get("revocation", []):
        _table(table, ("key", "at", "reason"))
        _expect(re.fullmatch("sha256:[0-9a-fA-F]{64}", _text(table["key"])), "key")
        key = bytes.fromhex(table["key"][7:])
        _text(table["reason"])
        _expect(key not in result.revocations, "twice: key")
        _expect(key not in never, "no key has this hash")
        result.revocations[key] = moment(table["at"])
    for table in root.get("device", []):
        _table(table, ("name", "seals_since"), ("station_name", "device_serial_number"))
        result.devices.append((_text(table["name"]), moment(table["seals_since"]), table))
    _unique([name for name, _, _ in result.devices], "device")
    if "tolerance" in root:
        result.tolerance = _tolerance(root["tolerance"])
    return result


def _tolerance(table):
    _table(table, (), ("profile", "rule"))
    rules, names = [], []
    _expect(isinstance(table.get("rule", []), list) and table, "tolerance")
    for item in table.get("rule", []):
        _table(item, ("name", "attribute", "change", "severity"), ("from", "to"))
        names.append(_text(item["name"]))
        try:
            rules.append(tolerance.read_rule(item))
        except ValueError as error:
            raise BadTrust(str(error)) from error
    _unique(names, "rule")
    if "profile" in table:
        _expect(table["profile"] in tolerance.PROFILES, "profile")
        rules += tolerance.PROFILES[table["profile"]]
    _expect("profile" in table or rules, "tolerance")
    return rules


# --- certificates ------------------------------------------------------------------------------

def fingerprint(certificate):
    return certificate.fingerprint(hashes.SHA256())


def key_hash(key):
    return hashlib.sha256(asn1.key_der(key)).digest()


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
            if _reads(asn1.is_authority, candidate) and _issued(certificate, candidate):
                yield from _paths(candidate, rest[:i] + rest[i + 1:], authorities,
                                  path + [certificate])


def _depths_kept(path):
    for below, certificate in enumerate(path[1:]):
        _, length = asn1.constraints(certificate)
        if length is not None and below > length:
            return False
    return True


def _common_name(certificate):
    names = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return names[0].value if names else None


def _made_for(path, role):
    """6: whether the certificates below the authority of the trust file are made for the role."""
    usages = [asn1.extended_key_usages(certificate) for certificate in path]
    wanted, first = ARC + str(ROLES.index(role) + 1), path[0]
    basic, bits = asn1.constraints(first), asn1.key_usage(first)
    roles = {ARC + str(number + 1) for number in range(len(ROLES))}
    return (first.version == x509.Version.v3 and not (basic is not None and basic[0])
            and (bits is None or asn1.DIGITAL_SIGNATURE in bits and asn1.KEY_CERT_SIGN not in bits)
            and usages[0] is not None and wanted in usages[0][1] and set(usages[0][1]) <= roles
            and all(usage is None or wanted in usage[1] or ANY_USAGE in usage[1]
                    for usage in usages[1:-1]))


def known_revocations(trust, at):
    """7: those that are known at --at."""
    return {key: time for key, time in trust.revocations.items() if at is None or time <= at}


def _before(attested, time):
    return attested is not None and attested < time


def check_signer(chain, trust, time, at=None, device=None, attested=None):
    """Codes of findings: signer.untrusted, signer.expired, signer.revoked."""
    codes, revoked = [], known_revocations(trust, at)
    authorities = [c for _, roles, c in trust.authorities if "seal" in roles]
    paths = []
    if _common_name(chain[0]) == device:
        paths = [path for path in _paths(chain[0], chain[1:], authorities, [])
                 if all(_strong(certificate) for certificate in path) and _depths_kept(path)
                 and _made_for(path, "seal")]
    valid = [path for path in paths if all(_valid_at(certificate, time) for certificate in path)]
    if not paths:
        codes.append("signer.untrusted")
    elif not valid:
        codes.append("signer.expired")
    elif not any(all(key not in revoked or _before(attested, revoked[key])
                     for key in (key_hash(c.public_key()) for c in path[1:])) for path in valid):
        codes.append("signer.revoked")
    own = [revoked[name] for name in (key_hash(chain[0].public_key()), fingerprint(chain[0]))
           if name in revoked]
    if own and min(own) <= time and "signer.revoked" not in codes:
        codes.append("signer.revoked")
    return codes


# --- ledger ------------------------------------------------------------------------------------

@dataclass
class Good:
    """A cosignature, or a token, that verifies."""
    time: int
    who: object      # number of the witness, or of the [[tsa]]
    key: bytes
    revoked: object  # the earliest time since when a key of it is revoked, or None


def _stamps(evidence, text, trust, at):
    """The good tokens over the checkpoint."""
    imprint, good, revoked = hashlib.sha256(text).digest(), [], known_revocations(trust, at)
    for token in evidence.stamps:
        for number, tsa in enumerate(trust.tsas):
            found = _stamp(token, imprint, tsa)
            if found is None:
                continue
            stamp, path = found
            times = [revoked[key] for key in (key_hash(c.public_key()) for c in path)
                     if key in revoked]
            if at is None or stamp.latest <= at:
                good.append(Good(stamp.latest, number, key_hash(stamp.signer.public_key()),
                                 min(times, default=None)))
            break
    return good


def _each_once(good):
    """Times, ascending: each authority and each key once, with its earliest."""
    times, used = [], set()
    for item in sorted(good, key=lambda item: (item.time, item.who, item.key)):
        if item.who not in used and item.key not in used:
            times.append(item.time)
            used |= {item.who, item.key}
    return times


def _stamp(token, imprint, tsa):
    """(stamp, certificates up to the tsa), or None where it does not count for it."""
    try:
        stamp = stamps.read(token, tsa.certificate)
    except stamps.BadStamp:
        return None
    if stamp.imprint != imprint or tsa.policies and stamp.policy not in tsa.policies:
        return None
    paths = [path for path in _paths(stamp.signer, stamp.others, [tsa.certificate], [])
             if all(_strong(c) and _valid_at(c, stamp.time) for c in path) and _depths_kept(path)]
    return (stamp, paths[0]) if paths else None


@dataclass
class Entered:
    missing: list  # codes of what the trust file demands and the evidence lacks
    date: int
    issued_at: int
    by_log: bool
    attested: object = None  # spec/trust.md 7


def _nth(times, number):
    return sorted(times)[number - 1] if len(times) >= number else None


def _counting(good, attested):
    return [item for item in good if item.revoked is None
            or item.time < item.revoked and _before(attested, item.revoked)]


def _judge_receipt(receipt, evidence, leaf, known, trust, at, pinned):
    """Entered, or None where the receipt is not good."""
    root = ledger.receipt_root(receipt, leaf, known.key)
    if root is None or receipt.time is None:
        return None
    cosigned, text, revoked = [], b"", known_revocations(trust, at)
    if evidence.checkpoint:
        try:
            checkpoint = ledger.read_checkpoint(evidence.checkpoint)
            if checkpoint.origin != known.origin or checkpoint.size != receipt.size \
                    or checkpoint.root != root or not checkpoint.signed_by(known.key):
                return None
            for number, witness in enumerate(known.witnesses):
                time, key = checkpoint.cosigned_at(witness), key_hash(witness.public)
                if time is not None and (at is None or time <= at):
                    cosigned.append(Good(time, number, key, revoked.get(key)))
            text = checkpoint.text
        except (ledger.BadNote, UnicodeError):
            return None
    elif known.quorum:
        return None
    result = Entered([], receipt.time, receipt.time, True)
    stamped = _stamps(evidence, text, trust, at)
    attesting = [pinned, _nth([g.time for g in cosigned if g.revoked is None],
                              max(1, known.quorum)),
                 _nth(_each_once([g for g in stamped if g.revoked is None]),
                      max(1, known.time_stamps))]
    result.attested = min((time for time in attesting if time is not None), default=None)
    revoked_at = revoked.get(key_hash(known.key.public))
    if revoked_at is not None and not _before(result.attested, revoked_at):
        result.missing.append("ledger.revoked")
    times = sorted(g.time for g in _counting(cosigned, result.attested))
    if len(times) < known.quorum:
        result.missing.append("ledger.unwitnessed")
    elif known.quorum:
        result.date, result.by_log = times[known.quorum - 1], False
    times = _each_once(_counting(stamped, result.attested))
    if len(times) < known.time_stamps:
        result.missing.append("ledger.unstamped")
    elif known.time_stamps:
        result.date, result.by_log = times[known.time_stamps - 1], False
    return result


def _pinned_at(receipts, leaf, trust, at):
    """When the entry was in a tree that the trust file vouches for, or None."""
    times = [time for receipt in receipts for known in trust.ledgers
             if known.origin == receipt.origin for size, root, time in known.pinned
             if size == receipt.size and (at is None or time <= at)
             and root_of_path(leaf, receipt.index, receipt.size, receipt.path) == root]
    return min(times, default=None)


def check_ledger(evidence, certificate_der, trust, at=None):
    """(codes of findings, the Entered that dates the seal or None)."""
    if not trust.ledgers:
        return [], None
    signer = hashlib.sha256(certificate_der).digest()
    data = ledger.entry(1, hashlib.sha256(evidence.sign1).digest(), signer,
                        evidence.statement.claimed_at)
    leaf, known_ledger, entered, receipts = ledger.leaf_hash(data), False, [], []
    for encoded in evidence.receipts:
        try:
            receipts.append(ledger.read_receipt(encoded))
        except ledger.BadReceipt:
            continue  # of no known ledger
    pinned = _pinned_at(receipts, leaf, trust, at)
    for receipt in receipts:
        for known in trust.ledgers:
            if known.origin == receipt.origin:
                known_ledger = True
                entered.append(_judge_receipt(receipt, evidence, leaf, known, trust, at,
                                              pinned))
    entered = [item for item in entered if item is not None]
    if not entered:
        return ["ledger.invalid" if known_ledger else "ledger.missing"], None
    best = min(entered, key=lambda item: (bool(item.missing), item.date, item.issued_at))
    return list(best.missing), best
