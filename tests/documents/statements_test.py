#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Statements of README.md and SECURITY.md that no other test holds. Each check names the sentence, which
has to stand in the document word for word: whoever changes one looks here.

  tests/documents/statements_test.py --bin FOLDER
"""
import argparse
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/e2e"))
from support import EXIT_OF_VERDICT, WORST_FIRST, Checks, WorkFolder  # noqa: E402

TINY = PROJECT / "tests/data/vectors/fiducia/tiny.dcm"
# What a program needs to reach another machine, or be reached.
NETWORK = {"connect", "bind", "listen", "accept", "accept4", "getaddrinfo", "gethostbyname", "sendto", "sendmsg"}


def words(text):
    return " ".join(text.split())


class Document:
    def __init__(self, name, checks):
        self.name, self.checks = name, checks
        self.text = words((PROJECT / name).read_text(encoding="utf-8"))

    def says(self, sentence):
        self.checks.that(words(sentence) in self.text, f"{self.name} says: {sentence}")


def tool(*argv):
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def needed(program):
    return set(re.findall(r"\(NEEDED\).*\[(.*?)\.so", tool("readelf", "--wide", "--dynamic", program)))


def imports(program):
    table = tool("readelf", "--wide", "--dyn-syms", program)
    return set(re.findall(r" UND (\w+)", table))


def run(program, *arguments, home=None):
    environment = {k: v for k, v in os.environ.items() if k not in ("FIDUCIA_HOME", "CREDENTIALS_DIRECTORY")}
    if home:
        environment["FIDUCIA_HOME"] = str(home)
    return subprocess.run([program, *map(str, arguments)], env=environment, capture_output=True, text=True,
                          stdin=subprocess.DEVNULL, timeout=60, start_new_session=True)


def programs(bins, readme, security, checks):
    fiducia, codec, ledger = (bins / name for name in ("fiducia", "fiducia-codec", "fiducia-ledger"))
    # The exception is held by tests/app/shared_store_test.py: libpq is loaded for that, and else never.
    security.says("`fiducia` and `fiducia-codec` open no network connection, with one exception:")
    checks.that(imports(ledger) & NETWORK, "the programs are searched for the right names", imports(ledger))
    for program in (fiducia, codec):
        checks.equal(imports(program) & NETWORK, set(), f"{program.name} calls nothing of the network")
    security.says("The main process itself reads DICOM, deflate (zlib), evidence, certificates (OpenSSL), trust "
                  "files (toml++) and the store (SQLite).")
    security.says("the main program contains no third-party DICOM code")
    security.says("libsodium makes Ed25519 signatures.")
    of_system = {"libc", "libm", "libstdc++", "libgcc_s", "ld-linux-x86-64", "ld-linux-aarch64"}
    checks.equal(needed(fiducia) - of_system, {"libz", "libcrypto", "libsqlite3", "libsodium"},
                 "fiducia needs these libraries and no other")
    security.says("The 32-byte seed of each seal comes from the kernel (`getrandom`).")
    checks.that("getrandom" in imports(fiducia), "fiducia asks the kernel for random bytes")
    version = run(fiducia, "--version").stdout.split()
    readme.says(f"This is version {version[1]}.")


def codes(fiducia, folder, readme, checks):
    rows = re.findall(r"\| `(\w+)` \| (\d) \|", (PROJECT / "README.md").read_text(encoding="utf-8"))
    checks.equal({verdict: int(code) for verdict, code in rows}, EXIT_OF_VERDICT, "README's table of exit codes")
    readme.says("the worst code counts, in the order " + ", ".join(map(str, WORST_FIRST)) + ".")
    (folder / "none.dcm").write_bytes(b"no image" * 99)
    shutil.copy(TINY, folder / "tiny.dcm")
    checks.equal(run(fiducia, "verify", folder / "none.dcm", home=folder / "home").returncode, 6, "malformed")
    checks.equal(run(fiducia, "verify", folder / "tiny.dcm", home=folder / "home").returncode, 3, "unsealed")
    checks.equal(run(fiducia, "verify", folder / "tiny.dcm", folder / "none.dcm", folder / "away.dcm",
                     home=folder / "home").returncode, 1, "the worst of three counts")
    checks.equal(run(fiducia, "verify", folder / "tiny.dcm", folder / "none.dcm",
                     home=folder / "home").returncode, 6, "the worst of two counts")


def keys(fiducia, folder, security, checks):
    home = folder / "home"
    security.says("Key files have mode 0600, in a folder with mode 0700.")
    mode = lambda path: stat.S_IMODE(path.stat().st_mode)  # noqa: E731
    checks.equal(mode(home / "keys"), 0o700, "the folder of keys")
    files = sorted((home / "keys").iterdir())
    checks.that(len(files) >= 3, "there are keys", files)
    checks.equal({p.name: oct(mode(p)) for p in files if mode(p) != 0o600}, {}, "key files of another mode")

    image = folder / "sealed.dcm"
    shutil.copy(TINY, image)
    done = run(fiducia, "seal", image, "--in-place", home=home)
    checks.equal(done.returncode, 0, "seals: " + done.stderr)
    security.says("`verify` reads only the store's key, and none at all with `--evidence`.")
    evidence = folder / "sealed.evidence"
    checks.equal(run(fiducia, "export", image, "--out", evidence, home=home).returncode, 0, "exports")
    away = folder / "keys.away"
    (home / "keys").rename(away)
    done = run(fiducia, "verify", image, "--evidence", evidence, home=home)
    checks.equal(done.returncode, 0, "verifies by evidence where there are no keys: " + done.stdout + done.stderr)
    (home / "keys").mkdir(mode=0o700)
    for path in away.iterdir():
        if "store" in path.name or "identity" in path.name:
            shutil.copy2(path, home / "keys")
    kept = [p.name for p in (home / "keys").iterdir()]
    checks.equal(len(kept), 1, f"the store has one key: {sorted(p.name for p in files)}")
    done = run(fiducia, "verify", image, home=home)
    checks.equal(done.returncode, 0, "verifies with the store's key alone: " + done.stdout + done.stderr)
    done = run(fiducia, "seal", folder / "tiny.dcm", home=home)
    checks.equal(done.returncode, 1, "cannot seal with it, so it was the keys that were missing")


def plans(fiducia, readme, checks):
    readme.says("| life of an image: `amend`, `deidentify`, `derive`, evidence that withholds parts | planned |")
    readme.says("| gateway: DIMSE and DICOMweb, policy, quarantine, audit | planned |")
    readme.says("| forensics for images that were never sealed; training data sets; people who sign | planned |")
    for command in ("amend", "deidentify", "derive", "serve", "examine", "dataset"):
        done = run(fiducia, command)
        checks.that(done.returncode == 1 and command in done.stderr, f"{command} is planned only", done)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin")
    given = parser.parse_args()
    checks = Checks()
    readme, security = (Document(name, checks) for name in ("README.md", "SECURITY.md"))
    bins = given.bin.resolve()
    fiducia = bins / "fiducia"
    with WorkFolder(None) as folder:
        folder = pathlib.Path(folder)
        done = run(fiducia, "init", "--home", folder / "home")
        checks.equal(done.returncode, 0, "makes a home: " + done.stderr)
        programs(bins, readme, security, checks)
        codes(fiducia, folder, readme, checks)
        keys(fiducia, folder, security, checks)
        plans(fiducia, readme, checks)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
