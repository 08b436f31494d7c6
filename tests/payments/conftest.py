"""A shop whose gateways are the simulator's."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from money_world import World
from payment_cases import Shop, open_shop
from simulator_client import SimulatorClient
from sqlalchemy.orm import Session

from portal import clock as portal_clock


@pytest.fixture
def shop(app: Flask, session: Session, simulator: SimulatorClient) -> Shop:
    return open_shop(app, session, portal_clock.utcnow())


@pytest.fixture
def world() -> Iterator[World]:
    """A shop for long histories, in memory where there is any: no disk to wait for."""
    fast = Path("/dev/shm")  # noqa: S108 (gone after the test)
    where = fast if fast.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="world-", dir=where) as folder:
        made = World(Path(folder))
        yield made
        made.close()
