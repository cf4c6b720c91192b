# SPDX-License-Identifier: Apache-2.0
"""Starts programs and measures them, one JSON request a line.

A process of its own, because Linux counts the memory of the process that starts a program to the
program's peak: this one is small.
"""
import json
import os
import signal
import sys
import time


def run(request):
    start = time.monotonic()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 1)
            os.dup2(os.open(request["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 2)
            os.execve(request["argv"][0], request["argv"], request["env"])
        finally:
            os._exit(127)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(request["timeout_s"])
    _, status, usage = os.wait4(pid, 0)
    signal.alarm(0)
    return {"code": os.waitstatus_to_exitcode(status), "wall_s": time.monotonic() - start,
            "rss_mib": usage.ru_maxrss / 1024}


for line in sys.stdin:
    print(json.dumps(run(json.loads(line))), flush=True)
