# SPDX-License-Identifier: Apache-2.0
"""Seals of the reference that a trust file accepts, and the twins that it refuses."""

import base64
import hashlib
import os

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

import asn1
import cbor
import cose
import evidence as evidences
import ledger
import sealer
import stamps
from authority import DAY, SEAL, Authority, key_hash, rfc3339, trust_text
from salts import merkle_root


def _with(evidence, **members):
    """The evidence with members (2, 6, 7, 8 by name) exchanged."""
    map_ = cbor.decode(evidence)
    for name, value in members.items():
        map_[{"sign1": 2, "receipts": 6, "checkpoint": 7, "stamps": 8}[name]] = value
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
    yield from _role_cases(data, now, home)
    yield from _revoked_cases(data, now, home, plain)
    yield from _ledger_cases(sealed, data, now, home, plain)
    yield from _time_cases(data, now, home, plain)


def _role_cases(data, now, home):
    """Who is made for sealing (spec/trust.md 6)."""
    alone = trust_text([(home, ["seal"])])
    role, any_usage, tls = SEAL[:-1], "2.5.29.37.0", "1.3.6.1.5.5.7.3.1"
    for name, usages, verdict in (
            ("two roles", (role + "2", SEAL), "authentic"), ("another role", (role + "2",), None),
            ("the last role", (SEAL, role + "8"), "authentic"),
            ("no role of the table", (SEAL, role + "9"), None), ("no usages", (), None),
            ("any usage", (any_usage,), None), ("any usage beside", (SEAL, any_usage), None),
            ("TLS beside", (SEAL, tls), None), ("the arc itself", (SEAL[:-2],), None)):
        yield "extended key usage: " + name, sealer.seal(
            data, home.signer("CT-1", usages=usages), now=now), alone, None, \
            verdict or "untrusted", None if verdict else "signer.untrusted"
    for name, usages, verdict in (("of the role", (SEAL,), "authentic"),
                                  ("any", (any_usage, tls), "authentic"),
                                  ("another", (role + "2",), None), ("TLS", (tls,), None)):
        middle = Authority("Middle CA", now, issuer=home, usages=usages)
        yield "extended key usage of the middle: " + name, sealer.seal(
            data, middle.signer("CT-3", above=[middle.certificate]), now=now), alone, None, \
            verdict or "untrusted", None if verdict else "signer.untrusted"
        yield "extended key usage of the anchor: " + name, sealer.seal(
            data, middle.signer("CT-3"), now=now), trust_text([(middle, ["seal"])]), None, \
            "authentic", None
    itself = Authority("CT-9", now, usages=(SEAL,))
    yield "an authority seals", sealer.seal(data, sealer.Signer(
        itself.key, [itself.certificate.public_bytes(serialization.Encoding.DER)], "CT-9"),
        now=now), trust_text([(itself, ["seal"])]), None, "untrusted", "signer.untrusted"


def _high_s(evidence):
    """The evidence under the other of the two signatures by ECDSA."""
    map_ = cbor.decode(evidence)
    outer = cbor.decode(map_[2], sorted_maps=False)
    signature = outer.value[3]
    s = cose.ORDERS[32] - int.from_bytes(signature[32:], "big")
    outer.value[3] = signature[:32] + s.to_bytes(32, "big")
    return _with(evidence, sign1=cbor.encode(outer))


def _revoked_cases(data, now, home, plain):
    """Keys in other hands (spec/trust.md 7)."""
    log, other = (ledger.SmallLog(name) for name in ("reference.example/log", "other.example/log"))
    log.append(b"other")
    other.append(b"other")
    witness = ("w.example", ed25519.Ed25519PrivateKey.generate())
    good = sealer.seal(data, plain, log=log, witnesses=[witness], now=now)
    bare = _with(good, checkpoint="")
    root, size = base64.b64encode(merkle_root(log.leaves)).decode(), len(log.leaves)
    first, second = ("sha256:" + hashlib.sha256(asn1.key_der(key.public_key())).hexdigest()
                     for key in (log.key, witness[1]))
    above = "sha256:" + key_hash(home.certificate.public_bytes(serialization.Encoding.DER))

    def trusting(quorum=0, revoked=(), pinned=(), more=()):
        text = trust_text([(home, ["seal"])], [(log.verifier_key, quorum, [witness])])
        for tree_size, tree_root, at in pinned:
            text += '[[ledger.pinned]]\ntree_size = %d\nroot = "%s"\nat = %s\n' % (
                tree_size, tree_root, rfc3339(at))
        for key in more:
            text += '[[ledger]]\norigin = "%s"\nkey = "%s"\nquorum = 0\n' % (
                key.split("+")[0], key)
        for key, at in revoked:
            text += '[[revocation]]\nkey = "%s"\nat = %s\nreason = "test"\n' % (
                key, rfc3339(at))
        return text

    yield "signature with high s", _high_s(bare), trust_text([(home, ["seal"])]), None, \
        "altered", "seal.invalid"
    yield "first certificate named all the same", bare, trusting(revoked=[(
        "sha256:" + hashlib.sha256(plain.chain[0]).hexdigest(), now)]), None, "untrusted", \
        "signer.revoked"
    for who, key, code in (("ledger", first, "ledger.revoked"),
                           ("authority", above, "signer.revoked")):
        yield who + " revoked, nothing attested", bare, trusting(revoked=[(key, now + 60)]), \
            None, "untrusted", code
        yield who + " revoked, not known yet", bare, trusting(revoked=[(key, now + 60)]), \
            now + 59, "authentic", None
        yield who + " revoked, witnessed before", good, trusting(1, [(key, now + 60)]), None, \
            "authentic", None
        yield who + " revoked, witnessed before, not asked for", good, \
            trusting(0, [(key, now + 60)]), None, "authentic", None
        yield who + " revoked, witnessed at that second", good, trusting(1, [(key, now)]), None, \
            "untrusted", code
        pins = [(size, root, now + 30)]
        yield who + " revoked, pinned before", bare, trusting(0, [(key, now + 60)], pins), None, \
            "authentic", None
        yield who + " revoked, pinned at that second", bare, \
            trusting(0, [(key, now + 30)], pins), None, "untrusted", code
        yield who + " revoked, pinned later than asked about", bare, \
            trusting(0, [(key, now + 10)], pins), now + 29, "untrusted", code
        yield who + " revoked, another root is pinned", bare, trusting(0, [(key, now + 60)], [
            (size, base64.b64encode(bytes(32)).decode(), now)]), None, "untrusted", code
        yield who + " revoked, another size is pinned", bare, trusting(0, [(key, now + 60)], [
            (size + 1, root, now)]), None, "untrusted", code
    yield "witness revoked before", good, trusting(1, [(second, now)]), None, "untrusted", \
        "ledger.unwitnessed"
    yield "witness revoked after, nobody else attests", good, trusting(1, [(second, now + 60)]), \
        None, "untrusted", "ledger.unwitnessed"
    yield "witness revoked after, pinned before", good, trusting(
        1, [(second, now + 60)], [(size, root, now + 30)]), None, "authentic", None
    elsewhere = _relogged(good, other, now)
    both = _with(good, receipts=cbor.decode(good)[6] + cbor.decode(elsewhere)[6])
    yield "ledger revoked, another has it too", _with(both, checkpoint=""), trusting(
        0, [(first, now)], more=[other.verifier_key]), None, "authentic", None


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


def _time_cases(data, now, home, plain):
    """Who dates a seal: time-stamps, then witnesses, then the ledger."""
    vectors = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "data", "vectors",
                           "fiducia")
    with open(os.path.join(vectors, "tiny-stamped.evidence"), "rb") as stream:
        old = stream.read()
    with open(os.path.join(vectors, "tiny-stamped.trust.toml"), encoding="utf-8") as stream:
        old_trust = stream.read()
    yield "stamped years ago", old, old_trust, None, "authentic", None
    yield "stamped years ago, asked about then", old, old_trust, 1_795_000_009, "authentic", None
    yield "asked about before the stamp", old, old_trust, 1_795_000_008, "untrusted", \
        "ledger.unstamped"

    log = ledger.SmallLog("reference.example/log")
    log.append(b"other")
    first, second = (ed25519.Ed25519PrivateKey.generate() for _ in range(2))
    witnesses = [("w.example", first), ("v.example", second)]
    root, other_root = Authority("TSA root", now), Authority("Other TSA root", now)
    (key, tsa), (other_key, other) = root.stamper("TSA"), other_root.stamper("Other TSA")
    one = [("TSA", root.certificate, [])]
    two = one + [("Other TSA", other_root.certificate, [])]

    def entered(iat=now, cosigned=()):
        """Sealed now; the ledger says `iat`; `cosigned`: ((name, key), time)."""
        evidence = sealer.seal(data, plain, now=now)
        read = evidences.read(evidence)
        index = log.append(ledger.entry(1, hashlib.sha256(read.sign1).digest(),
                                        hashlib.sha256(read.message.chain()[0]).digest(),
                                        read.statement.claimed_at))
        note = log.checkpoint()
        for witness, time in cosigned:
            note += log.checkpoint([witness], time).split("\n\n", 1)[1].split("\n", 1)[1]
        return _with(evidence, receipts=[log.receipt(index, iat)], checkpoint=note)

    def imprint(evidence):
        return hashlib.sha256(cbor.decode(evidence)[7].rsplit("\n\n", 1)[0].encode()
                              + b"\n").digest()

    def stamped(evidence, *tokens):
        """`tokens`: (key, certificate, time, more of stamps.make)."""
        return _with(evidence, stamps=[
            stamps.make(k, c, more.pop("imprint", imprint(evidence)), time, **more)
            for k, c, time, more in tokens])

    def trusting(tsas, count, quorum=0, revoked=()):
        return trust_text([(home, ["seal"])], [(log.verifier_key, quorum, witnesses)], revoked,
                          tsas, count)

    good = entered()
    stamp = (key, tsa, now + 5, {})
    yield "stamped", stamped(good, stamp), trusting(one, 1), None, "authentic", None
    yield "stamped by a TSA that is itself named", stamped(good, stamp), trusting(
        [("TSA", tsa, [])], 1), None, "authentic", None
    yield "stamp not asked for", stamped(good, stamp), trusting(one, 0), None, "authentic", None
    yield "no stamp", good, trusting(one, 1), None, "untrusted", "ledger.unstamped"
    yield "one of two stamps", stamped(good, stamp), trusting(two, 2), None, "untrusted", \
        "ledger.unstamped"
    yield "two stamps of one TSA", stamped(good, stamp, (key, tsa, now + 9, {})), \
        trusting(two, 2), None, "untrusted", "ledger.unstamped"
    yield "one TSA named twice", stamped(good, stamp, (key, tsa, now + 9, {"policy": "2.999.2"})), \
        trusting([("a", root.certificate, ["2.999.1"]), ("b", tsa, [])], 2), None, "untrusted", \
        "ledger.unstamped"
    yield "two stamps", stamped(good, stamp, (other_key, other, now + 9, {})), trusting(two, 2), \
        None, "authentic", None
    yield "no checkpoint to be stamped", _with(good, checkpoint=""), trusting(one, 1), None, \
        "untrusted", "ledger.unstamped"
    yield "stamp by a stranger", stamped(good, (other_key, other, now, {})), trusting(one, 1), \
        None, "untrusted", "ledger.unstamped"
    yield "stamp of another checkpoint", stamped(good, (key, tsa, now, {
        "imprint": imprint(entered())})), trusting(one, 1), None, "untrusted", "ledger.unstamped"
    yield "policy", stamped(good, stamp), trusting([("TSA", root.certificate, [
        "2.999.7", "2.999.1"])], 1), None, "authentic", None
    yield "another policy", stamped(good, stamp), trusting([("TSA", root.certificate, [
        "2.999.7"])], 1), None, "untrusted", "ledger.unstamped"
    yield "ESSCertID by SHA-1", stamped(good, (key, tsa, now, {"name_digest": stamps.SHA1})), \
        trusting(one, 1), None, "untrusted", "ledger.unstamped"
    for name, code, more in (("two purposes", "ledger.unstamped", {"purposes": (8, 3)}),
                             ("purpose not critical", "ledger.unstamped", {"critical": False}),
                             ("another purpose", "ledger.unstamped", {"purposes": (3,)}),
                             ("expired when it stamped", "ledger.unstamped", {"until": -1}),
                             ("not yet valid", "ledger.unstamped", {"since": 1})):
        yield "TSA certificate: " + name, stamped(good, (*root.stamper("TSA", **more), now, {})), \
            trusting(one, 1), None, "untrusted", code
    yield "TSA certificate expired since", stamped(good, stamp), trusting(one, 1), \
        now + 3000 * DAY, "authentic", None
    yield "fraction of a second", stamped(good, (key, tsa, now, {"fraction": ".25"})), trusting(
        one, 1), now + 1, "untrusted", "ledger.unstamped"
    yield "fraction and accuracy fit", stamped(good, (key, tsa, now, {"fraction": ".25"})), \
        trusting(one, 1), now + 2, "authentic", None
    yield "TSA revoked before", stamped(good, stamp), trusting(one, 1, revoked=[
        (_of(tsa), now)]), None, "untrusted", "ledger.unstamped"
    yield "TSA revoked after", stamped(good, stamp), trusting(one, 1, revoked=[
        (_of(tsa), now + 60)]), None, "untrusted", "ledger.unstamped"
    yield "one TSA of two revoked after, the other attests", stamped(
        good, stamp, (other_key, other, now + 9, {})), trusting(two, 1, revoked=[
            (_of(tsa), now + 60)]), None, "authentic", None
    yield "two asked, one TSA revoked after", stamped(
        good, stamp, (other_key, other, now + 9, {})), trusting(two, 2, revoked=[
            (_of(tsa), now + 60)]), None, "untrusted", "ledger.unstamped"
    yield "TSA root revoked", stamped(good, stamp), trusting(one, 1, revoked=[
        (_of(root.certificate), now - 60)]), None, "untrusted", "ledger.unstamped"

    # A stolen device key and a ledger that lies about its clock: the theft was noticed (revoked).
    past, revoked = entered(iat=now - 10 * DAY), [(plain, now - 5 * DAY)]
    yield "ledger lies, nobody else asked", past, trusting((), 0, revoked=revoked), None, \
        "authentic", "time.disagrees"
    yield "ledger lies, stamp does not", stamped(past, stamp), trusting(one, 1, revoked=revoked), \
        None, "untrusted", "signer.revoked"
    lying = entered(iat=now - 10 * DAY, cosigned=[(witnesses[0], now)])
    yield "ledger lies, witness does not", lying, trusting((), 0, 1, revoked), None, "untrusted", \
        "signer.revoked"
    both = entered(iat=now - 10 * DAY, cosigned=[(witnesses[0], now - 10 * DAY),
                                                 (witnesses[1], now)])
    yield "ledger and one of two witnesses lie", both, trusting((), 0, 2, revoked), None, \
        "untrusted", "signer.revoked"
    yield "ledger and one TSA of two lie", stamped(
        past, (key, tsa, now - 10 * DAY, {}), (other_key, other, now, {})), \
        trusting(two, 2, revoked=revoked), None, "untrusted", "signer.revoked"
    yield "ledger and witnesses lie, stamp does not", stamped(both, stamp), \
        trusting(one, 1, 1, revoked), None, "untrusted", "signer.revoked"
    early = entered(iat=now + 3 * DAY)
    yield "ledger later than the stamp", stamped(early, stamp), trusting(one, 1), None, \
        "authentic", "time.disagrees"
    cosigned = entered(cosigned=[(witnesses[0], now + 5)])
    yield "dated by a witness", cosigned, trusting((), 0, 1), None, "authentic", None
    yield "cosignature later than asked", cosigned, trusting((), 0, 1), now + 4, "untrusted", \
        "ledger.unwitnessed"
    yield "stamp later than asked", stamped(good, stamp), trusting(one, 1), now + 5, "untrusted", \
        "ledger.unstamped"
    twice = entered(cosigned=[(witnesses[0], now + 60), (witnesses[0], now + 5)])
    yield "the earlier of two cosignatures", twice, trusting((), 0, 1), now + 5, "authentic", None
    yield "two cosignatures of one witness", twice, trusting((), 0, 2), None, "untrusted", \
        "ledger.unwitnessed"
    line = cbor.decode(cosigned)[7].split("\n")[-2]
    yield "replayed cosignature", _with(good, checkpoint=cbor.decode(good)[7] + line + "\n"), \
        trusting((), 0, 1), None, "untrusted", "ledger.invalid"


def _of(certificate):
    return sealer.Signer(None, [certificate.public_bytes(serialization.Encoding.DER)], "")


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
