#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What DCMTK, GDCM, pydicom and Orthanc do to headers, and what Fiducia says of it: derives the
tolerance profile `default-1` of spec/trust.md 8, and the table of docs/archives.md.

  archives.py [--bin DIR] [--samples DIR] [--data DIR] [--whole] [--write]

Objects are sealed, go through each tool, and are verified by a trust file that tolerates nothing.
Differences in attributes that a rule may name (the list of spec/trust.md 8) are harmless: each has to
have a rule in the profile, and each rule a tool that needs it. By the profile just these files are
authentic, and nothing else changes. What a tool does to a header has to stand in docs/archives.md.

Without --whole (or FIDUCIA_WHOLE=1) a sample of objects and of the servers is taken, from a seed that
is printed (FIDUCIA_SEED). --write writes the page. --data, or FIDUCIA_DATA: a folder of more images.
"""
import collections
import concurrent.futures
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import images  # noqa: E402
import oracle  # noqa: E402
import reencode  # noqa: E402
import servers  # noqa: E402
from reencode import CannotMake, tool  # noqa: E402
from support import (PROJECT, Checks, Fiducia, WorkFolder, arguments, data_folder,  # noqa: E402
                     require_tools)

warnings.filterwarnings("ignore")
pydicom = oracle.pydicom
PAGE = PROJECT / "docs/archives.md"
FILE_BYTES_MAX = 1_100_000
SAMPLE_OBJECTS, SAMPLE_TRANSFERS = 6, 3


def through_json(source, target, scratch):
    """The DICOM JSON model, as DICOMweb servers answer in it."""
    ds = reencode.read(source)
    out = pydicom.Dataset.from_json(ds.to_json_dict())
    out.file_meta = ds.file_meta
    out.is_little_endian, out.is_implicit_VR = ds.is_little_endian, ds.is_implicit_VR
    reencode.write(out, target)


def command(*words):
    return " ".join(words), tool(*words, "IN", "OUT")


TOOLS = dict([
    *(command("dcmconv", *options) for options in (
        ("+te",), ("+ti",), ("+tb",), ("+td",), ("+g", "+p", "512", "8"), ("-g", "-p"), ("-e",), ("+U8",),
        ("+L1",), ("-u",), ("+uc",), ("-ig",), ("+sq", "+rd"), ("-dc",), ("-ev",), ("+oi", "+vi", "+pe"))),
    *(command(name) for name in ("dcmcrle", "dcmdrle", "dcmcjpls", "dcmdjpls", "dcmcjpeg", "dcmdjpeg")),
    *(command("gdcmconv", *options) for options in (
        (), ("-X",), ("-M",), ("-U",), ("-C",), ("--remove-gl",), ("--remove-retired",), ("--raw",),
        ("--raw", "--generate-icon"), ("--rle",), ("--jpeg",), ("--jpegls",), ("--j2k",))),
    ("pydicom: read, write", reencode.pydicom_rewrite),
    ("pydicom: every value parsed", reencode.pydicom_parse_all),
    ("pydicom: through DICOM JSON", through_json),
])


def profile_of_spec():
    """({tag: keyword} that rules may name, {(tag, change)} of default-1) of spec/trust.md 8."""
    text = (PROJECT / "spec/trust.md").read_text()
    rows = re.findall(r"^\| (\([0-9A-F]{4},[0-9A-F]{4}\)) \| (\w+) \| ?([^|]*)\|$", text, re.MULTILINE)
    assert len(rows) > 10
    return ({tag: keyword for tag, keyword, _ in rows},
            {(tag, rule.split(":")[0].strip()) for tag, _, rule in rows if rule.strip()})


def books(source, folder, listed):
    """An image with every attribute that a rule may name, filled; another with all of them empty."""
    for number, value in enumerate(({"US": 1, "IS": "1", "UI": "1.2.3"}, None)):
        ds = pydicom.dcmread(source)
        for tag in listed:
            numbers = int(tag[1:5], 16), int(tag[6:10], 16)
            vr = pydicom.datadict.dictionary_VR(numbers)
            ds.add_new(numbers, vr, value.get(vr, "X") if value is not None else None)
        ds.SOPInstanceUID += f".{number + 1}"
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.save_as(folder / f"books-{'filled' if value is not None else 'empty'}.dcm",
                   write_like_original=False)


def gather(given, folder, listed, rng):
    """Objects of the samples, and of the data, with SOP Instance UIDs that are there once."""
    folder.mkdir()
    books(given.samples / "real/pydicom/CT_small.dcm", folder, listed)
    more = sorted((given.samples / "real").rglob("*.dcm"))
    data = data_folder(given)
    more += sorted(data.rglob("*.dcm")) if data else []
    more = [path for path in more if path.stat().st_size <= FILE_BYTES_MAX]
    if not given.whole:
        more = rng.sample(more, SAMPLE_OBJECTS)
    seen = {servers.uid_of(path) for path in folder.iterdir()}
    for number, source in enumerate(more):
        target = folder / f"{source.parent.name}.{source.name}"
        shutil.copy(source, target)
        uid = servers.uid_of(target)
        if uid in seen and uid:
            images.with_own_uid(target, target, number)
        seen.add(uid)


def run_tools(sealed, work):
    """{file: (tool, its source)}"""
    jobs = []
    for number, (name, change) in enumerate(TOOLS.items()):
        folder = work / "made" / f"{number:02d}"
        folder.mkdir(parents=True)
        jobs += [(name, change, source, folder / source.name) for source in sealed]

    def run(job):
        name, change, source, target = job
        scratch = work / "scratch" / f"{target.parent.name}.{target.name}"
        scratch.mkdir(parents=True)
        try:
            change(source, target, scratch)
        except Exception:  # the tool, or the library, does not do that to this object
            target.unlink(missing_ok=True)

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        list(pool.map(run, jobs))
    return {target: (name, source) for name, _, source, target in jobs if target.exists()}


def run_servers(sealed, work, transfers, checks):
    made = {}
    for number, name in enumerate(transfers):
        folder = work / "servers" / f"{number:02d}"
        folder.mkdir(parents=True)
        try:
            got = servers.TRANSFERS[name](sealed, folder)
        except CannotMake as error:
            checks.skip(f"{name}: {error}")
            continue
        kept = work / "made" / f"server{number:02d}"
        kept.mkdir(parents=True)
        for source, path in got.items():
            made[kept / source.name] = (name, source)
            shutil.copy(path, kept / source.name)
        checks.that(got, f"{name} gave something back")
    return made


def top_level(findings):
    """{(tag, change)} of what alarms at the top level; None for anything else that alarms."""
    out = set()
    for finding in findings:
        if finding["severity"] != "alarm":
            continue
        kind, place = finding["code"].split("."), finding.get("attribute", "")
        if kind[0] == "attribute" and re.fullmatch(r"\([0-9A-F]{4},[0-9A-F]{4}\)", place):
            out.add((place, kind[1]))
        else:
            out.add((place or finding["code"], ""))
    return out


def versions():
    def first(*words):
        done = subprocess.run(words, capture_output=True, timeout=20)
        return (done.stdout + done.stderr).decode(errors="replace")
    out = {"DCMTK": re.search(r"v([\d.]+)", first("dcmconv", "--version"))[1],
           "GDCM": re.search(r"gdcm ([\d.]+)", first("gdcmconv", "--version"))[1],
           "pydicom": pydicom.__version__}
    if servers.ORTHANC:
        out["Orthanc"] = re.search(r"([\d.]+)", first(servers.ORTHANC, "--version"))[1]
    return out


def house_of(name):
    if name.startswith(("gdcm", "pydicom", "Orthanc")):
        return {"g": "GDCM", "p": "pydicom", "O": "Orthanc"}[name[0]]
    return "DCMTK"


def name_of(place):
    match = re.fullmatch(r"\(([0-9A-F]{4}),([0-9A-F]{4})\)", place)
    keyword = pydicom.datadict.keyword_for_tag(int(match[1] + match[2], 16)) if match else ""
    return f"{place} {keyword}".strip()


class Row:
    def __init__(self):
        self.verdicts, self.differences = collections.Counter(), collections.Counter()


def rows_of(made, strict):
    rows = collections.defaultdict(Row)
    for path, (name, _) in made.items():
        line = strict[str(path)]
        rows[name].verdicts[line["verdict"]] += 1
        # Of what is under items and of private elements the number says enough.
        for place, change in top_level(line["findings"]):
            plain = change and int(place[4], 16) % 2 == 0
            rows[name].differences[(place if plain else "other", change if plain else "")] += 1
    return rows


def said(difference, profile):
    return "tolerated, note" if difference in profile else "altered"


def page(rows, profile, count):
    shown = ", ".join(f"{name} {version}" for name, version in versions().items())
    out = ["# Archives", "",
           "What common tools and archives do to the header of a sealed image, and what Fiducia says. Made by "
           "`tests/e2e/archives.py --whole --write`,", f"which runs {shown} on {count} objects and checks this page.", "",
           "*Altered* is what is said when nothing is tolerated. The tolerance profile `default-1`, which "
           "`fiducia init` names in the trust file, turns what is *tolerated* into a note: the",
           "attributes are retired, and nothing depends on them. Everything else in the table is a change of "
           "content. What a site's own archive adds can be tolerated by rules of its own", "([spec/trust.md](../spec/trust.md) 8):", "",
           "```toml", "[tolerance]", 'profile = "default-1"', "", "[[tolerance.rule]]", 'name = "our archive"',
           'attribute = "RetrieveAETitle"', 'change = "added"', 'to = ["PACS1", "PACS2"]', 'severity = "note"', "```", "",
           "Tools that decompress an image add (0028,2110) LossyImageCompression and (0028,2114) "
           "LossyImageCompressionMethod; where that is true it is a note without any rule",
           "([spec/seal.md](../spec/seal.md) 10.1).", "",
           "| tool | files | authentic | what it did to headers | Fiducia says |", "|---|---|---|---|---|"]
    for name in [*TOOLS, *servers.TRANSFERS]:
        if name not in rows:
            continue
        row = rows[name]
        made = sum(row.verdicts.values())
        head = f"| {house_of(name)}: `{name}` | {made} | {row.verdicts['authentic']} |"
        if not row.differences:
            out.append(f"{head} nothing | |")
        for verdict in ("altered", "tolerated, note"):
            there = [d for d in sorted(row.differences) if said(d, profile) == verdict and d[0] != "other"]
            rest = verdict == "altered" and any(d[0] == "other" for d in row.differences)
            if not there and not rest:
                continue
            words = "; ".join(f"{name_of(place)} {change}" for place, change in there)
            words += ("; " if there and rest else "") + ("other content" if rest else "")
            out.append(f"{head} {words} | {verdict} |")
            head = "| | | |"
    out += ["", "*Other content*: pixels, items of sequences, private elements, and forms that readers take in different ways. Files that are neither "
            "authentic nor altered are `indeterminate`: a tool wrote", "everything in a form that readers take in different ways, or lost something."]
    return "\n".join(out) + "\n"


def stated_on_page():
    """{(tool, tag, change, what is said)} of docs/archives.md."""
    out, name = set(), None
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 5 or cells[0] in ("tool", "---"):
            continue
        name = re.search(r"`([^`]+)`", cells[0])[1] if cells[0] else name
        for words in cells[3].split("; "):
            found = re.fullmatch(r"(\([0-9A-F]{4},[0-9A-F]{4}\)) ?\w* (added|removed|altered)", words)
            out.add((name, found[1], found[2], cells[4]) if found else (name, words, "", cells[4]))
    return out


def has_other_vr(source, target, place):
    """Whether a tool wrote the attribute under another VR, which is no difference of its value: whether
    readers take that alike is another question."""
    tag = int(place[1:5] + place[6:10], 16)
    vrs = {getattr(ds.get_item(tag), "VR", None)
           for ds in (pydicom.dcmread(path, force=True, stop_before_pixels=True)
                      for path in (source, target)) if tag in ds}
    return len(vrs) > 1


def check(made, strict, tolerant, checks, listed, profile):
    harmless = collections.defaultdict(set)
    for path, (name, source) in made.items():
        checks.context = f"{name}, {source.name}"
        before, after = strict[str(path)], tolerant[str(path)]
        alarms = top_level(before["findings"])
        kept = {d for d in alarms if d[0] in listed and d[1] and not has_other_vr(source, path, d[0])}
        for difference in kept:
            harmless[difference].add(name)
        told = {(f["attribute"], f["severity"]) for f in after["findings"] if f["code"] == "tolerated"}
        checks.equal(told, {(place, "note") for place, change in kept if (place, change) in profile},
                     "just what rules cover is tolerated")
        if alarms and alarms <= profile:
            checks.equal(after["verdict"], "authentic" if not any(
                f["severity"] == "warning" for f in before["findings"]) else after["verdict"],
                "what the profile covers makes nothing altered", after["findings"])
            checks.that(after["verdict"] != "altered", "is not altered by what is tolerated")
        else:
            checks.equal(after["verdict"], before["verdict"], "the profile changes no other verdict")
        if after["verdict"] != "malformed":  # nothing was compared
            checks.equal(after.get("tolerance"), {"profile": "default-1", "own_rules": 0},
                         "the profile is named")
        checks.that("tolerance" not in before, "no profile is named where there is none")
    checks.context = ""
    for place, change in sorted(set(harmless) - profile):
        checks.that(False, f"a harmless difference has no rule: {name_of(place)} {change}",
                    ", ".join(sorted(harmless[place, change])))
    for place, change in sorted(profile - set(harmless)):
        checks.that(False, f"no tool needs the rule: {name_of(place)} {change}")


def main():
    given = arguments(__doc__.splitlines()[0],
                      data={"type": pathlib.Path, "help": "a folder of more images"},
                      whole={"action": "store_true", "default": bool(os.environ.get("FIDUCIA_WHOLE")),
                             "help": "all objects and servers"},
                      write={"action": "store_true", "help": "write docs/archives.md"})
    require_tools("dcmconv", "dcmcjpeg", "dcmcjpls", "dcmcrle", "gdcmconv", "storescu", "storescp",
                  "dcmsend", "dcmqrscp", "getscu", "movescu")
    seed = int(os.environ.get("FIDUCIA_SEED") or random.SystemRandom().randrange(1 << 32))
    print(f"FIDUCIA_SEED={seed}")
    rng, checks = random.Random(seed), Checks()
    listed, profile = profile_of_spec()
    with WorkFolder(given.work) as work:
        gather(given, work / "sources", listed, rng)
        program = Fiducia(given.bin, work / "home")
        program.init()
        program.run("seal", work / "sources", "--out", work / "sealed", timeout_s=1200)
        # One that is never authentic, because readers differ about it as it is, says nothing of tools.
        answer = program.run("verify", work / "sealed", "--json", timeout_s=1200)
        sealed = sorted(pathlib.Path(line["path"]) for line in answer.lines
                        if line["verdict"] == "authentic")
        checks.that(len(sealed) >= 2, "objects are sealed")
        transfers = list(servers.TRANSFERS)
        if not given.whole:
            transfers = rng.sample(transfers, SAMPLE_TRANSFERS)
        made = run_tools(sealed, work)
        made.update(run_servers(sealed, work, transfers, checks))
        text = (work / "home/trust.toml").read_text()
        checks.that('\nprofile = "default-1"\n' in text, "init names the profile")
        (work / "strict.toml").write_text(text[:text.index("[tolerance]\n")])
        verdicts = []
        for trust in ("strict.toml", "home/trust.toml"):
            answer = Fiducia(given.bin).run("verify", work / "made", "--trust", work / trust, "--json",
                                            timeout_s=3600)
            verdicts.append({line["path"]: line for line in answer.lines})
        strict, tolerant = verdicts
        rows = rows_of(made, strict)
        if given.write:
            PAGE.write_text(page(rows, profile, len(sealed)))
        check(made, strict, tolerant, checks, listed, profile)
        stated = stated_on_page()
        for name, row in rows.items():
            for place, change in row.differences:
                if place != "other":
                    wanted = (name, place, change, said((place, change), profile))
                    checks.that(wanted in stated, f"docs/archives.md says: {wanted}")
        return checks.done()


if __name__ == "__main__":
    sys.exit(main())
