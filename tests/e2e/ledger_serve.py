#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A ledger served by `fiducia ledger serve` and by a plain web server over its folder: the same bytes, and
mirrors of both that are intact.

  ledger_serve.py [--bin DIR] [--samples DIR]
"""
import functools
import gzip
import http.client
import http.server
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from support import Checks, Fiducia, WorkFolder, arguments  # noqa: E402


class Served:
    """`fiducia ledger serve` on a free port."""

    def __init__(self, fiducia, *options):
        self.process = subprocess.Popen(
            [fiducia.program, "ledger", "serve", "--listen", "127.0.0.1:0", "--json", *options],
            env=fiducia.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"no server: {self.process.communicate()}")
        self.about = json.loads(line)
        self.url = self.about["url"]
        self.port = int(self.url.rsplit(":", 1)[1])

    def get(self, path, headers=None, method="GET"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, headers=headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


class Static:
    """A web server that knows nothing of ledgers."""

    def __init__(self, folder):
        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


def public(folder):
    """The names below a ledger's folder that belong to the public log."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*")
                  if p.is_file() and (p.name == "checkpoint" or p.relative_to(folder).parts[0] == "tile"))


def check_served(served, ledger, checks):
    names = public(ledger)
    checks.that(len(names) >= 3, "the ledger has files", str(names))
    for name in names:
        content = (ledger / name).read_bytes()
        status, headers, body = served.get("/" + name)
        checks.that(status == 200 and body == content, "the bytes of the folder are served", name)
        cache = "no-store" if name == "checkpoint" else "public, max-age=604800, immutable"
        checks.that(headers.get("cache-control") == cache, "the cache header is right", name)
        status, headers, body = served.get("/" + name, {"Accept-Encoding": "gzip"})
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        checks.that(body == content, "packed bytes are the same", name)
        status, headers, body = served.get("/" + name, {"If-None-Match": headers["etag"]})
        checks.that(status in (200, 304), "a known object is not sent again", name)
        status, headers, body = served.get("/" + name, method="HEAD")
        checks.that(status == 200 and body == b"" and int(headers["content-length"]) == len(content),
                    "HEAD tells the length", name)
    hidden = [p.relative_to(ledger).as_posix() for p in ledger.rglob("*")
              if p.is_file() and p.relative_to(ledger).as_posix() not in names]
    checks.that("signed-root.cbor" in hidden, "there are files that are not public", str(hidden))
    for name in hidden + ["../fiducia.toml", "../keys/ledger.pem", "%2e%2e/fiducia.toml", "tile/../lock",
                          "", "tile/", "tile/0/000/../000", "checkpoint/"]:
        status, _, _ = served.get("/" + name)
        checks.that(status == 404, "nothing else is served", name)
    status, headers, _ = served.get("/checkpoint", method="POST")
    checks.that(status == 405 and "GET" in headers.get("allow", ""), "it is for reading only")
    served.get("/checkpoint?token=secret")


def check_mirrors(fiducia, work, urls, expected_size, checks):
    for name, url in urls.items():
        copy = work / f"mirror-{name}"
        for again, status in enumerate(("updated", "unchanged")):
            answer = fiducia.run("ledger", "mirror", url, copy, "--check", "--json")
            if not checks.that(answer.code == 0, f"the mirror of {name} is made", repr(answer)):
                break
            told = answer.lines[0]
            checks.that(told["status"] == status, f"run {again + 1} is told apart", repr(answer))
            checks.that(told["tree_size"] == expected_size and told["check"]["status"] == "intact" and
                        told["check"]["entries_checked"] == expected_size,
                        f"the mirror of {name} is intact", repr(answer))


def main():
    given = arguments(__doc__.splitlines()[0])
    checks = Checks()
    images = sorted((given.samples / "real" / "pydicom").glob("*.dcm"))
    with WorkFolder(given.work) as work:
        fiducia = Fiducia(given.bin, work / "home")
        fiducia.init()
        ledger = work / "home" / "ledger"
        image = work / "CT_small.dcm"
        shutil.copy(next(p for p in images if p.name == "CT_small.dcm"), image)
        fiducia.run("seal", image)
        size = fiducia.run("ledger", "status", "--json").lines[0]["tree_size"]
        checks.that(size == 2, "there is an entry beside the first", str(size))

        served, static = Served(fiducia), Static(ledger)
        try:
            checks.that(served.about["folder"] == str(ledger), "the home's ledger is served")
            check_served(served, ledger, checks)
            check_mirrors(fiducia, work, {"serve": served.url, "static": static.url, "folder": str(ledger)},
                          size, checks)
            # The ledger grows while it is served; both copies follow.
            other = next(p for p in images if p.name == "MR_small.dcm")
            fiducia.run("seal", other)
            for name, url in (("serve", served.url), ("static", static.url)):
                answer = fiducia.run("ledger", "mirror", url, work / f"mirror-{name}", "--check", "--json")
                checks.that(answer.code == 0 and answer.lines[0]["tree_size"] == size + 1,
                            f"the mirror of {name} follows", repr(answer))
            # What `check` says of a server is what it says of the folder.
            vkey = fiducia.run("ledger", "status", "--json").lines[0]["vkey"]
            for where in (("--url", served.url), ("--folder", ledger)):
                answer = fiducia.run("ledger", "check", *where, "--key", vkey, "--json")
                checks.that(answer.code == 0 and answer.lines[0]["entries_checked"] == size + 1,
                            "the served log is checked", repr(answer))
            answer = fiducia.run("ledger", "check", "--against", served.url, "--json")
            checks.that(answer.code == 0, "the served log is the home's", repr(answer))
            # A mirror is served as its log is, and mirrored in turn.
            second = Served(fiducia, "--folder", str(work / "mirror-serve"), "--quiet")
            check = fiducia.run("ledger", "mirror", second.url, work / "mirror-of-mirror", "--check")
            checks.that(check.code == 0 and b"intact" in check.out, "a mirror of a mirror is intact", repr(check))
            code, _, err = second.stop(signal.SIGINT)
            checks.that(code == 0 and err == b"", "SIGINT ends it, quietly", str((code, err)))

            # A rolled back log is an alarm, and the copy stays.
            old = work / "old"
            shutil.copytree(work / "mirror-folder", old)
            kept = (work / "mirror-serve" / "checkpoint").read_bytes()
            answer = fiducia.run("ledger", "mirror", old, work / "mirror-serve", "--json")
            told = answer.lines[0]
            checks.that(answer.code == 2 and told["status"] == "shrunk", "a rolled back log is an alarm",
                        repr(answer))
            alarm = pathlib.Path(told["alarm"])
            checks.that((alarm / "kept-checkpoint").read_bytes() == kept and
                        (alarm / "offered-checkpoint").read_bytes() == (old / "checkpoint").read_bytes(),
                        "both signed checkpoints are kept")
            checks.that((work / "mirror-serve" / "checkpoint").read_bytes() == kept, "the copy is untouched")

            # A damaged tile is named, before the copy counts on it.
            bent = work / "bent"
            shutil.copytree(ledger, bent)
            tile = next(bent.glob("tile/0/000.p/3"))
            tile.chmod(0o600)
            tile.write_bytes(bytes([tile.read_bytes()[0] ^ 1]) + tile.read_bytes()[1:])
            answer = fiducia.run("ledger", "mirror", bent, work / "mirror-bent", "--json")
            checks.that(answer.code == 2 and "tile/0/000.p/3" in answer.lines[0]["error"]["path"],
                        "a damaged tile is named", repr(answer))
            checks.that(not (work / "mirror-bent" / "checkpoint").exists(), "and not copied")

            # Somebody who does not know the log's key follows nobody.
            stranger = Fiducia(given.bin, work / "stranger")
            stranger.init()
            answer = stranger.run("ledger", "mirror", served.url, work / "mirror-stranger", "--json")
            checks.that(answer.code == 1 and answer.lines[0]["error"]["code"] == "config.invalid",
                        "a log that the trust file does not name is refused", repr(answer))
        finally:
            code, _, err = served.stop()
            static.stop()
        checks.that(code == 0, "SIGTERM ends it cleanly", str(code))
        lines = [json.loads(line) for line in err.decode().splitlines()]
        checks.that(len(lines) > 20 and all(line["schema"] == "fiducia.request/1" for line in lines),
                    "each request is logged as JSON", str(len(lines)))
        checks.that("secret" not in err.decode() and any(line["path"] == "/checkpoint" for line in lines),
                    "without its query")

        # The usage.
        answer = fiducia.run("ledger", "serve", "--help")
        checks.that(answer.code == 0 and b"Example" in answer.out, "the help teaches", repr(answer))
        answer = fiducia.run("ledger", "--help")
        checks.that(b"serve" in answer.out and b"mirror" in answer.out, "the sub-commands are listed")
        answer = fiducia.run("ledger", "serve", "--listen", "nowhere", "--json")
        checks.that(answer.code == 1 and answer.lines[0]["error"]["code"] == "usage.invalid",
                    "a wrong address is told", repr(answer))
        answer = fiducia.run("ledger", "serve", "--folder", work / "nothing", "--json")
        checks.that(answer.code == 1 and answer.lines[0]["error"]["code"] == "config.missing",
                    "a folder without a log is told", repr(answer))
        answer = fiducia.run("ledger", "serve", environment={"FIDUCIA_LEDGER": str(work / "none")})
        checks.that(answer.code == 1 and b"FIDUCIA_LEDGER" in answer.err,
                    "a missing program is told with a remedy", repr(answer))
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
