# SPDX-License-Identifier: Apache-2.0
"""The verdict over a file: spec/seal.md section 10."""

import hashlib
import re
from dataclasses import dataclass, field

from cryptography import x509

import cbor
import cose
import evidence as evidences
import header
import pixels
import reader
import readings
import trust as trusts
from dictionary import allowed
from salts import Salts

SOP_INSTANCE_UID, PHOTOMETRIC = 0x00080018, 0x00280004
# 10.4: what PS3.3 has a compressor write.
COMPRESSOR_WRITES = {
    "(0008,0008)", "(0008,0018)", "(0008,2111)", "(0008,2112)", "(0008,9215)", "(0028,0004)",
    "(0028,0100)", "(0028,0101)", "(0028,0102)", "(0028,0103)", "(0028,0106)", "(0028,0107)",
    "(0028,0120)", "(0028,0121)", "(0028,1050)", "(0028,1051)", "(0028,1052)", "(0028,1055)",
    "(0028,2110)", "(0028,2112)", "(0028,2114)"}
# 10.1: what DCMTK's lossless JPEG coder writes in front of the Derivation Description.
REMARK = re.compile(rb"Lossless JPEG compression, selection value [0-9], point transform "
                    rb"[0-9]{1,2}, compression ratio (?=[0-9.]{1,12}(?: \[|$))[0-9]*\.?[0-9]*"
                    rb"(?: \[(.*)\])?", re.DOTALL)
DERIVATION = b"\0\x08\0\x21\x11"
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


def _vr_change_allowed(leaf, sealed_vr):
    """5.5.3"""
    said, tag = leaf.element.said, leaf.element.tag
    if said is None or said == "UN" or sealed_vr == "UN":
        return True
    if {said, sealed_vr} == {"OB", "OW"}:
        return True
    choices = allowed(tag) if tag >> 16 & 1 == 0 else []
    if {said, sealed_vr} == {"US", "SS"} and any(byte & 0x80 for byte in leaf.element.value[1::2]):
        return False
    return said in choices and sealed_vr in choices


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
        for _ in rows[len(leaves):]:
            judgement.alarm("attribute.removed", **({"attribute": name} if name else {}))
        for leaf in leaves[len(rows):]:
            if path == DERIVATION and not rows and not judgement.differs and _only_remarks(leaf):
                other_vrs += 1
                continue
            judgement.alarm("attribute.added", attribute=name)
        if not rows or not leaves:
            silent.append(path)
    if other_vrs:
        judgement.add("encoding.changed", "note")
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
    if not same and path == DERIVATION and not judgement.differs \
            and _same_but_remarks(leaf, evidence, salt, index, vr, digest):
        return 1
    if not same or not _vr_change_allowed(leaf, vr):
        judgement.alarm("attribute.altered", attribute=leaf.name)
        return 0
    return 1


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
    # A file that says UN says another VR, whatever the reader makes of it.
    return leaf.element.vr == vr and (leaf.element.said != "UN" or vr == "UN")


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
    statement = evidence.statement
    if image is None:
        return
    if image.geometry[1:] != statement.geometry[1:]:
        judgement.alarm("pixels.altered")
        return
    sealed, announced = statement.geometry[0], image.geometry[0]
    encoded, present = None, announced
    if image.encapsulated:
        try:
            encoded = pixels.encoded_frames(image)
        except pixels.BadFrame:
            judgement.alarm("pixels.altered")
            return
        present = len(encoded)
    else:
        present = pixels.native_frame_count(image)
    for frame in range(min(sealed, present)):
        _compare_frame(judgement, image, evidence, salts, frame,
                       encoded[frame] if encoded is not None else None)
    if present < sealed:
        judgement.alarm("pixels.missing", frame=present + 1)
    if present > sealed:
        judgement.alarm("pixels.added", frame=sealed + 1)
    if not image.encapsulated:
        _compare_tail(judgement, image, evidence, salts, present)


def _compare_tail(judgement, image, evidence, salts, present):
    used = (present * pixels.frame_bits(image, len(image.element.value)) + 7) // 8
    tail = image.element.value[used + used % 2:]
    if evidence.tail is None:
        if tail:
            judgement.alarm("pixels.added")
    elif not tail:
        judgement.alarm("pixels.missing")
    elif pixels.tail_hash(salts, tail) != evidence.tail:
        judgement.alarm("pixels.altered")


def _compare_frame(judgement, image, evidence, salts, frame, encoded):
    statement = evidence.statement
    if encoded is not None and statement.encoding and image.syntax == statement.syntax \
            and image.term != statement.encoding[1] and frame < len(evidence.encoded) \
            and pixels.code_hash(salts, frame, encoded) == evidence.encoded[frame]:
        judgement.term_changed = True
    if encoded is not None and _shortcut_holds_but_frames(image, statement) \
            and frame < len(evidence.encoded) \
            and pixels.code_hash(salts, frame, encoded) == evidence.encoded[frame]:
        return
    if statement.pixels[1] is None:
        if image.encapsulated and image.syntax == statement.syntax:
            judgement.alarm("pixels.altered", frame=frame + 1)
        else:
            judgement.undecided("codec.missing", frame=frame + 1)
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
    judgement.compared_tiles += each
    differ = [t for t in range(each) if tiles[t] != evidence.tiles[frame * each + t]]
    judgement.differing_tiles += len(differ)
    others = []
    if image.carries_all_bits:  # no other is decoded here
                others = [t for t in range(each) if bits.get(t) != evidence.outside.get((frame, t))
                  and not (t not in bits and evidence.outside[frame, t]
                           == pixels.unextended_leaf(image, salts, frame, containers, t))]
    for found in (differ, others):
        if found:
            judgement.alarm("pixels.altered", frame=frame + 1,
                            tiles=[[t // across, t % across] for t in found])


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
    judgement = Judgement()
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
        kind, size = statement.geometry[5], statement.geometry[4]
        sealed_tag = pixels.SOURCES[0 if kind < 2 else 1 if size == 4 else 2]
        image = pixels.open_image(file)
        if file.data_set.first(sealed_tag) is None:
            judgement.alarm("pixels.missing")
            image = None
        elif image is None:
            judgement.alarm("pixels.altered")
        compare_pixels(judgement, image, evidence, salts)
    term = canonical_term(file, image, statement)
    judgement.decoder_lacks = (image is not None and image.encapsulated
                               and pixels.term_belongs(image.syntax, image.term)
                               and not (statement.pixels and _shortcut_holds(image, statement)))
    compare_header(judgement, file, image, evidence, salts, term, sealed_tag)
    if file.transfer_syntax != statement.syntax:
        judgement.add("encoding.changed", "note")
    _judge_loss(judgement, statement)
    if judgement.differs:
        judgement.verdict = "altered"
    elif not judgement.accepted:
        judgement.verdict = "untrusted"
    elif judgement.undecidable:
        judgement.verdict = "indeterminate"
    else:
        judgement.verdict = "authentic"
    return judgement


def _judge_loss(judgement, statement):
    """10.4. The lossy decoders are not here, so only the seal can say that there was loss."""
    if not statement.pixels or statement.pixels[1] is None or statement.pixels[3] \
            or 2 * judgement.differing_tiles <= judgement.compared_tiles:
        return
    kept = [f for f in judgement.findings if f["code"] != "pixels.altered"]
    judgement.findings, judgement.differs = [], False
    judgement.undecided("lossy.recompressed")
    for finding in kept:
        if finding.get("attribute") in COMPRESSOR_WRITES:
            finding["severity"] = "warning"
        elif finding["severity"] == "alarm" and finding["code"].split(".")[0] in (
                "pixels", "attribute", "item", "seal") and finding["code"] != "seal.later":
            judgement.differs = True
        judgement.findings.append(finding)


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
    carried = [element.value] if element is not None else []
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
