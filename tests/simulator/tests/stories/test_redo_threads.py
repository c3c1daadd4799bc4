# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A database of two instances, each with its redo thread and a client: crashes, deaths, and a hot backup that
is only worth as much as the logs of both threads."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import MakeDatabase, SimulatedDatabase

from .dba import Dba, Refused, wait_until
from .load import ROWS, Load


@dataclass
class Cluster:
    """Two instances, a DBA on the first, and a client on each; their rows are in the same blocks."""

    database: SimulatedDatabase
    dba: Dba
    second: Load

    @property
    def loads(self) -> tuple[Load, Load]:
        return self.dba.load, self.second

    def start_load(self) -> None:
        self.dba.load.create_table()
        self.second.insert_rows()
        for load in self.loads:
            load.start()

    def stop_load(self) -> None:
        for load in self.loads:
            load.stop()

    def owed(self) -> dict[int, int]:
        return {**self.dba.load.acknowledged, **self.second.acknowledged}

    def lost(self, owed: dict[int, int]) -> list[int]:
        rows = self.dba.rows()
        assert len(rows) == 2 * ROWS
        return [row for row, number in owed.items() if rows[row] < number]

    def unexpected(self) -> list[int]:
        attempted = {**self.dba.load.attempted, **self.second.attempted}
        return [row for row, number in self.dba.rows().items() if number > attempted[row]]

    def threads(self) -> list[tuple[Any, ...]]:
        return self.dba.query("SELECT thread#, status, enabled FROM v$thread ORDER BY thread#")


@pytest.fixture
def cluster(make_database: MakeDatabase, tmp_path: Path) -> Iterator[Cluster]:
    database = make_database(spec={"threads": [{}, {}]})
    dba = Dba(database, tmp_path / "kept")
    found = Cluster(database, dba, Load(database, "ORCL2", ROWS))
    yield found
    database.crash()
    found.stop_load()


def test_each_instance_writes_to_its_own_thread_and_gv_views_tell_them_apart(cluster: Cluster) -> None:
    dba = cluster.dba
    second = cluster.database.connect("SYS", service="ORCL2")
    by_sid = oracledb.connect(
        user="SYS", password=cluster.database.passwords["SYS"], mode=oracledb.AUTH_MODE_SYSDBA,
        host="127.0.0.1", port=cluster.database.port, sid="ORCL2",
    )  # fmt: skip
    with second.cursor() as cursor, by_sid.cursor() as other:
        for each in (cursor, other):
            each.execute("SELECT instance_name, instance_number, thread# FROM v$instance")
            assert each.fetchall() == [("ORCL2", 2, 2)]
        cursor.execute("ALTER SYSTEM SWITCH LOGFILE")
    current = "SELECT thread#, sequence# FROM v$log WHERE status = 'CURRENT' ORDER BY thread#"
    assert dba.query(current) == [(1, 1), (2, 2)]
    dba.execute("ALTER SYSTEM SWITCH ALL LOGFILE")
    assert dba.query(current) == [(1, 2), (2, 3)]
    names = "SELECT inst_id, instance_name, parallel, status FROM gv$instance ORDER BY inst_id"
    assert dba.query(names) == [(1, "ORCL", "YES", "OPEN"), (2, "ORCL2", "YES", "OPEN")]
    users = "SELECT inst_id, COUNT(*) FROM gv$session WHERE type = 'USER' GROUP BY inst_id ORDER BY inst_id"
    assert dba.query(users) == [(1, 1), (2, 2)]
    # Control-file views are the same everywhere, so their rows are multiplied.
    for view in ("datafile", "archive_processes"):
        (here,), (everywhere,) = (dba.query(f"SELECT COUNT(*) FROM {kind}${view}")[0] for kind in ("v", "gv"))
        assert everywhere == 2 * here > 0
    for connection in (second, by_sid):
        connection.close()


def test_crash_recovery_takes_the_redo_of_both_threads_in_order(cluster: Cluster) -> None:
    cluster.start_load()
    for load in cluster.loads:
        load.wait_for(50)
    cluster.dba.crash()
    cluster.stop_load()
    owed = cluster.owed()
    cluster.database.start()
    assert cluster.lost(owed) == []
    assert cluster.unexpected() == []
    assert cluster.threads() == [(1, "OPEN", "PUBLIC"), (2, "OPEN", "PUBLIC")]


@pytest.mark.covers("4.1/instance-death/files-stay-in-backup")
def test_survivors_recover_the_thread_of_an_instance_that_dies_in_backup_mode(cluster: Cluster) -> None:
    cluster.start_load()
    dba = cluster.dba
    dba.execute("ALTER TABLESPACE users BEGIN BACKUP")
    cluster.second.wait_for(20)
    cluster.database.kill_thread(2)
    wait_until(lambda: cluster.second.error, "the client of the dead instance noticed nothing")
    assert cluster.threads() == [(1, "OPEN", "PUBLIC"), (2, "CLOSED", "PUBLIC")]
    dba.load.wait_for(20)  # the other client works on
    assert cluster.lost(dict(cluster.second.acknowledged)) == []
    active = "SELECT COUNT(*) FROM v$backup WHERE status = 'ACTIVE'"
    assert dba.query(active) == [(1,)]
    with pytest.raises(oracledb.Error, match=r"DPY-6003|DPY-6001"):
        cluster.database.connect("APP", service="ORCL2")
    assert [row[0] for row in dba.query("SELECT inst_id FROM gv$instance")] == [1]
    dba.execute("ALTER TABLESPACE users END BACKUP")
    cluster.database.open_thread(2)
    cluster.second.start()
    cluster.database.close_thread(2)
    assert cluster.threads()[1] == (2, "CLOSED", "PUBLIC")
    with pytest.raises(LocalError, match="ORA-01109"):
        cluster.database.kill_thread(2)


def take_backup(cluster: Cluster) -> None:
    """A right one; then so much more load that the online logs of the backup are used again."""
    dba = cluster.dba
    dba.execute("ALTER DATABASE BEGIN BACKUP")
    for path, _tablespace in dba.find_files().values():
        for load in cluster.loads:
            load.wait_for(5)
        dba.copy(path)
    dba.execute("ALTER DATABASE END BACKUP")
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.backup_control_file()
    for _switch in range(3):
        for load in cluster.loads:
            load.wait_for(10)
        dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")


def restore(dba: Dba) -> None:
    dba.put_datafiles_back()
    dba.put_control_file_back()
    dba.start_mounted()


def logs_of(dba: Dba, thread: int) -> list[Path]:
    """The kept logs of a thread, oldest first: their names begin with its number."""
    found = [path for path in (dba.kept / "redo").iterdir() if path.name.startswith(f"{thread}_")]
    return sorted(found, key=lambda path: int(path.name.split("_")[1]))


def wanted_threads(dba: Dba) -> list[int]:
    """The threads a recovery asks for, one after the other, until it has all the kept logs."""
    asked: list[int] = []
    statement = "ALTER DATABASE RECOVER DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE"
    while True:
        try:
            dba.execute(statement)
        except Refused as refused:
            found = re.search(r"ORA-00280: change \d+ for thread (\d+) is in sequence #(\d+)", str(refused))
            assert found is not None, str(refused)
            asked.append(int(found[1]))
            log = next(
                (log for log in logs_of(dba, int(found[1])) if log.name.split("_")[1] == found[2]), None
            )
            if log is None:
                return asked
            statement = f"ALTER DATABASE RECOVER LOGFILE '{log}'"


def test_a_restore_needs_the_logs_of_both_threads(cluster: Cluster, tmp_path: Path) -> None:
    dba = cluster.dba
    cluster.start_load()
    take_backup(cluster)
    end_of_backup = cluster.owed()
    for load in cluster.loads:
        load.wait_for(10)
    owed = cluster.owed()
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.keep_archived_logs()
    dba.crash()
    cluster.stop_load()
    dba.lose_everything()
    forgotten = tmp_path / "forgotten"
    shutil.copytree(dba.kept / "redo", forgotten)

    # Every log of thread 2 forgotten: the files stay inconsistent, nothing opens.
    for log in logs_of(dba, 2):
        log.unlink()
    restore(dba)
    assert wanted_threads(dba)[-1] == 2
    assert dba.refusal("ALTER DATABASE RECOVER CANCEL")[:2] == (1547, 1195)
    assert 1195 in dba.refusal("ALTER DATABASE OPEN RESETLOGS")
    dba.crash()

    # The last log of thread 2 forgotten: what either instance committed behind it is gone, and no more.
    shutil.copytree(forgotten, dba.kept / "redo", dirs_exist_ok=True)
    logs_of(dba, 2)[-1].unlink()
    dba.lose_everything_but_redo()
    restore(dba)
    dba.recover_until_cancel()
    dba.open_resetlogs()
    assert cluster.lost(owed) != []
    assert cluster.unexpected() == []
    assert cluster.threads() == [(1, "OPEN", "PUBLIC"), (2, "OPEN", "PUBLIC")]
    assert dba.query("SELECT thread#, sequence# FROM v$thread ORDER BY thread#") == [(1, 1), (2, 1)]
    dba.crash()

    # All of them: nothing is lost, and recovery asked for the threads in turn.
    shutil.copytree(forgotten, dba.kept / "redo", dirs_exist_ok=True)
    dba.lose_everything()
    restore(dba)
    asked = wanted_threads(dba)
    assert {1, 2} == set(asked)
    assert sum(one != other for one, other in pairwise(asked)) >= 3, asked
    assert dba.refusal("ALTER DATABASE RECOVER CANCEL") == ()
    dba.open_resetlogs()
    assert cluster.lost(owed) == []
    assert cluster.unexpected() == []
    assert end_of_backup != owed


def test_complete_recovery_finds_the_online_logs_of_both_threads(cluster: Cluster) -> None:
    dba = cluster.dba
    cluster.start_load()
    dba.execute("ALTER DATABASE BEGIN BACKUP")
    for path, _tablespace in dba.find_files().values():
        dba.copy(path)
    dba.execute("ALTER DATABASE END BACKUP")
    for load in cluster.loads:
        load.wait_for(20)
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    for load in cluster.loads:
        load.wait_for(20)
    dba.crash()
    cluster.stop_load()
    owed = cluster.owed()
    dba.lose_datafiles()
    dba.put_datafiles_back()
    dba.start_mounted()
    dba.recover_database()
    dba.open()
    assert cluster.lost(owed) == []
    assert cluster.unexpected() == []


def refused_with(dba: Dba, statement: str) -> str:
    with pytest.raises(Refused) as caught:
        dba.execute(statement)
    return str(caught.value)


@pytest.mark.covers("2.5/ORA-00326", "2.5/ORA-00328")
def test_a_control_file_made_anew_wants_the_logs_of_the_second_thread(cluster: Cluster) -> None:
    dba, home = cluster.dba, cluster.database.home
    cluster.start_load()
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    take_backup(cluster)
    script = dba.kept / "control.sql"
    dba.execute(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{script}' RESETLOGS")
    owed = cluster.owed()
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.keep_archived_logs()
    dba.crash()
    cluster.stop_load()
    dba.lose_everything()
    text = script.read_text(encoding="utf-8")
    create = text[text.index("CREATE CONTROLFILE") : text.index("\n;\n")]
    add = text[text.index("ALTER DATABASE ADD LOGFILE THREAD 2") :].split(";")[0]
    assert "redo04.log" not in create
    assert "redo04.log" in add
    dba.put_datafiles_back()
    cluster.database.start("nomount")
    dba.execute(create)
    # The control file has no history: of the second thread recovery knows the SCN only.
    statement = "ALTER DATABASE RECOVER DATABASE UNTIL CANCEL USING BACKUP CONTROLFILE"
    while "needed for thread 2" not in (said := refused_with(dba, statement)):
        found = re.search(r"ORA-00289: suggestion : (\S+)", said)
        assert found is not None, said
        statement = f"ALTER DATABASE RECOVER LOGFILE '{dba.kept / 'redo' / Path(found[1]).name}'"
    assert "ORA-00280" not in said
    early, right, *later = logs_of(dba, 2)
    too_early = refused_with(dba, f"ALTER DATABASE RECOVER LOGFILE '{early}'").splitlines()
    assert re.fullmatch(r"ORA-00328: archived log ends at change \d+, need later change \d+", too_early[0])
    assert too_early[1] == f"ORA-00334: archived log: '{early}'"
    for log in later:
        too_late = refused_with(dba, f"ALTER DATABASE RECOVER LOGFILE '{log}'").splitlines()
        assert re.fullmatch(r"ORA-00326: log begins at change \d+, need earlier change \d+", too_late[0])
        assert too_late[1] == f"ORA-00334: archived log: '{log}'"
    dba.feed(f"ALTER DATABASE RECOVER LOGFILE '{right}'")
    assert dba.refusal("ALTER DATABASE OPEN RESETLOGS") == (38856,)
    dba.execute(add)
    dba.open_resetlogs()
    assert cluster.lost(owed) == []
    assert dba.query("SELECT thread#, sequence# FROM v$thread ORDER BY thread#") == [(1, 1), (2, 1)]
    assert (home.redo_folder / "redo04.log").exists()
