#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The contract of the command line (DESIGN 3): exit codes, output, files, and what never leaks.

  cli_test.py [--bin DIR] [--samples DIR] [--only TEXT] [--kills N]
"""
import pathlib
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).parent))
import cli_damage  # noqa: E402
import cli_evidence  # noqa: E402
import cli_files  # noqa: E402
import cli_recovery  # noqa: E402
import cli_verdicts  # noqa: E402
from cli_world import World  # noqa: E402
from support import Checks, WorkFolder, arguments, require_tools  # noqa: E402

warnings.filterwarnings("ignore")  # of pydicom, about sample files that are odd on purpose


def main():
    given = arguments(__doc__.splitlines()[0],
                      only={"help": "only tests whose name contains this text"},
                      kills={"type": int, "default": 50, "help": "kills while sealing in place"})
    require_tools("dcmcjpls", "dcmconv", "faketime", "openssl")
    checks = Checks()
    tests = [test for module in (cli_verdicts, cli_files, cli_damage, cli_evidence,
                                   cli_recovery)
             for name, test in vars(module).items() if name.startswith("test_")]
    with WorkFolder(given.work) as work:
        work.chmod(0o755)  # another user runs some of the tests
        world = World(given, work, checks)
        for test in tests:
            if given.only and given.only not in test.__name__:
                continue
            checks.context = test.__name__
            start = time.monotonic()
            try:
                test(world, world.folder(test.__name__), checks)
            except Exception as error:  # one broken test must not hide the others
                checks.that(False, "the test broke", f"{type(error).__name__}: {error}")
                if given.only:
                    raise
            print(f"{time.monotonic() - start:6.2f} s  {test.__name__}", flush=True)
        checks.context = "output"
        checks.that(world.lines_seen > (100 if not given.only else 0),
                    "JSON lines were checked against the schemas", str(world.lines_seen))
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
