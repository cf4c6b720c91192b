# SPDX-License-Identifier: Apache-2.0
"""docs/comparison.md: this program beside DCMTK's digital signatures, on the same files."""
import concurrent.futures
import os
import re
import shutil
import subprocess
import time

import pydicom

import reencode
import tamper
from support import Fiducia

TAMPER_COLUMNS = ["CT", "CT512", "DX", "MR", "US", "SR"]


def summary(cells, row, column, attribute="state"):
    """A cell of the table: one word, or a count where the column holds several files."""
    states = [getattr(c, attribute) for c in cells if c.row == row and c.column == column]
    if len(set(states)) == 1:
        return states[0] if len(states) == 1 or states[0] == "-" else f"{states[0]} {len(states)}"
    return ", ".join(f"{state} {states.count(state)}" for state in sorted(set(states), key=str.lower))


# --- DCMTK's dcmsign ------------------------------------------------------------------------

def make_key(folder):
    key, certificate = folder / "rsa.key", folder / "rsa.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key),
                    "-out", str(certificate), "-days", "3650", "-subj", "/CN=T"], check=True,
                   capture_output=True)
    # A signature of the second in which its certificate began is refused ("not yet valid").
    time.sleep(2.1)
    return key, certificate


def dcmsign_sign(key, source, target):
    """Every attribute that can be signed, Creator RSA profile."""
    done = subprocess.run(["dcmsign", "+s", str(key[0]), str(key[1]), "+pc", "+m2", str(source),
                           str(target)], capture_output=True)
    return done.returncode == 0 and target.exists()


def dcmsign_verdict(key, path, required=True):
    """One word, as in the table: OK, INVALID, TS (compressed: cannot compute), CERT, NOSIG, READ."""
    command = ["dcmsign", "--verify", *(["+rg"] if required else []), "+cf", str(key[1]), str(path)]
    done = subprocess.run(command, capture_output=True)
    text = (done.stdout + done.stderr).decode(errors="replace")
    if done.returncode == 0:
        return "OK"
    for pattern, word in (("transfer syntax for MAC", "TS"), ("certificate verification failed", "CERT"),
                          ("no signatures found", "NOSIG"), ("signature is invalid", "INVALID")):
        if pattern in text:
            return word
    return "READ" if done.returncode == 20 else f"exit {done.returncode}"


def dcmsign_matrix(work, columns, changes):
    """The rows and columns of the matrix, signed by dcmsign, changed, and verified by dcmsign."""
    import matrix
    key = make_key(work)
    signed, refused = {}, set()
    (work / "signed").mkdir()
    for column, files in columns.items():
        signed[column] = []
        for file in files:
            target, plain = work / "signed" / file.name, work / "plain.dcm"
            # Native objects in explicit VR, which dcmsign copes with best; the others as they are.
            normalised = subprocess.run(["dcmconv", "+te", str(file), str(plain)], capture_output=True)
            if dcmsign_sign(key, plain if normalised.returncode == 0 else file, target):
                signed[column].append(target)
            else:
                refused.add(file.name)
    cells = matrix.make_cells(signed, changes, work / "signed-variants")

    def judge(cell):
        cell.state = "-" if cell.target is None else dcmsign_verdict(key, cell.target)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(judge, cells))
    return cells, refused


# --- tampering ------------------------------------------------------------------------------

def place_of(findings):
    """Where our alarm points, in short: `pixels frame 1 tile 0,1`, `(0010,0010)`, `malformed...`."""
    words = []
    for finding in findings:
        if finding["severity"] != "alarm":
            continue
        if finding["code"].startswith("pixels."):
            tiles = " ".join(f"{r},{c}" for r, c in finding.get("tiles", [])[:2])
            words.append(f"pixels, frame {finding['frame']} tile {tiles}" if "frame" in finding else "pixels")
        elif "attribute" in finding:
            words.append(finding["attribute"])
        else:
            words.append(finding["code"])
    return words


def tampering(given, work, columns, checks=None):
    """Row -> (our verdicts and places, dcmsign's verdicts), on files that both have signed."""
    folder = work / "tamper"
    folder.mkdir()
    ours = Fiducia(given.bin, work / "tamper-home")
    ours.init()
    sources = folder / "sources"
    sources.mkdir()
    for column in TAMPER_COLUMNS:
        # Native pixels, as in the table that this repeats.
        subprocess.run(["dcmconv", "+te", str(columns[column][0]), str(sources / f"{column}.dcm")],
                       check=True, capture_output=True)
    answer = ours.run("seal", sources, "--out", folder / "sealed", "--json")
    assert answer.code == 0, answer
    key = make_key(folder)
    (folder / "signed").mkdir()
    rows = []
    for name, (applies, change, place) in tamper.CHANGES.items():
        row = Row(name, place)
        for column in TAMPER_COLUMNS:
            if not applies(reencode.read(sources / f"{column}.dcm")):
                continue
            path = folder / "sealed" / f"{column}.tampered.dcm"
            shutil.copy(folder / "sealed" / f"{column}.dcm", path)
            change(path)
            line = ours.run("verify", path, "--json").lines[0]
            row.add(column, line)
            signed = folder / "signed" / f"{column}.dcm"
            if not signed.exists():
                assert dcmsign_sign(key, sources / f"{column}.dcm", signed), column
            other = folder / "signed" / f"{column}.tampered.dcm"
            shutil.copy(signed, other)
            change(other)
            row.theirs.append(dcmsign_verdict(key, other))
        rows.append(row)
    rows += keys_and_signatures(given, folder, ours, key, sources)
    return rows


class Row:
    """One way to tamper, on every file it applies to."""

    def __init__(self, name, place):
        self.name, self.place = name, place
        self.ours, self.places, self.theirs = [], [], []
        self.wrong = []  # what a test complains about

    def add(self, column, line):
        verdict, places = line["verdict"], place_of(line["findings"])
        self.ours.append(verdict)
        self.places.append(places)
        if self.place is None:
            right = verdict == "authentic" and not places
        elif self.place == "malformed":
            right = verdict == "malformed" and places and places[0].startswith("malformed.")
        else:
            right = verdict == "altered" and any(self.place in p for p in places)
        if not right:
            self.wrong.append(f"{column}: {verdict} {places}")


def remove_signatures(path):
    ds = reencode.read(path)
    for tag in (0xFFFAFFFA, 0x4FFE0001):
        if tag in ds:
            del ds[tag]
    for tag in [t for t in ds.keys() if t.group == 0x0F1D]:
        del ds[tag]
    ds.save_as(path, write_like_original=False)


def keys_and_signatures(given, folder, ours, key, sources):
    """Signature gone, signature replaced: ours once with the evidence store, once without."""
    stranger_key_folder = folder / "stranger"
    stranger_key_folder.mkdir()
    strange_key = make_key(stranger_key_folder)
    forger = Fiducia(given.bin, folder / "forger-home")
    forger.init()
    nobody = Fiducia(given.bin)
    trust = ours.home / "trust.toml"
    rows = {
        "PatientName changed, re-signed by a stranger": "re-signed",
        "signature removed": "removed",
        "signature removed and a pixel bit flipped": "removed, flipped",
        "signature removed and a pixel bit flipped, signature not required": "removed, flipped, +rv",
    }
    out = []
    for name, kind in rows.items():
        row = Row(name, "")
        row.alone = []
        for column in TAMPER_COLUMNS:
            if "flipped" in kind and not tamper.has_pixels(reencode.read(sources / f"{column}.dcm")):
                continue
            path = folder / "sealed" / f"{column}.tampered.dcm"
            shutil.copy(folder / "sealed" / f"{column}.dcm", path)
            remove_signatures(path)
            other = folder / "signed" / f"{column}.tampered.dcm"
            shutil.copy(folder / "signed" / f"{column}.dcm", other)
            remove_signatures(other)
            if kind == "re-signed":
                for file in (path, other):
                    tamper.CHANGES["PatientName changed"][1](file)
                forged = forger.run("seal", path, "--in-place", "--json")
                assert forged.code == 0, forged
                again = other.with_suffix(".again.dcm")
                assert dcmsign_sign(strange_key, other, again)
                other = again
            if "flipped" in kind:
                tamper.flip_pixel_bit(path)
                tamper.flip_pixel_bit(other)
            line = ours.run("verify", path, "--json").lines[0]
            row.ours.append(line["verdict"])
            row.places.append(place_of(line["findings"]))
            alone = nobody.run("verify", path, "--trust", trust, "--json").lines[0]
            row.alone.append(alone["verdict"])
            # Without the store nothing is known of a stripped file, and a stranger is a stranger.
            expected = {"re-signed": ({"altered", "untrusted"}, {"untrusted"}),
                        "removed": ({"authentic"}, {"unsealed"})}.get(kind, ({"altered"}, {"unsealed"}))
            if line["verdict"] not in expected[0] or alone["verdict"] not in expected[1]:
                row.wrong.append(f"{column}: {line['verdict']}, without the store {alone['verdict']}")
            row.theirs.append(dcmsign_verdict(key, other, required="+rv" not in kind))
        out.append(row)
    return out


def counted(words):
    return ", ".join(f"{w} {words.count(w)}/{len(words)}" for w in dict.fromkeys(words))


# --- the page -------------------------------------------------------------------------------

WORDS = {"ok": "authentic", "tool": "altered (by the tool)"}


def versions(given):
    def first(*command):
        done = subprocess.run(command, capture_output=True)
        return (done.stdout + done.stderr).decode(errors="replace").strip().splitlines()[0]
    dcmtk = re.search(r"v(\d[\d.]*)", first("dcmsign", "--version")).group(1)
    gdcm = re.search(r"(\d+\.\d+\.\d+)", first("gdcmconv", "--version")).group(1)
    own = first(str(given.bin / "fiducia"), "--version").split()[-1]
    return f"fiducia {own}, DCMTK {dcmtk}, GDCM {gdcm}, pydicom {pydicom.__version__}"


def page(given, work, columns, changes, cells):
    """The Markdown of docs/comparison.md."""
    theirs, refused = dcmsign_matrix(work, columns, changes)
    rows = tampering(given, work, columns)
    out = ["# Beside DCMTK's digital signatures", "",
           "Made by `tests/e2e/matrix.py --markdown`; do not edit. The test `e2e_matrix` fails on any "
           "cell of ours that is worse than shown here.", "",
           f"Versions: {versions(given)}. DCMTK signs with `dcmsign +s rsa.key rsa.crt +pc +m2` (RSA 2048, "
           "Creator profile, every attribute that can be signed) and verifies with `dcmsign --verify +rg "
           "+cf rsa.crt`. Fiducia seals with `fiducia seal --out` and verifies with `fiducia verify "
           "--trust trust.toml` in an environment without a home: file and trust file are all there is. Objects "
           "with native pixels were brought to explicit VR (`dcmconv +te`) before dcmsign signed them; Fiducia "
           "took them as they are.", "",
           "## Changes that keep the content", "",
           "Files that give a good verdict, of all files that the tool could make; files where the tool "
           "itself changed content (proven with pydicom, see below) are left out of both counts. "
           f"{sum(map(len, columns.values()))} objects: " + ", ".join(
               f"{c}" + (f" ({len(f)})" if len(f) > 1 else "") for c, f in columns.items()) + ".", "",
           "| change | Fiducia | dcmsign | what dcmsign says otherwise |", "|---|---|---|---|"]
    total = [0, 0, 0, 0]
    key_of = lambda c: (c.row, c.column, c.source.name)
    their_state = {key_of(c): c.state for c in theirs}
    for row in changes:
        mine = [c for c in cells if c.row == row and c.state not in ("-", "tool")]
        good = sum(c.state == "ok" for c in mine)
        other = [their_state[key_of(c)] for c in mine
                 if their_state.get(key_of(c), "-") != "-"]
        ok = other.count("OK")
        bad = [w for w in other if w != "OK"]
        out.append(f"| {row} | {good}/{len(mine)} | {ok}/{len(other)} | {counted_plain(bad)} |")
        total = [total[0] + good, total[1] + len(mine), total[2] + ok, total[3] + len(other)]
    out.append(f"| **all** | **{total[0]}/{total[1]}** | **{total[2]}/{total[3]}** | |")
    out += ["", "INVALID: \"signature is invalid (document corrupted)\". TS: \"unable to use the selected "
            "transfer syntax for MAC computation\". dcmsign could not sign "
            f"{len(refused)} of the objects" + (": " + ", ".join(sorted(refused)) if refused else "") + ".",
            "", "### By kind of object", "",
            "| kind | Fiducia | dcmsign |", "|---|---|---|"]
    for column in columns:
        mine = [c for c in cells if c.column == column and c.state not in ("-", "tool")]
        other = [their_state[key_of(c)] for c in mine if their_state.get(key_of(c), "-") != "-"]
        out.append(f"| {column} | {sum(c.state == 'ok' for c in mine)}/{len(mine)} | "
                   f"{other.count('OK')}/{len(other)} |")
    out += ["", "### Tools that changed the content", "",
            "Here the verdict is `altered`, and names just what pydicom finds changed as well.", "",
            "| change | files | what the tool changed |", "|---|---|---|"]
    groups = {}
    import matrix
    for c in cells:
        if c.state == "tool":
            groups.setdefault((c.row, matrix.changed_text(c)), []).append(c.source.stem.split(".", 1)[1])
    for (row, text), names in groups.items():
        out.append(f"| {row} | {', '.join(sorted(names))} | {text} |")
    out += ["", "## Tampering", "",
            f"On {', '.join(TAMPER_COLUMNS)}, where the attribute is (or is not) there. Good is an alarm.",
            "", "| change | Fiducia | where it points (first file) | dcmsign |", "|---|---|---|---|"]
    for row in rows:
        where = "; ".join(row.places[0][:3]) if row.places and row.places[0] else "-"
        ours = counted(row.ours)
        if hasattr(row, "alone"):
            ours += "; without the evidence store: " + counted(row.alone)
        out.append(f"| {row.name} | {ours} | {where} | {counted(row.theirs)} |".replace('"', "&quot;"))
    out += ["", "The meta header (group 0002), the preamble and trailing padding are not content: any "
            "transfer may rewrite them, so neither program covers them. A file whose seal was removed and "
            "nothing else is `authentic` by the evidence store, with a note that the file carries no seal; "
            "without the store it is `unsealed`, exit 3, never a pass.", ""]
    return "\n".join(out)


def counted_plain(words):
    return ", ".join(f"{w} {words.count(w)}" for w in sorted(set(words)))
