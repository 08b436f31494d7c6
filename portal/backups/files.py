"""A file that is whole or absent: written beside its place, synced, then renamed."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.errors import RefusedError

_CHUNK = 1 << 20


@contextmanager
def whole_file(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A path beside `target` that becomes it when the block ends well.

    Raises RefusedError when the target is there already and is not to be replaced.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        # Made here, so that nobody else on the machine may read it at any moment.
        os.close(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield temporary
        _sync(temporary)
        if replace:
            os.replace(temporary, target)
        else:
            _link(temporary, target)
        _sync(target.parent)
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            temporary.with_name(temporary.name + ending).unlink(missing_ok=True)


def _link(temporary: Path, target: Path) -> None:
    """A link refuses what a rename would overwrite."""
    try:
        os.link(temporary, target)
    except FileExistsError as error:
        raise RefusedError(f"{target} is there already.") from error


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def digest_of(path: Path) -> str:
    """The SHA-256 of the file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest_file(path: Path) -> Path:
    """Where the digest of a backup lies, in the form that `sha256sum -c` reads."""
    return path.with_name(f"{path.name}.sha256")


def check_digest(path: Path) -> None:
    """Raises RefusedError when the file is not what its digest says; without a digest
    beside it there is nothing to compare."""
    beside = digest_file(path)
    if not beside.exists():
        return
    if beside.read_text().split()[:1] != [digest_of(path)]:
        raise RefusedError(f"{path} is not what {beside.name} says: it is damaged.")
