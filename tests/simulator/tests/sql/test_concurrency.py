# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several sessions at once: isolation, row locks, deadlock, kill, cancel, and shutdown."""

from __future__ import annotations

import pytest

from oracle_simulator.errors import OracleError

from .conftest import Background, Bench, Client, wait_until


def test_uncommitted_changes_are_nobody_elses_business(bench: Bench, app: Client) -> None:
    other = bench.connect()
    app.run("UPDATE t SET name = 'mine' WHERE id = 1")
    app.run("INSERT INTO t (id) VALUES (4)")
    assert other.rows("SELECT id, name FROM t ORDER BY id") == [(1, "one"), (2, "two"), (3, "three")]
    app.commit()
    assert other.rows("SELECT id, name FROM t ORDER BY id") == [
        (1, "mine"),
        (2, "two"),
        (3, "three"),
        (4, None),
    ]


def test_a_writer_waits_for_the_row_and_then_works_on_what_was_committed(bench: Bench, app: Client) -> None:
    other = bench.connect()
    app.run("UPDATE t SET amount = amount + 10 WHERE id = 2")
    waiting = Background(lambda: other.run("UPDATE t SET amount = amount + 100 WHERE id = 2"))
    wait_until(lambda: blocker_of(bench, other) == app.session.session_id)
    app.commit()
    waiting.join()
    assert waiting.error is None
    other.commit()
    assert app.value("SELECT amount FROM t WHERE id = 2") == 112


def test_a_row_that_no_longer_qualifies_after_waiting_is_left_alone(bench: Bench, app: Client) -> None:
    other = bench.connect()
    app.run("UPDATE t SET name = 'changed' WHERE id = 2")
    waiting = Background(lambda: other.run("DELETE FROM t WHERE name = 'two'").row_count)
    wait_until(lambda: blocker_of(bench, other) == app.session.session_id)
    app.commit()
    waiting.join()
    assert waiting.result == 0
    other.commit()
    assert app.value("SELECT COUNT(*) FROM t") == 3


def test_a_duplicate_key_waits_for_the_other_transaction(bench: Bench, app: Client) -> None:
    other = bench.connect()
    app.run("INSERT INTO t (id, name) VALUES (10, 'first')")
    waiting = Background(lambda: other.run("INSERT INTO t (id, name) VALUES (10, 'second')"))
    wait_until(lambda: blocker_of(bench, other) == app.session.session_id)
    app.commit()
    waiting.join()
    assert waiting.error is not None
    assert waiting.error.code == 1


def test_a_deadlock_is_broken(bench: Bench, app: Client) -> None:
    other = bench.connect()
    app.run("UPDATE t SET name = 'a' WHERE id = 1")
    other.run("UPDATE t SET name = 'b' WHERE id = 2")
    waiting = Background(lambda: other.run("UPDATE t SET name = 'b' WHERE id = 1"))
    wait_until(lambda: blocker_of(bench, other) == app.session.session_id)
    assert app.refused("UPDATE t SET name = 'a' WHERE id = 2").code == 60
    app.rollback()
    waiting.join()
    assert waiting.error is None
    other.rollback()


def test_select_for_update_nowait_and_wait(bench: Bench, app: Client) -> None:
    other = bench.connect()
    assert app.rows("SELECT id FROM t WHERE id = 1 FOR UPDATE") == [(1,)]
    assert other.refused("SELECT id FROM t WHERE id = 1 FOR UPDATE NOWAIT").code == 54
    assert other.rows("SELECT id FROM t WHERE id = 2 FOR UPDATE NOWAIT") == [(2,)]
    app.rollback()
    assert other.rows("SELECT id FROM t WHERE id = 1 FOR UPDATE NOWAIT") == [(1,)]


def test_cancel_ends_a_wait_for_a_row(bench: Bench, app: Client) -> None:
    other = bench.connect()
    app.run("DELETE FROM t WHERE id = 1")
    waiting = Background(lambda: other.run("DELETE FROM t WHERE id = 1"))
    wait_until(lambda: blocker_of(bench, other) == app.session.session_id)
    other.session.cancel()
    waiting.join()
    assert waiting.error is not None
    assert waiting.error.code == 1013
    assert other.value("SELECT COUNT(*) FROM t") == 3


def test_cancel_ends_a_long_query(bench: Bench) -> None:
    client = bench.connect()
    text = "SELECT COUNT(*) FROM dual CONNECT BY LEVEL <= 100000000"
    running = Background(lambda: client.rows(text))
    wait_until(lambda: client.session.record.in_call)
    while not running.finished:
        client.session.cancel()
    running.join()
    assert running.error is not None
    assert running.error.code == 1013


def test_a_killed_session_gives_its_locks_up_at_once_and_is_told_later(bench: Bench, app: Client) -> None:
    victim = bench.connect()
    victim.run("UPDATE t SET name = 'never' WHERE id = 1")
    record = victim.session.record
    bench.sys.run(f"ALTER SYSTEM KILL SESSION '{record.sid},{record.serial}' IMMEDIATE")
    app.run("UPDATE t SET name = 'free' WHERE id = 1")
    app.commit()
    assert victim.refused("SELECT 1 FROM dual").code == 28
    assert bench.sys.refused("ALTER SYSTEM KILL SESSION '999,1'").code == 30


def test_sessions_show_themselves(bench: Bench) -> None:
    client = bench.connect(program="backup")
    client.session.set_attributes({"module": "hotbackup.oracle", "action": "20240101T000000Z"})
    client.run("BEGIN DBMS_APPLICATION_INFO.SET_CLIENT_INFO('file 4'); END;")
    rows = bench.sys.rows(
        "SELECT username, program, action, client_info, status FROM v$session WHERE module = 'hotbackup.oracle'"
    )
    assert rows == [("APP", "backup", "20240101T000000Z", "file 4", "INACTIVE")]
    client.session.close()
    assert bench.sys.value("SELECT COUNT(*) FROM gv$session WHERE module = 'hotbackup.oracle'") == 0


def test_shutdown_immediate_undoes_and_ends_the_others(bench: Bench, app: Client) -> None:
    app.run("DELETE FROM t")
    bench.database.shutdown("immediate")
    with pytest.raises(OracleError) as caught:
        app.run("SELECT 1 FROM dual")
    assert caught.value.code in (1089, 3113)
    bench.nomount()
    bench.open()
    assert bench.connect().value("SELECT COUNT(*) FROM t") == 3


def blocker_of(bench: Bench, client: Client) -> int | None:
    return client.session.record.blocking_session
