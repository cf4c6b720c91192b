# SPDX-License-Identifier: Apache-2.0
"""The verdict over a file: spec/seal.md section 10."""

import hashlib
import re
from dataclasses import dataclass, field

from cryptography import x509

import cbor
import codestream
import cose
import evidence as evidences
import header
import pixels
import reader
import readings
import tolerance
import trust as trusts
from dictionary import allowed
from salts import Salts

SOP_INSTANCE_UID, PHOTOMETRIC = 0x00080018, 0x00280004
# 10.1: what DCMTK's lossless JPEG coder writes in front of the Derivation Description.
REMARK = re.compile(rb"Lossless JPEG compression, selection value [0-9], point transform "
                    rb"[0-9]{1,2}, compression ratio (?=[0-9.]{1,12}(?: \[|$))[0-9]*\.?[0-9]*"
                    rb"(?: \[(.*)\])?", re.DOTALL)
DERIVATION, NUMBER_OF_FRAMES = b"\0\x08\0\x21\x11", b"\0\x28\0\0\x08"
ONE_FRAME = (header.DECIMAL, b"1")
# Warnings about pixels whose samples are as sealed (7.1).
BESIDE_SAMPLES = {"reading.ambiguous", "offset-table.wrong"}
ITEM_COUNT_TRIED_MAX = 100_000


@dataclass
class Judgement:
    verdict: str = "indeterminate"
    findings: list = field(default_factory=list)
    statement: object = None
    undecidable: bool = False
    differs: bool = False
    accepted: bool = True
    compared_tiles: int = 0
    differing_tiles: int = 0
    term_changed: bool = False  # the codestream is the sealed one, its file term is not
    pixels_same: bool = True
    pixels_differ: bool = False  # an alarm was told of them
    tile_findings: list = field(default_factory=list)  # told once loss was weighed
    kinds: set = field(default_factory=set)  # of 7.1, of what is not as it was sealed
    views: dict = field(default_factory=dict)  # number of a rendition: all frames are it
    rendition: bool = False  # the samples are those of a rendition (6.7)
    lossy: bool = False  # told that samples cannot be compared for loss
    tolerance: list = field(default_factory=list)  # rules of the trust file
    decoder_lacks: bool = False  # what a decoder makes of the colours is not known here

    def add(self, code, severity="alarm", **where):
        self.findings.append({"code": code, "severity": severity, **where})
        return self.findings[-1]

    def alarm(self, code, **where):
        self.differs = True
        return self.add(code, **where)

    def undecided(self, code, **where):
        self.undecidable = True
        if any(finding["code"] == code for finding in self.findings):
            return None  # said once, for the first frame
        return self.add(code, "warning", **where)


# --- header ------------------------------------------------------------------------------------

def _name_of_path(path):
    """The text of a canonical path (5.1); None for bytes that are no path."""
    at, out = 0, ""

    def take(count):
        nonlocal at
        if count > len(path) - at:
            raise ValueError
        at += count
        return path[at - count:at]

    try:
        while True:
            group, kind = int.from_bytes(take(2), "big"), take(1)[0]
            if kind in (0, 3):
                out += "(%04X,%04X)" % (group, int.from_bytes(take(2), "big"))
            elif kind in (1, 2):
                creator = take(int.from_bytes(take(2), "big"))
                if not creator:
                    raise ValueError
                out += '(%04X,"%s"' % (group, header.printable(creator))
                out += ",%02X)" % take(1)[0] if kind == 2 else ")"
            else:
                raise ValueError
            if at == len(path):
                return out
            out += "[%d]." % int.from_bytes(take(4), "big")
    except ValueError:
        return None


def _same_for_each_reader(leaf, one, other):
    """5.5.3: each reader gets the same value under both VRs."""
    value, both = leaf.element.value, {one, other}
    if all(header.bytes_value(value, vr, leaf.charset)[0] == header.EMPTY for vr in both):
        return True
    for signed, unit in (({"US", "SS"}, 2), ({"UL", "SL"}, 4), ({"UV", "SV"}, 8)):
        if both == signed:
            return not any(byte & 0x80 for byte in value[unit - 1::unit])
    if not both <= header.TEXTS or b"\\" in value and len(both & header.WHOLE) == 1:
        return False
    numbers = both & {"DS", "IS"}
    if numbers:
        return all(header.bytes_value(value, vr, leaf.charset)[0] == header.DECIMAL
                   for vr in numbers)
    return header.bytes_value(value, one, leaf.charset) \
        == header.bytes_value(value, other, leaf.charset)


def _loses_sign(leaf, sealed_vr):
    """5.5.3: a number whose sign nobody says, and which reads as another."""
    element = leaf.element
    return (not element.tag >> 16 & 1 and element.said in (None, "UN")
            and {element.vr, sealed_vr} == {"US", "SS"} and any(byte & 0x80 for byte in element.value[1::2]))


def _vr_change_allowed(leaf, sealed_vr):
    """5.5.3"""
    said, tag = leaf.element.said, leaf.element.tag
    both, private = {said, sealed_vr}, tag >> 16 & 1
    if leaf.element.vr == sealed_vr:
        return True
    if _loses_sign(leaf, sealed_vr):
        return False
    if said is None or "UN" in both or both == {"OB", "OW"}:
        return True
    if private and (0x10 <= tag & 0xFFFF <= 0xFF and said == "LO"):
        return True
    choices = allowed(tag)
    return (private or said in choices) and (
        _same_for_each_reader(leaf, said, sealed_vr)
        or not private and sealed_vr in choices and both != {"US", "SS"})


def _sealed_items(salt, path, digest):
    """The number of items that a sequence's leaf stands for, or None."""
    for count in range(ITEM_COUNT_TRIED_MAX):
        value = count.to_bytes(4, "big")
        if header.leaf_hash(salt, path, "SQ", header.ITEMS, value) == digest:
            return count
        if count > 4096:
            return None
    return None


def compare_header(judgement, file, image, evidence, salts, term, sealed_tag):
    """`sealed_tag`: of the element that the pixel tree covers, or None."""
    covered = file.data_set.first(sealed_tag) if sealed_tag is not None else None
    sealed = {}
    for index, (path, vr, digest) in enumerate(evidence.rows):
        sealed.setdefault(path, []).append((index, vr, digest))
    first_vrs = {path: rows[0][1] for path, rows in sealed.items()}
    current = {}
    left_out = []
    leaves = header.walk(file.data_set, covered, first_vrs, left_out)
    for leaf in leaves:
        current.setdefault(leaf.path, []).append(leaf)
    met = readings.find(file, leaves, left_out, covered)

    before = len(judgement.findings)
    silent = []  # what lies under these paths is not reported again
    other_vrs = 0
    for path in sorted(set(sealed) | set(current)):
        rows, leaves = sealed.get(path, []), current.get(path, [])
        if any(path.startswith(prefix) for prefix in silent):
            continue
        for (index, vr, digest), leaf in zip(rows, leaves):
            other_vrs += _compare_leaf(judgement, evidence, salts, index, path, vr, digest, leaf,
                                       image, term, silent)
        name = leaves[0].name if leaves else _name_of_path(path)
        for index, vr, digest in rows[len(leaves):]:
            if path == NUMBER_OF_FRAMES and vr == "IS" and digest \
                    == header.leaf_hash(salts.header(index), path, vr, *ONE_FRAME):
                continue
            if _tolerated(judgement, path, "removed", name, None, (salts.header(index), vr, digest)):
                continue
            judgement.alarm("attribute.removed", **({"attribute": name} if name else {}))
        for leaf in leaves[len(rows):]:
            if path == DERIVATION and not rows and judgement.pixels_same and _only_remarks(leaf):
                other_vrs += 1
                continue
            if path == NUMBER_OF_FRAMES and not leaf.duplicate and leaf.element.vr == "IS" \
                    and header.canonical(leaf.element, "IS", leaf.charset) == ONE_FRAME:
                continue
            if _is_true_record(judgement, path, leaf, None, evidence, image):
                other_vrs += 1
                continue
            if _tolerated(judgement, path, "added", name, leaf, None):
                continue
            judgement.alarm("attribute.added", attribute=name)
        if not rows or not leaves:
            silent.append(path)
    if other_vrs:
        judgement.add("encoding.changed", "note")
    if evidence.statement.untyped is not None \
            and not any(finding["severity"] == "alarm" for finding in judgement.findings[before:]):
        untyped = header.UntypedText(salts.header(len(evidence.rows)))
        for path, rows in sorted(sealed.items()):
            for (_, vr, _), leaf in zip(rows, current.get(path, [])):
                if vr == "UN":
                    untyped.add(path, leaf)
        if untyped.digest() != evidence.statement.untyped:
            judgement.undecidable = True
            judgement.add("reading.ambiguous", "warning",
                          **({"attribute": untyped.first} if untyped.first else {}))
    _compare_readings(judgement, file, evidence.statement.readings, met, before)
    if file.preamble:
        judgement.add(file.preamble, "note" if file.preamble == "preamble.tiff" else "warning")


def _compare_readings(judgement, file, sealed, met, before):
    """14. `before`: how many findings there were before those of the header."""
    # A tool that wrote all of it, and changed nothing else.
    whole = not any(finding["severity"] == "alarm" for finding in judgement.findings[before:]) \
        and readings.all_under_un(file.data_set)
    for kind, name in sorted(met.items()):
        place = {"attribute": name} if name else {}
        if kind in sealed or whole and kind == reader.UNDER_UN:
            judgement.undecidable = True
            judgement.add("reading.ambiguous", "warning", **place)
        else:
            whole = False
            judgement.alarm("reading.ambiguous", **place)
    if sealed and not met:
        judgement.undecidable = True
        judgement.add("reading.ambiguous", "warning")


def _compare_leaf(judgement, evidence, salts, index, path, vr, digest, leaf, image, term, silent):
    """Returns 1 if the value is the same in another VR."""
    element, salt = leaf.element, salts.header(index)
    form = header.canonical(element, vr, leaf.charset)
    if element.items == [] and element.tag >> 16 & 1 and vr != "SQ":
        form = (header.EMPTY, b"")
    if path == b"\0\x28\0\0\x04" and judgement.term_changed:
        judgement.alarm("attribute.altered", attribute=leaf.name)
        return 0
    if image is not None and term is not None and leaf.path == b"\0\x28\0\0\x04" \
            and element.tag == PHOTOMETRIC:
        form = (header.TEXT, term.encode("utf-8"))
    if element.items is not None and vr == "SQ":
        if header.leaf_hash(salt, path, vr, *form) == digest:
            return 0 if _same_vr(leaf, vr) else 1
        now, was = len(element.items), _sealed_items(salt, path, digest)
        if was is not None and now > was:
            judgement.alarm("item.added", attribute="%s[%d]" % (leaf.name, was + 1))
        else:
            judgement.alarm("item.removed", attribute="%s[%d]" % (leaf.name, now + 1))
        # What lies in items that only one side has is not reported again.
        for number in range(min(now, was or 0) + 1 if was is not None else now + 1,
                            max(now, was or 0) + 1):
            silent.append(path + number.to_bytes(4, "big"))
        return 0
    same = form is not None and header.leaf_hash(salt, path, vr, *form) == digest
    if same and _same_vr(leaf, vr):
        return 0
    if not same and path == DERIVATION and judgement.pixels_same \
            and _same_but_remarks(leaf, evidence, salt, index, vr, digest):
        return 1
    if not same and _vr_change_allowed(leaf, vr):
        row = salt, vr, digest
        if _is_true_record(judgement, path, leaf, row, evidence, image):
            return 1
        if _tolerated(judgement, path, "altered", leaf.name, leaf, row):
            return 0
    if not same or not _vr_change_allowed(leaf, vr):
        judgement.alarm("attribute.altered", attribute=leaf.name)
        return 0
    return 1


def _sealed_as(row, path, text):
    """Whether the sealed value reads as `text`. `row`: salt, VR and hash."""
    salt, vr, digest = row
    form = header.bytes_value(text, vr, header.Charset())
    return header.leaf_hash(salt, path, vr, *form) == digest


def _is_true_record(judgement, path, leaf, row, evidence, image):
    """10.1: a tool wrote down that there was loss, which is true, where nothing stood."""
    tag = leaf.element.tag
    if len(path) != 5 or leaf.duplicate or leaf.element.items is not None \
            or leaf.element.fragments is not None \
            or judgement.pixels_differ \
            or not tolerance.is_true_record(tag, leaf.element.value, evidence.statement, image):
        return False
    return row is None or _sealed_as(row, path, b"") \
        or tag == tolerance.FLAG and _sealed_as(row, path, b"00")


def _tolerated(judgement, path, change, name, leaf, row):
    if leaf is not None and (leaf.duplicate or leaf.element.items is not None
                             or leaf.element.fragments is not None):
        return False

    def now(text):
        vr, own = leaf.element.vr, header.Charset()
        return header.canonical(leaf.element, vr, leaf.charset) \
            == header.bytes_value(text.encode(), vr, own)

    severity = tolerance.severity_of(judgement.tolerance, path, change,
                                     lambda text: _sealed_as(row, path, text.encode()), now)
    if severity is None:
        return False
    judgement.add("tolerated", severity, attribute=name)
    return True


def _only_remarks(leaf):
    text = leaf.element.value.rstrip(b" \0")
    while text:
        match = REMARK.fullmatch(text)
        if not match:
            return False
        text = match[1] or b""
    return True


def _same_but_remarks(leaf, evidence, salt, index, vr, digest):
    """10.1: the sealed value lies behind remarks of a lossless coder."""
    text = leaf.element.value.rstrip(b" \0")
    while True:
        match = REMARK.fullmatch(text)
        if not match:
            return False
        text = match[1] or b""
        form = header.bytes_value(text, vr, leaf.charset)
        if header.leaf_hash(salt, leaf.path, vr, *form) == digest:
            return True


def _same_vr(leaf, vr):
    """5.5.4: the file says no other VR than the sealed one."""
    return leaf.element.vr == vr or leaf.element.said is None and not _loses_sign(leaf, vr)


# --- pixels ------------------------------------------------------------------------------------

def canonical_term(file, image, statement):
    """5.6, as a verifier takes it; None where the file's own value stands."""
    if image is None or image.term == "?" \
            or b"\\" in file.data_set.first(PHOTOMETRIC).value:
        return None
    if statement is not None and statement.pixels and _shortcut_holds(image, statement):
        return statement.pixels[5] if statement.pixels[5] != "?" else None
    if image.encapsulated and pixels.term_belongs(image.syntax, image.term):
        return statement.pixels[5] if statement and statement.pixels else "RGB"
    return image.term


def _shortcut_holds(image, statement):
    encoding = statement.encoding
    return (encoding is not None and image.encapsulated and image.syntax == statement.syntax
            and image.term == encoding[1] and image.planar == encoding[2]
            and image.geometry == statement.geometry)


def compare_pixels(judgement, image, evidence, salts):
    statement, before = evidence.statement, len(judgement.findings)
    if image is None:
        return
    if image.geometry[1:] != statement.geometry[1:]:
        judgement.alarm("pixels.altered")
        return
    sealed, announced = statement.geometry[0], image.geometry[0]
    encoded, whole, wrong, present = None, None, False, announced
    if image.encapsulated:
        try:
            whole, wrong = pixels.divide(image)
        except pixels.BadFrame:
            judgement.alarm("pixels.altered")
            return
        encoded = pixels.encoded_frames(image, whole)
        present = len(encoded)
    else:
        present = pixels.native_frame_count(image)
    judgement.kinds = pixels.form_kinds(image, wrong) | codestream.layouts(image, whole)
    judgement.views = {number: leaves for (number, _), leaves in
                       zip(statement.pixels[6], evidence.renditions)}
    for frame in range(min(sealed, present)):
        _compare_frame(judgement, image, evidence, salts, frame,
                       encoded[frame] if encoded is not None else None,
                       whole[frame] if whole is not None else None)
    _weigh_loss(judgement, image, statement)
    _tell_of_kinds(judgement, statement)
    if statement.pixels[1] is None and all(
            finding["severity"] == "note"
            or finding["severity"] == "warning" and finding["code"] in BESIDE_SAMPLES for finding in judgement.findings[before:]):
        judgement.add("bytes.only", "note")
    if present < sealed:
        judgement.alarm("pixels.missing", frame=present + 1)
    if present > sealed:
        judgement.alarm("pixels.added", frame=sealed + 1)
    if not image.encapsulated:
        _compare_tail(judgement, image, evidence, salts, present)


def _weigh_loss(judgement, image, statement):
    """6.7 and 10.4. What is decoded here loses nothing, so only the seal can say that there was
    loss."""
    if not judgement.differing_tiles:
        return
    for number in sorted(judgement.views):
        if image.term == ("RGB" if number == 2 else "YBR_FULL"):
            judgement.rendition = True
    most = 2 * judgement.differing_tiles > judgement.compared_tiles
    if judgement.rendition:
        judgement.tile_findings = []
    elif most and not statement.pixels[3]:
        judgement.findings = [f for f in judgement.findings if f["code"] != "pixels.altered"]
        judgement.tile_findings, judgement.differs, judgement.lossy = [], False, True
        judgement.undecided("decoder.differs")
    for finding in judgement.tile_findings:
        judgement.alarm("pixels.altered", **finding)


def _tell_of_kinds(judgement, statement):
    """7.1"""
    for kind in sorted(judgement.kinds | set(statement.pixels[7])):
        judgement.undecidable = True
        if kind == pixels.OFFSET_TABLE:
            judgement.add("offset-table.wrong", "warning")
        elif kind in statement.pixels[7] or judgement.lossy:
            judgement.add("reading.ambiguous", "warning")
        else:
            judgement.alarm("reading.ambiguous")


def _compare_tail(judgement, image, evidence, salts, present):
    used = (present * pixels.frame_bits(image, len(image.element.value)) + 7) // 8
    # The byte that makes the length even stands behind the last frame only.
    tail = image.element.value[used + (used % 2 if present == image.geometry[0] else 0):]
    if evidence.tail is None:
        if tail:
            judgement.alarm("pixels.added")
    elif not tail:
        judgement.alarm("pixels.missing")
    elif pixels.tail_hash(salts, tail) != evidence.tail:
        judgement.alarm("pixels.altered")


def _compare_frame(judgement, image, evidence, salts, frame, encoded, whole):
    statement = evidence.statement
    same_code = encoded is not None and frame < len(evidence.encoded) \
        and pixels.code_hash(salts, frame, encoded) == evidence.encoded[frame]
    if same_code and image.term != statement.encoding[1]:
        judgement.term_changed = True
    if same_code and _shortcut_holds_but_frames(image, statement):
        return
    if encoded is not None:
        judgement.kinds |= codestream.kinds(image, whole)
        if not same_code and _is_called_another(image, statement):
            judgement.term_changed = True
    if statement.pixels[1] is None:
        if image.encapsulated and image.syntax == statement.syntax:
            judgement.alarm("pixels.altered", frame=frame + 1)
        else:
            judgement.undecided("bytes.only")
        return
    try:
        containers = pixels.decode(image, frame, encoded)
    except pixels.NoDecoder:
        judgement.undecided("codec.missing", frame=frame + 1)
        return
    except pixels.BadFrame:
        judgement.undecided("codec.failed", frame=frame + 1)
        return
    tiles, bits = pixels.frame_hashes(image, salts, frame, containers)
    each, across = evidence.tiles_per_frame, image.tile_grid[1]
    samples = pixels.canonical(image, containers)[0]
    differ = [t for t in range(each) if tiles[t] != evidence.tiles[frame * each + t]]
    for t, _, _, part in pixels.tiles_of(image, samples):
        # A tile of one value decodes the same everywhere, and says nothing about decoders.
        if statement.pixels[3] or t in differ or (part != part[0, 0]).any():
            judgement.compared_tiles += 1
    judgement.differing_tiles += len(differ)
    judgement.views = {
        number: leaves for number, leaves in judgement.views.items()
        if pixels.view_hash(salts, frame, number, samples) == leaves[frame]}
    if pixels.has_unextended_signs(image, containers):
        judgement.kinds.add(pixels.SIGNS_NOT_EXTENDED)
    # All that is decoded here carries all bits.
    others = [t for t in range(each) if bits.get(t) != evidence.outside.get((frame, t))
              and not (t not in bits and evidence.outside[frame, t]
                       == pixels.unextended_leaf(image, salts, frame, containers, t))]
    if differ:
        judgement.tile_findings.append({"frame": frame + 1, "tiles": [
            [t // across, t % across] for t in differ]})
    if others:
        judgement.alarm("pixels.altered", frame=frame + 1,
                        tiles=[[t // across, t % across] for t in others])


def _is_called_another(image, statement):
    """10.2: a JPEG says another YCbCr than was sealed."""
    sealed = statement.encoding[1] if statement.encoding else None
    return (image.syntax in pixels.JPEG_PROCESSES and image.term.startswith("YBR_")
            and image.term != sealed
            and (sealed in pixels.JPEG_TERMS or image.term.startswith("YBR_PARTIAL"))
            # GDCM makes this of it.
            and not (sealed == "YBR_FULL_422" and image.term == "YBR_FULL"
                     and image.syntax in ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")))


def _shortcut_holds_but_frames(image, statement):
    encoding = statement.encoding
    return (encoding is not None and image.syntax == statement.syntax
            and image.term == encoding[1] and image.planar == encoding[2]
            and image.geometry[1:] == statement.geometry[1:])


# --- trust -------------------------------------------------------------------------------------

def judge_trust(judgement, evidence, trust, at):
    """Returns the time of sealing. Clears judgement.accepted where the seal does not count."""
    statement, der = evidence.statement, evidence.message.chain()
    codes, entered = trusts.check_ledger(evidence, der[0], trust, at)
    time = statement.claimed_at if entered is None else entered.date
    if entered is not None and max(abs(time - statement.claimed_at),
                                   abs(time - entered.issued_at)) > trusts.CLOCK_SLACK_S:
        judgement.add("time.disagrees", "warning")
    try:
        chain = [x509.load_der_x509_certificate(item) for item in der]
        codes += trusts.check_signer(chain, trust, time, at, statement.device,
                                     entered.attested if entered is not None else None)
    except ValueError:
        codes.append("signer.untrusted")
    if at is not None and time > at:
        codes.append("seal.later")
    for code in codes:
        judgement.add(code)
        judgement.accepted = False


def _signature_good(evidence):
    if evidence.message.protected.get(cose.CONTENT_TYPE) != evidences.STATEMENT_TYPE:
        return False
    try:
        key = x509.load_der_x509_certificate(evidence.message.chain()[0]).public_key()
    except (ValueError, cose.BadCose):
        return False
    return cose.verify(evidence.message, key, evidence.message.payload)


# --- one evidence ------------------------------------------------------------------------------

def judge(file, data, trust, at=None):
    """`data` is one evidence. Raises BadEvidence where it cannot be read at all."""
    judgement = Judgement(tolerance=trust.tolerance)
    evidence = evidences.read(data)
    if evidence.statement is None:
        judgement.alarm("seal.invalid")
        judgement.verdict = "altered"
        return judgement
    statement, salts = evidence.statement, Salts(evidence.seed)
    judgement.statement = statement
    if not evidence.tables_true() or not _signature_good(evidence):
        judgement.alarm("seal.invalid")
    else:
        judge_trust(judgement, evidence, trust, at)
    image, sealed_tag = None, None
    if statement.pixels:
        before = len(judgement.findings)
        kind, size = statement.geometry[5], statement.geometry[4]
        sealed_tag = pixels.SOURCES[0 if kind < 2 else 1 if size == 4 else 2]
        image = pixels.open_image(file)
        if file.data_set.first(sealed_tag) is None:
            judgement.alarm("pixels.missing")
            image = None
        elif image is None:
            judgement.alarm("pixels.altered")
        if image is not None and image.encapsulated and not image.syntax:
            image.syntax = statement.syntax  # 7: a bare data set names none
        compare_pixels(judgement, image, evidence, salts)
        # Without a decoder nobody can tell.
        judgement.pixels_same = all(finding["severity"] == "note"
                                    or finding["severity"] == "warning"
                                    and finding["code"] in BESIDE_SAMPLES | {"codec.missing"}
                                    for finding in judgement.findings[before:])
        judgement.pixels_differ = any(finding["severity"] == "alarm"
                                      for finding in judgement.findings[before:])
    term = canonical_term(file, image, statement)
    if judgement.rendition and term is not None:
        term = statement.pixels[5]
    judgement.decoder_lacks = (image is not None and image.encapsulated
                               and pixels.term_belongs(image.syntax, image.term)
                               and not (statement.pixels and _shortcut_holds(image, statement)))
    compare_header(judgement, file, image, evidence, salts, term, sealed_tag)
    if file.transfer_syntax != statement.syntax:
        judgement.add("encoding.changed", "note")
    if judgement.differs:
        judgement.verdict = "altered"
    elif not judgement.accepted:
        judgement.verdict = "untrusted"
    elif judgement.undecidable:
        judgement.verdict = "indeterminate"
    else:
        judgement.verdict = "authentic"
    return judgement


# --- a file ------------------------------------------------------------------------------------

def _has_instance(evidence_data, file):
    """The evidence is over an object with the file's SOP Instance UID."""
    element = file.data_set.first(SOP_INSTANCE_UID)
    if element is None:
        return False
    try:
        evidence = evidences.read(evidence_data)
    except evidences.BadEvidence:
        return False
    path = b"\0\x08\0\0\x18"
    kind, value = header.bytes_value(element.value, "UI", header.Charset())
    return any(row[0] == path and header.leaf_hash(Salts(evidence.seed).header(i), path, row[1],
                                                   kind, value) == row[2]
               for i, row in enumerate(evidence.rows))


def verify(file_bytes, given, beside, trust, at=None):
    """The judgement over a file. `given`: evidence files by the user; `beside`: FILE.evidence
    or None. Raises BadEvidence for given evidence that cannot be read."""
    try:
        file = reader.read_file(file_bytes)
    except reader.Malformed:
        return Judgement("malformed")
    gathered, unread = [], False
    for data in given:
        try:
            items = cbor.split_items(data, pad_allowed=True)
        except cbor.CborError as error:
            raise evidences.BadEvidence(str(error)) from error
        for item in items:
            evidences.read(item)
        gathered += items if len(items) == 1 else [i for i in items if _has_instance(i, file)]
    element = header.embedded_evidence(file.data_set)[0]
    # Tools that lose values of OB leave nothing, or a pad.
    carried = ([element.value] if element is not None
               and element.value not in (b"", b"\0", b"\0\0") else [])
    carried += [beside] if beside is not None else []
    judged = []
    for data, own in [(item, False) for item in gathered] + [(item, True) for item in carried]:
        try:
            judged.append((judge(reader.read_file(file_bytes), data, trust, at), own))
        except evidences.BadEvidence:
            unread = True
    if not judged:
        if unread:
            result = Judgement("altered")
            result.alarm("seal.invalid")
            return result
        return Judgement("unsealed")
    judged.sort(key=lambda pair: _rank(pair[0]))  # stable
    best = judged[0][0]
    if best.verdict == "authentic":
        if unread or any(own and other.verdict == "altered" for other, own in judged):
            best.alarm("seal.invalid")
            best.verdict = "altered"
    return best


def _rank(judgement):
    if judgement.verdict == "authentic":
        return 0
    if judgement.accepted:
        return 1 if judgement.verdict == "altered" else 2
    return 3 if judgement.verdict == "untrusted" else 4


def sign1_hash(evidence):
    return hashlib.sha256(evidence.sign1).digest()
