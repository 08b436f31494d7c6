"""`python -m portal.launch granian ...`: a server, once its configuration is good.

The server would start its processes again and again while each dies of a variable that
is missing. So they are read first, and every problem is said once.
"""

import os
import sys
from pathlib import Path

from portal.config import settings_from_environment
from portal.errors import ConfigurationError

# EX_CONFIG of sysexits.h: systemd does not start again what ended so.
BAD_CONFIGURATION = 78


def main() -> None:
    """Become the program that the arguments name, beside this Python."""
    try:
        settings_from_environment()
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        sys.exit(BAD_CONFIGURATION)
    program, *arguments = sys.argv[1:]
    path = Path(sys.executable).parent / program
    os.execv(path, [program, *arguments])  # noqa: S606 (a program of our own)


if __name__ == "__main__":
    main()
