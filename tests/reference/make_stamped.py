#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tiny-stamped.evidence and tiny-stamped.trust.toml beside the tiny.* of a folder, right after
`make_tiny` has made those: the same evidence with a time-stamp, and a trust file that asks for one.

  tests/reference/make_stamped.py FOLDER
"""

import hashlib
import pathlib
import sys

import cbor
import stamps
from authority import Authority, pem_of

SEALED = 1_795_000_000  # the clock of make_tiny
STAMPED = SEALED + 7


def main():
    folder = pathlib.Path(sys.argv[1])
    evidence = cbor.decode((folder / "tiny.evidence").read_bytes())
    text = evidence[7].rsplit("\n\n", 1)[0].encode() + b"\n"
    root = Authority("Vector TSA root", SEALED, days=30)
    key, certificate = root.stamper("Vector TSA", until=30)
    token = stamps.make(key, certificate, hashlib.sha256(text).digest(), STAMPED, fraction=".125")
    evidence[8] = [token]
    (folder / "tiny-stamped.evidence").write_bytes(cbor.encode(evidence))
    trust = (folder / "tiny.trust.toml").read_text(encoding="utf-8")
    trust = trust.replace("\nversion = 1\n", "\nversion = 2\n", 1)
    trust = trust.replace("\nquorum = 0\n", "\nquorum = 0\ntime_stamps = 1\n", 1)
    assert "time_stamps = 1" in trust and "version = 2" in trust
    trust += ('\n[[tsa]]\nname = "Vector TSA"\npolicy = ["2.999.1"]\ncertificate = \'\'\'\n%s\'\'\'\n'
              % pem_of(root.certificate))
    (folder / "tiny-stamped.trust.toml").write_text(trust, encoding="utf-8")


if __name__ == "__main__":
    main()
