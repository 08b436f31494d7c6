"""A `World` in memory-backed storage, on either database."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from money_world import World, prepare_database, world_settings
from postgres_cluster import Cluster

FAST = Path("/dev/shm")  # noqa: S108 (nothing here outlives the campaign)


@contextmanager
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: no history here waits for a disk."""
    where = FAST if FAST.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="torture-", dir=where) as made:
        yield Path(made)


@contextmanager
def world(database: str) -> Iterator[World]:
    """`sqlite` or `postgresql`."""
    with folder() as path:
        if database == "sqlite":
            made = World(path)
            try:
                yield made
            finally:
                made.close()
            return
        cluster = Cluster()
        try:
            yield from _on_postgres(path, cluster)
        finally:
            cluster.stop()


def _on_postgres(path: Path, cluster: Cluster) -> Iterator[World]:
    template = cluster.create_database()
    prepare_database(world_settings(cluster.url(template), path))
    name = cluster.create_database(template)

    def fresh() -> None:
        cluster.drop_database(name)
        cluster._execute(f"CREATE DATABASE {name} TEMPLATE {template}")

    made = World(path, cluster.url(name), fresh)
    try:
        yield made
    finally:
        made.close()
