# SPDX-License-Identifier: Apache-2.0
"""What the program says of a file, and whether that is what a case asks for."""
import re


class Seen:
    """A verdict with its findings, or why there is none."""

    def __init__(self, answer):
        self.answer = answer
        line = answer.lines[0] if answer.lines else {}
        self.verdict = line.get("verdict", line.get("status", "error"))
        self.findings = [(f["code"], f["severity"], f["text"]) for f in line.get("findings", [])]
        error = line.get("error")
        if error:
            self.findings.append((error["code"], "error", error["text"] + " " + error.get("remedy", "")))

    def __repr__(self):
        told = ", ".join(dict.fromkeys(f"{code} ({severity})" for code, severity, _ in self.findings))
        return f"{self.verdict}: {told or 'nothing'}"


def judged(program, path, evidence=None, *more):
    by = () if evidence is None else ("--evidence", evidence)
    return Seen(program.run("verify", path, *by, "--json", *more))


def fault(seen, verdicts, codes=(), says=None, never_says=None):
    """None, or what is wrong with what was seen."""
    if seen.verdict not in verdicts:
        return f"{seen.verdict}, not {' or '.join(verdicts)}"
    told = [code for code, severity, _ in seen.findings if severity != "note"]
    if codes and not any(t == c or t.startswith(c + ".") for t in told for c in codes):
        return f"{seen.verdict} without {' or '.join(codes)}"
    texts = [text for _, _, text in seen.findings]
    if says and not any(re.search(says, text) for text in texts):
        return f"{seen.verdict}, and no text says {says!r}"
    if never_says and any(re.search(never_says, text) for text in texts):
        return f"{seen.verdict}, and a text says {never_says!r}"
    return None
