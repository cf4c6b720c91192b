#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A home with a ledger.toml, whose ledger another program appends to: it gets the pass phrase of
encrypted keys, and no file of this kind ends it.

  tests/app/ledger_file_test.py FIDUCIA FIDUCIA-LEDGER
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

VECTORS = pathlib.Path(__file__).resolve().parent.parent / "data" / "vectors" / "fiducia"


def main():
    fiducia, ledger = sys.argv[1:3]
    with tempfile.TemporaryDirectory() as name:
        scratch = pathlib.Path(name)
        home, secret = scratch / "home", scratch / "passphrase"
        image = scratch / "tiny.dcm"
        shutil.copy(VECTORS / "tiny.dcm", image)
        secret.write_text("correct horse\n", encoding="utf-8")
        secret.chmod(0o600)

        def run(*arguments):
            environment = {**os.environ, "FIDUCIA_LEDGER": ledger, "FIDUCIA_HOME": str(home)}
            environment.pop("CREDENTIALS_DIRECTORY", None)
            # A session of its own has no terminal, so that nobody is asked.
            return subprocess.run([fiducia, *map(str, arguments)], env=environment, timeout=60,
                                  stdin=subprocess.DEVNULL, capture_output=True, check=False,
                                  start_new_session=True)

        def expect(condition, what, answer):
            if not condition:
                sys.exit(f"{what}: exit {answer.returncode}\n{answer.stdout}\n{answer.stderr}")

        answer = run("init", "--passphrase-file", secret)
        expect(answer.returncode == 0, "makes a home with encrypted keys", answer)
        (home / "ledger.toml").write_text("version = 1\n", encoding="utf-8")
        answer = run("seal", image, "--json")
        expect(answer.returncode == 1 and b"config.missing" in answer.stdout,
               "without the pass phrase nobody seals", answer)
        answer = run("seal", image, "--json", "--passphrase-file", secret)
        expect(answer.returncode == 0 and b'"sealed"' in answer.stdout,
               "with it the other program opens the ledger's key", answer)
        expect(run("verify", image).returncode == 0, "and what it sealed verifies", answer)
        # Whatever file of a home the library of TOML loses its way in, both programs say so.
        for name in ("ledger.toml", "trust.toml", "fiducia.toml"):
            whole = (home / name).read_text(encoding="utf-8")
            for text in ("[[[", "." * 80_000, "a" + ".a" * 80_000 + "=1", "[" * 80_000,
                         "a=" + "[" * 80_000, "a=" + "{a=" * 80_000):
                (home / name).write_text(text, encoding="utf-8")
                commands = [("seal", image, "--json", "--passphrase-file", secret),
                            ("ledger", "move", "--json")]
                if name != "ledger.toml":  # which verify does not read
                    commands.append(("verify", image, "--json"))
                for command in commands:
                    answer = run(*command)
                    said = answer.stdout + answer.stderr
                    # The home's own file is read up to 64 KiB.
                    coded = b'"config.invalid"' in said or (
                        name == "fiducia.toml" and len(text) > 65_536 and b'"limit.reached"' in said)
                    expect(answer.returncode == 1 and coded,
                           f"{command[:2]} refuses {text[:10]} in {name}", answer)
            (home / name).write_text(whole, encoding="utf-8")
        expect(run("verify", image).returncode == 0, "and all is well again", answer)
        bad = scratch / "trust.toml"
        bad.write_text("[[[", encoding="utf-8")
        answer = run("ledger", "mirror", scratch / "home" / "ledger", scratch / "copy", "--trust", bad)
        expect(answer.returncode == 1 and b"trust.toml" in answer.stderr + answer.stdout,
               "the program for the ledger refuses such a trust file, too", answer)
    print("ok")


if __name__ == "__main__":
    main()
