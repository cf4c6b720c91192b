# SPDX-License-Identifier: Apache-2.0
"""A hospital made by the reference: authority, signers, a small log, witnesses, trust files."""

import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

import ledger
import stamps
from sealer import Signer

DAY = 86400
SEAL = "2.25.194878920291164724983316205274960575822.1.1"  # spec/trust.md 6


def _name(text):
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _moment(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).replace(tzinfo=None)


class Authority:
    def __init__(self, name, now, issuer=None, key=None, days=3650, usages=()):
        self.name, self.now = name, now
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certify(name, self.key, issuer or self, True, -days, days,
                                         usages=usages)

    def _certify(self, name, key, issuer, is_ca, since, until, signs=True, usages=()):
        builder = (x509.CertificateBuilder().subject_name(_name(name))
                   .issuer_name(_name(issuer.name)).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(_moment(self.now + since * DAY))
                   .not_valid_after(_moment(self.now + until * DAY))
                   .add_extension(x509.BasicConstraints(is_ca, None), True)
                   .add_extension(x509.KeyUsage(
                       digital_signature=signs and not is_ca, content_commitment=not signs,
                       key_encipherment=False, data_encipherment=False, key_agreement=False,
                       key_cert_sign=is_ca, crl_sign=is_ca, encipher_only=False,
                       decipher_only=False), True))
        if usages:
            # By hand: this library holds arcs of object identifiers in 32 bits.
            value = stamps.der(stamps.SEQUENCE, *(stamps.der_oid(u) for u in usages))
            builder = builder.add_extension(x509.UnrecognizedExtension(
                x509.ObjectIdentifier("2.5.29.37"), value), True)
        digest = None if isinstance(issuer.key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
        return builder.sign(issuer.key, digest)

    def signer(self, name, key=None, since=-30, until=365, above=(), signs=True, usages=(SEAL,)):
        """`above`: certificates of intermediate authorities, to go into x5chain."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        certificate = self._certify(name, key, self, False, since, until, signs, usages)
        chain = [c.public_bytes(serialization.Encoding.DER) for c in (certificate, *above)]
        return Signer(key, chain, name)

    def stamper(self, name, since=-30, until=365, purposes=(8,), critical=True):
        """(key, certificate) of a time-stamp authority. `purposes`: of 1.3.6.1.5.5.7.3."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (x509.CertificateBuilder().subject_name(_name(name))
                   .issuer_name(_name(self.name)).public_key(key.public_key())
                   .serial_number(x509.random_serial_number())
                   .not_valid_before(_moment(self.now + since * DAY))
                   .not_valid_after(_moment(self.now + until * DAY))
                   .add_extension(x509.BasicConstraints(False, None), True)
                   .add_extension(x509.ExtendedKeyUsage(
                       [x509.ObjectIdentifier("1.3.6.1.5.5.7.3.%d" % p) for p in purposes]),
                       critical))
        return key, builder.sign(self.key, hashes.SHA256())

    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()


def rfc3339(seconds):
    return _moment(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def pem_of(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_hash(certificate):
    """SHA-256 of the SubjectPublicKeyInfo (spec/trust.md 7) of a certificate in DER."""
    key = x509.load_der_x509_certificate(certificate).public_key()
    return hashlib.sha256(key.public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def trust_text(authorities, logs=(), revoked=(), tsas=(), stamps=0):
    """`authorities`: (Authority, roles); `logs`: (verifier key, quorum, [(name, witness key)]);
    `revoked`: (Signer, time); `tsas`: (name, certificate, policies); `stamps`: `time_stamps` of
    each log."""
    lines = ["version = %d" % (2 if tsas or stamps else 1), "serial = 1"]
    for authority, roles in authorities:
        lines += ["[[authority]]", 'name = "%s"' % authority.name,
                  "roles = [%s]" % ", ".join('"%s"' % role for role in roles),
                  "certificate = '''\n%s'''" % authority.pem()]
    for key, quorum, witnesses in logs:
        lines += ["[[ledger]]", 'origin = "%s"' % key.split("+")[0], 'key = "%s"' % key,
                  "quorum = %d" % quorum]
        if stamps:
            lines.append("time_stamps = %d" % stamps)
        for name, witness in witnesses:
            lines += ["[[ledger.witness]]", 'name = "%s"' % name,
                      'key = "%s"' % ledger.witness_key(name, witness)]
    for name, certificate, policies in tsas:
        lines += ["[[tsa]]", 'name = "%s"' % name,
                  "certificate = '''\n%s'''" % pem_of(certificate)]
        if policies:
            lines.append("policy = [%s]" % ", ".join('"%s"' % policy for policy in policies))
    for signer, at in revoked:
        lines += ["[[revocation]]",
                  'key = "sha256:%s"' % key_hash(signer.chain[0]),
                  "at = %s" % rfc3339(at), 'reason = "test"']
    return "\n".join(lines) + "\n"
