#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An evidence store that several homes share in a PostgreSQL database, with nothing but real parts:
moved there, joined, listed, checked; sealed to at once, killed in the middle, without its server.

  tests/app/shared_store_test.py FIDUCIA
"""
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

import jsonschema

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SCHEMAS = {}
for schema_file in (SOURCE / "spec").glob("*.schema.json"):
    schema = json.loads(schema_file.read_text())
    SCHEMAS[schema["title"]] = jsonschema.Draft202012Validator(schema)
PSQL = "/usr/lib/postgresql/15/bin/psql"
# A table that somebody holds, or what a server does in its own time, is waited for this long.
SECONDS_MAX = 60


def element(group, number, vr, value):
    if len(value) % 2:
        value += b"\0" if vr == "UI" else b" "
    head = struct.pack("<HH2s", group, number, vr.encode())
    if vr == "OW":
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def image(uid, seed, study="1.2.9"):
    """128 x 128 pixels that the seed makes: enough for a sketch."""
    meta = element(2, 0x10, "UI", b"1.2.840.10008.1.2.1")
    meta = element(2, 0, "UL", struct.pack("<I", len(meta))) + meta
    side = 128

    def us(number, value):
        return element(0x28, number, "US", struct.pack("<H", value))

    return (b"\0" * 128 + b"DICM" + meta + element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.2")
            + element(8, 0x18, "UI", uid.encode()) + element(0x20, 0xD, "UI", study.encode())
            + element(0x20, 0xE, "UI", (study + ".1").encode()) + us(2, 1)
            + element(0x28, 4, "CS", b"MONOCHROME2") + us(0x10, side) + us(0x11, side)
            + us(0x100, 16) + us(0x101, 16) + us(0x102, 15) + us(0x103, 0)
            + element(0x7FE0, 0x10, "OW", random.Random(seed).randbytes(side * side * 2)))


class Server:
    """PostgreSQL, which ends with this process (tests/services/postgresql)."""

    def __init__(self):
        self.process = subprocess.Popen(
            [sys.executable, SOURCE / "tests/services/postgresql", "serve"], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline().strip()
        if not line:
            sys.exit("PostgreSQL does not start")
        self.connection = line
        self.databases = 0

    def command(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", (line, answer)

    def new_database(self):
        self.databases += 1
        name = f"test_{self.databases}"
        self.sql(self.connection, f"CREATE DATABASE {name}")
        return f"{self.connection} dbname={name}"

    @staticmethod
    def sql(connection, text):
        return subprocess.run([PSQL, connection, "-XAtc", text], check=True, capture_output=True,
                              text=True).stdout.strip()

    @contextlib.contextmanager
    def holding(self, connection, statement):
        """Somebody whose transaction has run `statement` and stands still."""
        with subprocess.Popen([PSQL, connection, "-XAt"], text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as holder:
            holder.stdin.write(f"BEGIN; {statement}; SELECT 'held';\n")
            holder.stdin.flush()
            while holder.stdout.readline().strip() != "held":
                pass
            try:
                yield
            finally:
                holder.kill()

    def close(self):
        self.process.stdin.close()
        self.process.wait(SECONDS_MAX)


def eventually(condition):
    end = time.monotonic() + SECONDS_MAX
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)  # between two looks
    return True


class World:
    """Scratch homes, and the program."""

    def __init__(self, fiducia, scratch, server):
        self.fiducia, self.scratch, self.server = fiducia, scratch, server
        self.environment = {name: value for name, value in os.environ.items()
                            if not name.startswith(("FIDUCIA_", "PG", "XDG_"))}

    def start(self, home, *words, **further):
        return subprocess.Popen([self.fiducia, *map(str, words), "--home", str(home)], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE,
                                **{"env": self.environment, **further})

    def run(self, home, *words, exit_code=0, **further):
        process = self.start(home, *words, **further)
        out, error = process.communicate(timeout=300)
        assert process.returncode == exit_code, (words, process.returncode, out, error)
        return out

    def json(self, home, *words, exit_code=0):
        out = self.run(home, *words, "--json", exit_code=exit_code)
        lines = [json.loads(line) for line in out.splitlines()]
        for line in lines:
            SCHEMAS[line["schema"]].validate(line)
        return lines

    def refusal(self, home, *words):
        """The code of an error that also says what to do."""
        error = self.json(home, *words, exit_code=1)[-1]
        error = error.get("error", error)
        assert error["remedy"], error
        return error["code"]

    def new_home(self, name):
        home = self.scratch / name
        self.run(home, "init", "--name", name)
        return home

    def new_image(self, name, uid, seed, study="1.2.9"):
        path = self.scratch / name
        path.write_bytes(image(uid, seed, study))
        return path

    def seal(self, home, path):
        sealed = self.json(home, "seal", path)[-1]
        assert sealed["status"] == "sealed", sealed

    def verdict(self, home, path, *words):
        process = self.start(home, "verify", path, "--json", *words)
        out, error = process.communicate(timeout=300)
        assert out, error
        return json.loads(out.splitlines()[-1])["verdict"]

    def listing(self, home, *words):
        """The objects, without the summary, of which there is one."""
        lines = self.json(home, "store", "list", *words)
        assert lines[-1]["summary"] and lines[-1]["objects"] == len(lines) - 1, lines[-1]
        return lines[:-1]

    def objects(self, home):
        return self.json(home, "store", "check")[0]["objects"]


def moves(world):
    """What was sealed is found, listed and checked as before; moving again changes nothing."""
    home = world.new_home("moving")
    images = [world.new_image(f"m{i}.dcm", f"1.2.1.{i}", i, f"1.2.{i % 3}") for i in range(12)]
    for path in images[:2]:
        world.seal(home, path)
    world.json(home, "seal", *images[2:])
    before = world.listing(home)
    assert len(before) == len(images)
    database = world.server.new_database()
    secret = database + " password=Swordfish"
    out = world.run(home, "store", "move", "--postgres", secret, "--json", exit_code=1)
    assert json.loads(out)["error"]["code"] == "usage.invalid" and "Swordfish" not in out, out
    assert world.refusal(home, "store", "move", "--postgres", "no connection string") \
        == "config.invalid"
    moved = world.json(home, "store", "move", "--postgres", database)[0]
    assert moved["status"] == "moved" and "12 objects; 12 came" in moved["text"], moved
    assert "[evidence]" in (home / "fiducia.toml").read_text()
    own = (home / "evidence.db").read_bytes()
    assert world.listing(home) == before
    study = world.listing(home, "--study", "1.2.1")
    assert len(study) == 4 and len({line["study"] for line in study}) == 1, study
    assert study == world.listing(home, "--study", "1.2.1", "--series", "1.2.1.1")
    assert world.listing(home, "--study", "1.2.1", "--series", "1.2.2.1") == []
    pages = world.json(home, "store", "list", "--limit", 5)
    assert len(pages) == 6 and pages[-1]["next"], pages
    rest = world.listing(home, "--after", pages[-1]["next"])
    assert pages[:-1] + rest == before
    assert world.objects(home) == len(images)
    assert world.verdict(home, images[5]) == "authentic"
    again = world.json(home, "store", "move", "--postgres", database)[0]
    assert "12 objects; 0 came" in again["text"], again
    assert world.refusal(home, "store", "move", "--postgres", world.server.new_database()) == "exists"
    world.seal(home, world.new_image("m-new.dcm", "1.2.1.99", 99))
    assert world.objects(home) == len(images) + 1
    assert (home / "evidence.db").read_bytes() == own, "nobody writes to the copy"
    altered = world.new_image("m-altered.dcm", "1.2.1.5", 1005)
    assert world.refusal(home, "seal", altered) == "identity.conflict"
    world.server.sql(database, "SET session_replication_role = replica; UPDATE"
                     " fiducia_evidence.object SET evidence = set_bit(evidence, 0, 1 -"
                     " get_bit(evidence, 0)) WHERE id = 3")
    damage = world.json(home, "store", "check", exit_code=2)[0]
    assert damage["status"] == "damaged" and len(damage["damaged"]) == 1, damage


def moves_after_a_kill(world):
    """Killed while it copies: the home is as it was, and moves later with all that it has then."""
    home = world.new_home("killed")
    shutil.copytree(home, world.scratch / "empty")
    for i in range(3):
        world.seal(home, world.new_image(f"k{i}.dcm", f"1.2.2.{i}", 20 + i))
    database = world.server.new_database()
    # A store with this key and nothing in it, so that there is a table to hold.
    world.json(world.scratch / "empty", "store", "move", "--postgres", database)
    with world.server.holding(database, "LOCK TABLE fiducia_evidence.object IN SHARE MODE"):
        process = world.start(home, "store", "move", "--postgres", database)
        assert eventually(lambda: process.poll() is not None or world.server.sql(
            database, "SELECT count(*) FROM pg_locks WHERE NOT granted") != "0")
        assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert "[evidence]" not in (home / "fiducia.toml").read_text()
    world.seal(home, world.new_image("k-later.dcm", "1.2.2.77", 77))
    moved = world.json(home, "store", "move", "--postgres", database)[0]
    assert "4 objects; 4 came" in moved["text"], moved
    assert world.objects(home) == 4


def joins(world):
    """A second home finds what the first has sealed, and does not seal it with other content."""
    first, second = world.new_home("first"), world.new_home("second")
    original = world.new_image("j.dcm", "1.2.3.1", 31)
    world.seal(first, original)
    database = world.server.new_database()
    world.json(first, "store", "move", "--postgres", database)
    key = world.scratch / "store.key"
    shutil.copy(first / "keys/store.key", key)
    own_key = (second / "keys/store.key").read_bytes()

    def join(home, file=key):
        return ("store", "join", "--postgres", database, "--key", file)

    key.chmod(0o644)
    assert world.refusal(second, *join(second)) == "config.invalid"
    key.chmod(0o600)
    short = world.scratch / "short.key"
    short.write_bytes(b"x" * 31)
    short.chmod(0o600)
    assert world.refusal(second, *join(second, short)) == "config.invalid"
    assert world.refusal(second, *join(second, second / "keys/store.key")) == "home.mismatch"
    assert world.refusal(second, *join(second, world.scratch / "none")) == "io.unreadable"
    assert (second / "keys/store.key").read_bytes() == own_key, "a refusal changes nothing"

    other = world.new_home("other")
    world.seal(other, world.new_image("o.dcm", "1.2.3.2", 32))
    assert world.refusal(other, *join(other)) == "home.mismatch"
    assert "[evidence]" not in (other / "fiducia.toml").read_text()

    joined = world.json(second, *join(second))[0]
    assert joined["status"] == "joined" and "keys/store.key.of-" in joined["text"], joined
    kept = list((second / "keys").glob("store.key.of-*"))
    assert [path.read_bytes() for path in kept] == [own_key] and kept[0].stat().st_mode & 0o77 == 0
    assert (second / "keys/store.key").read_bytes() == (first / "keys/store.key").read_bytes()
    assert world.listing(second) == world.listing(first)
    assert world.verdict(second, original, "--trust", first / "trust.toml") == "authentic"
    altered = world.new_image("j-altered.dcm", "1.2.3.1", 33)
    assert world.refusal(second, "seal", altered) == "identity.conflict"
    world.seal(second, world.new_image("s.dcm", "1.2.3.4", 34))
    assert world.objects(first) == 2

    # Killed after it had taken the key, and before fiducia.toml said so.
    third = world.new_home("third")
    shutil.copy(first / "keys/store.key", third / "keys/store.key")
    assert world.json(third, *join(third))[0]["status"] == "joined"
    # A copy of a home brings what it has along.
    fourth = world.scratch / "fourth"
    shutil.copytree(world.new_home("origin"), fourth)
    world.seal(fourth, world.new_image("f.dcm", "1.2.3.5", 35))
    second_database = world.server.new_database()
    world.json(world.scratch / "origin", "store", "move", "--postgres", second_database)
    joined = world.json(fourth, "store", "join", "--postgres", second_database, "--key",
                        world.scratch / "origin/keys/store.key")[0]
    assert "1 object; 1 came" in joined["text"], joined


def two_homes(world):
    """Two homes with ledgers of their own and one store; and the database."""
    first, second = world.new_home("here"), world.new_home("there")
    database = world.server.new_database()
    world.json(first, "store", "move", "--postgres", database)
    world.json(second, "store", "join", "--postgres", database, "--key", first / "keys/store.key")
    return first, second, database


def waiting(world, database, table, count):
    """Whether so many sessions wait for a lock of the table."""
    return int(world.server.sql(
        database, "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation ="
        f" 'fiducia_evidence.{table}'::regclass")) == count


def seal_at_once(world):
    """Of two homes that seal one identity with different content, one does and one is refused."""
    first, second, database = two_homes(world)
    for number in range(4):
        uid = f"1.2.6.{number}"
        images = [world.new_image(f"a{number}-{i}.dcm", uid, 100 + 2 * number + i) for i in (0, 1)]
        # Both stand where they claim the identity, and go on at the same moment.
        with world.server.holding(database, "LOCK TABLE fiducia_evidence.identity"):
            processes = [world.start(home, "seal", path, "--json")
                         for home, path in zip((first, second), images)]
            assert eventually(lambda: waiting(world, database, "identity", 2))
        said = [json.loads(process.communicate(timeout=300)[0].splitlines()[-1])
                for process in processes]
        outcome = sorted(line.get("error", {}).get("code", line["status"]) for line in said)
        assert outcome == ["identity.conflict", "sealed"], said
        assert world.objects(first) == number + 1
        winner = next(i for i in (0, 1) if said[i]["status"] == "sealed")
        trust = ("--trust", (first, second)[winner] / "trust.toml")
        assert world.verdict((second, first)[winner], images[winner], *trust) == "authentic"
        assert world.verdict((second, first)[winner], images[1 - winner], *trust) == "altered"


def dies_before_it_commits(world):
    """Killed after ledger and reservation, and before the commit: the identity is free again."""
    first, second, database = two_homes(world)
    lost = world.new_image("d-lost.dcm", "1.2.7.1", 71)
    with world.server.holding(database, "LOCK TABLE fiducia_evidence.object IN SHARE MODE"):
        process = world.start(first, "seal", lost)
        assert eventually(lambda: process.poll() is not None
                          or waiting(world, database, "object", 1))
        assert process.poll() is None, process.communicate()
        assert world.server.sql(database, "SELECT count(*) FROM fiducia_evidence.identity") == "1"
        process.send_signal(signal.SIGKILL)
        process.communicate()
    world.seal(second, world.new_image("d-other.dcm", "1.2.7.1", 72))
    assert world.refusal(first, "seal", lost) == "identity.conflict"
    world.seal(first, world.new_image("d-next.dcm", "1.2.7.2", 73))
    assert world.objects(first) == 2


def goes_on_without_the_server(world):
    """Without its server the store is an error that says so; who gives evidence needs no store."""
    home = world.new_home("lost")
    original = world.new_image("l.dcm", "1.2.4.1", 41)
    world.run(home, "seal", original, "--sidecar")
    given = ("--evidence", f"{original}.evidence")
    world.json(home, "store", "move", "--postgres", world.server.new_database())
    assert world.verdict(home, original) == "authentic"
    new = world.new_image("l-new.dcm", "1.2.4.2", 42)
    world.server.command("stop immediate")
    try:
        for words in (("seal", new), ("verify", original), ("store", "check"), ("store", "list")):
            assert world.refusal(home, *words).startswith("io."), words
        assert world.verdict(home, original, *given) == "authentic"
    finally:
        world.server.command("start")
    world.seal(home, new)
    assert world.verdict(home, original) == "authentic"


def loads_libpq_only_when_it_asks(world):
    """`verify` waits for the client library only where the store in the database is asked."""
    home = world.new_home("loading")
    original = world.new_image("p.dcm", "1.2.5.1", 51)
    world.run(home, "seal", original, "--sidecar")
    given = ("--evidence", f"{original}.evidence")

    def loads(*words):
        said = world.scratch / "loaded"
        said.mkdir()
        world.run(home, "verify", original, *words, env={
            **world.environment, "LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(said / "files")})
        text = "".join(file.read_text() for file in said.iterdir())
        shutil.rmtree(said)
        assert "libcrypto" in text, "the loader says what it loads"
        return "libpq" in text

    assert not loads() and not loads(*given)
    world.json(home, "store", "move", "--postgres", world.server.new_database())
    assert not loads(*given), "in place of the store"
    assert loads()


def main():
    fiducia = sys.argv[1]
    server = Server()
    try:
        for scenario in (moves, moves_after_a_kill, joins, seal_at_once, dies_before_it_commits,
                         goes_on_without_the_server, loads_libpq_only_when_it_asks):
            with tempfile.TemporaryDirectory(prefix="fiducia-shared-") as scratch:
                begun = time.monotonic()
                scenario(World(fiducia, pathlib.Path(scratch), server))
                print(f"{scenario.__name__}: ok, {time.monotonic() - begun:.1f} s", flush=True)
    finally:
        server.close()


if __name__ == "__main__":
    main()
