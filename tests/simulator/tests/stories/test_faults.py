# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults in a real process: kills at named steps, by request and by command line, and sessions thrown out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.program.cli import main as simulator
from oracle_simulator.program.local_socket import LocalError, NoInstance
from oracle_simulator.testing import SimulatedDatabase


def killed_by(database: SimulatedDatabase, *statements: str) -> bool:
    """Whether the instance dies of these statements."""
    with pytest.raises(NoInstance):
        database.sql(*statements)
    database.crash()  # wait until it is gone
    return not database.running


def test_a_kill_at_a_step_leaves_what_the_step_left(database: SimulatedDatabase) -> None:
    database.fault(kill_at="begin_backup.header", when="after")
    assert killed_by(database, "ALTER TABLESPACE users BEGIN BACKUP")
    database.start("mount")
    with pytest.raises(LocalError, match="ORA-10873"):
        database.sql("ALTER DATABASE OPEN")
    database.sql("ALTER DATABASE END BACKUP", "ALTER DATABASE OPEN")

    archived = set(database.home.archive_folder.iterdir())
    database.fault(kill_at="archive.piece", nth=3)
    assert killed_by(database, "ALTER SYSTEM ARCHIVE LOG CURRENT")
    (half,) = set(database.home.archive_folder.iterdir()) - archived
    size = half.stat().st_size
    database.start("mount")
    assert database.sql(f"SELECT COUNT(*) FROM v$archived_log WHERE name = '{half}'") == [[0]]
    database.sql("ALTER DATABASE OPEN", "ALTER SYSTEM ARCHIVE LOG CURRENT")
    ((blocks, block_size),) = database.sql(
        f"SELECT blocks, block_size FROM v$archived_log WHERE name = '{half}'"
    )
    assert half.stat().st_size == (blocks + 1) * block_size >= size


def test_resetlogs_broken_off_by_a_kill_is_repeated(database: SimulatedDatabase) -> None:
    with database.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE kept (n NUMBER)")
    database.shutdown()
    database.start("mount")
    database.sql("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL")
    for step in ("resetlogs.logs", "resetlogs.header", "resetlogs.control_file"):
        database.fault(kill_at=step)
        assert killed_by(database, "ALTER DATABASE OPEN RESETLOGS"), step
        database.start("mount")
    database.sql("ALTER DATABASE OPEN RESETLOGS")
    assert database.sql("SELECT COUNT(*) FROM app.kept") == [[0]]


def test_the_command_line_has_the_same_faults(database: SimulatedDatabase, capsys: Any) -> None:
    home = [str(database.home.root), "--sid", database.sid]
    assert simulator(["fault", *home, "--io", "slow", "--on", "redo", "--seconds", "0.01"]) == 0
    assert simulator(["fault", *home, "--kill-at", "log_switch.new_log", "--after", "--nth", "2"]) == 0
    assert simulator(["fault", *home, "--clock-jump", "3600"]) == 0
    shown = database.status()
    assert len(shown["file_faults"]) == 3
    assert shown["step_faults"][0]["occurrence"] == 2
    assert shown["clock_offset"] == 3600
    assert simulator(["fault", *home, "--repair"]) == 0
    assert database.status()["file_faults"] == []
    assert simulator(["fault", *home]) == 2, "no fault was named"
    assert simulator(["fault", *home, "--io", "full", "--on", "99"]) == 1
    assert "ORA-01516" in capsys.readouterr().err
    database.sql("ALTER SYSTEM SWITCH LOGFILE")
    assert killed_by(database, "ALTER SYSTEM SWITCH LOGFILE")


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("ALTER SYSTEM KILL SESSION '{},{}'", 28),
        ("ALTER SYSTEM KILL SESSION '{},{}' IMMEDIATE", 28),
        ("ALTER SYSTEM DISCONNECT SESSION '{},{}' IMMEDIATE", 0),
    ],
)
def test_a_session_is_thrown_out_and_its_work_undone(
    shared: SimulatedDatabase, statement: str, code: int
) -> None:
    with shared.connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO guests VALUES (1)")
        shared.sql(statement.format(connection.session_id, connection.serial_num))
        with pytest.raises(oracledb.DatabaseError) as raised:
            cursor.execute("SELECT 1 FROM dual")
        assert raised.value.args[0].full_code == "DPY-4011"
        assert raised.value.args[0].code == code
        assert not connection.is_healthy()
    assert shared.sql("SELECT COUNT(*) FROM app.guests") == [[0]]


def test_disconnect_post_transaction_lets_the_transaction_end(shared: SimulatedDatabase) -> None:
    with shared.connect() as connection, connection.cursor() as cursor:
        cursor.execute("INSERT INTO guests VALUES (2)")
        whom = f"'{connection.session_id},{connection.serial_num}'"
        shared.sql(f"ALTER SYSTEM DISCONNECT SESSION {whom} POST_TRANSACTION")
        cursor.execute("INSERT INTO guests VALUES (3)")
        connection.commit()
        with pytest.raises(oracledb.DatabaseError) as raised:
            cursor.execute("SELECT 1 FROM dual")
        assert raised.value.args[0].full_code == "DPY-4011"
    assert shared.sql("SELECT COUNT(*) FROM app.guests") == [[2]]
    shared.sql("DELETE FROM app.guests", "COMMIT")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Any:
    made = SimulatedDatabase(Path(tmp_path_factory.mktemp("shared")))
    made.start()
    with made.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE guests (n NUMBER)")
    yield made
    made.destroy()
