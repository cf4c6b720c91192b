#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every command that a message, a remedy or an example names is one that the programs take.

  commands_said_test.py PROGRAM LEDGER_PROGRAM SOURCE   exit 1 and one line for each that is none
  commands_said_test.py --self-test                     proves that wrong ones are found

Reads the string literals of src/ and apps/: `fiducia ...` in backticks, and lines that begin with
"fiducia ". Each is asked of the program with --help, options are looked up in its answer.
"""
import functools
import os
import pathlib
import re
import subprocess
import sys

LITERALS = re.compile(r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*')
ONE = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
QUOTED = re.compile(r"`(fiducia(?: [^`]*)?)`")
LINE = re.compile(r"(?:^|\n|Example:|Next:)[ \t]*(fiducia [a-z][^\n`]*)")
OPTION = re.compile(r"^--[a-z][a-z-]*")


def said(text):
    """The commands that a C++ source says."""
    text = re.sub(r"^\s*//.*$", "", text, flags=re.M)
    for match in LITERALS.finditer(text):
        literal = "".join(ONE.findall(match[0]))
        literal = literal.replace("\\n", "\n").replace('\\"', '"')
        yield from QUOTED.findall(literal)
        # A sentence may begin with the name of the program as well.
        yield from (line for line in LINE.findall(literal) if not line.rstrip().endswith("."))


def split(command):
    """(sub-commands, options) of "fiducia ledger check --folder DIR"."""
    words, options, in_front = [], [], True
    for word in re.findall(r'"[^"]*"|\S+', command)[1:]:
        if match := OPTION.match(word):
            options.append(match[0])
            in_front = False
        elif in_front and re.fullmatch(r"[a-z][a-z-]*", word):
            words.append(word)
        else:
            in_front = False
    return words, options


def judge(command, ask):
    """What is wrong with it, or ""."""
    words, options = split(command)
    code, answer = ask(tuple(words))
    if code != 0 or ("Usage: " + " ".join(["fiducia", *words])) not in answer:
        return "is no command"
    missing = [o for o in options if o != "--help" and not re.search(re.escape(o) + r"(?![a-z-])", answer)]
    return "has no option " + ", ".join(missing) if missing else ""


def self_test():
    help_of = {(): "Usage: fiducia [OPTIONS]", ("seal",): "Usage: fiducia seal [OPTIONS]\n  --out DIR"}
    ask = lambda words: (0, help_of[words]) if words in help_of else (1, "")
    source = ('x("Run `fiducia seal --out"\n  " DIR`, then see `fiducia`.");\n'
              'f("Example:\\n  fiducia seal ct/ --in-place\\n");\n// `fiducia gone`\n'
              'y("`fiducia sael`"); z("fiducia and others are of different builds.");')
    found = [(command, judge(command, ask)) for command in said(source)]
    wanted = [("fiducia seal --out DIR", ""), ("fiducia", ""),
              ("fiducia seal ct/ --in-place", "has no option --in-place"),
              ("fiducia sael", "is no command")]
    if found != wanted:
        sys.exit(f"commands_said: self-test: {found}")
    print("ok")


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    program, ledger, source = sys.argv[1:]
    environment = {**os.environ, "FIDUCIA_LEDGER": ledger}

    @functools.cache
    def ask(words):
        answer = subprocess.run([program, *words, "--help"], env=environment, capture_output=True,
                                text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
        return answer.returncode, answer.stdout

    wrong, count = [], 0
    for folder in ("src", "apps"):
        for path in sorted(pathlib.Path(source, folder).rglob("*")):
            if path.suffix not in (".cpp", ".h"):
                continue
            for command in said(path.read_text(encoding="utf-8")):
                count += 1
                if why := judge(command, ask):
                    wrong.append(f"{path.relative_to(source)}: `{command}` {why}")
    for line in wrong:
        print(line)
    if wrong or count < 40:  # fewer: the search itself is broken
        sys.exit(f"{count} commands are said, {len(wrong)} of them are wrong")
    print(f"{count} commands, all there")


if __name__ == "__main__":
    main()
