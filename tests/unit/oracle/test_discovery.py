# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovery: views in, model values out."""

from __future__ import annotations

from datetime import UTC

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import OracleRefused
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import BackupMethod
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle import discovery

from unit.oracle.fake_database import FakeDatabase, ora


def no_sleep(_seconds: float) -> None:
    return None


def test_database_is_read_whole() -> None:
    fake = FakeDatabase()
    database = discovery.read_database(fake.gateway, sleep=no_sleep)
    assert (database.dbid, database.unique_name, database.resetlogs_id) == (1684523458, "ORCL", 77)
    assert database.startup_times == ("2026-11-21T08:14:38",)
    assert database.current_scn == 5000
    assert database.block_size == 8192
    assert [item.path for item in database.tempfiles] == ["/u01/temp01.dbf"]
    assert database.tempfiles[0].autoextend
    assert database.parameter("log_archive_dest_1") == "LOCATION=/nowhere/archive"
    assert database.parameter("sga_target") == ""
    assert database.recovery_area is None


def test_tablespaces_carry_their_method() -> None:
    fake = FakeDatabase()
    found = discovery.read_tablespaces(fake.gateway, discovery.read_database(fake.gateway, sleep=no_sleep))
    assert {item.name: item.method for item in found} == {
        "SYSTEM": BackupMethod.BACKUP_MODE,
        "UNDOTBS1": BackupMethod.BACKUP_MODE,
        "TEMP": BackupMethod.SKIP,
        "USERS": BackupMethod.BACKUP_MODE,
        "HISTORY": BackupMethod.PLAIN_COPY,
    }
    assert [item.name for item in found if item.undo] == ["UNDOTBS1"]
    assert [item.file_number for item in found[3].datafiles] == [3, 4]


def test_number_of_queries_does_not_depend_on_the_number_of_files() -> None:
    fake = FakeDatabase()
    discovery.read_tablespaces(fake.gateway, discovery.read_database(fake.gateway, sleep=no_sleep))
    few = len(fake.connection.queried)
    for row in list(fake.views["v$datafile"]):
        fake.views["v$datafile"].append({**row, "file#": row["file#"] + 100})
    fake.connection.queried.clear()
    discovery.read_tablespaces(fake.gateway, discovery.read_database(fake.gateway, sleep=no_sleep))
    assert len(fake.connection.queried) == few


def test_mounted_database_is_read_without_its_dictionary() -> None:
    fake = FakeDatabase()
    fake.database_row.update({"open_mode": "MOUNTED", "current_scn": 0})
    del fake.views["dba_tablespaces"], fake.views["dba_temp_files"]
    database = discovery.read_database(fake.gateway, sleep=no_sleep)
    found = discovery.read_tablespaces(fake.gateway, database)
    assert database.current_scn is None
    assert [item.undo for item in found] == [None] * 5
    assert [item.name for item in found if item.temporary] == ["TEMP"]


def test_release_11_has_no_container_columns() -> None:
    fake = FakeDatabase()
    fake.views["gv$instance"][0]["version"] = "11.2.0.4.0"
    for view in ("v$tablespace", "v$datafile", "v$tempfile"):
        for row in fake.views[view]:
            del row["con_id"]
    del fake.database_row["cdb"]
    database = discovery.read_database(fake.gateway, sleep=no_sleep)
    assert not database.cdb
    assert {item.con_id for item in discovery.read_tablespaces(fake.gateway, database)} == {0}


def test_pluggable_databases_have_their_names_and_open_modes() -> None:
    fake = FakeDatabase()
    fake.database_row["cdb"] = "YES"
    fake.views["v$containers"] = [
        {"con_id": 1, "name": "CDB$ROOT", "open_mode": "READ WRITE"},
        {"con_id": 3, "name": "PDB1", "open_mode": "READ ONLY"},
    ]
    for view in ("v$tablespace", "v$datafile", "v$tempfile"):
        for row in fake.views[view]:
            row["con_id"] = 1
    fake.views["v$tablespace"].append({"ts#": 3, "name": "USERS", "bigfile": "YES", "con_id": 3})
    fake.views["v$datafile"].append(
        {**fake.views["v$datafile"][2], "file#": 9, "con_id": 3, "name": "/u01/pdb1/users01.dbf"}
    )
    fake.views["cdb_temp_files"] = fake.views["dba_temp_files"]
    fake.views["cdb_tablespaces"] = [{**row, "con_id": 1} for row in fake.views["dba_tablespaces"]]
    database = discovery.read_database(fake.gateway, sleep=no_sleep)
    found = {item.label: item for item in discovery.read_tablespaces(fake.gateway, database)}
    assert found["CDB$ROOT:USERS"].method is BackupMethod.BACKUP_MODE
    assert found["PDB1:USERS"].method is BackupMethod.PLAIN_COPY
    assert [item.file_number for item in found["PDB1:USERS"].datafiles] == [9]


def test_waiting_for_the_archiver_is_looked_at_again() -> None:
    fake = FakeDatabase()
    row = fake.views["gv$instance"][0]
    row["log_switch_wait"] = "ARCHIVE LOG"
    pauses: list[float] = []

    def pass_time(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            row["log_switch_wait"] = None

    database = discovery.read_database(fake.gateway, sleep=pass_time)
    assert database.instances[0].log_switch_wait is None
    assert len(pauses) == 3


def test_waiting_for_the_archiver_for_long_is_reported() -> None:
    fake = FakeDatabase()
    fake.views["gv$instance"][0]["log_switch_wait"] = "ARCHIVE LOG"
    database = discovery.read_database(fake.gateway, sleep=no_sleep)
    assert database.instances[0].log_switch_wait == "ARCHIVE LOG"


def test_keystore_that_the_account_may_not_see_is_unknown() -> None:
    fake = FakeDatabase()
    original = fake.connection.cursor

    class Cursor(type(original())):  # type: ignore[misc]  # the fake's own class, found at run time
        def execute(self, sql: str, binds: object = None) -> None:
            if "v$encryption_wallet" in sql:
                raise ora(942, "table or view does not exist")
            super().execute(sql, binds)

    fake.connection.cursor = lambda: Cursor(fake.connection)  # type: ignore[method-assign]  # only this view fails
    assert discovery.read_database(fake.gateway, sleep=no_sleep).wallet_status is None


def test_header_and_recovery_rows_reach_the_datafile() -> None:
    fake = FakeDatabase()
    fake.views["v$recover_file"] = [{"file#": 4, "error": "FILE NOT FOUND"}]
    fake.views["v$datafile_header"][3]["error"] = "FILE NOT FOUND"
    database = discovery.read_database(fake.gateway, sleep=no_sleep)
    users = discovery.read_tablespaces(fake.gateway, database)[3]
    assert users.method is BackupMethod.BROKEN
    assert "/u01/users02.dbf" in users.reason
    assert [item.needs_recovery for item in users.datafiles] == [False, True]


def test_backup_status_keeps_the_change_number_after_the_end() -> None:
    fake = FakeDatabase()
    fake.activate(3, scn=4711)
    fake.backup(3)["status"] = "NOT ACTIVE"
    found = discovery.read_backup_status(fake.gateway, [3])
    assert list(found) == [3]
    assert (found[3].active, found[3].scn) == (False, 4711)
    assert found[3].time is not None and found[3].time.tzinfo is UTC


def test_current_log_has_no_next_scn() -> None:
    logs = discovery.read_online_logs(FakeDatabase().gateway)
    assert [(log.sequence, log.next_scn) for log in logs] == [(10, 4800), (11, None)]
    assert logs[0].members == ("/u01/redo01.log",)


def test_archived_logs_say_whether_their_file_is_there() -> None:
    fake = FakeDatabase()
    fake.views["v$archived_log"] = [
        fake.archived(8, 3000, 3500, deleted="YES", name=None),
        fake.archived(9, 3500, 4000, archived="NO"),
        fake.archived(10, 4000, 4800),
        fake.archived(10, 4000, 4800, standby_dest="YES"),
        fake.archived(10, 4000, 4800, resetlogs_id=1),
    ]
    found = discovery.read_archived_logs(fake.gateway, 3200, 77)
    assert [(log.sequence, log.available, log.gone) for log in found] == [
        (8, False, True),
        (9, False, False),
        (10, True, False),
    ]
    assert found[2].size_bytes == 101 * 512


def test_current_scn_of_a_database_that_is_not_open_is_an_error() -> None:
    fake = FakeDatabase()
    fake.database_row["current_scn"] = 0
    with pytest.raises(OracleRefused):
        discovery.current_scn(fake.gateway)


def test_only_live_runs_of_others_count_as_foreign_sessions() -> None:
    fake = FakeDatabase()
    fake.views["gv$session"] = [
        {
            "inst_id": instance,
            "sid": sid,
            "serial#": 1,
            "module": module,
            "action": action,
            "machine": "dbhost02",
            "program": "python",
        }
        for instance, sid, module, action in (
            (1, 40, "hotbackup.oracle", "20261121T221500Z"),
            (2, 40, "hotbackup.oracle", "20261121T221500Z"),
            (1, 41, "hotbackup.oracle", "database_info"),
            (1, 42, "SQL*Plus", "20261121T221500Z"),
        )
    ]
    assert [(item.instance, item.sid) for item in discovery.foreign_sessions(fake.gateway)] == [(2, 40)]
