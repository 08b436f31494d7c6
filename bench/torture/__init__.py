"""Long fault campaigns over the way of money: `make torture`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The campaigns share their worlds with the tests.
for folder in (ROOT, ROOT / "tests"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
