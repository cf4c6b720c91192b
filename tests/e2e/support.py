# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end tests share: running the program, a home of their own, counting checks."""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

EXIT_OF_VERDICT = {"authentic": 0, "altered": 2, "unsealed": 3, "untrusted": 4,
                   "indeterminate": 5, "malformed": 6}
# The exit code of several files is that of the worst (DESIGN 3.1).
WORST_FIRST = [1, 2, 6, 4, 5, 3, 0]
CONTRACT_EXIT_CODES = set(WORST_FIRST)
PROJECT = pathlib.Path(__file__).resolve().parents[2]


def worst(codes):
    return min(codes, key=WORST_FIRST.index, default=0)


def arguments(description, **extra):
    """--bin and --samples, which each of these programs needs, and --work to keep its files."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--bin", type=pathlib.Path, default=PROJECT / "build/release/bin",
                        help="folder of the programs")
    parser.add_argument("--samples", type=pathlib.Path, default=PROJECT / "build/samples",
                        help="folder that scripts/samples fills")
    parser.add_argument("--work", type=pathlib.Path, help="keep the files of the run here")
    for name, options in extra.items():
        parser.add_argument("--" + name.replace("_", "-"), **options)
    given = parser.parse_args()
    given.bin = given.bin.resolve()
    given.samples = given.samples.resolve()
    if not (given.bin / "fiducia").exists():
        sys.exit(f"{given.bin}/fiducia is not there; run scripts/build, or name its folder with --bin")
    if not (given.samples / "real").is_dir():
        sys.exit(f"{given.samples} holds no images; run scripts/samples")
    return given


def data_folder(given):
    """A folder of real images that does not belong to the project: --data, or FIDUCIA_DATA; else the one
    that lies beside it, if there is one."""
    named = getattr(given, "data", None) or os.environ.get("FIDUCIA_DATA")
    folder = pathlib.Path(named) if named else PROJECT.parent / "shared/data"
    if named and not folder.is_dir():
        sys.exit(f"{folder} is no folder of images")
    return folder.resolve() if folder.is_dir() else None


def require_tools(*names):
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        sys.exit("missing tools: " + ", ".join(missing) +
                 "; run scripts/install-packages samples test")


class WorkFolder:
    """A fresh folder; kept when it was named, removed when it was not."""

    def __init__(self, given):
        self.keep = given is not None
        if given is None:
            self.path = pathlib.Path(tempfile.mkdtemp(prefix="fiducia-e2e-"))
        else:
            self.path = given.resolve()
            if self.path.exists():
                shutil.rmtree(self.path)
            self.path.mkdir(parents=True)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        if self.keep:
            return
        for folder, _, _ in os.walk(self.path):
            os.chmod(folder, 0o700)  # some tests take the permission away
        shutil.rmtree(self.path, ignore_errors=True)


class Answer:
    """Exit code, standard output and standard error of one run."""

    def __init__(self, process, command):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr
        self.command = command

    @property
    def lines(self):
        """The JSON objects of standard output; fails when anything else is on it."""
        text = self.out.decode("utf-8")  # JSON is UTF-8, whatever the file names are
        if text and not text.endswith("\n"):
            raise AssertionError(f"output does not end with a line: {text[-80:]!r}")
        return [json.loads(line) for line in text.split("\n")[:-1]]

    def __repr__(self):
        return (f"{self.command}: exit {self.code}\n  stdout: {self.out[:600]!r}\n"
                f"  stderr: {self.err[:600]!r}")


class Fiducia:
    """The program with a home of its own; nothing of the caller's environment leaks in."""

    def __init__(self, bin_folder, home=None, environment=None):
        self.program = str(bin_folder / "fiducia")
        self.home = home
        self.environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8",
                            "HOME": "/nonexistent"}
        # Sanitizer builds of the program take their options from here.
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]
        if home is not None:
            self.environment["FIDUCIA_HOME"] = str(home)
        self.environment.update(environment or {})

    def run(self, *arguments, stdin=b"", timeout_s=240, environment=None, cwd=None):
        command = [self.program] + [a if isinstance(a, bytes) else str(a) for a in arguments]
        process = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout_s,
                                 cwd=cwd, env={**self.environment, **(environment or {})})
        return Answer(process, command[1:])

    def init(self, *arguments):
        answer = self.run("init", "--name", "Probe-Klinikum", *arguments)
        if answer.code != 0:
            raise AssertionError(f"init failed: {answer}")
        return answer


class Checks:
    """Counts what was checked, prints what failed, and makes the exit code."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.context = ""

    def that(self, condition, sentence, detail=""):
        if condition:
            self.passed += 1
            return True
        text = f"{self.context}: {sentence}" if self.context else sentence
        self.failed.append(text)
        print(f"FAILED  {text}\n        {detail}", flush=True)
        return False

    def equal(self, actual, expected, sentence, detail=""):
        return self.that(actual == expected, sentence,
                         f"expected {expected!r}, found {actual!r}  {detail}")

    def skip(self, sentence):
        self.skipped.append(sentence)
        print(f"skipped {sentence}", flush=True)

    def done(self):
        print(f"{self.passed} checks passed, {len(self.failed)} failed, {len(self.skipped)} skipped")
        return 1 if self.failed else 0
