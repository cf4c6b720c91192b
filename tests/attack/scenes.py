# SPDX-License-Identifier: Apache-2.0
"""Cases that are more than a sealed file and its mutants: keys in other hands, trust files, a store that
is asked, what sealing refuses. Each yields (part, what is wrong or None, what was seen).

What something costs is asserted by `limit.reached`, never by time.
"""
import base64
import pathlib
import re

from cases import converted, element, grey, small, stream_of, uid_of
from judging import Seen, fault, judged
from support import Fiducia
import writer as w

SCENES = {}
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def scene(play):
    SCENES[play.__name__] = play
    return play


def at_home(program, folder):
    """The program with a home of the scene's own."""
    own = Fiducia(pathlib.Path(program.program).parent, folder / "home")
    own.init()
    return own


def sealed(program, path, data):
    """Writes and seals a file; its evidence lies beside it."""
    path.write_bytes(data)
    return Seen(program.run("seal", path, "--sidecar", "--json")), path.with_name(path.name + ".evidence")


# -- keys

def der(tag, body):
    size = len(body)
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag]) + (bytes([size]) if size < 128 else bytes([0x80 | len(length)]) + length) + body


def value_at(data, at):
    """(where the value at `at` begins, where it ends)."""
    size, head = data[at + 1], 2
    if size & 0x80:
        head += size & 0x7F
        size = int.from_bytes(data[at + 2:at + head], "big")
    return at + head, at + head + size


def twin_of(certificate):
    """The same certificate (DER) with the other of its two ECDSA signatures: (r, n-s) for (r, s)."""
    signed = value_at(certificate, 0)[0]
    algorithm = value_at(certificate, signed)[1]
    bits = value_at(certificate, algorithm)[1]
    first = value_at(certificate, value_at(certificate, bits)[0] + 1)[0]
    second = value_at(certificate, first)[1]
    start, end = value_at(certificate, second)
    other = P256_ORDER - int.from_bytes(certificate[start:end], "big")
    other = der(2, other.to_bytes(other.bit_length() // 8 + 1, "big"))
    pair = der(0x30, certificate[first:second] + other)
    return der(0x30, certificate[signed:bits] + der(3, b"\0" + pair))


@scene
def revoked_malleated(program, folder):
    """A revoked device seals on under the twin of its certificate: as valid, with another hash."""
    own = at_home(program, folder)
    plain, evidence = sealed(own, folder / "base.dcm", small(50))
    yield "base", fault(judged(own, folder / "base.dcm", evidence), ("authentic",)), plain
    path, = (folder / "home/certs").glob("device-*.pem")
    text = re.search(r"-----BEGIN CERTIFICATE-----(.*?)-----END", path.read_text(), re.DOTALL)[1]
    certificate = base64.b64decode("".join(text.split()))
    path.write_text("-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(twin_of(certificate)).decode() +
                    "-----END CERTIFICATE-----\n")
    _, twin = sealed(own, folder / "twin.dcm", small(51))
    before = judged(own, folder / "twin.dcm", twin)
    yield "twin-is-valid", fault(before, ("authentic",)), before
    device = path.stem.removeprefix("device-")
    answer = own.run("device", "revoke", device, "--at", "1970-01-02", "--reason", "stolen")
    if answer.code != 0:
        raise AssertionError(f"not revoked: {answer}")
    for part, name, given in (("by-its-key", "base", evidence), ("twin", "twin", twin)):
        seen = judged(own, folder / f"{name}.dcm", given)
        yield part, fault(seen, ("untrusted",), ("signer.revoked",)), seen


# -- trust files

@scene
def dotted_trust(program, folder):
    """Trust files that cost a parser its stack or its patience are refused with the place."""
    _, evidence = sealed(program, folder / "base.dcm", small(52))
    trust = (program.home / "trust.toml").read_text()
    made = {"base": trust, "dots": "a." * 80_000 + "\n", "dots-at-the-end": trust + "a." * 80_000 + "b = 1\n",
            "dots-alone": "." * 80_000, "table": "[" + "a." * 80_000 + "b]\n", "table-array": "[[" + "a." * 80_000 + "b]]\n",
            "arrays": "a = " + "[" * 80_000, "inline-tables": "a = " + "{a = " * 80_000,
            "inline-dots": "a = {" + "b." * 80_000 + "c = 1}\n"}
    for part, text in made.items():
        (folder / f"{part}.toml").write_text(text)
        seen = judged(program, folder / "base.dcm", evidence, "--trust", folder / f"{part}.toml")
        expected = (("authentic",),) if part == "base" else (("error",), ("config.invalid",), "[Ll]ine ")
        wrong = fault(seen, *expected)
        if not wrong and part != "base" and seen.answer.code != 1:
            wrong = f"exit {seen.answer.code}, not 1"
        yield part, wrong, seen


# -- cost

@scene
def quadratic_creators(program, folder):
    """Half a million private creators in a kilobyte of deflated data. With the square of their number this
    ends in days, and the runner's patience before; the work counted is asserted by HeaderCost."""
    def many(creator, count):
        e = w.image(uid_of(53), 128, 128, grey())
        e[0x0F1D0010] = creator * count
        return w.part10(e, uid_of(53), w.DEFLATED)
    ours, other = element(0x0F1D0010, "LO", "FIDUCIA"), element(0x0F1D0010, "LO", "ACME")
    _, evidence = sealed(program, folder / "base.dcm", many(other, 1))
    for part, data in (("base", None), ("ours", many(ours, 480_000)), ("others", many(other, 480_000))):
        path = folder / f"{part}.dcm"
        if data:
            path.write_bytes(data)
        seen = judged(program, path, evidence)
        yield part, fault(seen, ("authentic",)) if part == "base" else fault(
            seen, ("altered", "indeterminate"), ("attribute.added", "reading.ambiguous", "limit.reached")), seen


@scene
def j2k_bomb(program, folder):
    """A billion blank samples in JPEG 2000, unsealed, and a store to be asked about each: it ends in
    `limit.reached`, and says so, where it would take minutes."""
    uid, side, frames = uid_of(54), 4096, 64
    blank = w.part10(w.image(uid, side, side, bytes(side * side)), uid)
    stream = stream_of(converted(blank, "gdcmconv", "--j2k"))
    one = lambda streams, n: w.part10(w.image(uid, side, side, w.encapsulated(*streams), more={  # noqa: E731
        0x00280008: element(0x00280008, "IS", str(n))}), uid, w.J2K)
    _, evidence = sealed(program, folder / "base.dcm", small(55))
    seen = judged(program, folder / "base.dcm", evidence)
    yield "base", fault(seen, ("authentic",)), seen
    bomb = one([stream] * frames, frames)
    if len(bomb) > 100_000:
        raise AssertionError(f"that is no bomb: {len(bomb)} bytes")
    (folder / "unsealed.dcm").write_bytes(bomb)
    seen = judged(program, folder / "unsealed.dcm")
    yield "unsealed", fault(seen, ("indeterminate",), ("limit.reached",)), seen
    refused, _ = sealed(program, folder / "sealing.dcm", bomb)
    yield "sealing", fault(refused, ("failed",), ("limit.reached",)), refused


# -- what sealing refuses

@scene
def no_uid_no_pixels(program, folder):
    """Without SOP Instance UID and pixels a store never finds the seal again: refused with the way out."""
    body = (element(0x00041130, "CS", "FILESET") + element(0x00041200, "UL", 0) + element(0x00041202, "UL", 0) +
            element(0x00041212, "US", 0) + w.sequence(0x00041220))
    path = folder / "DICOMDIR"
    path.write_bytes(w.meta(w.EXPLICIT, uid_of(56)) + body)
    tree = program.run("ledger", "status", "--json").out
    refused = Seen(program.run("seal", path, "--json"))
    yield "base", fault(refused, ("failed",), ("usage.invalid",), "--out.*--sidecar"), refused
    after = program.run("ledger", "status", "--json").out
    yield "ledger", None if tree == after and b"tree_size" in tree else "the ledger has another entry", after
    for part, way in (("sidecar", ("--sidecar",)), ("out", ("--out", folder / "out"))):
        answer = Seen(program.run("seal", path, *way, "--json"))
        target = path if part == "sidecar" else folder / "out/DICOMDIR"
        seen = judged(program, target)
        yield part, fault(answer, ("sealed",)) or fault(seen, ("authentic",)), seen
