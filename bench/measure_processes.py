#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Times whole processes beside each other: measure_processes.py PLAN.json OUT.json

PLAN.json is a list of groups {"name", "runs", "commands": [{"name", "argv", "env"?, "before"?,
"exit"?}]}. The commands of a group take turns, so that a busy moment of the machine meets all of
them. `before` is an argv run untimed before each run. Output of the commands is thrown away; an
unexpected exit code ends the measurement. Peak memory is the kernel's own (ru_maxrss), which never
reads below this interpreter's, as the child starts as its copy.
"""
import json
import os
import subprocess
import sys
import time


def run_once(command, out):
    for argv in command.get("before", []):
        subprocess.run(argv, check=True, stdout=out, stderr=out)
    env = dict(os.environ, **command.get("env", {}))
    actions = [(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
    start = time.perf_counter()
    pid = os.posix_spawnp(command["argv"][0], command["argv"], env, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    code = os.waitstatus_to_exitcode(status)
    if code != command.get("exit", 0):
        sys.exit(f"{' '.join(command['argv'][:6])}: exit code {code}")
    return wall * 1e3, (usage.ru_utime + usage.ru_stime) * 1e3, usage.ru_maxrss / 1024


def main():
    plan = json.load(open(sys.argv[1]))
    results = []
    with open(os.devnull, "w") as sink:
        for group in plan:
            print("measuring", group["name"], file=sys.stderr)
            rows = {c["name"]: [] for c in group["commands"]}
            for turn in range(group["runs"] + 1):
                for command in group["commands"]:
                    sample = run_once(command, sink.fileno())
                    if turn > 0:  # the first turn warms caches
                        rows[command["name"]].append(sample)
            results.append({"name": group["name"], "rows": rows})
    json.dump(results, open(sys.argv[2], "w"), indent=1)


main()
