"""Kills a process that is silent: `python watchdog_child.py PID SECONDS`.

It reads signs of life from standard input. When that closes, its process has ended.
Only the standard library, and nothing of the portal: it must stay small and alive.
"""

import os
import select
import signal
import sys


def main() -> None:
    pid, seconds = int(sys.argv[1]), float(sys.argv[2])
    # Ctrl-C and SIGTERM are for the process that we watch; its end is ours.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True:
        ready, _, _ = select.select([0], [], [], seconds)
        if not ready:
            # Ours still: a process that ended has closed the pipe.
            os.kill(pid, signal.SIGKILL)
            return
        if not os.read(0, 4096):
            return


if __name__ == "__main__":
    main()
