# SPDX-License-Identifier: Apache-2.0
"""Mutations of fragments, offset tables and codestreams: of (random, file, fragments with the table first)."""
import struct


def fragments(e):
    out, at = [], 0
    while e.value[at:at + 4] == b"\xfe\xff\x00\xe0":
        size = struct.unpack_from("<I", e.value, at + 4)[0]
        out.append(e.value[at + 8:at + 8 + size])
        at += 8 + size
    return out


def set_fragments(e, parts):
    e.value = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(p)) + p for p in parts) + b"\xfe\xff\xdd\xe0\0\0\0\0"


def even(data):
    return data + b"\0" * (len(data) % 2)


def c_offsets(r, f, parts):
    at, table = 0, []
    for p in parts[1:]:
        table.append(at)
        at += 8 + len(p)
    wrong = r.randrange(3)
    if wrong == 1 and table:
        table[r.randrange(len(table))] += r.choice([2, 8, 100])
    elif wrong == 2:
        table = table * 2
    parts[0] = struct.pack(f"<{len(table)}I", *table)


def c_split(r, f, parts):
    i = r.randrange(1, len(parts))
    if len(parts[i]) > 8:
        at = r.randrange(2, len(parts[i]) - 2) & ~1
        parts[i:i + 1] = [parts[i][:at], parts[i][at:]]


def c_empty(r, f, parts):
    parts.insert(r.randrange(1, len(parts) + 1), b"")


def c_trailing(r, f, parts):
    i = r.randrange(1, len(parts))
    parts[i] += r.choice([b"\0\0", bytes(64), b"\xff\xd9", r.randbytes(16), b"\xff\xff"])


def c_header(r, f, parts):
    i = r.randrange(1, len(parts))
    if parts[i]:
        at = r.randrange(min(len(parts[i]), 120))
        parts[i] = parts[i][:at] + bytes([parts[i][at] ^ 1 << r.randrange(8)]) + parts[i][at + 1:]


def c_byte(r, f, parts):
    i = r.randrange(1, len(parts))
    if parts[i]:
        at = r.randrange(len(parts[i]))
        parts[i] = parts[i][:at] + bytes([r.randrange(256)]) + parts[i][at + 1:]


ICC = b"ICC_PROFILE\0\1\1" + struct.pack(">I", 132) + bytes(128)


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", 2 + len(data)) + data


def c_segment(r, f, parts):
    """A marker segment behind the first marker(s): comments, application data, Adobe, SPIFF."""
    i = r.randrange(1, len(parts))
    p = parts[i]
    if p[:3] == b"\xff\xd8\xff":
        extra = r.choice([segment(0xFE, b"comment!"), segment(0xE1, b"Exif\0\0MM\0*" + bytes(8)),
                          segment(0xEE, b"Adobe\0\x64\0\0\0\0" + bytes([r.randrange(3)])),
                          segment(0xE8, b"mrfx" + bytes(2)), segment(0xDD, b"\0\0"), segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
                          b"\xff\xff"])
        parts[i] = even(p[:2] + extra + p[2:])
    elif p[:4] == b"\xff\x4f\xff\x51":
        size = struct.unpack_from(">H", p, 4)[0]
        parts[i] = even(p[:4 + size] + segment(0x64, b"\0\1comment") + p[4 + size:])


def c_markers(r, f, parts):
    """Segments that the standards know and few writers write, in the main header or before the first scan."""
    i = r.randrange(1, len(parts))
    p = parts[i]
    if p[:3] == b"\xff\xd8\xff":
        extra = r.choice([segment(0xDD, struct.pack(">H", r.choice([0, 1, 4]))), segment(0xE2, ICC), segment(0xEC, b"Ducky\0"),
                          segment(0xE0, b"JFXX\0\x10"), segment(0xED, b"Photoshop 3.0\0"), b"\xff\xff\xff", segment(0xDC, b"\0\x20"),
                          segment(0xF8, b"\1" + struct.pack(">5H", 4095, 18, 67, 276, 64)), segment(0xF8, b"\5\0"),
                          segment(0xE8, b"spiff"), segment(0xC8, b""), segment(0xDF, b"\x11"), segment(0xDE, b"\0"),
                          segment(0xEE, b"Adobe\0\x64"), segment(0xE0, b"AVI1\0\0")])
        at = p.rfind(b"\xff\xda") if r.randrange(2) else 2
        parts[i] = even(p[:at] + extra + p[at:])
    elif p[:4] == b"\xff\x4f\xff\x51":
        at = 4 + struct.unpack_from(">H", p, 4)[0]
        extra = r.choice([segment(0x50, struct.pack(">IH", 1 << 17, 0)), segment(0x53, b"\0\0\5\4\4\0\1"), segment(0x55, b"\0\x10\0"),
                          segment(0x57, b"\0"), segment(0x5E, b"\0\0\2"), segment(0x5F, b"\0\0\0\1\1\1\0"), segment(0x63, bytes(4)),
                          segment(0x64, b"\0\0binary"), segment(0x70, b"\0"), segment(0x74, bytes(6)), segment(0x77, bytes(8)),
                          segment(0x59, b"")])
        parts[i] = even(p[:at] + extra + p[at:])
    elif p[:2] == b"\xff\x0a":
        box = lambda kind, data: struct.pack(">I", 8 + len(data)) + kind + data  # noqa: E731
        head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
        turned = box(b"Exif", bytes(4) + b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6" + bytes(6))
        cut = len(p) // 2
        whole = r.choice([box(b"jxlc", p), box(b"jxlp", bytes(4) + p[:cut]) + box(b"jxlp", b"\x80\0\0\1" + p[cut:])])
        parts[i] = even(head + r.choice([b"", turned, box(b"jxll", b"\5"), box(b"xml ", b"<a/>")]) + whole)


def c_extended(r, f, parts):
    """An extended offset table, right or nearly."""
    at, offsets = 0, []
    for p in parts[1:]:
        offsets.append(at)
        at += 8 + len(p)
    lengths = [len(p) for p in parts[1:]]
    kind = r.randrange(5)
    if kind == 1:
        offsets[-1] += 2
    elif kind == 2:
        lengths[0] = max(0, lengths[0] - r.choice([1, 2]))
    elif kind == 3:
        offsets.reverse()
    f.add_offsets(offsets, lengths if kind != 4 else None)


def c_odd(r, f, parts):
    """A fragment of odd length, or with more padding than one byte."""
    i = r.randrange(1, len(parts))
    parts[i] = parts[i][:-1] if r.randrange(2) and not parts[i][-1:].strip(b"\0") else parts[i] + b"\0"


def c_swap(r, f, parts):
    """The offset table in another order than the frames: who goes by it shows them exchanged."""
    if len(parts) == 3:
        if r.randrange(2):
            parts[1], parts[2] = parts[2], parts[1]
            parts[0] = struct.pack("<II", 8 + len(parts[1]), 0)
        else:
            parts[0] = struct.pack("<II", 8 + len(parts[1]), 0)


def c_segments(r, f, parts):
    """RLE of several segments: their order, their offsets, gaps between them."""
    i = r.randrange(1, len(parts))
    p = parts[i]
    if f.syntax != "1.2.840.10008.1.2.5" or len(p) < 70:
        return
    count = struct.unpack_from("<I", p)[0]
    if not 2 <= count <= 15:
        return
    offsets = list(struct.unpack_from(f"<{count}I", p, 4))
    bounds = offsets + [len(p)]
    pieces = [p[bounds[k]:bounds[k + 1]] for k in range(count)]
    order = list(range(count))
    r.shuffle(order)
    gap = r.choice([b"", b"", b"\x80", b"\0\0", b"\x80\x80"])
    body, places = b"", {}
    for k in order:
        places[k] = 64 + len(body)
        body += pieces[k] + gap
    parts[i] = even(struct.pack("<I", count) + struct.pack(f"<{count}I", *(places[k] for k in range(count))) +
                    p[4 + 4 * count:64] + body)


def c_rle(r, f, parts):
    """Control bytes without output, offsets that overlap, unused segments."""
    i = r.randrange(1, len(parts))
    p = parts[i]
    if f.syntax == "1.2.840.10008.1.2.5" and len(p) > 70:
        kind = r.randrange(4)
        if kind == 0:
            p = p[:64] + b"\x80" * r.choice([1, 2, 3]) + p[64:]
        elif kind == 1:
            p = p + b"\x80\x80"
        elif kind == 2:
            p = struct.pack("<I", struct.unpack_from("<I", p)[0] + 1) + p[4:]
        else:
            p = p[:60] + r.randbytes(4) + p[64:]
        parts[i] = even(p)


def c_boxes(r, f, parts):
    i = r.randrange(1, len(parts))
    p = parts[i]
    if p[:4] == b"\xff\x4f\xff\x51" and len(p) > 42:
        box = lambda kind, data: struct.pack(">I", 8 + len(data)) + kind + data  # noqa: E731
        size = struct.unpack_from(">IIIIIIIIH", p, 8)
        count, depth = size[8], p[42]
        colour = r.choice([16, 17, 18])
        extra = r.choice([b"", box(b"cdef", struct.pack(">H", 3) + struct.pack(">9H", 0, 0, 3, 1, 0, 2, 2, 0, 1)),
                          box(b"res ", b"")])
        header = box(b"ihdr", struct.pack(">IIHBBBB", size[1], size[0], count, depth, 7, 0, 0))
        header += box(b"colr", b"\1\0\0" + struct.pack(">I", colour)) + extra
        parts[i] = even(box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", b"jp2 \0\0\0\0jp2 ") + box(b"jp2h", header) +
                        box(b"jp2c", p))


CODE_TOOL = [c_offsets, c_split, c_empty, c_trailing, c_segment, c_extended, c_odd]
CODE_HOSTILE = [c_header, c_byte, c_rle, c_boxes, c_markers, c_swap, c_segments]
