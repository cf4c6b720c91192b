# SPDX-License-Identifier: Apache-2.0
"""Seals of the reference that a trust file accepts, and the twins that it refuses."""

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import ed25519

import cbor
import evidence as evidences
import ledger
import sealer
from authority import DAY, Authority, trust_text


def _with(evidence, **members):
    """The evidence with members (2, 6, 7 by name) exchanged."""
    map_ = cbor.decode(evidence)
    for name, value in members.items():
        map_[{"sign1": 2, "receipts": 6, "checkpoint": 7}[name]] = value
    return cbor.encode(map_)


def cases(data, now):
    """Yields (name, evidence, text of the trust file, --at or None, expected verdict, code)."""
    home = Authority("Reference CA", now)
    plain = home.signer("CT-1")
    alone = trust_text([(home, ["seal"])])

    def sealed(signer, **more):
        return sealer.seal(data, signer, now=now, **more)

    yield "ES256", sealed(plain), alone, None, "authentic", None
    yield "Ed25519", sealed(home.signer("CT-2", ed25519.Ed25519PrivateKey.generate())), alone, \
        None, "authentic", None
    middle = Authority("Middle CA", now, issuer=home)
    yield "intermediate", sealed(middle.signer("CT-3", above=[middle.certificate])), alone, None, \
        "authentic", None
    yield "intermediate left out", sealed(middle.signer("CT-3")), alone, None, "untrusted", \
        "signer.untrusted"
    yield "authority that is not self-signed", sealed(middle.signer("CT-3")), \
        trust_text([(middle, ["seal"])]), None, "authentic", None
    stranger = Authority("Reference CA", now)
    yield "same name, another key", sealed(stranger.signer("CT-1")), alone, None, "untrusted", \
        "signer.untrusted"
    yield "another role", sealed(plain), trust_text([(home, ["amend"])]), None, "untrusted", \
        "signer.untrusted"
    yield "no authority", sealed(plain), "version = 1\nserial = 0\n", None, "untrusted", \
        "signer.untrusted"
    yield "expired", sealed(home.signer("CT-4", since=-30, until=-1)), alone, None, "untrusted", \
        "signer.expired"
    yield "not yet valid", sealed(home.signer("CT-4", since=1, until=30)), alone, None, \
        "untrusted", "signer.expired"
    yield "key usage without digitalSignature", sealed(home.signer("CT-5", signs=False)), alone, \
        None, "untrusted", "signer.untrusted"
    end = home.signer("CT-6")
    below = home.signer("CT-7")
    yield "signed by an end entity", sealer.seal(
        data, sealer.Signer(below.key, below.chain + end.chain, "CT-7"), now=now), alone, None, \
        "authentic", None
    yield "revoked before", sealed(plain), trust_text([(home, ["seal"])], revoked=[
        (plain, now - 1)]), None, "untrusted", "signer.revoked"
    yield "revoked at that second", sealed(plain), trust_text([(home, ["seal"])], revoked=[
        (plain, now)]), None, "untrusted", "signer.revoked"
    yield "revoked after", sealed(plain), trust_text([(home, ["seal"])], revoked=[
        (plain, now + 1)]), None, "authentic", None
    yield "revoked, not known yet", sealed(plain), trust_text([(home, ["seal"])], revoked=[
        (plain, now - 1)]), now - 2, "untrusted", "seal.later"
    yield "judged before it was sealed", sealed(plain), alone, now - 1, "untrusted", "seal.later"
    yield "judged when it was sealed", sealed(plain), alone, now, "authentic", None
    yield from _ledger_cases(sealed, data, now, home, plain)


def _ledger_cases(sealed, data, now, home, plain):
    log = ledger.SmallLog("reference.example/log")
    for number in range(5):
        log.append(b"other %d" % number)
    witness, other = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    own = ("w.example", witness)

    def trusting(quorum, witnesses=(own,), which=log):
        return trust_text([(home, ["seal"])], [(which.verifier_key, quorum, list(witnesses))])

    good = sealed(plain, log=log, witnesses=[own])
    yield "receipt and cosignature", good, trusting(1), None, "authentic", None
    yield "receipt, no quorum asked", _with(good, checkpoint=""), trusting(0), None, \
        "authentic", None
    yield "quorum asked, no checkpoint", _with(good, checkpoint=""), trusting(1), None, \
        "untrusted", "ledger.invalid"
    bare = sealed(plain, log=log)
    yield "not cosigned", bare, trusting(1), None, "untrusted", "ledger.unwitnessed"
    yield "cosigned by another", sealed(plain, log=log, witnesses=[("w.example", other)]), \
        trusting(1), None, "untrusted", "ledger.unwitnessed"
    yield "one of two", sealed(plain, log=log, witnesses=[own]), \
        trusting(2, (own, ("v.example", other))), None, "untrusted", "ledger.unwitnessed"
    yield "no receipt", sealed(plain), trusting(0), None, "untrusted", "ledger.missing"
    elsewhere = ledger.SmallLog("elsewhere.example/log")
    yield "receipt of an unknown ledger", sealed(plain, log=elsewhere), trusting(0), None, \
        "untrusted", "ledger.missing"
    namesake = ledger.SmallLog("reference.example/log")
    yield "receipt of a namesake", sealed(plain, log=namesake), trusting(0), None, "untrusted", \
        "ledger.invalid"
    yield "receipt of another seal", _with(sealed(plain), receipts=cbor.decode(good)[6]), \
        trusting(0), None, "untrusted", "ledger.invalid"
    yield "checkpoint of another size", _with(good, checkpoint=cbor.decode(bare)[7]), \
        trusting(0), None, "untrusted", "ledger.invalid"
    second = _with(good, receipts=[cbor.decode(sealed(plain, log=elsewhere))[6][0],
                                   cbor.decode(good)[6][0]])
    yield "the second receipt is good", second, trusting(1), None, "authentic", None
    yield "broken receipt before a good one", _with(good, receipts=[
        cbor.decode(good)[6][0][:-1], cbor.decode(good)[6][0]]), trusting(1), None, \
        "authentic", None
    late = sealer.seal(data, plain, log=None, now=now - 3 * DAY)
    log.append(b"between")
    yield "claim and ledger apart", _relogged(late, log, now), trusting(0), None, "authentic", \
        "time.disagrees"
    yield "claim and ledger a day apart", _relogged(
        sealer.seal(data, plain, now=now - DAY), log, now), trusting(0), None, "authentic", None
    text = cbor.decode(good)[7]
    yield "unknown signature beside", _with(good, checkpoint=text + "\u2014 x.example %s\n"
                                            % base64.b64encode(bytes(12)).decode()), \
        trusting(1), None, "authentic", None
    yield "known key, failing signature", _with(good, checkpoint=_spoilt(text, "w.example")), \
        trusting(1), None, "untrusted", "ledger.invalid"
    yield "extension line in the checkpoint", _with(good, checkpoint=text.replace(
        "\n\n", "\nextension\n\n", 1)), trusting(1), None, "untrusted", "ledger.invalid"


def _spoilt(note, name):
    """The note with a bit of one signature flipped."""
    lines = note.split("\n")
    for i, line in enumerate(lines):
        if line.startswith("\u2014 %s " % name):
            raw = bytearray(base64.b64decode(line.split(" ")[2]))
            raw[-1] ^= 1
            lines[i] = "\u2014 %s %s" % (name, base64.b64encode(raw).decode())
    return "\n".join(lines)


def _relogged(evidence, log, now):
    """The evidence with an entry of its own in the log, at `now`."""
    read = evidences.read(evidence)

    index = log.append(ledger.entry(1, hashlib.sha256(read.sign1).digest(),
                                    hashlib.sha256(read.message.chain()[0]).digest(),
                                    read.statement.claimed_at))
    return _with(evidence, receipts=[log.receipt(index, now)], checkpoint=log.checkpoint())
