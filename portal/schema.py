"""The schema that this program brings, told by the files of its migrations."""

import re
from functools import lru_cache

from portal.config import ROOT

_REVISION = re.compile(r'^((?:down_)?revision) = "(\w+)"', re.MULTILINE)


@lru_cache(maxsize=1)
def expected_heads() -> frozenset[str]:
    """The newest migrations of this program.

    Read without Alembic: the first `/salud` would wait for it, and nothing else in a
    server needs it.
    """
    known: set[str] = set()
    followed: set[str] = set()
    for file in (ROOT / "migrations" / "versions").glob("*.py"):
        said = dict(_REVISION.findall(file.read_text(encoding="utf-8")))
        known.add(said["revision"])
        followed.add(said.get("down_revision", ""))
    return frozenset(known - followed)
