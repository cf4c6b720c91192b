# SPDX-License-Identifier: Apache-2.0
"""Archives and transfers over the network, each started privately on free ports of this machine: files
go in, and what comes out again is found by its SOP Instance UID."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
import warnings

import pydicom

from reencode import CannotMake

warnings.filterwarnings("ignore")
ORTHANC = shutil.which("Orthanc") or ("/usr/sbin/Orthanc" if os.access("/usr/sbin/Orthanc", os.X_OK)
                                      else None)
HOST = "127.0.0.1"


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def uid_of(path):
    return str(pydicom.dcmread(path, force=True, stop_before_pixels=True).get("SOPInstanceUID", ""))


def study_of(path):
    return str(pydicom.dcmread(path, force=True, stop_before_pixels=True).get("StudyInstanceUID", ""))


@contextlib.contextmanager
def running(command, port, folder):
    """A server until the block is left; killed whatever happens."""
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen([str(c) for c in command], cwd=folder, stdout=log, stderr=log,
                                   start_new_session=True)  # dcmqrscp forks
        try:
            end = time.monotonic() + 60
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex((HOST, port)) == 0:
                        break
                if process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError(f"{command[0]} does not start: "
                                       f"{(folder / 'server.log').read_text(errors='replace')[-400:]}")
                time.sleep(0.05)
            yield
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def call(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True, timeout=240)
    return done.returncode, (done.stdout + done.stderr).decode(errors="replace")


def send(sources, port, title, folder, sender):
    """Sends copies, so that a client that works by folder takes these files only."""
    outbox = folder / "outbox"
    outbox.mkdir()
    for source in sources:
        os.symlink(source, outbox / source.name)
    if sender == "dcmsend":  # each file in its own transfer syntax, where the other side takes it
        call("dcmsend", "-aec", title, "+sd", "+r", "--no-halt", "--no-uid-checks", HOST, port, outbox)
    else:  # all transfer syntaxes without compression
        for link in sorted(outbox.iterdir()):  # one that cannot go must not stop the others
            call("storescu", "-aec", title, HOST, port, link)


def received(folder, sources):
    """Source -> file in `folder` with its SOP Instance UID."""
    by_uid = {uid_of(path): path for path in folder.rglob("*") if path.is_file()}
    return {source: by_uid[uid_of(source)] for source in sources if uid_of(source) in by_uid}


def to_storescp(sender, *options):
    """A client sends to DCMTK's storescp."""
    def transfer(sources, folder):
        inbox = folder / "inbox"
        inbox.mkdir()
        port = free_port()
        with running(["storescp", "-pm", "-od", inbox, "-uf", *options, port], port, folder):
            send(sources, port, "ANY", folder, sender)
        return received(inbox, sources)
    return transfer


def through_dcmqrscp(how):
    """DCMTK's dcmqrscp stores; getscu or movescu takes everything out again."""
    def transfer(sources, folder):
        archive, inbox = folder / "archive", folder / "inbox"
        archive.mkdir()
        inbox.mkdir()
        port, back = free_port(), free_port()
        (folder / "qr.cfg").write_text(
            f"NetworkTCPPort = {port}\nMaxPDUSize = 16384\nMaxAssociations = 16\n"
            f"HostTable BEGIN\ndest = (DEST, {HOST}, {back})\nHostTable END\n"
            "VendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\nARCHIVE {archive} RW (9999, 4096mb) ANY\nAETable END\n")
        studies = sorted({study_of(source) for source in sources} - {""})
        with running(["dcmqrscp", "-c", folder / "qr.cfg"], port, folder):
            send(sources, port, "ARCHIVE", folder, "storescu")
            for study in studies:
                keys = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}"]
                if how == "C-GET":
                    call("getscu", "-aec", "ARCHIVE", "-od", inbox, *keys, HOST, port)
                else:
                    call("movescu", "-aec", "ARCHIVE", "-aet", "DEST", "-aem", "DEST", "+P", back,
                         "-od", inbox, *keys, HOST, port)
        return received(inbox, sources)
    return transfer


def through_orthanc(how):
    """Orthanc stores what it is sent. `how` it gives it back: `REST`, `C-STORE`, `C-GET`; `transcoded`:
    to somebody who takes implicit VR only; `stored as JPEG lossless`: it encodes what comes in."""
    def transfer(sources, folder):
        if ORTHANC is None:
            raise CannotMake("Orthanc is not installed")
        inbox = folder / "inbox"
        inbox.mkdir()
        port, http, back = free_port(), free_port(), free_port()
        config = {"Name": "archive", "StorageDirectory": str(folder / "db"),
                  "IndexDirectory": str(folder / "db"), "HttpPort": http, "DicomPort": port,
                  "DicomAet": "ORTHANC", "RemoteAccessAllowed": False, "DicomCheckCalledAet": False,
                  "DicomAlwaysAllowStore": True, "DicomAlwaysAllowGet": True,
                  "UnknownSopClassAccepted": True, "DicomScuTimeout": 60,
                  "DicomModalities": {"dest": ["DEST", HOST, back]}}
        if how == "stored as JPEG lossless":
            config["IngestTranscoding"] = "1.2.840.10008.1.2.4.70"
        (folder / "orthanc.json").write_text(json.dumps(config))
        base = f"http://{HOST}:{http}"

        def get(path):
            with urllib.request.urlopen(base + path, timeout=60) as answer:
                return answer.read()

        with running([ORTHANC, folder / "orthanc.json"], http, folder):
            send(sources, port, "ORTHANC", folder, "dcmsend")
            identifiers = json.loads(get("/instances"))
            if how in ("REST", "stored as JPEG lossless"):
                for identifier in identifiers:
                    (inbox / f"{identifier}.dcm").write_bytes(get(f"/instances/{identifier}/file"))
            elif how == "C-GET":
                for study in sorted({study_of(source) for source in sources} - {""}):
                    call("getscu", "-aec", "ORTHANC", "-od", inbox, "-S", "-k",
                         "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={study}", HOST, port)
            else:
                takes = ["+xi"] if how == "transcoded" else ["+xa"]
                (folder / "scp").mkdir()
                with running(["storescp", "-pm", "-od", inbox, "-uf", *takes, back], back,
                             folder / "scp"):
                    for identifier in identifiers:  # one that cannot go must not stop the others
                        request = urllib.request.Request(
                            f"{base}/modalities/dest/store", data=identifier.encode(), method="POST")
                        with contextlib.suppress(OSError):
                            urllib.request.urlopen(request, timeout=60).read()
        return received(inbox, sources)
    return transfer


TRANSFERS = {
    "storescu -> storescp": to_storescp("storescu"),
    "storescu -> storescp, implicit VR": to_storescp("storescu", "+xi"),
    "dcmsend -> storescp, as received": to_storescp("dcmsend", "+xa", "+B"),
    "dcmsend -> storescp, group lengths + padding": to_storescp("dcmsend", "+xa", "+g", "+p", "512", "8"),
    "dcmqrscp: C-STORE, C-GET": through_dcmqrscp("C-GET"),
    "dcmqrscp: C-STORE, C-MOVE": through_dcmqrscp("C-MOVE"),
    "Orthanc: C-STORE, REST": through_orthanc("REST"),
    "Orthanc: C-STORE, C-GET": through_orthanc("C-GET"),
    "Orthanc: C-STORE, sends on": through_orthanc("C-STORE"),
    "Orthanc: transcodes to implicit VR": through_orthanc("transcoded"),
    "Orthanc: stores as JPEG lossless": through_orthanc("stored as JPEG lossless"),
}
