# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Online redo logs lost, one member or a whole group, in each state of V$LOG, and what a DBA does about it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from oracle_simulator.testing import MakeDatabase

from .dba import Dba, Refused, wait_until


def group_with(dba: Dba, status: str) -> int:
    """The number of the group in this state."""
    return int(dba.query(f"SELECT MAX(group#) FROM v$log WHERE status = '{status}'")[0][0])


def state_of(dba: Dba, group: int) -> tuple[Any, ...]:
    """STATUS and ARCHIVED of a group."""
    return dba.query(f"SELECT status, archived FROM v$log WHERE group# = {group}")[0]


def members_of(dba: Dba, group: int) -> dict[str, str | None]:
    """The members of a group, each with its status in V$LOGFILE."""
    return dict(dba.query(f"SELECT member, status FROM v$logfile WHERE group# = {group} ORDER BY member"))


def lose_group(dba: Dba, group: int) -> None:
    """Every member is deleted."""
    for member in members_of(dba, group):
        Path(member).unlink()


def back_up(dba: Dba) -> None:
    """A right hot backup, with a control file."""
    dba.execute("ALTER DATABASE BEGIN BACKUP")
    for path, _tablespace in dba.find_files().values():
        dba.copy(path)
    dba.execute("ALTER DATABASE END BACKUP")
    dba.archive_log_current()
    dba.backup_control_file()


@contextlib.contextmanager
def an_active_group(dba: Dba) -> Iterator[int]:
    """A group that crash recovery needs, since the database writer is held."""
    (users,) = [number for number, (_path, name) in dba.find_files().items() if name == "USERS"]
    dba.load.wait_for(5)
    with dba.writer_held(users):
        group = group_with(dba, "CURRENT")
        dba.execute("ALTER SYSTEM SWITCH LOGFILE")
        assert state_of(dba, group)[0] == "ACTIVE"
        yield group


@pytest.fixture
def working(dba: Dba) -> Dba:
    """A database under load."""
    dba.start_load()
    return dba


@pytest.mark.covers("6.13/member")
def test_a_lost_member_is_given_up_dropped_and_added_again(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database(spec={"redo": {"groups": 2, "size": "1M", "members": 2}})
    dba = Dba(database, tmp_path / "kept")
    dba.start_load()
    lost = Path(next(iter(members_of(dba, 2))))
    lost.unlink()
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    assert group_with(dba, "CURRENT") == 2
    other = next(member for member, status in members_of(dba, 2).items() if status is None)
    assert members_of(dba, 2) == {str(lost): "INVALID", other: None}
    said = database.home.alert_log.read_text()
    assert "ORA-00313" in said
    assert f"ORA-00312: online log 2 thread 1: '{lost}'" in said
    drop = f"ALTER DATABASE DROP LOGFILE MEMBER '{lost}'"
    assert dba.refusal(drop)[0] == 1609
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    wait_until(lambda: state_of(dba, 2) == ("INACTIVE", "YES"), "the log was never idle")
    assert dba.refusal(f"ALTER DATABASE DROP LOGFILE MEMBER '{other}'")[0] == 362
    dba.execute(drop)
    assert dba.refusal(f"ALTER DATABASE DROP LOGFILE MEMBER '{other}'")[0] == 361
    dba.execute(f"ALTER DATABASE ADD LOGFILE MEMBER '{lost}' REUSE TO GROUP 2")
    assert members_of(dba, 2)[str(lost)] == "INVALID"
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    assert members_of(dba, 2) == {str(lost): None, other: None}
    # The new member is worth as much as the other: alone it brings everything back.
    dba.load.wait_for(20)
    dba.crash()
    Path(other).unlink()
    dba.database.start()
    assert dba.load.lost(dba.rows()) == []


def test_the_log_writer_goes_on_with_one_member_and_ends_the_instance_with_none(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    database = make_database(spec={"redo": {"groups": 2, "size": "1M", "members": 2}})
    dba = Dba(database, tmp_path / "kept")
    dba.start_load()
    first, second = members_of(dba, 1)
    database.fault(io="error", on=first, operations=["write"])
    dba.load.wait_for(20)
    assert members_of(dba, 1) == {first: "INVALID", second: None}
    assert "ORA-00345" in database.home.alert_log.read_text()
    database.fault(io="error", on=second, operations=["write"])
    wait_until(lambda: not database.running, "the instance survived the loss of its redo")
    dba.load.stop()
    assert "ORA-00340" in database.home.alert_log.read_text()
    # The member that was given up lacks redo, and recovery knows it.
    database.start()
    assert dba.load.lost(database_rows(database)) == []


def database_rows(database: Any) -> dict[int, int]:
    with database.connect("APP") as connection, connection.cursor() as cursor:
        return dict(cursor.execute("SELECT id, n FROM t").fetchall())


@pytest.mark.covers("6.13/inactive-archived")
def test_an_archived_log_lost_is_cleared_and_leaves_no_hole(working: Dba) -> None:
    dba = working
    back_up(dba)
    group = next(number for number in (1, 2, 3) if state_of(dba, number)[0] != "CURRENT")
    wait_until(lambda: state_of(dba, group) == ("INACTIVE", "YES"), "the log was never idle")
    lose_group(dba, group)
    dba.execute(f"ALTER DATABASE CLEAR LOGFILE GROUP {group}")
    assert state_of(dba, group) == ("UNUSED", "YES")
    assert all(Path(member).exists() for member in members_of(dba, group))
    dba.three_more_switches()
    assert dba.query("SELECT COUNT(*) FROM v$archived_log WHERE name IS NULL") == [(0,)]
    dba.crash()
    dba.lose_datafiles()
    dba.put_datafiles_back()
    dba.start_mounted()
    dba.recover_database()
    dba.open()
    assert dba.load.lost(dba.rows()) == []


@pytest.mark.covers("6.13/inactive-unarchived")
def test_clearing_a_log_that_was_not_archived_ends_what_older_backups_can_do(working: Dba) -> None:
    dba = working
    back_up(dba)
    dba.database.fault(archiver_stopped=True)
    dba.load.wait_for(20)
    group = group_with(dba, "CURRENT")
    ((sequence,),) = dba.query(f"SELECT sequence# FROM v$log WHERE group# = {group}")
    dba.execute("ALTER SYSTEM SWITCH LOGFILE")
    dba.execute("ALTER SYSTEM CHECKPOINT")
    assert state_of(dba, group) == ("INACTIVE", "NO")
    lose_group(dba, group)
    assert dba.refusal(f"ALTER DATABASE CLEAR LOGFILE GROUP {group}")[:2] == (350, 312)
    dba.execute(f"ALTER DATABASE CLEAR UNARCHIVED LOGFILE GROUP {group}")
    assert state_of(dba, group) == ("UNUSED", "YES")
    named = "SELECT name, thread# FROM v$archived_log WHERE sequence# = "
    assert dba.query(f"{named}{sequence}") == [(None, 1)]
    assert "CLEARING REDO LOG WHICH HAS NOT BEEN ARCHIVED" in dba.database.home.alert_log.read_text()
    dba.database.fault(archiver_stopped=False)
    dba.three_more_switches()
    dba.keep_archived_logs()
    dba.crash()
    dba.lose_everything()
    dba.put_datafiles_back()
    dba.put_control_file_back()
    dba.start_mounted()
    dba.recover_until_cancel()  # up to the hole
    dba.open_resetlogs()
    assert dba.load.lost(dba.rows(), dba.owed) == []
    assert dba.load.lost(dba.rows()) != []


@pytest.mark.covers("6.13/active-open")
def test_an_active_log_lost_is_cleared_after_a_checkpoint(working: Dba) -> None:
    dba = working
    dba.database.fault(archiver_stopped=True)
    with an_active_group(dba) as group:
        lose_group(dba, group)
        assert dba.refusal(f"ALTER DATABASE CLEAR UNARCHIVED LOGFILE GROUP {group}")[:2] == (1624, 312)
        assert dba.refusal(f"ALTER DATABASE DROP LOGFILE GROUP {group}")[:2] == (1624, 312)
    dba.execute("ALTER SYSTEM CHECKPOINT")
    dba.execute(f"ALTER DATABASE CLEAR UNARCHIVED LOGFILE GROUP {group}")
    dba.database.fault(archiver_stopped=False)
    dba.three_more_switches()
    dba.crash()
    dba.database.start()
    assert dba.load.lost(dba.rows()) == []


@pytest.mark.covers("6.13/active-down")
def test_an_active_log_lost_while_the_database_is_down_means_incomplete_recovery(working: Dba) -> None:
    dba = working
    back_up(dba)
    dba.three_more_switches()
    dba.database.fault(archiver_stopped=True)
    with an_active_group(dba) as group:
        members = members_of(dba, group)
        dba.keep_archived_logs()
        dba.crash()
    for member in members:
        Path(member).unlink()
    recover_incompletely(dba)


@pytest.mark.covers("6.13/current-down")
def test_the_current_log_lost_while_the_database_is_down_means_incomplete_recovery(working: Dba) -> None:
    dba = working
    back_up(dba)
    dba.three_more_switches()
    dba.load.wait_for(20)
    dba.keep_archived_logs()
    members = members_of(dba, group_with(dba, "CURRENT"))
    dba.crash()
    for member in members:
        Path(member).unlink()
    recover_incompletely(dba)
    assert dba.load.lost(dba.rows()) != []


def recover_incompletely(dba: Dba) -> None:
    """The database does not open; a backup and the archived logs bring back what they hold."""
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE OPEN")[:2] == (313, 312)
    dba.lose_datafiles()
    dba.put_datafiles_back()
    dba.feed("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL")
    dba.open_resetlogs()
    assert dba.load.lost(dba.rows(), dba.owed) == []


@pytest.mark.covers("6.13/current-open")
def test_the_current_log_lost_is_switched_away_from_and_cleared(working: Dba) -> None:
    dba = working
    dba.database.fault(archiver_stopped=True)
    group = group_with(dba, "CURRENT")
    lose_group(dba, group)
    assert dba.refusal(f"ALTER DATABASE CLEAR UNARCHIVED LOGFILE GROUP {group}")[0] == 1624
    assert dba.refusal(f"ALTER DATABASE DROP LOGFILE GROUP {group}")[0] == 1623
    dba.execute("ALTER SYSTEM SWITCH LOGFILE")
    dba.database.fault(archiver_stopped=False)
    wait_until(
        lambda: dba.query("SELECT archiver FROM v$instance") == [("FAILED",)], "the archiver missed nothing"
    )
    dba.execute("ALTER SYSTEM CHECKPOINT")
    dba.execute(f"ALTER DATABASE CLEAR UNARCHIVED LOGFILE GROUP {group}")
    dba.three_more_switches()
    assert dba.query("SELECT archiver FROM v$instance") == [("STARTED",)]
    dba.crash()
    dba.database.start()
    assert dba.load.lost(dba.rows()) == []


@pytest.mark.covers("6.13/current-after-clean-shutdown")
@pytest.mark.parametrize("way", ["resetlogs", "clear"])
def test_the_current_log_lost_after_a_clean_shutdown_loses_nothing(working: Dba, way: str) -> None:
    dba = working
    dba.load.wait_for(20)
    group = group_with(dba, "CURRENT")
    members = members_of(dba, group)
    dba.shut_down()
    for member in members:
        Path(member).unlink()
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE OPEN")[:2] == (313, 312)
    if way == "clear":
        assert dba.refusal(f"ALTER DATABASE CLEAR LOGFILE GROUP {group}")[0] == 350
        dba.execute(f"ALTER DATABASE CLEAR UNARCHIVED LOGFILE GROUP {group}")
        dba.open()
    else:
        with contextlib.suppress(Refused):  # nothing to recover: complete at once, or CANCEL at the prompt
            dba.execute("ALTER DATABASE RECOVER DATABASE UNTIL CANCEL")
        dba.refusal("ALTER DATABASE RECOVER CANCEL")
        dba.open_resetlogs()
    assert dba.load.lost(dba.rows()) == []
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
