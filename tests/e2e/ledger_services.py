#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The ledger of a hospital at its largest, with nothing but real parts: two gateways that append to
one log, ordered by PostgreSQL, its tiles in an S3 bucket; three witnesses, two of which must have
cosigned; a time-stamp authority. Then: witnesses that are gone, a ledger restored from an old
backup, and a partner with nothing but trust file and evidence.

Run it inside both services:
  tests/services/radosgw run tests/services/postgresql run tests/e2e/ledger_services.py
"""
import base64
import concurrent.futures
import datetime
import hashlib
import hmac
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

from support import WorkFolder, arguments, require_tools

IMAGES = 8


class Checks:
    def __init__(self):
        self.passed, self.failed = 0, 0

    def true(self, what, condition, shown=""):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {what}: {shown}", flush=True)

    def equal(self, what, found, expected):
        self.true(what, found == expected, f"{found!r}, expected {expected!r}")


def make_bucket(name):
    """PUT bucket, signed by Signature Version 4."""
    endpoint, region = os.environ["FIDUCIA_S3_ENDPOINT"], os.environ["FIDUCIA_S3_REGION"]
    host = endpoint.split("//")[1]
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    empty = hashlib.sha256(b"").hexdigest()
    signed = "host;x-amz-content-sha256;x-amz-date"
    request = (f"PUT\n/{name}\n\nhost:{host}\nx-amz-content-sha256:{empty}\nx-amz-date:{stamp}\n\n"
               f"{signed}\n{empty}")
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = b"AWS4" + os.environ["FIDUCIA_S3_SECRET"].encode()
    for part in (day, region, "s3", "aws4_request", text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    headers = {"x-amz-content-sha256": empty, "x-amz-date": stamp,
               "Authorization": f"AWS4-HMAC-SHA256 Credential={os.environ['FIDUCIA_S3_KEY']}/{scope}, "
                                f"SignedHeaders={signed}, Signature={key.hex()}"}
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT",
                                                  headers=headers)).read()


class TimeStamper:
    """A time-stamp authority over HTTP, by OpenSSL's own program."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        (folder / "serial").write_text("01\n")
        (folder / "tsa.conf").write_text(f"""
[ext]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
basicConstraints = critical,CA:false
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
[tsa]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.32473.1
digests = sha256
ess_cert_id_alg = sha256
""")
        def openssl(*words):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-subj", "/CN=Time root", "-days", "30", "-keyout", f"{folder}/root.key", "-out",
                f"{folder}/root.pem", "-config", f"{folder}/tsa.conf", "-extensions", "root")
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                "/CN=Time", "-keyout", f"{folder}/tsa.key", "-out", f"{folder}/tsa.csr")
        openssl("x509", "-req", "-in", f"{folder}/tsa.csr", "-CA", f"{folder}/root.pem", "-CAkey",
                f"{folder}/root.key", "-CAcreateserial", "-days", "30", "-out", f"{folder}/tsa.pem",
                "-extfile", f"{folder}/tsa.conf", "-extensions", "ext")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                reply = outer.answer(body)
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(reply)))
                self.end_headers()
                self.wfile.write(reply)

            def log_message(self, *_):
                pass

        self.lock = threading.Lock()
        self.asked = 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"

    def answer(self, query):
        with self.lock:
            self.asked += 1
            request = self.folder / f"query-{self.asked}"
            request.write_bytes(query)
            return subprocess.run(["openssl", "ts", "-reply", "-config", f"{self.folder}/tsa.conf",
                                   "-section", "tsa", "-queryfile", request], check=True,
                                  capture_output=True).stdout


class Witness:
    def __init__(self, program, folder, name, vkey, origin):
        self.program, self.folder, self.name = program, folder, name
        self.process, self.port = None, 0
        self.run("init", "--name", name)
        self.run("add-log", origin, vkey)
        self.vkey = ""

    def run(self, action, *words):
        done = subprocess.run([self.program, "ledger", "witness", action, *words, "--folder",
                               self.folder], capture_output=True, text=True)
        if done.returncode != 0:
            raise AssertionError(f"witness {action}: {done.stdout} {done.stderr}")
        return done.stdout

    def start(self):
        self.process = subprocess.Popen(
            [self.program, "ledger", "witness", "serve", "--folder", self.folder, "--listen",
             f"127.0.0.1:{self.port}", "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        ready = json.loads(self.process.stdout.readline())
        self.vkey = ready["vkey"]
        self.port = int(ready["url"].rsplit(":", 1)[1])

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=20)
            self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


class Hospital:
    def __init__(self, program, home):
        self.program, self.home = program, home

    def run(self, *words, home=None):
        done = subprocess.run([self.program, *[str(w) for w in words], "--home",
                               str(home or self.home)], capture_output=True, text=True, timeout=300)
        return done

    def seal(self, path, home=None):
        done = self.run("seal", "--json", path, home=home)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return done, lines


def make_images(sample, folder, count):
    """Copies of a real image with identities of their own."""
    import pydicom
    folder.mkdir()
    paths = []
    for index in range(count):
        image = pydicom.dcmread(sample)
        image.SOPInstanceUID = pydicom.uid.generate_uid()
        image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
        image.InstanceNumber = index + 1
        path = folder / f"{index:04}.dcm"
        image.save_as(path, write_like_original=False)
        paths.append(path)
    return paths


def set_up(program, work):
    """A home whose ledger has moved to PostgreSQL and S3, with witnesses and time-stamps."""
    hospital = Hospital(program, work / "home")
    done = hospital.run("init", "--name", "Example")
    assert done.returncode == 0, done.stderr
    status = json.loads(hospital.run("ledger", "status", "--json").stdout)
    witnesses = [Witness(program, work / f"witness-{i}", f"witness{i}.example/w", status["vkey"],
                         status["origin"]) for i in range(3)]
    for witness in witnesses:
        witness.start()
    stamper = TimeStamper(work / "tsa")
    policy = "".join(f"witness w{i} {w.vkey} {w.url}\n" for i, w in enumerate(witnesses))
    (hospital.home / "witnesses.policy").write_text(policy + "group all3 2 w0 w1 w2\nquorum all3\n")
    (hospital.home / "s3.credentials").write_text(
        f"[default]\naws_access_key_id = {os.environ['FIDUCIA_S3_KEY']}\n"
        f"aws_secret_access_key = {os.environ['FIDUCIA_S3_SECRET']}\n")
    (hospital.home / "s3.credentials").chmod(0o600)
    bucket = "fiducia-e2e-" + os.urandom(4).hex()
    make_bucket(bucket)
    (hospital.home / "ledger.toml").write_text(f"""version = 1
store = "s3"
sequencer = "postgresql"
witness_policy = "witnesses.policy"

[s3]
endpoint = "{os.environ['FIDUCIA_S3_ENDPOINT']}"
region = "{os.environ['FIDUCIA_S3_REGION']}"
bucket = "{bucket}"
prefix = "ledger/"
credentials = "s3.credentials"

[postgresql]
connection = "{os.environ['FIDUCIA_POSTGRESQL']}"

[[time_stamp]]
name = "Time"
url = "{stamper.url}"
""")
    trust = (hospital.home / "trust.toml").read_text()
    trust = trust.replace("version = 1\n", "version = 2\n")
    trust = re.sub(r"\nquorum = \d+", "\nquorum = 2\ntime_stamps = 1" + "".join(
        f"\n[[ledger.witness]]\nname = \"w{i}\"\nkey = \"{w.vkey}\"\n"
        for i, w in enumerate(witnesses)), trust)
    trust += ("\n[[tsa]]\nname = \"Time\"\ncertificate = '''\n" +
              (work / "tsa/root.pem").read_text() + "'''\n")
    (hospital.home / "trust.toml").write_text(trust)
    return hospital, witnesses, stamper, bucket


def test_one_log_of_two_gateways(hospital, images, work, checks):
    done = hospital.run("ledger", "move")
    checks.equal("move", (done.returncode, done.stdout), (0, "moved  1 entries\n"))
    if done.returncode != 0:
        print(done.stderr)
        return False
    done = hospital.run("ledger", "move")
    checks.equal("a second move is refused", done.returncode, 1)
    second = work / "gateway-2"
    shutil.copytree(hospital.home, second)
    half = len(images) // 2
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda job: [hospital.seal(path, home=job[0]) for path in job[1]],
                             [(hospital.home, images[:half]), (second, images[half:])]))
    indices = []
    for run in runs:
        for done, lines in run:
            checks.equal("seal", (done.returncode, [line.get("status") for line in lines]),
                         (0, ["sealed"]))
            if done.returncode != 0:
                print(done.stdout, done.stderr)
                continue
            indices.append(lines[0]["ledger"]["index"])
    checks.equal("every entry has a place of its own", sorted(indices),
                 list(range(1, len(images) + 1)))
    for home, paths in ((hospital.home, images[:half]), (second, images[half:])):
        for path in paths:
            done = hospital.run("verify", "--json", path, home=home)
            result = json.loads(done.stdout)
            checks.equal("verify", (done.returncode, result["verdict"]), (0, "authentic"))
            ledger = result.get("ledger", {})
            checks.true("cosigned by two or more", len(ledger.get("witnesses", [])) >= 2, ledger)
            checks.equal("dated by", ledger.get("dated_by"), "tsa")
    status = json.loads(hospital.run("ledger", "status", "--json").stdout or "{}")
    checks.equal("status", status.get("tree_size"), len(images) + 1)
    done = hospital.run("ledger", "check", "--json")
    checks.equal("check", (done.returncode, json.loads(done.stdout or "{}").get("status")),
                 (0, "intact"))
    done = hospital.run("ledger", "prove", images[0])
    checks.true("prove", done.stdout.startswith("c2sp.org/tlog-proof@v1\n"), done.stderr)
    proof = hospital.home.parent / "first.tlog-proof"
    proof.write_text(done.stdout)
    done = hospital.run("ledger", "verify-proof", "--json", proof, images[0])
    answer = json.loads(done.stdout or "{}")
    checks.equal("verify-proof", (done.returncode, answer.get("status")), (0, "proven"))
    checks.true("with its witnesses", len(answer.get("witnesses", [])) >= 2, answer)
    done = hospital.run("ledger", "verify-proof", proof, images[1])
    checks.equal("of another image", done.returncode, 2)
    return True


def test_without_witnesses(hospital, witnesses, image, checks):
    witnesses[0].stop()
    done, lines = hospital.seal(image)
    checks.equal("two of three are enough", done.returncode, 0)
    witnesses[1].stop()
    return_after = make_images(image, hospital.home.parent / "late", 1)[0]
    done, _ = hospital.seal(return_after)
    checks.equal("one of three is not", done.returncode, 1)
    text = done.stdout + done.stderr
    checks.true("and it says who was missing", "w0" in text and "quorum" in text, text)
    for witness in witnesses[:2]:
        witness.start()
    done, lines = hospital.seal(return_after)
    checks.equal("with all back it is sealed", (done.returncode, lines[0].get("status") if lines else None), (0, "sealed"))


def test_a_partner(hospital, images, work, checks):
    """Another hospital with both in its trust file: nothing else, offline."""
    evidence = work / "for-partner.evidence"
    done = hospital.run("export", images[0], "--out", evidence)
    checks.equal("export", done.returncode, 0)
    # Receipts under a pinned checkpoint, of a ledger whose tiles are in the bucket.
    status = json.loads(hospital.run("ledger", "status", "--json").stdout)
    pinned = work / "pinned.toml"
    pinned.write_text((hospital.home / "trust.toml").read_text() +
                      "\n[[ledger.pinned]]\ntree_size = %d\nroot = \"%s\"\nat = 2099-01-01\n" % (
                          status["tree_size"], base64.b64encode(bytes.fromhex(status["root"])).decode()))
    done = hospital.run("export", images[0], "--pinned", "--trust", pinned, "--out", work / "pinned.evidence")
    checks.equal("export --pinned", (done.returncode, done.stdout), (0, f"exported  {images[0]}\n"))
    done = hospital.run("verify", "--json", "--evidence", work / "pinned.evidence", images[0])
    checks.equal("and it verifies", json.loads(done.stdout)["verdict"], "authentic")
    checks.true("it has a receipt more", (work / "pinned.evidence").stat().st_size > evidence.stat().st_size)
    partner = Hospital(hospital.program, work / "partner")
    assert partner.run("init", "--name", "Partner").returncode == 0
    done = partner.run("verify", "--json", "--evidence", evidence, images[0])
    checks.equal("before A is trusted", json.loads(done.stdout)["verdict"], "untrusted")
    ours = (hospital.home / "trust.toml").read_text()
    theirs = (partner.home / "trust.toml").read_text()
    # Whom A believes; what A tolerates is A's own affair, and B's file says that already.
    blocks = re.sub(r"(?m)^\[tolerance\]\n(?:[^\[\n].*\n|\n)*", "", ours[ours.index("[[authority]]"):])
    (partner.home / "trust.toml").write_text(theirs.replace("version = 1\n", "version = 2\n") +
                                             "\n" + blocks)
    done = partner.run("verify", "--json", "--evidence", evidence, images[0])
    checks.equal("with A in the trust file", json.loads(done.stdout)["verdict"], "authentic")


def test_an_old_backup(program, work, sample, checks):
    """A local ledger with one witness, put back from a backup: the witness has seen more."""
    hospital = Hospital(program, work / "old")
    assert hospital.run("init", "--name", "Old").returncode == 0
    status = json.loads(hospital.run("ledger", "status", "--json").stdout)
    witness = Witness(program, work / "old-witness", "w.example/old", status["vkey"],
                      status["origin"])
    witness.start()
    (hospital.home / "witnesses.policy").write_text(
        f"witness w {witness.vkey} {witness.url}\nquorum w\n")
    (hospital.home / "ledger.toml").write_text(
        'version = 1\nwitness_policy = "witnesses.policy"\n')
    first, second, third = make_images(sample, work / "old-images", 3)
    checks.equal("first", hospital.seal(first)[0].returncode, 0)
    shutil.copytree(hospital.home, work / "backup")
    checks.equal("second", hospital.seal(second)[0].returncode, 0)
    shutil.rmtree(hospital.home)
    shutil.copytree(work / "backup", hospital.home)
    done, _ = hospital.seal(third)
    checks.equal("the restored ledger is not appended to", done.returncode, 1)
    text = done.stdout + done.stderr
    checks.true("and it says why", "witness" in text.lower() and "ledger.conflict" in text, text)
    witness.stop()


def main():
    given = arguments(__doc__.splitlines()[0])
    require_tools("openssl")
    program = given.bin / "fiducia"
    sample = given.samples / "real/pydicom/CT_small.dcm"
    checks = Checks()
    with WorkFolder(given.work) as work:
        images = make_images(sample, work / "images", IMAGES)
        hospital, witnesses, _, _ = set_up(program, work)
        try:
            if test_one_log_of_two_gateways(hospital, images, work, checks):
                test_without_witnesses(hospital, witnesses,
                                       make_images(sample, work / "more", 1)[0], checks)
                test_a_partner(hospital, images, work, checks)
            test_an_old_backup(program, work, sample, checks)
        finally:
            for witness in witnesses:
                witness.stop()
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed or not checks.passed else 0)


if __name__ == "__main__":
    main()
