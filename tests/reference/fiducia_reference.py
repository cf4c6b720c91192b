#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A second implementation of the seal, written from spec/ alone.

    fiducia_reference.py verify FILE... --trust T [--evidence E]... [--at TIME]
    fiducia_reference.py seal FILE... --key KEY.pem --chain CHAIN.pem --device NAME [--log DIR]

`verify` prints one JSON object a file, with the members of `fiducia verify --json` that two
implementations have to agree on. `seal` writes FILE.evidence."""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import evidence  # noqa: E402
import trust  # noqa: E402
import verify  # noqa: E402


def _read(path):
    with open(path, "rb") as stream:
        return stream.read()


def verify_path(path, given, trusted, at=None):
    beside = None
    if not given and os.path.exists(path + ".evidence"):
        beside = _read(path + ".evidence")
    try:
        judgement = verify.verify(_read(path), given, beside, trusted, at)
    except evidence.BadEvidence as error:
        return {"schema": "fiducia.error/1",
                "error": {"code": "malformed.evidence", "text": str(error), "path": path}}
    result = {"schema": "fiducia.verify/1", "path": path, "verdict": judgement.verdict,
              "findings": judgement.findings}
    if judgement.decoder_lacks:
        result["decoder_lacks"] = True
    if judgement.statement is not None:
        result["seal"] = {"device": judgement.statement.device,
                          "object_root": judgement.statement.object_root().hex()}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    check = commands.add_parser("verify")
    check.add_argument("files", nargs="+")
    check.add_argument("--trust", required=True)
    check.add_argument("--evidence", action="append", default=[])
    check.add_argument("--at")
    make = commands.add_parser("seal")
    make.add_argument("files", nargs="+")
    make.add_argument("--key", required=True)
    make.add_argument("--chain", required=True)
    make.add_argument("--device", default="REFERENCE")
    arguments = parser.parse_args()

    if arguments.command == "seal":
        import sealer
        signer = sealer.read_signer(arguments.key, arguments.chain, arguments.device)
        for path in arguments.files:
            with open(path + ".evidence", "wb") as stream:
                stream.write(sealer.seal(_read(path), signer))
        return 0
    trusted = trust.read(_read(arguments.trust))
    at = trust.moment(arguments.at) if arguments.at else None
    given = [_read(path) for path in arguments.evidence]
    codes = {"authentic": 0, "altered": 2, "unsealed": 3, "untrusted": 4, "indeterminate": 5,
             "malformed": 6}
    worst = 0
    for path in arguments.files:
        result = verify_path(path, given, trusted, at)
        print(json.dumps(result))
        code = codes.get(result.get("verdict"), 1)
        worst = min(worst, code, key=[1, 2, 6, 4, 5, 3, 0].index)
    return worst


if __name__ == "__main__":
    sys.exit(main())
