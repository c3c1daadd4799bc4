# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When archiving does not get on: who waits, what the views say, and how it goes on."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import oracledb
import pytest

from oracle_simulator.testing import SimulatedDatabase

from .dba import Dba, wait_until


@contextlib.contextmanager
def much_redo(database: SimulatedDatabase) -> Iterator[None]:
    """A client that writes a tenth of a megabyte of redo with each commit."""
    stop = threading.Event()

    def work() -> None:
        with contextlib.suppress(oracledb.Error), database.connect("APP") as connection:
            rows = [("y" * 1000, row) for row in range(100)]
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE wide (id NUMBER PRIMARY KEY, pad VARCHAR2(1000))")
                cursor.executemany("INSERT INTO wide (pad, id) VALUES (:1, :2)", rows)
                while not stop.is_set():
                    cursor.executemany("UPDATE wide SET pad = :1 WHERE id = :2", rows)
                    connection.commit()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        database.fault(archiver_stopped=False)
        thread.join(20)


def test_the_database_waits_for_a_stopped_archiver(dba: Dba) -> None:
    dba.database.fault(archiver_stopped=True)
    dba.start_load()
    with much_redo(dba.database):
        wait_until(
            lambda: dba.query("SELECT log_switch_wait FROM v$instance") == [("ARCHIVE LOG",)],
            "the logs never filled",
        )
        assert dba.load.stalled()
        unarchived = "SELECT COUNT(*) FROM v$log WHERE archived = 'NO'"
        assert dba.query(unarchived) == [(3,)]
        dba.database.fault(archiver_stopped=False)
        dba.load.wait_for(20)
    assert dba.load.error is None
    wait_until(lambda: dba.query(unarchived) == [(1,)], "not archived")


def test_a_failing_destination_is_named_and_keeps_users_out(dba: Dba) -> None:
    dba.database.fault(destination=1, error="No space left on device")
    dba.execute("ALTER SYSTEM SWITCH LOGFILE")
    state = "SELECT status, error FROM v$archive_dest WHERE dest_id = 1"
    wait_until(lambda: dba.query(state)[0][1], "no error in V$ARCHIVE_DEST")
    status, error = dba.query(state)[0]
    assert status == "ERROR"
    assert error.startswith("ORA-")
    wait_until(
        lambda: dba.query("SELECT archiver FROM v$instance") == [("FAILED",)], "ARCHIVER is not FAILED"
    )
    with much_redo(dba.database):
        wait_until(
            lambda: dba.query("SELECT log_switch_wait FROM v$instance") == [("ARCHIVE LOG",)],
            "the logs never filled",
        )
        with pytest.raises(oracledb.DatabaseError, match="ORA-00257"):
            dba.database.connect("APP")
        dba.database.fault(destination=1, error=None)
        wait_until(lambda: dba.query(state) == [("VALID", None)], "still in error")
    dba.database.connect("APP").close()
    assert dba.query("SELECT archiver FROM v$instance") == [("STARTED",)]


@pytest.mark.covers("2.7/client-timeout/DPY-4024")
def test_a_client_can_give_up_waiting_for_the_archiver(dba: Dba) -> None:
    dba.database.fault(archiver_stopped=True)
    dba.session.call_timeout = 500
    with dba.session.cursor() as cursor, pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
        cursor.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.session.call_timeout = 0
    assert dba.query("SELECT COUNT(*) FROM v$log WHERE archived = 'NO' AND status <> 'CURRENT'") == [(1,)]
    dba.database.fault(archiver_stopped=False)
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")


def test_archive_log_current_waits_for_a_slow_archiver_and_switch_logfile_does_not(dba: Dba) -> None:
    dba.database.fault(archiver_delay=0.5)
    archived = "SELECT COUNT(*) FROM v$archived_log WHERE archived = 'YES'"
    dba.execute("ALTER SYSTEM SWITCH LOGFILE")
    assert dba.query(archived) == [(0,)]
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    assert dba.query(archived) == [(2,)]
    sizes = dba.query("SELECT name, blocks, block_size FROM v$archived_log")
    for (name, blocks, block_size), path in zip(sizes, dba.archived_logs(), strict=True):
        assert str(path) == name
        assert path.stat().st_size == (blocks + 1) * block_size
