"""A backup is whole, checked and restorable; a plain copy of the file is not."""

import os
import shutil
from dataclasses import replace
from itertools import count
from pathlib import Path

import pysqlite3.dbapi2 as sqlite3
import pytest
from click.testing import Result
from conftest import TUESDAY_NOON, FrozenClock
from flask import Flask
from payment_cases import Shop
from postgres_cluster import Cluster
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session
from support_cases import add_staff

from portal.audit import check_queries
from portal.backups import (
    files,
    postgres_service,
    rules,
    service,
    sqlite_service,
    transfer_service,
)
from portal.config import Settings, database_url
from portal.db import db, engine_options, transaction
from portal.errors import RefusedError
from portal.journal.models import JournalEntry
from portal.journal.service import SYSTEM
from portal.mail.mails import RenderContext
from portal.mail.models import OutboxRow
from portal.orders.models import Order
from portal.payments.manual import TRANSFER, open_by_hand
from portal.settings.queries import load
from portal.terms import service as terms_service

_forms = count(1)


@pytest.fixture
def sold(app: Flask, session: Session) -> int:
    """A portal that has sold; the order's id."""
    terms_service.set_up(TUESDAY_NOON)
    return sell(app)


def sell(app: Flask) -> int:
    """An order paid by transfer, with all that comes of it; its id."""
    shop = Shop(app, db.session())
    draft = {"form_key": f"hand-{next(_forms)}"}
    return open_by_hand(
        shop.draft(**draft),
        TRANSFER,
        19_990,
        reason="Transferencia",
        actor=SYSTEM,
        keys=shop.keys,
        now=TUESDAY_NOON,
    )


def run(app: Flask, *arguments: str | Path) -> Result:
    return app.test_cli_runner().invoke(args=[str(it) for it in arguments])


def close(app: Flask) -> None:
    """As if the portal were stopped: nobody has the database open."""
    db.session.remove()
    db.engine.dispose()


def orders() -> list[int]:
    with db.engine.connect() as connection:
        return list(connection.scalars(select(Order.id).order_by(Order.id)))


@pytest.mark.postgres
def test_backup_while_open_brings_back_what_was_sold(
    app: Flask, sold: int, tmp_path: Path
) -> None:
    before = orders()
    file = tmp_path / "copia"
    made = run(app, "backup", file)
    assert made.exit_code == 0, made.output
    assert file.stat().st_mode & 0o077 == 0
    later = sell(app)
    close(app)
    refused = run(app, "restore", file)
    assert refused.exit_code == 1
    assert "--replace" in refused.output
    assert orders() == [*before, later]
    close(app)
    restored = run(app, "restore", file, "--replace")
    assert restored.exit_code == 0, restored.output
    assert "Every invariant holds" in restored.output
    assert orders() == before
    assert sell(app) > sold
    # Only the two, and no half file.
    assert {path.name for path in tmp_path.glob("*copia*")} == {"copia", "copia.sha256"}


@pytest.mark.postgres
def test_restore_refuses_a_database_in_use(
    app: Flask, sold: int, settings: Settings, tmp_path: Path
) -> None:
    file = tmp_path / "copia"
    assert run(app, "backup", file).exit_code == 0
    close(app)
    other = create_engine(
        settings.database_url, **engine_options(settings.database_url)
    )
    with other.connect() as connection:
        connection.execute(text("SELECT COUNT(*) FROM orders"))
        result = run(app, "restore", file, "--replace")
    other.dispose()
    assert result.exit_code == 1
    assert "in use" in result.output


def test_plain_copy_of_the_file_loses_what_lies_in_the_wal(
    app: Flask, sold: int, settings: Settings, tmp_path: Path
) -> None:
    """The control: what our command is for."""
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    shutil.copyfile(service.database_file(settings), plain)
    service.make(settings, ours, now=TUESDAY_NOON)
    with sqlite3.connect(plain) as lost, sqlite3.connect(ours) as kept:
        query = "SELECT COUNT(*) FROM orders WHERE id = ?"
        assert lost.execute(query, (sold,)).fetchone() == (0,)
        assert kept.execute(query, (sold,)).fetchone() == (1,)
    lost.close()
    kept.close()


def test_restore_keeps_what_was_there(app: Flask, sold: int, tmp_path: Path) -> None:
    file = tmp_path / "copia"
    run(app, "backup", file)
    close(app)
    done = run(app, "restore", file, "--replace")
    assert done.exit_code == 0
    assert "No .sha256" not in done.output
    (kept,) = tmp_path.glob("portal.sqlite3.before-*")
    assert sqlite_service.has_rows(kept)
    assert sqlite_service.faults_of(kept) == []


def test_restore_without_a_digest_says_what_was_not_compared(
    app: Flask, sold: int, tmp_path: Path
) -> None:
    file = tmp_path / "copia"
    run(app, "backup", file)
    file.with_name("copia.sha256").unlink()
    close(app)
    done = run(app, "restore", file, "--replace")
    assert done.exit_code == 0
    assert "No .sha256 lay beside it" in done.output


def damaged(file: Path, _settings: Settings) -> None:
    with file.open("r+b") as opened:
        opened.seek(middle := file.stat().st_size // 2)
        opened.write(b"\xff" * middle)


def damaged_without_digest(file: Path, settings: Settings) -> None:
    damaged(file, settings)
    file.with_name("copia.sha256").unlink()


def changed_but_whole(file: Path, _settings: Settings) -> None:
    """SQLite finds no fault in it: only the digest tells."""
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE contacts SET name = 'Otra persona'")
    connection.close()


def no_database(file: Path, _settings: Settings) -> None:
    file.with_name("copia.sha256").unlink()
    file.write_bytes(b"no es una base de datos" * 100)


def another_program(file: Path, _settings: Settings) -> None:
    file.with_name("copia.sha256").unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def a_live_database(file: Path, _settings: Settings) -> None:
    file.with_name("copia-wal").touch()


def gone(file: Path, _settings: Settings) -> None:
    file.unlink()


@pytest.mark.parametrize(
    "harm",
    [
        damaged,
        damaged_without_digest,
        changed_but_whole,
        no_database,
        another_program,
        a_live_database,
        gone,
    ],
)
def test_file_that_is_no_good_changes_nothing(
    app: Flask, sold: int, settings: Settings, tmp_path: Path, harm: object
) -> None:
    file = tmp_path / "copia"
    run(app, "backup", file)
    before = orders()
    close(app)
    harm(file, settings)  # type: ignore[operator]
    result = run(app, "restore", file, "--replace")
    assert result.exit_code == 1, result.output
    assert "Error: " in result.output
    assert orders() == before
    assert list(tmp_path.glob("portal.sqlite3.before-*")) == []


def test_backup_overwrites_nothing_and_needs_a_folder(
    app: Flask, sold: int, tmp_path: Path
) -> None:
    file = tmp_path / "copia"
    file.write_text("otra cosa")
    assert run(app, "backup", file).exit_code == 1
    assert file.read_text() == "otra cosa"
    result = run(app, "backup", tmp_path / "absent" / "copia")
    assert result.exit_code == 1
    assert "Traceback" not in result.output


def orphan(settings: Settings) -> None:
    """A row whose order is nobody's, as a damaged disk or another program leaves it."""
    with sqlite3.connect(service.database_file(settings)) as connection:
        connection.execute("UPDATE attentions SET order_id = 999999")
    connection.close()


def test_copy_of_a_broken_database_is_no_backup(
    app: Flask, sold: int, settings: Settings, tmp_path: Path
) -> None:
    orphan(settings)
    made = run(app, "backup", tmp_path / "copia")
    assert made.exit_code == 1
    assert "damaged" in made.output
    assert list(tmp_path.glob("*copia*")) == []


def test_half_a_dump_is_no_backup(
    postgres_cluster: Cluster,
    postgres_template: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url = postgres_cluster.url(postgres_cluster.create_database(postgres_template))
    postgres_service.copy_database(url, tmp_path / "whole")
    run_program = postgres_service._run

    def cut(name: str, *words: str) -> str:
        said = run_program(name, *words)
        if name == "pg_dump":
            (dumped,) = tmp_path.glob(".half.*")
            os.truncate(dumped, dumped.stat().st_size // 2)
        return said

    monkeypatch.setattr(postgres_service, "_run", cut)
    with pytest.raises(RefusedError, match="pg_restore"):
        postgres_service.copy_database(url, tmp_path / "half")
    assert [path.name for path in tmp_path.iterdir()] == ["whole"]


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut between the two would leave a good name on an empty file."""
    done: list[object] = []
    link = os.link
    monkeypatch.setattr(files.os, "fsync", lambda it: done.append(os.fstat(it).st_ino))

    def named(source: Path, target: Path) -> None:
        done.append("named")
        link(source, target)

    monkeypatch.setattr(files.os, "link", named)
    target = tmp_path / "copia"
    with files.whole_file(target) as temporary:
        temporary.write_text("todo")
    assert done == [target.stat().st_ino, "named", tmp_path.stat().st_ino]


def test_what_a_killed_portal_left_in_the_wal_stays_with_the_old_file(
    app: Flask, sold: int, settings: Settings, tmp_path: Path
) -> None:
    """Read into the restored database, it would mix two of them."""
    backup, database = tmp_path / "copia", service.database_file(settings)
    sqlite_service.copy_database(database, backup)
    later = sell(app)
    wal = database.with_name(f"{database.name}-wal")
    left = {path: path.read_bytes() for path in (database, wal)}
    close(app)
    for path, content in left.items():
        path.write_bytes(content)
    sqlite_service.put_back(backup, database, tmp_path / "kept")
    assert not wal.exists()
    found = {}
    for path in (database, tmp_path / "kept"):
        with sqlite_service.session_on(path) as reading:
            found[path.name] = list(reading.scalars(select(Order.id)))
    assert found == {database.name: [sold], "kept": [sold, later]}


def test_restore_that_fails_on_postgresql_leaves_what_was_there(
    postgres_cluster: Cluster, postgres_template: str, tmp_path: Path
) -> None:
    url = postgres_cluster.url(postgres_cluster.create_database(postgres_template))
    postgres_service.copy_database(url, tmp_path / "copia")
    everything = text(
        "SELECT relname FROM pg_class "
        "WHERE relnamespace = 'public'::regnamespace ORDER BY relname"
    )
    engine = create_engine(database_url(url))
    with engine.begin() as connection:
        # What the backup knows nothing of stands on a table that it replaces.
        connection.execute(text("CREATE VIEW sold AS SELECT id FROM orders"))
        before = list(connection.scalars(everything))
    with pytest.raises(RefusedError, match="pg_restore"):
        postgres_service.put_back(tmp_path / "copia", database_url(url))
    with engine.connect() as connection:
        assert list(connection.scalars(everything)) == before
    engine.dispose()


def test_without_its_programs_postgresql_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(postgres_service.shutil, "which", lambda _name: None)
    monkeypatch.setattr(postgres_service.Path, "glob", lambda *_: [])
    with pytest.raises(RefusedError, match="postgresql-client"):
        postgres_service.copy_database("postgresql://nobody@/x", tmp_path / "x")


def test_older_backup_restores_and_asks_for_the_migrations(
    app: Flask, sold: int, tmp_path: Path
) -> None:
    file = tmp_path / "copia"
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0004'"))
    run(app, "backup", file)
    close(app)
    result = run(app, "restore", file, "--replace")
    assert result.exit_code == 1
    assert "flask db upgrade" in result.output


# On schedule -----------------------------------------------------------


def test_scheduled_backups_are_kept_by_age_and_told(
    app: Flask, sold: int, session: Session, settings: Settings, clock: FrozenClock
) -> None:
    settings = replace(
        settings,
        backup_dir=settings.state_dir / "respaldos",
        backup_keep=3,
        backup_days=2,
    )
    facts = check_queries.gather(session, settings, clock.now)
    assert not facts.has_backup
    for _hour in range(4):
        service.make_scheduled(settings, clock.now)
        clock.advance(hours=8)
    session.rollback()
    found = sorted(os.listdir(settings.backup_dir))
    # The newest three, and the last of the day before.
    assert [name[7:18] for name in found if name.endswith(".sqlite3")] == [
        "20261124T23",
        "20261125T07",
        "20261125T15",
    ]
    assert len(found) == 6
    assert check_queries.gather(session, settings, clock.now).has_backup
    clock.advance(hours=17)
    assert not check_queries.gather(session, settings, clock.now).has_backup


def test_failed_backup_tells_the_owner_once_a_day(
    app: Flask, sold: int, session: Session, settings: Settings, clock: FrozenClock
) -> None:
    with transaction() as writing:
        add_staff(writing, role="owner")
    folder = settings.state_dir / "respaldos"
    folder.write_text("a file where the folder should be")
    settings = replace(settings, backup_dir=folder)
    for _hour in range(2):
        with pytest.raises(FileExistsError):
            service.make_scheduled(settings, clock.now)
        clock.advance(minutes=5)
    session.rollback()
    (row,) = session.scalars(select(OutboxRow).where(OutboxRow.kind == "alert.backup"))
    renderer = app.extensions["mail_renderers"]["alert.backup"]
    context = RenderContext(session, settings, clock.now, load(session))
    mail = renderer(context, row)
    assert "FileExistsError" in mail.text
    folder.unlink()
    service.make_scheduled(settings, clock.now)
    session.rollback()
    assert renderer(context, row) is None


def test_backup_of_a_contradiction_is_kept_and_told(
    app: Flask, sold: int, session: Session, settings: Settings
) -> None:
    settings = replace(settings, backup_dir=settings.state_dir / "respaldos")
    with transaction() as writing:
        writing.execute(text("UPDATE orders SET state = 'awaiting_payment'"))
    with pytest.raises(RefusedError, match="invariants"):
        service.make_scheduled(settings, TUESDAY_NOON)
    session.rollback()
    actions = session.scalars(
        select(JournalEntry.action).where(JournalEntry.object_kind == rules.OBJECT)
    ).all()
    assert actions == [rules.FAULTY, rules.FAILED]
    assert len(list(settings.backup_dir.glob("*.sqlite3"))) == 1


def test_what_is_kept() -> None:
    names = [
        f"portal-202611{day:02}T{hour:02}0000Z.sqlite3"
        for day in (1, 2, 3)
        for hour in (1, 2)
    ]
    assert rules.superfluous([*names, "notes.txt"], keep=1, days=2) == [
        names[4],
        names[2],
        names[1],
        names[0],
    ]
    assert rules.superfluous(names, keep=100, days=1) == []


# Moving ----------------------------------------------------------------


def test_everything_moves_to_postgresql_by_one_command(
    app: Flask, sold: int, postgres_cluster: Cluster, clock: FrozenClock
) -> None:
    url = postgres_cluster.url(postgres_cluster.create_database())
    here = orders()
    with db.engine.connect() as connection:
        connection.execute(text("SELECT 1 FROM orders"))
        assert "Stop the portal" in run(app, "copy-to", url).output
    close(app)
    result = run(app, "copy-to", url)
    assert result.exit_code == 0, result.output
    assert f"{len(here):>9}  orders" in result.output
    close(app)
    again = run(app, "copy-to", url)
    assert again.exit_code == 1
    assert "not empty" in again.output
    other = create_engine(database_url(url))
    with other.begin() as connection:
        assert list(connection.scalars(select(Order.id).order_by(Order.id))) == here
        # Its next row follows the last one.
        last = connection.scalar(text("SELECT MAX(id) FROM journal_entries"))
        assert last
        following = connection.scalar(
            text("SELECT nextval(pg_get_serial_sequence('journal_entries', 'id'))")
        )
        assert following == last + 1
    other.dispose()


def test_row_that_did_not_arrive_stops_the_move(
    app: Flask,
    sold: int,
    postgres_cluster: Cluster,
    monkeypatch: pytest.MonkeyPatch,
    clock: FrozenClock,
) -> None:
    real = transfer_service._copy_table

    def forgetful(source: object, target: object, table: object) -> int:
        if getattr(table, "name", "") == "journal_entries":
            return 0
        return real(source, target, table)  # type: ignore[arg-type]

    monkeypatch.setattr(transfer_service, "_copy_table", forgetful)
    url = postgres_cluster.url(postgres_cluster.create_database())
    close(app)
    result = run(app, "copy-to", url)
    assert result.exit_code == 1
    assert "journal_entries did not arrive" in result.output
    other = create_engine(database_url(url))
    with other.connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM orders")) == 0
    other.dispose()


def test_contradiction_is_not_moved(
    app: Flask, sold: int, postgres_cluster: Cluster, clock: FrozenClock
) -> None:
    url = postgres_cluster.url(postgres_cluster.create_database())
    with transaction() as writing:
        writing.execute(text("UPDATE orders SET state = 'awaiting_payment'"))
    close(app)
    result = run(app, "copy-to", url)
    assert result.exit_code == 1
    assert "I1" in result.output
    other = create_engine(database_url(url))
    with other.connect() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM orders")) == 0
    other.dispose()
