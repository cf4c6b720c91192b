#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Opens the report pages in Chromium: no console message, no request, outlines where the altered
tiles are, no horizontal scrolling on a telephone, nothing lost in print.

usage: html_chromium_test.py SAMPLE-PAGES-PROGRAM; exit 77 when there is no Chromium.

The pages run no script, so what is measured is the screenshot: its pixels are read with a small PNG
reader of Python's own zlib.
"""
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM:
    sys.exit(77)

AMBER = (0xFF, 0xB0, 0x00)


def read_png(path):
    """(width, height, rows of RGB bytes) of an 8-bit RGB or RGBA PNG."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", body[:10])
            assert depth == 8 and colour in (2, 6), (depth, colour)
        if kind == b"IDAT":
            packed += body
        at += length + 12
    step = 3 if colour == 2 else 4
    raw, stride = zlib.decompress(packed), width * step
    rows, above = [], bytearray(stride)
    for y in range(height):
        kind = raw[y * (stride + 1)]
        row = bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
        for x in range(stride if kind else 0):
            a = row[x - step] if x >= step else 0
            b = above[x]
            c = above[x - step] if x >= step else 0
            if kind == 1:
                predicted = a
            elif kind == 2:
                predicted = b
            elif kind == 3:
                predicted = (a + b) // 2
            else:
                pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
                predicted = a if pa <= pb and pa <= pc else b if pb <= pc else c
            row[x] = (row[x] + predicted) & 255
        above = row
        rows.append(bytes(row) if step == 3 else bytes(v for i, v in enumerate(row) if i % 4 != 3))
    return width, height, rows


def bounds(rows, matches, count_min=1):
    """(left, top, right, bottom) of the matching pixels, right and bottom one past them. Rows with
    fewer matches are left out: edges of letters have any shade."""
    xs, ys = [], []
    for y, row in enumerate(rows):
        hits = [x for x in range(len(row) // 3) if matches(tuple(row[3 * x:3 * x + 3]))]
        if len(hits) >= count_min:
            xs += [hits[0], hits[-1]]
            ys.append(y)
    return (min(xs), min(ys), max(xs) + 1, max(ys) + 1) if xs else None


def close_to(colour, tolerance):
    return lambda pixel: all(abs(a - b) <= tolerance for a, b in zip(pixel, colour))


class Browser:
    def __init__(self, folder):
        self.folder = folder

    def run(self, page, width, height, *more):
        profile = tempfile.mkdtemp(dir=self.folder)
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                   "--hide-scrollbars", "--force-device-scale-factor=1", "--enable-logging=stderr",
                   "--v=0", f"--user-data-dir={profile}", f"--window-size={width},{height}",
                   f"--log-net-log={profile}/net.json", "--disable-background-networking",
                   "--disable-component-update", "--no-first-run", *more, page.as_uri()]
        done = subprocess.run(command, capture_output=True, timeout=120, check=True)
        console = [line for line in done.stderr.decode(errors="replace").splitlines()
                   if "CONSOLE" in line]
        assert not console, f"{page.name}: {console}"
        log = pathlib.Path(f"{profile}/net.json")
        requests = set(re.findall(r'"url":"((?!data:|file:|chrome|about:)[^"]+)"',
                                  log.read_text(errors="replace"))) if log.exists() else set()
        # What the browser asks for on its own account names no page of ours.
        foreign = {url for url in requests if "google" not in url and "gvt1" not in url}
        assert not foreign, f"{page.name} asks for {foreign}"
        return done.stdout.decode(errors="replace")

    def screenshot(self, page, width, height):
        picture = self.folder / f"{page.stem}-{width}.png"
        self.run(page, width, height, f"--screenshot={picture}")
        return read_png(picture)


def check_outline(browser, page, width, height):
    """The outline's bounding box against the disc of the sample picture, seen in the same pixels.

    The disc is centred at (256, 256) of 512 and has a radius of 204.8; the altered tiles cover
    (256, 192) .. (384, 320). So the picture's scale and place follow from the disc alone.
    """
    _, _, rows = browser.screenshot(page, width, height)
    disc = bounds(rows, close_to((150, 150, 150), 3), count_min=24)
    line = bounds(rows, close_to(AMBER, 12))
    assert disc and line, (disc, line)
    scale = (disc[2] - disc[0]) / 409.6
    # The first and last rows of the disc are shorter than that; the width is whole.
    centre_x, centre_y = (disc[0] + disc[2]) / 2, (disc[1] + disc[3]) / 2
    expected = (centre_x, centre_y - 64 * scale, centre_x + 128 * scale, centre_y + 64 * scale)
    for name, found, wanted in zip(("left", "top", "right", "bottom"), line, expected):
        assert abs(found - wanted) <= 3, f"{page.name} at {width}: {name} {found}, not {wanted}"
    print(f"{page.name} at {width}: outline {line}, tiles {tuple(round(v) for v in expected)}")


def check_width(browser, page, width):
    """Nothing may reach past the margin of the page: what is too wide for the window would."""
    _, _, rows = browser.screenshot(page, width, 1500)
    background = tuple(rows[1][0:3])
    for y, row in enumerate(rows):
        # main has a padding of 12 pixels at this width: the last 8 columns stay background.
        for x in range(width - 8, width):
            pixel = tuple(row[3 * x:3 * x + 3])
            assert pixel == background, f"{page.name} at {width}: {pixel} at {x}, {y}"


def check_print(browser, page):
    pdf = browser.folder / f"{page.stem}.pdf"
    browser.run(page, 1280, 1000, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    assert pdf.stat().st_size > 10_000
    if not shutil.which("pdftotext"):
        return
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    words = " ".join(text.stdout.decode().split())
    for needed in ("Altered", "072c 5176", "example.org/ledger", "Patient's Name",
                   "What to do", "3 of 64 tiles differ"):
        assert needed in words, f"the print lacks {needed!r}"


def main():
    program = pathlib.Path(sys.argv[1])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="fiducia-report-"))
    try:
        subprocess.run([program, folder], check=True, stdout=subprocess.DEVNULL)
        browser = Browser(folder)
        check_outline(browser, folder / "altered.html", 1280, 1600)
        check_outline(browser, folder / "altered.html", 360, 1600)
        for name in ("altered", "each", "hostile"):
            check_width(browser, folder / f"{name}.html", 360)
        dom = browser.run(folder / "hostile.html", 1280, 1000, "--dump-dom")
        assert "<script" not in dom and "onload=" not in re.sub(r"&quot;", '"', re.sub(
            r'>[^<]*<|"[^"]*"', "", dom)), "markup of a hostile name became markup of the page"
        check_print(browser, folder / "altered.html")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
