#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A witness and a ledger, as people run them: witness_test.py FIDUCIA FIDUCIA-LEDGER VECTORS

The witness cosigns the ledger of a home from its folder and over HTTP, refuses an old copy and a
fork, keeps the evidence, and takes requests from files.
"""
import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

FIDUCIA, LEDGER, VECTORS = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])


def run(*arguments, exits=0, program=LEDGER):
    done = subprocess.run([program, *(["ledger"] if program == LEDGER else []), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert done.returncode == exits, (arguments, done.returncode, done.stdout, done.stderr)
    return done.stdout


def witness(command, *arguments, exits=0):
    return run("witness", command, *arguments, exits=exits)


def signature_lines(note):
    return note.split("\n\n")[-1].count("\n")


def fetch(url, body=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=body), timeout=60) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode(), refusal.headers


def main():
    scratch = pathlib.Path(tempfile.mkdtemp())
    try:
        check(scratch)
    finally:
        shutil.rmtree(scratch)


def check(scratch):
    home, folder = scratch / "home", scratch / "w"
    run("init", "--home", home, "--quiet", program=FIDUCIA)
    about = json.loads(run("ledger", "status", "--home", home, "--json", program=FIDUCIA))
    origin, vkey = about["origin"], about["vkey"]

    error = json.loads(witness("status", "--folder", folder, "--json", exits=1))["error"]
    assert error["code"] == "config.missing", error
    witness("init", "--folder", folder, "--name", "has space", exits=1)
    own = witness("init", "--folder", folder, "--name", "witness.example.org", "--quiet").strip()
    assert own.startswith("witness.example.org+"), own
    witness("init", "--folder", folder, "--name", "witness.example.org", exits=1)
    refused = json.loads(witness("cosign", "--folder", folder, home / "ledger", "--json", exits=1))
    assert refused["http_status"] == 404, refused
    witness("add-log", "--folder", folder, origin, "no key", exits=1)
    witness("add-log", "--folder", folder, origin, vkey)

    # From the folder: the genesis checkpoint, then one that needs a consistency proof.
    note = witness("cosign", "--folder", folder, home / "ledger")
    assert signature_lines(note) == 2 and "witness.example.org" in note, note
    image = scratch / "tiny.dcm"
    shutil.copy(VECTORS / "fiducia" / "tiny.dcm", image)
    shutil.copytree(home, scratch / "old")
    run("seal", image, "--home", home, "--quiet", program=FIDUCIA)
    out = scratch / "cosigned"
    witness("cosign", "--folder", folder, home / "ledger", "--out", out, "--quiet")
    assert out.read_text().startswith((home / "ledger" / "checkpoint").read_text())
    log = json.loads(witness("status", "--folder", folder, "--json"))
    assert (log["origin"], log["tree_size"], log["evidence"]) == (origin, 2, []), log

    # An old copy of the ledger, and the fork that comes of using it.
    old = json.loads(witness("cosign", "--folder", folder, scratch / "old" / "ledger", "--json", exits=2))
    assert "fewer" in old["text"], old
    shutil.copy(VECTORS / "fiducia" / "tiny-implicit.dcm", image)
    run("seal", image, "--home", scratch / "old", "--quiet", program=FIDUCIA)
    fork = json.loads(witness("cosign", "--folder", folder, scratch / "old" / "ledger", "--json", exits=2))
    assert fork["http_status"] == 422 and fork["evidence"].startswith("split-view."), fork
    log = json.loads(witness("status", "--folder", folder, "--json", exits=2))
    assert fork["evidence"] in log["evidence"], log

    # Requests in files, for a witness without a network.
    rows = json.loads((VECTORS / "witness-add-checkpoint.json").read_text())
    name = rows["log_vkey"].split("+")[0]
    witness("add-log", "--folder", folder, name, rows["log_vkey"])
    request = scratch / "request"
    for row in rows["requests_in_order"]:
        request.write_text(row["request_body"])
        exits = {200: 0, 422: 2}.get(row["status_by_spec"], 1)
        answer = json.loads(witness("cosign", "--folder", folder, request, "--json", exits=exits))
        assert answer["http_status"] == row["status_by_spec"], (answer, row)

    serve(folder, origin, out.read_text(), rows)


def serve(folder, origin, cosigned, rows):
    server = subprocess.Popen(
        [LEDGER, "ledger", "witness", "serve", "--folder", str(folder), "--listen", "127.0.0.1:0", "--prefix",
         "/w/", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = json.loads(server.stdout.readline())["url"]
        assert url.endswith("/w"), url
        place = hashlib.sha256(origin.encode()).hexdigest()
        assert fetch(f"{url}/{place}/checkpoint")[:2] == (200, cosigned)
        stale = fetch(f"{url}/add-checkpoint", rows["requests_in_order"][-1]["request_body"].encode())
        assert stale[:2] == (409, "5\n") and stale[2]["Content-Type"] == "text/x.tlog.size", stale
        assert fetch(f"{url}/add-checkpoint", b"garbage")[0] == 400
        server.send_signal(signal.SIGTERM)
        _, journal = server.communicate(timeout=60)
        assert server.returncode == 0, (server.returncode, journal)
        statuses = [json.loads(line)["status"] for line in journal.splitlines()]
        assert statuses == [409, 400], journal
    finally:
        if server.poll() is None:
            os.kill(server.pid, signal.SIGKILL)
            server.wait()


if __name__ == "__main__":
    main()
