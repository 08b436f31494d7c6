"""Seeded defects of the operation: backups, several hosts, watchdog, database."""

from bench.torture.seeded import Defect

BACKUPS = "tests/backups/test_backups.py"
TURNS = "tests/worker/test_turns.py"
LIMITS = "tests/web/test_limits.py"
MIGRATIONS = "tests/test_migrations.py"
TOGETHER = "tests/test_migrating_guards.py"
SENDING = "tests/mail/test_sending.py"
WATCHDOG = "tests/web/test_watchdog.py"
QUEUE = "tests/web/test_busy_database.py"
GATE = "tests/payments/test_gateways.py"


def _backups(name: str, first: str, file: str, old: str, new: str) -> Defect:
    file = f"portal/backups/{file}"
    return Defect(name, f"{BACKUPS}::{first}", file, old, new, (BACKUPS,))


def _hosts(name: str, first: str, file: str, old: str, new: str) -> Defect:
    tests = (TURNS, LIMITS, SENDING)
    return Defect(name, first, f"portal/{file}", old, new, tests)


def _watchdog(
    name: str, first: str, old: str, new: str, file: str = "watchdog.py"
) -> Defect:
    first, tests = f"{WATCHDOG}::{first}", (WATCHDOG,)
    return Defect(name, first, f"portal/{file}", old, new, tests, in_tree=True)


def _database(name: str, first: str, old: str, new: str) -> Defect:
    return Defect(name, f"{QUEUE}::{first}", "portal/db.py", old, new, (QUEUE,))


_BACKUPS = (
    _backups(
        "a copy is not read back",
        "test_copy_of_a_broken_database_is_no_backup",
        "sqlite_service.py",
        "        check_file(temporary)\n        return faults_of(temporary)",
        "        return faults_of(temporary)",
    ),
    _backups(
        "half a dump is a backup",
        "test_half_a_dump_is_no_backup",
        "postgres_service.py",
        "        check_file(temporary)\n",
        "",
    ),
    _backups(
        "a backup is named before it is on the disk",
        "test_a_file_is_on_the_disk_before_it_has_its_name",
        "files.py",
        "        _sync(temporary)\n",
        "",
    ),
    _backups(
        "a backup takes the place of another file",
        "test_backup_overwrites_nothing_and_needs_a_folder",
        "files.py",
        "            _link(temporary, target)\n",
        "            os.replace(temporary, target)\n",
    ),
    _backups(
        "everybody on the machine reads a backup",
        "test_backup_while_open_brings_back_what_was_sold[sqlite]",
        "files.py",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600",
        "os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644",
    ),
    _backups(
        "a changed backup is restored",
        "test_file_that_is_no_good_changes_nothing",
        "service.py",
        "    check_digest(file)\n",
        "",
    ),
    _backups(
        "a restore under a portal that works",
        "test_restore_refuses_a_database_in_use",
        "service.py",
        "    if target.in_use:",
        "    if False:",
    ),
    _backups(
        "a restore over what was sold",
        "test_backup_while_open_brings_back_what_was_sold[sqlite]",
        "service.py",
        "    if target.has_rows and not replace:",
        "    if False:",
    ),
    _backups(
        "a live database is restored without its -wal",
        "test_file_that_is_no_good_changes_nothing",
        "service.py",
        '    if file.with_name(f"{file.name}-wal").exists():',
        "    if False:",
    ),
    _backups(
        "another program's database is restored",
        "test_file_that_is_no_good_changes_nothing",
        "service.py",
        "    if sqlite_service.revision_of(file) not in known:",
        "    if False:",
    ),
    _backups(
        "an old -wal is read into the restored database",
        "test_what_a_killed_portal_left_in_the_wal_stays_with_the_old_file",
        "sqlite_service.py",
        "            _fold_wal(database)\n",
        "",
    ),
    _backups(
        "a restore that fails leaves half",
        "test_restore_that_fails_on_postgresql_leaves_what_was_there",
        "postgres_service.py",
        '*("--single-transaction", f"--dbname',
        '*(f"--dbname',
    ),
    _backups(
        "old backups pile up",
        "test_scheduled_backups_are_kept_by_age_and_told",
        "service.py",
        "        _rotate(settings)\n",
        "",
    ),
    _backups(
        "the last backup of a day goes",
        "test_what_is_kept",
        "rules.py",
        "    kept |= set(list(newest_of_day.values())[:days])\n",
        "",
    ),
    _backups(
        "rotation deletes what is not its own",
        "test_what_is_kept",
        "rules.py",
        "(name for name in names if _NAME.fullmatch(name))",
        "names",
    ),
    _backups(
        "a failed backup is told to nobody",
        "test_failed_backup_tells_the_owner_once_a_day",
        "service.py",
        "        _tell_failure(error, now)\n",
        "",
    ),
    _backups(
        "a backup of a contradiction is called good",
        "test_backup_of_a_contradiction_is_kept_and_told",
        "service.py",
        "        if made.faults:\n",
        "        if False:\n",
    ),
    _backups(
        "the move adds to rows that are there",
        "test_everything_moves_to_postgresql_by_one_command",
        "transfer_service.py",
        "    _refuse_rows(target, tables)\n",
        "",
    ),
    _backups(
        "a lost row is not noticed by the move",
        "test_row_that_did_not_arrive_stops_the_move",
        "transfer_service.py",
        "        _compare(source, target, table)\n",
        "        pass\n",
    ),
    _backups(
        "the next row takes the number of a moved one",
        "test_everything_moves_to_postgresql_by_one_command",
        "transfer_service.py",
        "        _set_sequence(target, table)\n",
        "",
    ),
    _backups(
        "a contradiction is moved",
        "test_contradiction_is_not_moved",
        "commands.py",
        "            if broken:\n",
        "            if False:\n",
    ),
)

_HOSTS = (
    _hosts(
        "each process counts for itself",
        f"{LIMITS}::test_second_server_knows_what_the_first_one_counted[sqlite]",
        "web.py",
        'storage_uri="database://"',
        'storage_uri="memory://"',
    ),
    _hosts(
        "counts at once are lost",
        f"{LIMITS}::test_count_is_one_for_all_and_begins_anew_after_its_window[sqlite]",
        "limits.py",
        "        ELSE request_counts.count + :amount END,\n",
        "        ELSE request_counts.count END,\n",
    ),
    _hosts(
        "addresses and mails lie in the table of counts",
        f"{LIMITS}::test_count_is_one_for_all_and_begins_anew_after_its_window[sqlite]",
        "limits.py",
        '"key": _hidden(key), "amount"',
        '"key": key, "amount"',
    ),
    _hosts(
        "two workers do what is one's work",
        f"{TURNS}::test_work_is_done_by_one_of_two_and_again_the_next_time[sqlite]",
        "worker/turns_service.py",
        "return _take(name, me, now, JOB_LEASE, due & _free(now))",
        "return _take(name, me, now, JOB_LEASE, due)",
    ),
    _hosts(
        "two workers lead a gateway's lane",
        f"{TURNS}::test_a_lane_has_one_leader_until_it_dies_or_leaves[sqlite]",
        "worker/turns_service.py",
        "    if until and LANE_LEASE / 2 < until - now <= LANE_LEASE:\n",
        "    if True:\n",
    ),
    _hosts(
        "a dead worker's word ends another's turn",
        f"{TURNS}::test_work_of_a_dead_worker_and_failed_work_are_taken_up_by_another[sqlite]",
        "worker/turns_service.py",
        ".where(JobTurn.name == name, JobTurn.holder == me)",
        ".where(JobTurn.name == name)",
    ),
    Defect(
        "a migration that is killed leaves half",
        f"{MIGRATIONS}::test_migration_that_is_killed_leaves_what_was_there[sqlite]",
        "migrations/env.py",
        '"transactional_ddl": True',
        '"transactional_ddl": False',
        (MIGRATIONS,),
        in_tree=True,
    ),
    Defect(
        "two hosts migrate at once",
        f"{TOGETHER}::test_two_hosts_that_start_together_migrate_one_after_the_other",
        "migrations/env.py",
        '        if connection.dialect.name == "postgresql":\n',
        "        if False:\n",
        (MIGRATIONS, TOGETHER),
        in_tree=True,
    ),
    Defect(
        "a migration breaks a foreign key unseen",
        f"{TOGETHER}::test_migration_that_breaks_a_foreign_key_is_undone",
        "migrations/env.py",
        "        check_foreign_keys(connection)\n",
        "",
        (MIGRATIONS, TOGETHER),
        in_tree=True,
    ),
)

_WATCHDOG = (
    _watchdog(
        "nothing ever hangs",
        "test_only_what_takes_too_long_hangs",
        "            if now - flight.since > self._limit\n",
        "            if False\n",
    ),
    _watchdog(
        "a process with a hung request goes on",
        "test_process_with_a_request_that_hangs_says_where_and_ends",
        "        self._leave()\n",
        "",
    ),
    _watchdog(
        "the others are cut off with the one that hangs",
        "test_the_other_requests_are_finished_before_the_process_ends",
        "        while clock.monotonic() < ends:\n",
        "        while False:\n",
    ),
    _watchdog(
        "a request that has ended hangs for ever",
        "test_only_what_takes_too_long_hangs",
        "        self._flights.pop(threading.get_ident(), None)\n",
        "        pass\n",
    ),
    _watchdog(
        "a process that stands still stays",
        "test_process_that_stands_still_is_killed",
        "            os.kill(pid, signal.SIGKILL)\n",
        "",
        "watchdog_child.py",
    ),
    _watchdog(
        "the watcher outlives its process",
        "test_watcher_ends_with_its_process",
        "        if not os.read(0, 4096):\n",
        "        if False:\n",
        "watchdog_child.py",
    ),
)

_DATABASE = (
    _database(
        "writers of one process do not queue",
        "test_writers_of_one_process_wait_for_each_other_in_a_queue",
        "        with _turn_to_write(session):\n",
        "        with contextmanager(lambda: iter([None]))():\n",
    ),
    _database(
        "a writer waits for its turn for ever",
        "test_writer_whose_turn_does_not_come_asks_the_database_all_the_same",
        "_WRITERS.acquire(timeout=BUSY_TIMEOUT_MS / 1000)",
        "_WRITERS.acquire()",
    ),
    _database(
        "a writer gives back a turn that it never had",
        "test_writer_whose_turn_does_not_come_asks_the_database_all_the_same",
        "        if waited:\n",
        "        if True:\n",
    ),
    _database(
        "a transaction opens inside another",
        "test_a_transaction_does_not_nest_and_nothing_reads_past_it",
        '    if session.info.get("writing"):\n        raise RuntimeError("a write '
        "transaction is already",
        '    if False:\n        raise RuntimeError("a write transaction is already',
    ),
    _database(
        "a service reads past the transaction that it is in",
        "test_a_transaction_does_not_nest_and_nothing_reads_past_it",
        '    if session.info.get("writing"):\n        raise RuntimeError("a write '
        "transaction is open",
        '    if False:\n        raise RuntimeError("a write transaction is open',
    ),
    _database(
        "a decision rests on rows read before the lock",
        "test_what_was_read_before_is_read_again_under_the_lock",
        '    session.rollback()\n    session.info["writing"] = True\n',
        '    session.info["writing"] = True\n',
    ),
    _database(
        "a reader keeps its connection while the network is waited for",
        "test_a_reading_gives_its_connection_back",
        "        yield session\n    finally:\n        session.rollback()\n",
        "        yield session\n    finally:\n        pass\n",
    ),
    _database(
        "an SQLite that corrupts is taken",
        "test_an_unsafe_sqlite_is_refused",
        "    if version < SAFE_SQLITE:\n",
        "    if False:\n",
    ),
    _database(
        "a setting that SQLite refused is taken for set",
        "test_a_setting_that_sqlite_did_not_take_is_refused",
        "        if found != wanted:\n",
        "        if False:\n",
    ),
    _database(
        "a locked database is an error of ours",
        "test_a_locked_database_is_503_and_the_return_heals",
        '        for sign in ("locked", "full"',
        '        for sign in ("full"',
    ),
)

OPERATION = (*_BACKUPS, *_HOSTS, *_WATCHDOG, *_DATABASE)
