# SPDX-License-Identifier: Apache-2.0
"""Specific Character Set by spec/seal.md 5.3, "Character sets"."""

import re

SINGLE = {100: "iso8859-1", 101: "iso8859-2", 109: "iso8859-3", 110: "iso8859-4",
          144: "iso8859-5", 127: "iso8859-6", 126: "iso8859-7", 138: "iso8859-8",
          148: "iso8859-9", 166: "tis-620", 203: "iso8859-15"}
ONE_BYTE, TWO_BYTES = set(SINGLE) | {6, 13}, {87, 159, 149, 58}
WHOLE = {b"ISO_IR 192": "utf-8", b"GB18030": "gb18030", b"GBK": "gbk"}
FINALS = {b"-A": 100, b"-B": 101, b"-C": 109, b"-D": 110, b"-F": 126, b"-G": 127, b"-H": 138,
          b"-L": 144, b"-M": 148, b"-T": 166, b"-b": 203}


class Charset:
    """`whole` is a codec name for UTF-8 and the like; else `sets` lists registrations."""

    def __init__(self, value=b""):
        self.unknown, self.whole, self.sets, self.extended = False, None, [], False
        self.term = value.rstrip(b" \0")  # as it stands; what undecodable text is bound to
        terms = [term.rstrip(b" \0") for term in self.term.split(b"\\")]
        if len(terms) == 1 and terms[0] in WHOLE:
            self.whole = WHOLE[terms[0]]
            return
        self.extended = len(terms) > 1
        for i, term in enumerate(terms):
            if not term:
                self.sets += [6] if i == 0 else []
                continue
            found = re.fullmatch(rb"(ISO_IR|ISO 2022 IR) ([1-9][0-9]*)", term)
            number, extends = (int(found[2]), found[1] != b"ISO_IR") if found else (0, False)
            if number in ONE_BYTE and (extends or len(terms) == 1) \
                    or number in TWO_BYTES and extends and i > 0:
                self.sets.append(number)
                self.extended |= extends
            else:
                self.unknown = True

    def decode(self, data, separates, name):
        """Unicode of `data`, or None. `separates`: backslash separates values; `name`: PN."""
        if all(byte < 0x80 and byte != 0x1B for byte in data) and not self.japanese_roman():
            return data.decode("ascii")
        if self.unknown:
            return None
        if self.whole:
            try:
                return data.decode(self.whole)
            except UnicodeDecodeError:
                return None
        return self._decode_states(data, separates, name)

    def japanese_roman(self):
        return not self.unknown and not self.whole and self.sets[:1] == [13]

    def _start(self):
        first = self.sets[0] if self.sets else 6
        return (13 if first == 13 else 6), (None if first == 6 else first)

    def _decode_states(self, data, separates, name):
        g0, g1 = self._start()
        out, at = [], 0
        while at < len(data):
            byte = data[at]
            if byte == 0x1B and self.extended:
                found = self._designate(data[at + 1:at + 4])
                if found is None:
                    return None
                which, number, length = found
                g0, g1 = (number, g1) if which == 0 else (g0, number)
                at += 1 + length
                continue
            half = g0 if byte < 0x80 else g1
            if byte <= 0x20 or byte == 0x7F:
                char, length = chr(byte), 1
            elif half in (87, 159, 149, 58):
                char, length = self._double(half, data[at:at + 2]), 2
            elif byte < 0x80:
                char, length = self._low(g0, byte, separates), 1
            else:
                char, length = self._high(g1, byte), 1
            if char is None:
                return None
            out.append(char)
            at += length
            if length == 1 and (byte in b"\r\n\f\t" or separates and byte == 0x5C
                                or name and byte in b"^="):
                g0, g1 = self._start()
        return "".join(out)

    def _designate(self, rest):
        if rest[:2] == b"(B":
            return 0, 6, 2
        if rest[:2] in FINALS and FINALS[rest[:2]] in self.sets:
            return 1, FINALS[rest[:2]], 2
        for text, which, number in ((b"(J", 0, 13), (b")I", 1, 13), (b"$B", 0, 87),
                                    (b"$(D", 0, 159), (b"$)C", 1, 149), (b"$)A", 1, 58)):
            if rest.startswith(text) and number in self.sets:
                return which, number, len(text)
        return None

    @staticmethod
    def _low(g0, byte, separates):
        if g0 == 13:
            if byte == 0x5C and not separates:
                return "\u00a5"
            if byte == 0x7E:
                return "\u203e"
        return chr(byte)

    @staticmethod
    def _high(g1, byte):
        if g1 is None:
            return None
        if g1 == 13:
            return chr(0xFF61 + byte - 0xA1) if 0xA1 <= byte <= 0xDF else None
        if byte < 0xA0:
            return chr(byte)
        try:
            return bytes([byte]).decode(SINGLE[g1])
        except UnicodeDecodeError:
            return None

    @staticmethod
    def _double(number, pair):
        if len(pair) < 2:
            return None
        in_g0 = number in (87, 159)
        if not all((0x21 <= b <= 0x7E) if in_g0 else (0xA1 <= b <= 0xFE) for b in pair):
            return None
        high = bytes(b | 0x80 for b in pair)
        if number == 159 and pair == b"\x22\x37":
            return "\uff5e"
        if number == 149 and high == b"\xa4\xd4":
            return "\u3164"
        codec = {87: "euc_jp", 159: "euc_jp", 149: "euc_kr", 58: "gb2312"}[number]
        try:
            text = (b"\x8f" + high if number == 159 else high).decode(codec)
        except UnicodeDecodeError:
            return None
        return text if len(text) == 1 else None
