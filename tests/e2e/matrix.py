#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every lossless change of encoding that the tools of Debian can make, on every kind of object:
the seal must stay `authentic`.

  matrix.py [--bin DIR] [--samples DIR] [--columns CT,MR] [--rows TEXT] [--verbose]
  matrix.py --data DIR [--cells N]   real images of a folder in place of the samples, every tool and
                            option; N cells drawn at random (FIDUCIA_SEED) instead of all
  matrix.py --markdown      the same and tampering, beside DCMTK's digital signatures: docs/comparison.md

A cell is `ok` (authentic), `-` (the tool does not make this file), `tool` (the tool itself
changed content; proven with pydicom, and the program names just what was changed, or
says `lossy.recompressed` or `decoder.differs` where the samples are others), or `unclear`
(indeterminate, with `reading.ambiguous` alone, where the sealed file already was so, or where the
tool put every standard attribute under UN; the content is the same by pydicom). Anything else is a
failure.
"""
import concurrent.futures
import json
import os
import pathlib
import random
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import archives  # noqa: E402
import comparison  # noqa: E402
import reencode  # noqa: E402
import images  # noqa: E402
import oracle  # noqa: E402
from support import Checks, Fiducia, WorkFolder, arguments, data_folder, require_tools  # noqa: E402

warnings.filterwarnings("ignore")  # the sample files are odd on purpose; pydicom says so often
TOOLS = ["dcmconv", "dcmcrle", "dcmdrle", "dcmcjpeg", "dcmdjpeg", "dcmcjpls", "dcmdjpls",
         "gdcmconv", "ojph_compress", "cjxl", "pdf2dcm", "dcmsign", "dcmodify", "openssl"]
REMARK = "(0008,2111)"
GEOMETRY = {"(0028,0002)", "(0028,0008)", "(0028,0010)", "(0028,0011)", "(0028,0100)",
            "(0028,0101)", "(0028,0102)", "(0028,0103)"}


LOSS_RECORDS = {"(0028,2110)", "(0028,2112)", "(0028,2114)"}
LOSS = {"lossy.recompressed", "decoder.differs"}


class Cell:
    """One change on one file: what became of it."""

    def __init__(self, row, column, source):
        self.row, self.column, self.source = row, column, source
        self.target = None
        self.reason = ""      # why there is no such file
        self.verdict = ""
        self.findings = []
        self.attributes = {}  # what the tool changed, by the oracle
        self.pixels = False   # the tool changed pixels
        self.opinion = True   # the oracle could compare the pixels
        self.state = ""       # "ok", "-", "tool", "FALSE ALARM", "MISS", ...


def make_cells(columns, changes, folder, chosen=None):
    """All cells, or as many as `chosen` draws of them."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    cells = []
    for number, row in enumerate(changes):
        (folder / f"{number:02d}").mkdir()
        for column, files in columns.items():
            for source in files:
                cells.append(Cell(row, column, source))
    if chosen is not None:
        cells = chosen(cells)
    numbers = {row: n for n, row in enumerate(changes)}

    def make(cell):
        target = folder / f"{numbers[cell.row]:02d}" / cell.source.name
        own = scratch / f"{numbers[cell.row]:02d}.{cell.source.stem}"
        own.mkdir()
        try:
            changes[cell.row](cell.source, target, own)
            cell.target = target
        except reencode.CannotMake as error:
            target.unlink(missing_ok=True)
            cell.reason = str(error)
        except Exception as error:  # a tool library that trips over an odd file
            target.unlink(missing_ok=True)
            cell.reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        for left in own.iterdir():
            left.unlink()
        own.rmdir()

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(make, cells))
    return cells


def alarm_paths(findings):
    return {f["attribute"] for f in findings if f["severity"] == "alarm" and "attribute" in f}


def pixel_alarm(findings):
    return any(f["severity"] == "alarm" and f["code"].startswith("pixels.") for f in findings)


def judge(cell, scratch):
    """Compares the program's verdict with an independent comparison of the two files."""
    cell.attributes = oracle.attribute_differences(cell.source, cell.target)
    try:
        # Compressed pixels cost a decoder run each: asked only when the verdict is in doubt.
        if cell.verdict != "authentic" or oracle_is_cheap(cell.target):
            cell.pixels = oracle.pixels_differ(cell.source, cell.target, scratch)
    except oracle.Unreadable as error:
        cell.opinion = False
        if cell.verdict == "indeterminate" and not alarm_paths(cell.findings) and any(
                f["code"] == "codec.failed" for f in cell.findings):
            cell.state, cell.reason = "-", f"written, but {error}"
            return
    except oracle.NoOpinion:
        cell.opinion = False
    except Exception as error:
        cell.opinion = False
        cell.reason = f"oracle: {type(error).__name__}: {error}"
    changed = bool(cell.attributes) or cell.pixels
    if cell.verdict == "authentic":
        cell.state = "MISS" if changed else "ok"
    elif cell.verdict == "altered" and changed:
        # Samples are sealed with their geometry: where that changed, both may be named.
        lossy = bool(LOSS & {f["code"] for f in cell.findings})
        pixels_agree = (not cell.opinion or (pixel_alarm(cell.findings) or lossy) == cell.pixels or
                        bool(GEOMETRY & set(cell.attributes)))
        named = alarm_paths(cell.findings)
        if cell.pixels:
            named.discard(REMARK)  # a lossless coder's remark counts only where nothing was lost
        if lossy and cell.pixels:
            named.discard("(0028,0004)")  # the samples are others, and so may be what they mean
        named -= {path for path in named if path.endswith("].(7FE0,0010)") and any(
            other.startswith(path.removesuffix("(7FE0,0010)")) for other in cell.attributes)}
        if pixel_alarm(cell.findings) or "(0028,0004)" in named:
            named -= LOSS_RECORDS  # the same of what a decoder wrote about a loss
        if all_under_un(cell.target):  # an alarm of its own where the tool changed something else
            named -= {f.get("attribute") for f in cell.findings if f["code"] == "reading.ambiguous"} - \
                set(cell.attributes)
        same = named == set(cell.attributes) - ({REMARK} if cell.pixels else set()) and pixels_agree
        cell.state = "tool" if same else "WRONG PLACE"
    elif cell.verdict == "indeterminate" and not changed and is_ambiguous(cell.findings) and (
            cell.was_ambiguous or all_under_un(cell.target)):
        cell.state = "unclear"
    elif cell.verdict == "indeterminate" and cell.pixels and LOSS & {f["code"] for f in cell.findings}:
        cell.state = "tool"
    else:
        cell.state = "FALSE ALARM" if cell.verdict == "altered" else cell.verdict.upper()


def is_ambiguous(findings):
    """Whether nothing but the way in which readers differ stands against the file."""
    return {f["code"] for f in findings if f["severity"] != "note"} == {"reading.ambiguous"}


def all_under_un(path):
    """Whether the tool wrote standard attributes (outside of groups 0028 and 7FE0) under UN only."""
    ds = oracle.pydicom.dcmread(path, force=True, stop_before_pixels=True)
    # pydicom has converted the character set while it read, and gives empty values their VR.
    items = [ds.get_item(tag) for tag in ds.keys() if not tag.is_private and tag.element and
             tag.group not in (0x0028, 0x7FE0) and tag != 0x00080005]
    vrs = {item.VR for item in items if item.value}
    return "UN" in vrs and vrs <= {"UN", "SQ"}  # pydicom calls UN of undefined length SQ


def oracle_is_cheap(path):
    ds = oracle.pydicom.dcmread(path, force=True, stop_before_pixels=True)
    return reencode.is_native(ds)


def changed_text(cell):
    words = sorted(f"{path} {how}" for path, how in cell.attributes.items())
    if cell.pixels:
        words.append("pixels")
    return ", ".join(words)


def run_matrix(given, work, columns, changes, chosen=None):
    """Seals, re-encodes, verifies. Returns the cells and the seconds that sealing and verifying
    took."""
    program = Fiducia(given.bin, work / "home")
    program.init()
    sealed = work / "sealed"
    start = time.monotonic()
    answer = program.run("seal", work / "sources", "--out", sealed, "--json")
    seconds = {"seal": time.monotonic() - start}
    for line in answer.lines:
        if line["status"] != "sealed":
            sys.exit(f"could not seal: {line}")
    if answer.code != 0:
        sys.exit(f"could not seal: {answer}")
    sealed_columns = {name: [sealed / file.name for file in files]
                      for name, files in columns.items()}
    cells = make_cells(sealed_columns, changes, work / "variants", chosen)

    judged = program.run("verify", sealed, "--json")
    unclear = {line["path"] for line in judged.lines if line["verdict"] == "indeterminate"
               and is_ambiguous(line["findings"])}
    # Without a home: file and trust file are all there is, as for a stranger years later. Nothing is
    # tolerated: what a tool changes has to be said.
    text = (work / "home/trust.toml").read_text()
    (work / "strict.toml").write_text(text[:text.index("[tolerance]\n")])
    stranger = Fiducia(given.bin)
    start = time.monotonic()
    answer = stranger.run("verify", work / "variants", "--trust", work / "strict.toml", "--json")
    seconds["verify"] = time.monotonic() - start
    of_path = {line["path"]: line for line in answer.lines}
    for cell in cells:
        if cell.target is not None:
            line = of_path.pop(str(cell.target))
            cell.verdict, cell.findings = line["verdict"], line["findings"]
    if of_path:
        sys.exit(f"verdicts of files that were not made: {list(of_path)[:3]}")
    scratch = work / "oracle"
    scratch.mkdir()
    for cell in cells:
        cell.was_ambiguous = str(cell.source) in unclear
        if cell.target is None:
            cell.state = "-"
        else:
            judge(cell, scratch)
    return cells, seconds


def print_table(cells, columns, changes, given, checks):
    shown = list(columns)
    print("| Change | " + " | ".join(f"{c} ({len(columns[c])})" if len(columns[c]) > 1 else c
                                     for c in shown) + " |")
    print("|---" * (len(shown) + 1) + "|")
    for row in changes:
        print(f"| {row} | " + " | ".join(comparison.summary(cells, row, column)
                                         for column in shown) + " |")
    print()
    reasons = {}
    for cell in cells:
        checks.context = f"{cell.row}, {cell.source.name}"
        checks.that(cell.state in ("ok", "-", "tool", "unclear"), f"is {cell.state}",
                    f"verdict {cell.verdict}, the tool changed: {changed_text(cell) or 'nothing'}; "
                    f"{cell.reason} findings: {json.dumps(cell.findings)[:900]}")
        if cell.state == "-":
            reasons.setdefault((cell.row, cell.reason), []).append(cell.source.stem.split(".")[0])
        if cell.state == "tool":
            reasons.setdefault((cell.row, "the tool changed " + changed_text(cell)), []).append(
                cell.source.stem.split(".")[0])
    checks.context = ""
    for (row, reason), names in reasons.items():
        if given.verbose or "the tool changed" in reason:
            print(f"{row}: {', '.join(sorted(set(names)))}: {reason}")


def check_strength(cells, columns, changes, checks):
    """A matrix of dashes would pass; so each row and column needs cells that were judged."""
    for row in changes:
        checks.that(any(c.state in ("ok", "tool", "unclear") for c in cells if c.row == row),
                    f"no file could be made for the row '{row}'",
                    "; ".join({c.reason for c in cells if c.row == row}))
    for column in columns:
        judged = sum(c.state in ("ok", "unclear") for c in cells if c.column == column)
        checks.that(judged >= 4, f"column '{column}' has only {judged} judged cells")


def main():
    given = arguments(__doc__.splitlines()[0],
                      columns={"help": "only these, separated by commas"},
                      rows={"help": "only rows that contain this text"},
                      markdown={"action": "store_true", "help": "print docs/comparison.md"},
                      data={"type": pathlib.Path, "help": "real images in place of the samples; "
                            "`beside`: FIDUCIA_DATA or the folder that lies beside the project"},
                      cells={"type": int, "help": "with --data: only so many, drawn at random"},
                      verbose={"action": "store_true", "help": "print why cells are empty"})
    require_tools(*TOOLS)
    checks = Checks()
    chosen = None
    with WorkFolder(given.work) as work:
        if given.data:
            if str(given.data) == "beside":
                given.data = None
                given.data = data_folder(given)
            if given.data is None:
                print("77: there is no folder of real images: FIDUCIA_DATA names one")
                return 77
            columns = images.data_columns(given.data, work / "sources")
        else:
            columns = images.make_columns(given.samples, work / "sources")
        if given.cells:
            seed = int(os.environ.get("FIDUCIA_SEED") or random.SystemRandom().randrange(1 << 32))
            print(f"FIDUCIA_SEED={seed}")
            chosen = lambda cells: random.Random(seed).sample(cells, min(given.cells, len(cells)))  # noqa: E731
        if given.columns:
            wanted = given.columns.split(",")
            for name in list(columns):
                if name not in wanted:
                    for file in columns.pop(name):
                        file.unlink()
        changes = {row: change for row, change in
                   {**reencode.CHANGES, **(archives.TOOLS if given.data else {})}.items()
                   if not given.rows or given.rows in row}
        cells, seconds = run_matrix(given, work, columns, changes, chosen)
        if given.markdown:
            print(comparison.page(given, work, columns, changes, cells))
            return 0
        print_table(cells, columns, changes, given, checks)
        if not given.columns and not given.rows and not given.data:
            check_strength(cells, columns, changes, checks)
            for row in comparison.tampering(given, work, columns):
                checks.that(row.ours and not row.wrong, f"tampering is found and located: {row.name}",
                            "; ".join(row.wrong))
        count = {state: sum(c.state == state for c in cells) for state in {c.state for c in cells}}
        print(f"{count}; sealed {sum(map(len, columns.values()))} files in {seconds['seal']:.2f} s, "
              f"verified {len(cells) - count.get('-', 0)} in {seconds['verify']:.2f} s")
        return checks.done()


if __name__ == "__main__":
    sys.exit(main())
