# SPDX-License-Identifier: Apache-2.0
"""Geometry, canonical samples, tiles, encoded frames: spec/seal.md sections 6 and 7."""

import hashlib
import re
import zlib
from dataclasses import dataclass

import numpy

import reader
from dictionary import UNIT

SOURCES = (0x7FE00010, 0x7FE00008, 0x7FE00009)
TILE = 64
RLE = "1.2.840.10008.1.2.5"
ENCAPSULATED_NATIVE = "1.2.840.10008.1.2.1.98"
DEFLATED_FRAMES = "1.2.840.10008.1.2.8.1"
JPEG_FAMILY = re.compile(r"1\.2\.840\.10008\.1\.2\.4\.(5[0-9]|6[0-9]|70|8[01]|9[0-3]|20[1-3])")
JPEG_PROCESSES = {"1.2.840.10008.1.2.4.%d" % n for n in (*range(50, 67), 70)}
JPEG_TERMS = ("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
JPEG = {"1.2.840.10008.1.2.4.%d" % n for n in (50, 51, 57, 70)}
JPEG_2000 = {"1.2.840.10008.1.2.4.%d" % n for n in (90, 91, 92, 93, 201, 202, 203)}
JPEG_LS = {"1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.81"}
JPEG_XL = {"1.2.840.10008.1.2.4.%d" % n for n in (110, 111, 112)}
STARTS = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n",
          b"\0\0\0\x0cJXL \r\n\x87\n")


PAIRS = ("YBR_FULL_422", "YBR_PARTIAL_422")
# Kinds of 7.1 that concern Pixel Data as a whole, or decoded samples.
(SIGNS_NOT_EXTENDED, PAIRS_NOT_THERE, PAIRS_IN_PLANES, OFFSET_TABLE) = 63, 64, 65, 66
PIECES = 68


class NoDecoder(Exception):
    pass


class BadFrame(Exception):
    pass


@dataclass
class Image:
    """The pixel part of a file."""
    element: reader.Element
    geometry: list          # [frames, rows, columns, samples, sample bytes, kind, bits stored]
    allocated: int
    high_bit: int
    planar: int
    term: str               # file term of Photometric Interpretation; "?" if there is none
    syntax: str
    data_set: reader.DataSet

    @property
    def encapsulated(self):
        return self.element.fragments is not None

    @property
    def carries_all_bits(self):
        return not self.encapsulated or self.syntax in (RLE, ENCAPSULATED_NATIVE, DEFLATED_FRAMES)

    @property
    def tile_grid(self):
        _, rows, columns = self.geometry[:3]
        return (rows + TILE - 1) // TILE, (columns + TILE - 1) // TILE


def _number(data_set, tag, default=None):
    """One US value; `default` if it is absent or empty; -1 if it is something else."""
    element = data_set.first(tag)
    if element is None or element.items is None and not element.value:
        return default
    return int.from_bytes(element.value, "little") if len(element.value) == 2 else -1


def _frames(data_set):
    element = data_set.first(0x00280008)
    text = element.value.strip(b" \0") if element is not None else b""
    if not text:
        return 1
    return int(text) if re.fullmatch(rb"\+?[0-9]+", text) else None


def file_term(data_set):
    element = data_set.first(0x00280004)
    if element is None or element.items is not None:
        return "?"
    try:
        term = element.value.split(b"\\")[0].strip(b" \0").decode("utf-8")
    except UnicodeDecodeError:
        return "?"
    return term if 1 <= len(term.encode()) <= 64 else "?"


def open_image(file):
    """The pixel part, or None where pixel data is an ordinary attribute."""
    data_set = file.data_set
    found = [element for tag in SOURCES for element in data_set.elements if element.tag == tag]
    if len({element.tag for element in found}) != 1:
        return None
    element = found[0]
    if element.items is not None:
        return None
    encapsulated = file.transfer_syntax not in reader.NATIVE
    if element.tag == reader.PIXEL_DATA and encapsulated != (element.fragments is not None):
        return None
    rows, columns = _number(data_set, 0x00280010), _number(data_set, 0x00280011)
    samples, frames = _number(data_set, 0x00280002), _frames(data_set)
    allocated = _number(data_set, 0x00280100)
    if not rows or not columns or not frames or samples not in (1, 2, 3, 4):
        return None
    if element.tag != reader.PIXEL_DATA:
        if allocated != (32 if element.tag == 0x7FE00008 else 64):
            return None
        kind, stored, high = 2, allocated, allocated - 1
    else:
        stored, high = _number(data_set, 0x00280101), _number(data_set, 0x00280102)
        kind = _number(data_set, 0x00280103)
        if allocated not in (1, 8, 16, 24, 32, 64) or not stored or stored > allocated \
                or high is None or not stored - 1 <= high < allocated or kind not in (0, 1):
            return None
    size = next(n for n in (1, 2, 4, 8) if 8 * n >= allocated)
    planar = 0
    if samples > 1:
        planar = _number(data_set, 0x00280006, 0)
        if planar not in (0, 1):
            return None
    return Image(element, [frames, rows, columns, samples, size, kind, stored], allocated, high,
                 planar, file_term(data_set), file.transfer_syntax, data_set)


# --- native ------------------------------------------------------------------------------------

def _is_422(image, length):
    frames, rows, columns, samples, size = image.geometry[:5]
    if image.term not in PAIRS or samples != 3 or columns % 2 \
            or image.allocated < 8:
        return False
    if length is None:
        return True
    full = frames * rows * columns * 3 * size
    return length != full + full % 2


def frame_bits(image, length):
    _, rows, columns, samples = image.geometry[:4]
    if _is_422(image, length):
        samples = 2
    return rows * columns * samples * image.allocated


def native_frame_count(image):
    """Whole frames that the value holds, at most those announced."""
    value = image.element.value
    return min(image.geometry[0], 8 * len(value) // frame_bits(image, len(value)))


def native_tail(image):
    value, frames = image.element.value, image.geometry[0]
    used = (frames * frame_bits(image, len(value)) + 7) // 8
    return value[used + used % 2:]


def _containers(data, first_bit, count, allocated, size):
    """`count` values of `allocated` bits as unsigned little endian integers of `size` bytes."""
    if allocated == 1:
        start = first_bit // 8
        stop = (first_bit + count + 7) // 8
        bits = numpy.unpackbits(numpy.frombuffer(data[start:stop], numpy.uint8), bitorder="little")
        return bits[first_bit % 8:first_bit % 8 + count]
    width = allocated // 8
    start = first_bit // 8
    raw = numpy.frombuffer(data[start:start + count * width], numpy.uint8).reshape(count, width)
    wide = numpy.zeros((count, size), numpy.uint8)
    wide[:, :width] = raw
    return wide.reshape(-1).view("<u%d" % size)


def _arrange(image, flat, half_chroma, planar):
    _, rows, columns, samples = image.geometry[:4]
    if half_chroma:
        pairs = flat.reshape(rows, columns // 2, 4)
        out = numpy.empty((rows, columns // 2, 2, 3), flat.dtype)
        out[..., 0] = pairs[..., :2]
        out[..., 1] = pairs[..., 2:3]
        out[..., 2] = pairs[..., 3:4]
        return out.reshape(rows, columns, 3)
    if planar == 1 and samples > 1:
        return numpy.ascontiguousarray(flat.reshape(samples, rows, columns).transpose(1, 2, 0))
    return flat.reshape(rows, columns, samples)


def _native(image, data, first_bit, length):
    half = _is_422(image, length)
    _, rows, columns, samples, size = image.geometry[:5]
    count = rows * columns * (2 if half else samples)
    if first_bit + count * image.allocated > 8 * len(data):
        raise BadFrame("short")
    flat = _containers(data, first_bit, count, image.allocated, size)
    return _arrange(image, flat, half, image.planar)


def _rle(image, data):
    _, rows, columns, samples, size = image.geometry[:5]
    width = (image.allocated + 7) // 8
    if len(data) < 64:
        raise BadFrame("header")
    head = numpy.frombuffer(data[:64], "<u4")
    count = int(head[0])
    if count != samples * width:
        raise BadFrame("segments")
    offsets = [int(o) for o in head[1:1 + count]] + [len(data)]
    if offsets[0] < 64 or any(a > b for a, b in zip(offsets, offsets[1:])):
        raise BadFrame("offsets")
    wide = numpy.zeros((samples, rows * columns, size), numpy.uint8)
    for i in range(count):
        plane = _pack_bits(data[offsets[i]:offsets[i + 1]], rows * columns)
        wide[i // width, :, width - 1 - i % width] = numpy.frombuffer(plane, numpy.uint8)
    flat = wide.reshape(samples, rows * columns, size).view("<u%d" % size)[..., 0]
    return numpy.ascontiguousarray(flat.reshape(samples, rows, columns).transpose(1, 2, 0))


def _pack_bits(data, size):
    out, at = bytearray(), 0
    while len(out) < size:
        if at >= len(data):
            raise BadFrame("short segment")
        control = data[at]
        at += 1
        if control < 128:
            if control + 1 > len(data) - at:
                raise BadFrame("short run")
            out += data[at:at + control + 1]
            at += control + 1
        elif control > 128:
            if at >= len(data):
                raise BadFrame("short run")
            out += data[at:at + 1] * (257 - control)
            at += 1
    if len(out) != size:
        raise BadFrame("run past the end")
    return bytes(out)


def decode(image, frame, encoded=None):
    """Containers of a frame, (rows, columns, samples), unsigned; High Bit not applied yet."""
    if not image.encapsulated:
        value = image.element.value
        return _native(image, value, frame * frame_bits(image, len(value)), len(value))
    if image.syntax == RLE:
        return _rle(image, encoded)
    if image.syntax == ENCAPSULATED_NATIVE:
        return _native(image, encoded, 0, None)
    if image.syntax == DEFLATED_FRAMES:
        try:
            return _native(image, zlib.decompressobj(-15).decompress(encoded, 1 << 30), 0, None)
        except zlib.error as error:
            raise BadFrame("deflate") from error
    raise NoDecoder(image.syntax)


def canonical(image, containers):
    """(canonical samples, outside), both little endian arrays of the containers' shape."""
    size, kind, stored = image.geometry[4:7]
    if kind == 2 or image.allocated == 1:
        return containers, numpy.zeros_like(containers)
    bits = 8 * size
    shift = image.high_bit + 1 - stored
    mask = (1 << stored) - 1
    unsigned = containers.dtype.type
    value = (containers >> unsigned(shift)) & unsigned(mask)
    outside = containers & unsigned(~(mask << shift) & ((1 << bits) - 1))
    if kind == 1:
        negative = (value >> unsigned(stored - 1)) & unsigned(1) == 1
        extension = unsigned(((1 << bits) - 1) ^ mask)
        value = numpy.where(negative, value | extension, value)
                # Bits above that differ from the sign; extension that is there is 0.
        above = ((1 << bits) - 1) >> (image.high_bit + 1) << (image.high_bit + 1)
        outside = numpy.where(negative, outside ^ unsigned(above), outside)
    return value.astype(containers.dtype), outside.astype(containers.dtype)


# --- leaves ------------------------------------------------------------------------------------

def tiles_of(image, array):
    """(t, r, c, part) of an array (rows, columns, samples)."""
    down, across = image.tile_grid
    for r in range(down):
        for c in range(across):
            yield r * across + c, r, c, array[r * TILE:(r + 1) * TILE, c * TILE:(c + 1) * TILE]


def tile_hash(tag, salt, frame, r, c, part, kind):
    height, width, samples = part.shape
    head = (b"\0" + tag + b"\0" + salt + frame.to_bytes(8, "big") + r.to_bytes(4, "big")
            + c.to_bytes(4, "big") + height.to_bytes(4, "big") + width.to_bytes(4, "big")
            + samples.to_bytes(2, "big") + bytes([part.dtype.itemsize, kind]) + b"\0" * 4)
    return hashlib.sha256(head + part.tobytes()).digest()


def unextended_leaf(image, salts, frame, containers, tile):
    """Leaf that the outside of a tile would have with zeroes above its negative samples, or None."""
    size, kind, stored = image.geometry[4:7]
    if kind != 1 or image.allocated == 1:
        return None
    bits, unsigned = 8 * size, containers.dtype.type
    above = ((1 << bits) - 1) >> (image.high_bit + 1) << (image.high_bit + 1)
    negative = (containers >> unsigned(image.high_bit)) & unsigned(1) == 1
    outside = numpy.where(negative, unsigned(above), unsigned(0)).astype(containers.dtype)
    for t, r, c, part in tiles_of(image, outside):
        if t == tile:
            return (tile_hash(b"fiducia/bits/1", salts.bits(frame, t), frame, r, c, part, kind)
                    if part.any() else None)
    return None


def frame_hashes(image, salts, frame, containers):
    """(hashes of the tiles, {t: hash of an outside leaf})."""
    samples, outside = canonical(image, containers)
    kind = image.geometry[5]
    tiles = [tile_hash(b"fiducia/tile/1", salts.tile(frame, t), frame, r, c, part, kind)
             for t, r, c, part in tiles_of(image, samples)]
    bits = {t: tile_hash(b"fiducia/bits/1", salts.bits(frame, t), frame, r, c, part, kind)
            for t, r, c, part in tiles_of(image, outside) if part.any()}
    return tiles, bits


def tail_hash(salts, tail):
    return hashlib.sha256(b"\0fiducia/tail/1\0" + salts.tail() + bytes(8)
                          + len(tail).to_bytes(8, "big") + bytes(16) + tail).digest()


def code_hash(salts, frame, encoded):
    return hashlib.sha256(b"\0fiducia/code/1\0" + salts.code(frame) + frame.to_bytes(8, "big")
                          + len(encoded).to_bytes(8, "big") + bytes(16) + encoded).digest()


# --- fragments ---------------------------------------------------------------------------------

def _trim_codestream(data):
    end = len(data)
    while end and data[end - 1] in (0x00, 0xFF):
        end -= 1
    if end >= 2 and data[end - 2:end] == b"\xff\xd9":
        return data[:end]
    if len(data) % 2 == 0 and data[-3:-1] == b"\xff\xd9":  # a pad byte of any value
        return data[:-1]
    return data


def _fragments(image):
    """(Basic Offset Table, [(offset from the first byte after it, fragment)])."""
    data, at, parts = image.element.fragments, 0, []
    while at < len(data):
        length = int.from_bytes(data[at + 4:at + 8], "little")
        parts.append((at, data[at + 8:at + 8 + length]))
        at += 8 + length
    if len(parts) < 2:
        raise BadFrame("no fragment")
    base = 8 + len(parts[0][1])
    return parts[0][1], [(start - base, part) for start, part in parts[1:]]


def fragment_list(image):
    """The fragments without the Basic Offset Table."""
    return [part for _, part in _fragments(image)[1]]


def _numbers(data, size):
    if len(data) % size:
        raise BadFrame("length of an offset table")
    return [int.from_bytes(data[i:i + size], "little") for i in range(0, len(data), size)]


def _value(image, tag):
    element = image.data_set.first(tag)
    return element.value if element is not None and element.items is None else b""


def _starts_by_tables(image, table, parts):
    """Numbers of the fragments that start frames, or None without tables."""
    frames = image.geometry[0]
    basic, extended = _numbers(table, 4), _numbers(_value(image, 0x7FE00001), 8)
    if basic and extended and basic != extended:
        raise BadFrame("offset tables")
    offsets = extended or basic
    if not offsets:
        return None
    starts_at = {start: i for i, (start, _) in enumerate(parts)}
    if offsets[0] != 0 or any(a >= b for a, b in zip(offsets, offsets[1:])) \
            or any(o not in starts_at for o in offsets):
        raise BadFrame("offsets")
    if len(offsets) > frames or len(offsets) < frames <= len(parts):
        raise BadFrame("another number of frames")
    firsts = [starts_at[o] for o in offsets]
    lengths = _numbers(_value(image, 0x7FE00002), 8)
    if extended and lengths and not _lengths_fit(lengths, firsts, parts):
        raise BadFrame("lengths")
    marked = [i for i, (_, part) in enumerate(parts) if part.startswith(STARTS)]
    if len(marked) == frames and marked != firsts:
        raise BadFrame("no codestream begins there")
    return firsts


def _lengths_fit(lengths, firsts, parts):
    if len(lengths) != len(firsts):
        return False
    for length, first, end in zip(lengths, firsts, firsts[1:] + [len(parts)]):
        whole = sum(len(part) for _, part in parts[first:end])
        if not whole - 1 <= length <= whole:
            return False
    return True


def _starts_without_tables(image, parts):
    frames = image.geometry[0]
    if frames == 1:
        return [0]
    if len(parts) <= frames:
        return list(range(len(parts)))  # with fewer, the last frames are missing
    filled = [i for i, (_, part) in enumerate(parts) if part]
    if len(filled) == frames and filled[0] == 0:
        return filled
    firsts = [i for i, (_, part) in enumerate(parts) if part.startswith(STARTS)]
    if not firsts or firsts[0] != 0 or len(firsts) != frames:
        raise BadFrame("frames cannot be told apart")
    return firsts


def divide(image):
    """(joined fragments of each frame, the tables are wrong) by section 7. Raises BadFrame."""
    table, parts = _fragments(image)
    wrong = False
    try:
        firsts = _starts_by_tables(image, table, parts)
    except BadFrame:
        firsts, wrong = None, True
    if firsts is None:
        firsts = _starts_without_tables(image, parts)
    return [b"".join(part for _, part in parts[a:b])
            for a, b in zip(firsts, firsts[1:] + [len(parts)])], wrong


def encoded_frames(image, whole=None):
    """The encoded frame of each frame (section 7). Raises BadFrame on contradictions."""
    result = divide(image)[0] if whole is None else whole
    if JPEG_FAMILY.fullmatch(image.syntax):
        result = [_trim_codestream(part) for part in result]
    return result


# --- what an encoding says beside its samples ---------------------------------------------------

def _pieces(image):
    """Of each frame the lengths of its fragments."""
    table, parts = _fragments(image)
    try:
        firsts = _starts_by_tables(image, table, parts)
    except BadFrame:
        firsts = None
    if firsts is None:
        firsts = _starts_without_tables(image, parts)
    return [[len(part) for _, part in parts[a:b]] for a, b in zip(firsts, firsts[1:] + [len(parts)])]


def form_kinds(image, wrong_tables):
    """Kinds 64 to 66 and 68 of 7.1."""
    kinds, samples = {OFFSET_TABLE} if wrong_tables else set(), image.geometry[3]
    if image.encapsulated and image.syntax == RLE \
            and any(sum(1 for length in lengths if length) > 1 for lengths in _pieces(image)):
        kinds.add(PIECES)
    if image.term not in PAIRS or samples != 3:
        return kinds
    native = not image.encapsulated
    if native and not _is_422(image, len(image.element.value)) \
            or not native and image.syntax in JPEG_LS | JPEG_2000 | {RLE}:
        kinds.add(PAIRS_NOT_THERE)
    if image.planar == 1 and (native or image.syntax in (ENCAPSULATED_NATIVE, DEFLATED_FRAMES)):
        kinds.add(PAIRS_IN_PLANES)
    return kinds


def has_unextended_signs(image, containers):
    """63: a negative sample with zeroes in all bits above its Bits Stored, where there are any."""
    size, kind, _ = image.geometry[4:7]
    above = ((1 << 8 * size) - 1) >> (image.high_bit + 1) << (image.high_bit + 1)
    if kind != 1 or image.allocated == 1 or not above:
        return False
    unsigned = containers.dtype.type
    negative = (containers >> unsigned(image.high_bit)) & unsigned(1) == 1
    return bool((negative & (containers & unsigned(above) == 0)).any())


def view_hash(salts, frame, number, samples):
    """The leaf of a rendition (6.7)."""
    data = samples.tobytes()
    return hashlib.sha256(b"\0fiducia/view/1\0" + salts.view(frame, number)
                          + frame.to_bytes(8, "big") + len(data).to_bytes(8, "big")
                          + bytes([number]) + bytes(15) + data).digest()


def term_belongs(syntax, term):
    """5.6: encodings to which the colour transform of a file term belongs."""
    if syntax in JPEG_2000:
        return term in ("YBR_RCT", "YBR_ICT")
    if syntax in JPEG:
        return term in JPEG_TERMS
    return syntax in JPEG_XL and term in ("XYB", "YBR_FULL", "YBR_FULL_422")
