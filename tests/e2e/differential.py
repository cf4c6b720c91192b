#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Three other readers see the same attributes, and other decoders the same samples.

  differential.py [--bin DIR] [--samples DIR] [--verbose]

For each sample file `fiducia inspect` is compared with DCMTK (dcmdump), GDCM (gdcmdump) and
pydicom: path, VR, length, number of items. At least one of them has to agree on each attribute,
and where all three agree with each other, so must we. Compressed samples are sealed as they are
and verified as decoded by another program.
"""
import pathlib
import re
import subprocess
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import oracle  # noqa: E402
import pydicom  # noqa: E402
from support import Checks, Fiducia, WorkFolder, arguments, require_tools  # noqa: E402

warnings.filterwarnings("ignore")
UNKNOWN_VR = {"UN", "??", "px", "ox", "xs", "lt", "up", "na", "OB or OW", "US or SS", "OB_OW", "US_SS",
              "US_SS_OW", "INVALID", "pi", "--"}
# A line of dcmdump or gdcmdump: indentation, tag, VR, then at the end "# length,".
DUMPED = re.compile(rb"^( *)\(([0-9a-fA-F]{4}),([0-9a-fA-F]{4})\) (..).*?# *(\S+?) ?, ?\S+", re.DOTALL)
ITEM = re.compile(rb"^ *\(fffe,e000\)")


def with_fiducia(program, path):
    """Path -> (VR, length or items); None when the file is refused."""
    answer = program.run("inspect", path, "--json")
    if answer.code != 0:
        return None
    line = answer.lines[0]
    out, parents = {}, {}
    for e in line["elements"]:
        tag, depth = e["tag"], e["depth"]
        prefix = f"{parents[depth - 1]}[{e['item']}]." if depth else ""
        parents[depth] = prefix + tag
        if tag.startswith("(0002,") and depth == 0:
            continue
        out.setdefault(prefix + tag, (e["vr"], e.get("length", f"items {e.get('items')}")))
    return out


def with_pydicom(path):
    ds = pydicom.dcmread(path, force=True)
    out = {}
    pending = [(ds, "")]
    while pending:
        ds, prefix = pending.pop()
        for tag in list(ds.keys()):
            raw = ds.get_item(tag)
            length = getattr(raw, "length", None)
            value = getattr(raw, "value", None)
            name = f"{prefix}({tag.group:04X},{tag.element:04X})"
            element = ds[tag]
            if element.VR == "SQ":
                out[name] = ("SQ", f"items {len(element.value)}")
                for number, item in enumerate(element.value, 1):
                    pending.append((item, f"{name}[{number}]."))
                continue
            if tag == 0x7FE00010 and (length == 0xFFFFFFFF or element.is_undefined_length):
                length = sum(len(f) for f in fragments_of(element.value))
            elif isinstance(value, bytes) and length in (None, 0xFFFFFFFF):
                length = len(value)
            out[name] = (element.VR, length)
    return out


def fragments_of(data):
    """Fragments of encapsulated pixels, without the offset table."""
    at, out = 0, []
    while at + 8 <= len(data):
        tag, size = data[at:at + 4], int.from_bytes(data[at + 4:at + 8], "little")
        if tag != b"\xfe\xff\x00\xe0":
            break
        out.append(data[at + 8:at + 8 + size])
        at += 8 + size
    return out[1:]


def with_dump(command, step):
    """What dcmdump or gdcmdump print; `step` is how many spaces one level is indented."""
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        return None
    out, parents, counts, fragments = {}, {}, {}, {}
    encapsulated = None
    for line in done.stdout.split(b"\n"):
        if ITEM.match(line) and b"#" not in line:  # gdcmdump says no length of items
            line += b" # u/l,1"
        found = DUMPED.match(line)
        if not found:
            continue
        spaces, group, number, vr, length = found.groups()
        depth = len(spaces) // step
        tag = f"({group.decode().upper()},{number.decode().upper()})"
        if tag in ("(FFFE,E00D)", "(FFFE,E0DD)"):
            if tag == "(FFFE,E0DD)":
                encapsulated = None
            continue
        if tag == "(FFFE,E000)":
            if encapsulated is not None:
                fragments[encapsulated].append(int(length) if length.isdigit() else 0)
            else:
                parent = parents.get(depth - 1)
                if parent is None:
                    continue
                counts[parent] = counts.get(parent, 0) + 1
                parents[depth] = f"{parent}[{counts[parent]}]"
            continue
        if depth and depth - 1 not in parents:
            continue  # a line of a value that looks like an element
        prefix = parents[depth - 1] + "." if depth else ""
        name = prefix + tag
        parents[depth] = name
        if depth == 0 and tag.startswith("(0002,"):
            continue
        if tag == "(7FE0,0010)" and depth == 0 and b"u/l" in line.lower():
            encapsulated = name
            fragments[name] = []
        out.setdefault(name, (vr.decode("latin-1"), int(length) if length.isdigit() else None))
    for name, sizes in fragments.items():
        out[name] = (out[name][0], sum(sizes[1:]))
    for name in out:
        if out[name][0] == "SQ":
            out[name] = ("SQ", f"items {counts.get(name, 0)}")
    return out


def agrees(ours, theirs):
    """VR and length; a reader that does not know the VR, or the length, has no opinion on it."""
    if theirs is None:
        return False
    vr = theirs[0] in UNKNOWN_VR or ours[0] == "UN" or ours[0] == theirs[0]
    # Two of the standard's VRs differ by what other attributes say; readers choose.
    vr = vr or {ours[0], theirs[0]} <= {"OB", "OW"} or {ours[0], theirs[0]} <= {"US", "SS", "OW"}
    if theirs[1] is None or ours[1] is None:
        return vr
    if isinstance(ours[1], int) and isinstance(theirs[1], int):
        return vr and ours[1] == theirs[1]
    # A sequence for one, bytes for the other: no common measure.
    return vr if isinstance(ours[1], str) != isinstance(theirs[1], str) else vr and ours[1] == theirs[1]


def compare(name, ours, others, checks, counts):
    others = {reader: seen for reader, seen in others.items() if seen}
    if not others:
        return
    every = set(ours).union(*others.values())
    for path in every:
        witnesses = [reader for reader, seen in others.items() if path in seen]
        inside = "[" in path
        if path not in ours:
            # What is inside of a value that we keep as bytes (or another as a sequence) is no loss.
            parent = path.rsplit("[", 1)[0] if inside else None
            if parent and (parent not in ours or not str(ours[parent][1]).startswith("items")):
                continue
            checks.that(len(witnesses) < max(2, len(others)),
                        f"{name}: {path} is seen by {', '.join(witnesses)} and not here")
            continue
        counts["elements"] += 1
        good = [reader for reader in witnesses if agrees(ours[path], others[reader].get(path))]
        if not witnesses and inside:
            counts["deeper"] += 1  # a sequence that only this reader went into
            continue
        same = {others[r][path] for r in witnesses}
        checks.that(good or len(others) < 2 or len(same) > 1,
                    f"{name}: {path} is {ours[path]} here and for nobody else",
                    f"{ {r: others[r].get(path) for r in others} }")
        counts["agreed by all"] += len(good) == len(others)


def decoded(given, work, program, files, checks):
    """Seals each losslessly compressed sample; the copy that another program decoded verifies."""
    folder = work / "decoded"
    folder.mkdir()
    done = 0
    for path in files:
        ds = pydicom.dcmread(path, force=True, stop_before_pixels=True)
        syntax = str(getattr(ds, "file_meta", {}).get("TransferSyntaxUID", ""))
        tool = {**oracle.DECODERS, "1.2.840.10008.1.2.5": ("dcmdrle",)}.get(syntax)
        if tool is None or syntax in oracle.LOSSY:  # what a decoder of those writes is the matrix's matter
            continue
        checks.context = f"decoded {path.name}"
        home = Fiducia(given.bin, folder / f"home-{path.stem}")
        home.init()
        sealed, native = folder / path.name, folder / f"native-{path.name}"
        answer = home.run("seal", path, "--out", folder, "--json")
        if not checks.equal(answer.code, 0, "is sealed", answer):
            continue
        other = subprocess.run([*tool, str(sealed), str(native)], capture_output=True)
        if other.returncode != 0:
            continue
        line = home.run("verify", native, "--json").lines[0]
        differences = oracle.attribute_differences(sealed, native)
        alarms = {f.get("attribute", f["code"]) for f in line["findings"] if f["severity"] == "alarm"}
        checks.equal(alarms, set(differences), "as decoded by " + tool[0], line)
        done += 1
    checks.context = ""
    checks.that(done >= 12, "enough samples were decoded", str(done))
    print(f"{done} compressed samples verified as decoded by others")


def main():
    given = arguments(__doc__.splitlines()[0], verbose={"action": "store_true", "help": "print files"})
    require_tools("dcmdump", "gdcmdump", "dcmdjpeg", "dcmdjpls", "dcmdrle", "gdcmconv")
    checks = Checks()
    files = sorted((given.samples / "real").rglob("*.dcm"))
    files += sorted((given.samples / "derived").glob("*.dcm")) + sorted(
        (given.samples / "synthetic").glob("*.dcm")) + sorted(
        (given.samples / "derived/ct-series").glob("*.dcm"))[:1]
    counts = {"files": 0, "elements": 0, "agreed by all": 0, "deeper": 0}
    with WorkFolder(given.work) as work:
        program = Fiducia(given.bin, work / "home")
        program.init()
        for path in files:
            ours = with_fiducia(program, path)
            others = {"dcmdump": with_dump(["dcmdump", "-q", str(path)], 2),
                      "gdcmdump": with_dump(["gdcmdump", str(path)], 2)}
            try:
                others["pydicom"] = with_pydicom(path)
            except Exception:  # it refuses some of its own samples
                others["pydicom"] = None
            counts["files"] += 1
            if given.verbose:
                print(path.name, None if ours is None else len(ours),
                      {r: s and len(s) for r, s in others.items()})
            if ours is None:
                readers = [r for r, seen in others.items() if seen]
                checks.that(len(readers) < 3, f"{path.name} is read by all others and not here", readers)
                continue
            compare(path.name, ours, others, checks, counts)
        decoded(given, work, program, [f for f in files if "real" in f.parts], checks)
    checks.that(counts["elements"] > 3000, "enough attributes were compared", str(counts))
    print(counts)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
