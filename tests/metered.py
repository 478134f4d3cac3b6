"""Runs a command and writes what it took: started as a small process of its own, because what a child used
is counted from the size of the process that started it.

Usage: python -I -S metered.py FILE SECONDS COMMAND… (standard input and output are the command's own)
"""

from __future__ import annotations

import json
import os
import signal
import sys


def main(told: str, seconds: int, command: list[str]) -> None:
    """Start the command, wait for it, and write its exit code, processor seconds and largest memory in MB."""
    child = os.posix_spawn(command[0], command, os.environ)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(seconds)
    _, status, used = os.wait4(child, 0)
    figures = {
        "code": os.waitstatus_to_exitcode(status),
        "seconds": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss / 1024,
    }
    with open(told, "w") as file:  # noqa: PTH123 - pathlib would double this process's size
        json.dump(figures, file)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
