# SPDX-License-Identifier: Apache-2.0
"""What an encoded frame says beside its samples: kinds 50 to 61 of spec/seal.md 7.1, as far as they
are seen without a decoder and in the encodings that are compared here."""

import zlib

import pixels

(RLE_CONTROL_80, RLE_SURPLUS, SURPLUS, SEVERAL, PROCESS, COLOURS, TURNED, BOXES, SIGNS, TRANSFORM,
 EXTENSIONS, JPEG_LS_SAMPLES) = range(50, 62)
LAYOUTS, CONTAINER = 67, 69
JP2 = b"\0\0\0\x0cjP  "
SOF = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
LOSSLESS = {0xC3, 0xC7, 0xCB, 0xCF}
LOSSLESS_SYNTAXES = {"1.2.840.10008.1.2.4.%d" % n for n in (57, 58, 65, 66, 70)}
BASELINE, JPEG_LS_LOSSLESS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.80"


def kinds(image, whole):
    """Of a frame: `whole` is its joined fragments with their padding."""
    if image.syntax == pixels.RLE:
        return _rle(image, whole)
    if image.syntax == pixels.DEFLATED_FRAMES:
        inflate = zlib.decompressobj(-15)
        try:
            inflate.decompress(whole, 1 << 30)
        except zlib.error:
            return set()
        rest = inflate.unused_data
        return {SURPLUS} if len(rest) > 1 and rest.strip(b"\0\xff") else set()
    if image.syntax in pixels.JPEG_2000:
        return _jpeg_2000(image, whole)
    if pixels.JPEG_FAMILY.fullmatch(image.syntax):
        return _jpeg(image, whole)
    return set()


def _rle(image, data):
    _, rows, columns, samples, _ = image.geometry[:5]
    if len(data) < 64:
        return set()
    head = [int.from_bytes(data[i:i + 4], "little") for i in range(0, 64, 4)]
    count, found = head[0], set()
    if not 1 <= count <= 15:
        return set()
    plane = rows * columns if image.allocated != 1 else (rows * columns + 7) // 8
    if count != samples * ((image.allocated + 7) // 8):
        found.add(RLE_SURPLUS)
    offsets = head[1:1 + count] + [len(data)]
    if offsets[0] != 64 or any(head[1 + count:]):
        found.add(RLE_SURPLUS)
    for start, end in zip(offsets, offsets[1:]):
        if start > end or end > len(data) or not _segment(data[start:end], plane, found):
            break  # it does not decode: what follows is nobody's picture
    return found


def _segment(data, size, found):
    """False where the segment is cut."""
    at = filled = 0
    while filled < size and at < len(data):
        control = data[at]
        at += 1
        if control == 128:
            found.add(RLE_CONTROL_80)
            continue
        used, made = (control + 1,) * 2 if control < 128 else (1, 257 - control)
        if used > len(data) - at:
            return False
        at, filled = at + used, filled + made
    if len(data) - at > 1:
        found.add(RLE_SURPLUS)
    return True


def _rest(data, start):
    """52 and 53: what stands behind the end of a codestream."""
    if len(data) <= 1 or not data.strip(b"\0\xff"):
        return set()
    return {SURPLUS, SEVERAL} if start in data else {SURPLUS}


# --- JPEG (ITU-T T.81), JPEG-LS (T.87) ---------------------------------------------------------

def _orientation(body):
    """The tag Orientation of the first directory of an Exif segment."""
    tiff = body[6:]
    if not body.startswith(b"Exif\0\0") or len(tiff) < 8:
        return 1
    order = "little" if tiff.startswith(b"II") else "big"
    at = int.from_bytes(tiff[4:8], order)
    for entry in range(at + 2, at + 2 + 12 * int.from_bytes(tiff[at:at + 2], order), 12):
        if entry + 12 <= len(tiff) and int.from_bytes(tiff[entry:entry + 2], order) == 0x0112:
            return int.from_bytes(tiff[entry + 8:entry + 10], order)
    return 1


def _markers(data, jpeg_ls, found):
    """(marker, body) of the segments up to EOI, whose marker comes with what is behind it."""
    at = 2
    while True:
        while data[at:at + 2] == b"\xff\xff":
            at += 1
        if at + 2 > len(data) or data[at] != 0xFF:
            return
        marker, at = data[at + 1], at + 2
        if marker == 0xD9:
            yield marker, data[at:]
            return
        if marker == 0xD8:
            found.add(SEVERAL)
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        length = int.from_bytes(data[at:at + 2], "big")
        if at + 2 > len(data) or length < 2 or length > len(data) - at:
            return
        yield marker, data[at + 2:at + length]
        at += length
        if marker == 0xDA:
            at = _behind_scan(data, at, jpeg_ls)


def _behind_scan(data, at, jpeg_ls):
    while True:
        at = data.find(b"\xff", at)
        if at < 0 or at + 1 >= len(data):
            return len(data)
        follows = data[at + 1]
        if (follows < 0x80 if jpeg_ls else not follows) or 0xD0 <= follows <= 0xD7:
            at += 2
        elif follows == 0xFF:
            at += 1
        else:
            return at


def _jpeg(image, data):
    start, found = b"\xff\xd8", set()
    if not data.startswith(start):
        return {SURPLUS} if start in data else found
    jpeg_ls = image.syntax in pixels.JPEG_LS
    frame, says_ycc, near, transform, turned = None, [], False, False, 1
    for marker, body in _markers(data, jpeg_ls, found):
        if marker == 0xD9:
            found |= _rest(body, start)
        elif marker in SOF:
            if frame is not None:
                found.add(SEVERAL)
            elif len(body) >= 6:
                frame = (marker, body[0], body[6:6 + 3 * body[5]:3])
        elif marker == 0xE0 and body.startswith(b"JFIF\0"):
            says_ycc.append(True)
        elif marker == 0xE1 and _orientation(body) > 1:
            turned = _orientation(body)
        elif marker == 0xE8 and body.startswith(b"mrfx"):
            transform = any(body[4:5])
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            says_ycc.append(body[11] != 0)
        elif marker == 0xDA and jpeg_ls:
            near = near or any(body[-3:-2])
        elif marker == 0xDC:
            found.add(SEVERAL)
    if turned > 1:
        found.add(TURNED)
    if frame is None:
        return found
    marker, precision, components = frame
    if precision <= 8 < image.allocated or not jpeg_ls and precision < image.geometry[6]:
        found.add(CONTAINER)
    if jpeg_ls:
        found |= set() if marker == 0xF7 else {PROCESS}
        if transform or near and image.syntax == JPEG_LS_LOSSLESS:
            found.add(JPEG_LS_SAMPLES)
        return found
    if marker == 0xF7 or (marker in LOSSLESS) != (image.syntax in LOSSLESS_SYNTAXES) \
            or image.syntax == BASELINE and precision != 8:
        found.add(PROCESS)
    ycc_term = image.term.startswith(("YBR_FULL", "YBR_PARTIAL"))
    if len(components) == 4 or len(components) == 3 and marker != 0xF7 \
            and not ycc_term and image.term != "RGB":
        found.add(COLOURS)
    elif len(components) == 3 and marker != 0xF7:
        says_ycc += [False] if components == b"RGB" else []
        if not says_ycc and marker != 0xC3:
            says_ycc = [True]
        if any(ycc != ycc_term for ycc in says_ycc):
            found.add(COLOURS)
    return found


# --- JPEG 2000 (ISO/IEC 15444-1) ---------------------------------------------------------------

def _components(image, body):
    """58 and 69"""
    found = set()
    for depth in body[36::3]:
        precision, signed = (depth & 0x7F) + 1, depth & 0x80 != 0
        if signed != (image.geometry[5] == 1) and not (
                not signed and precision == image.allocated):
            found.add(SIGNS)
        if precision <= 8 < image.allocated:
            found.add(CONTAINER)
    return found


def _jpeg_2000(image, whole):
    data, found, start = whole, set(), b"\xff\x4f\xff\x51"
    if data.startswith(JP2):
        return {BOXES}
    if not data.startswith(start):
        return {SURPLUS} if start in data else found
    at, part, part_bytes, transform = 2, 0, 0, False
    while at + 2 <= len(data):
        marker, at = int.from_bytes(data[at:at + 2], "big"), at + 2
        if marker < 0xFF00:
            return found
        if marker == 0xFFD9:
            found |= _rest(data[at:], start)
            break
        if marker == 0xFF93:
            at = data.find(b"\xff\xd9", at) if part_bytes == 0 else max(part + part_bytes, at)
            if at < 0 or at > len(data) or part_bytes and part + part_bytes < at:
                return found
            continue
        length = int.from_bytes(data[at:at + 2], "big")
        if at + 2 > len(data) or length < 2 or length > len(data) - at:
            return found
        body = data[at + 2:at + length]
        if marker == 0xFF51:
            found |= _components(image, body)
        elif marker == 0xFF52:
            transform = transform or any(body[4:5])
        elif marker == 0xFF90:
            if len(body) != 8:
                return found
            part, part_bytes = at - 2, int.from_bytes(body[2:6], "big")
        elif 0xFF70 <= marker <= 0xFF79:
            found.add(EXTENSIONS)
        at += length
    if image.geometry[3] >= 3 and (
            transform and image.term not in ("RGB", "YBR_RCT", "YBR_ICT")
            or not transform and image.term in ("YBR_RCT", "YBR_ICT")):
        found.add(TRANSFORM)
    return found


# --- the frames of one object -------------------------------------------------------------------

def layouts(image, whole):
    """67: precisions and interleave modes that differ. `whole`: of each frame, or None."""
    found = set()
    for data in whole or ():
        if image.syntax in pixels.JPEG_2000:
            body = (data[6:4 + int.from_bytes(data[4:6], "big")]
                    if data.startswith(b"\xff\x4f\xff\x51") else b"")
            found |= {(depth,) for depth in body[36::3]}
        elif pixels.JPEG_FAMILY.fullmatch(image.syntax) and data.startswith(b"\xff\xd8"):
            segments = list(_markers(data, image.syntax in pixels.JPEG_LS, set()))
            head = next((body[:1] for marker, body in segments if marker in SOF), b"")
            scan = next((body for marker, body in segments if marker == 0xDA), b"")
            found.add((head, scan[-2:-1] if image.syntax in pixels.JPEG_LS else b""))
    return {LAYOUTS} if len(found) > 1 else set()
