"""`make texts`: every text that a customer reads, by family, in docs/textos."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from reading_copy import families  # noqa: E402

from bench.torture.worlds import world  # noqa: E402

FOLDER = ROOT / "docs" / "textos"


def main() -> None:
    """Write each family; a file of a family that is gone goes too."""
    with world("sqlite") as made:
        texts = families(made.app, lambda at: setattr(made, "now", at))
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.glob("*.md"):
        old.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text)
        print(f"docs/textos/{name}: {len(text.split())} palabras")


if __name__ == "__main__":
    main()
