# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The release an instance presents: the columns, views, parameters and statements it has or does not have yet.

The list of columns below is written down from Oracle's reference, not from the views.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import DatabaseDefinition
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.release import RELEASE, banner, parse_release
from oracle_simulator.net.backend import AdminMode
from oracle_simulator.sql.query.types import text_type
from oracle_simulator.sql.views import Needs, find_view

from .conftest import Bench, Client

RELEASES = ["11.2.0.4", "12.1.0.2", "12.2.0.1", "18.3", "19.22", "21.3", "23.4"]

# View: its columns; "name@release" came with that release, "name<release" went with it.
COLUMNS = {
    "V$DATABASE": "DBID NAME DB_UNIQUE_NAME LOG_MODE OPEN_MODE DATABASE_ROLE CONTROLFILE_TYPE OPEN_RESETLOGS"
    " RESETLOGS_CHANGE# RESETLOGS_TIME PRIOR_RESETLOGS_CHANGE# CURRENT_SCN CHECKPOINT_CHANGE#"
    " CONTROLFILE_CHANGE# CONTROLFILE_TIME ARCHIVELOG_CHANGE# FLASHBACK_ON FORCE_LOGGING CDB@12.1 PLATFORM_ID"
    " PLATFORM_NAME LAST_OPEN_INCARNATION# RECOVERY_TARGET_INCARNATION# CON_ID@12.1",
    "V$INSTANCE": "INSTANCE_NUMBER INSTANCE_NAME HOST_NAME VERSION VERSION_FULL@18 STARTUP_TIME STATUS PARALLEL"
    " THREAD# ARCHIVER LOG_SWITCH_WAIT DATABASE_STATUS SHUTDOWN_PENDING LOGINS INSTANCE_ROLE CON_ID@12.1",
    "V$DATAFILE": "FILE# TS# RFILE# NAME STATUS ENABLED CHECKPOINT_CHANGE# CHECKPOINT_TIME LAST_CHANGE#"
    " OFFLINE_CHANGE# ONLINE_CHANGE# UNRECOVERABLE_CHANGE# UNRECOVERABLE_TIME FIRST_NONLOGGED_SCN"
    " CREATION_CHANGE# CREATION_TIME BYTES BLOCKS BLOCK_SIZE CREATE_BYTES CON_ID@12.1",
    "V$BACKUP": "FILE# STATUS CHANGE# TIME CON_ID@12.1",
    "V$DATAFILE_HEADER": "FILE# STATUS ERROR FORMAT RECOVER FUZZY CREATION_CHANGE# CREATION_TIME TABLESPACE_NAME"
    " TS# RFILE# RESETLOGS_CHANGE# RESETLOGS_TIME CHECKPOINT_CHANGE# CHECKPOINT_TIME CHECKPOINT_COUNT BYTES"
    " BLOCKS NAME SPACE_HEADER LAST_DEALLOC_SCN<19 LAST_DEALLOC_CHANGE#@19 UNDO_OPT_CURRENT_CHANGE#"
    " ENCRYPTED@19 CON_ID@12.1",
    "V$RECOVER_FILE": "FILE# ONLINE ONLINE_STATUS ERROR CHANGE# TIME CON_ID@12.1",
    "V$RECOVERY_LOG": "THREAD# SEQUENCE# TIME ARCHIVE_NAME CON_ID@12.1",
    "V$TEMPFILE": "FILE# TS# NAME STATUS BYTES BLOCK_SIZE CON_ID@12.1",
    "V$TABLESPACE": "TS# NAME BIGFILE FLASHBACK_ON ENCRYPT_IN_BACKUP CON_ID@12.1",
    "V$CONTROLFILE": "NAME STATUS IS_RECOVERY_DEST_FILE BLOCK_SIZE FILE_SIZE_BLKS CON_ID@12.1",
    "V$DATAFILE_COPY": "NAME FILE# CHECKPOINT_CHANGE# ABSOLUTE_FUZZY_CHANGE# RECOVERY_FUZZY_CHANGE#"
    " MARKED_CORRUPT SCANNED STATUS",
    "V$DATABASE_BLOCK_CORRUPTION": "FILE# BLOCK# BLOCKS CORRUPTION_CHANGE# CORRUPTION_TYPE",
    "DBA_TABLESPACES": "TABLESPACE_NAME BLOCK_SIZE STATUS CONTENTS LOGGING FORCE_LOGGING BIGFILE ENCRYPTED",
    "DBA_DATA_FILES": "FILE_NAME FILE_ID TABLESPACE_NAME BYTES BLOCKS STATUS AUTOEXTENSIBLE MAXBYTES ONLINE_STATUS",
    "DBA_TEMP_FILES": "FILE_NAME TABLESPACE_NAME BYTES AUTOEXTENSIBLE MAXBYTES INCREMENT_BY",
    "DATABASE_PROPERTIES": "PROPERTY_NAME PROPERTY_VALUE",
    "V$LOG": "GROUP# THREAD# SEQUENCE# BYTES BLOCKSIZE MEMBERS ARCHIVED STATUS FIRST_CHANGE# FIRST_TIME"
    " NEXT_CHANGE# CON_ID@12.1",
    "V$LOGFILE": "GROUP# STATUS TYPE MEMBER IS_RECOVERY_DEST_FILE",
    "V$THREAD": "THREAD# STATUS ENABLED INSTANCE SEQUENCE# CHECKPOINT_CHANGE# LAST_REDO_SEQUENCE# LAST_REDO_CHANGE#",
    "V$ARCHIVED_LOG": "RECID STAMP NAME DEST_ID THREAD# SEQUENCE# RESETLOGS_CHANGE# RESETLOGS_TIME RESETLOGS_ID"
    " FIRST_CHANGE# FIRST_TIME NEXT_CHANGE# NEXT_TIME BLOCKS BLOCK_SIZE CREATOR REGISTRAR STANDBY_DEST ARCHIVED"
    " APPLIED DELETED STATUS COMPLETION_TIME BACKUP_COUNT IS_RECOVERY_DEST_FILE END_OF_REDO END_OF_REDO_TYPE",
    "V$LOG_HISTORY": "THREAD# SEQUENCE# FIRST_CHANGE# NEXT_CHANGE# RESETLOGS_CHANGE#",
    "V$ARCHIVE_DEST": "DEST_ID DEST_NAME STATUS BINDING TARGET DESTINATION REOPEN_SECS FAIL_DATE FAIL_SEQUENCE ERROR"
    " VALID_NOW VALID_TYPE VALID_ROLE",
    "V$ARCHIVE_DEST_STATUS": "DEST_ID STATUS TYPE DATABASE_MODE RECOVERY_MODE ARCHIVED_THREAD# ARCHIVED_SEQ#"
    " APPLIED_SEQ# ERROR GAP_STATUS",
    "V$ARCHIVE_PROCESSES": "PROCESS STATUS LOG_SEQUENCE STATE ROLES",
    "V$PARAMETER": "NAME VALUE DISPLAY_VALUE ISDEFAULT",
    "V$PARAMETER2": "NAME VALUE DISPLAY_VALUE ISDEFAULT ORDINAL",
    "V$RECOVERY_FILE_DEST": "NAME SPACE_LIMIT SPACE_USED SPACE_RECLAIMABLE NUMBER_OF_FILES",
    "V$RECOVERY_AREA_USAGE": "FILE_TYPE PERCENT_SPACE_USED PERCENT_SPACE_RECLAIMABLE NUMBER_OF_FILES",
    "V$RESTORE_POINT": "NAME SCN TIME GUARANTEE_FLASHBACK_DATABASE DATABASE_INCARNATION# PRESERVED"
    " PDB_RESTORE_POINT@12.2",
    "V$DATABASE_INCARNATION": "INCARNATION# RESETLOGS_CHANGE# RESETLOGS_TIME PRIOR_RESETLOGS_CHANGE# STATUS"
    " RESETLOGS_ID PRIOR_INCARNATION#",
    "V$ENCRYPTION_WALLET": "WRL_TYPE WRL_PARAMETER STATUS WALLET_TYPE@12.1 KEYSTORE_MODE@18 CON_ID@12.1",
    "V$ENCRYPTED_TABLESPACES": "TS# ENCRYPTIONALG ENCRYPTEDTS CON_ID@12.1",
    "V$DIAG_INFO": "NAME VALUE",
    "V$VERSION": "BANNER BANNER_FULL@18",
}
SINCE_12_1 = {
    "V$PDBS": "CON_ID DBID NAME OPEN_MODE RESTRICTED RECOVERY_STATUS@12.1.0.2 LOCAL_UNDO@12.2",
    "V$CONTAINERS": "CON_ID DBID NAME OPEN_MODE RESTRICTED RECOVERY_STATUS@12.1.0.2",
    "CDB_TABLESPACES": "TABLESPACE_NAME CON_ID",
    "CDB_DATA_FILES": "FILE_NAME CON_ID",
}
NAMED_PARAMETERS = {
    *("control_files", "db_name", "db_unique_name", "db_create_file_dest", "db_recovery_file_dest"),
    *("db_recovery_file_dest_size", "log_archive_dest_1", "log_archive_dest_state_1", "log_archive_dest_31"),
    *("log_archive_format", "log_archive_min_succeed_dest", "archive_lag_target", "compatible", "spfile"),
    *("control_file_record_keep_time", "cluster_database", "db_block_size", "db_files", "undo_tablespace"),
    *("remote_login_passwordfile", "wallet_root", "tde_configuration"),
}


def split(text: str) -> Iterator[tuple[str, tuple[int, ...], tuple[int, ...]]]:
    """(column, first release, release without it) of a line of the tables above."""
    for word in text.split():
        name, _at, since = word.partition("@")
        name, _below, until = name.partition("<")
        yield name, numbers(since), numbers(until or "99")


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")) if text else ()


@pytest.mark.parametrize("text", RELEASES)
def test_each_release_has_its_columns(text: str) -> None:
    release = parse_release(text)
    for name, columns in COLUMNS.items():
        view = find_view(name, release)
        assert view is not None, name
        there = [column.name for column in view.columns]
        assert len(there) == len(set(there)), name
        for column, since, until in split(columns):
            assert (column in there) == (since <= release < until), f"{name}.{column} in {text}"
    for name, columns in SINCE_12_1.items():
        view = find_view(name, release)
        assert (view is not None) == (release >= (12, 1)), name
        for column, since, _until in split(columns):
            wanted = view is not None and since <= release
            assert (view is not None and column in {c.name for c in view.columns}) == wanted


def test_some_columns_are_wider_in_newer_releases() -> None:
    def size(view: str, column: str, release: str) -> object:
        found = find_view(view, parse_release(release))
        assert found is not None
        return next(c.type for c in found.columns if c.name == column)

    assert size("V$DATABASE", "FORCE_LOGGING", "12.2.0.1") == text_type(3)
    assert size("V$DATABASE", "FORCE_LOGGING", "18.3") == text_type(39)
    assert size("DBA_TABLESPACES", "CONTENTS", "12.2.0.1") == text_type(9)


@pytest.mark.parametrize("text", ["", "10.2.0.4", "11.1.0.7", "20.1", "19.1.2.3.4.5", "nineteen"])
def test_what_is_no_release(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_release(text)


def created(folder: Path, release: str) -> Home:
    """A new database of a release."""
    home = Home(folder / "home", "OLD")
    create_database(home, DatabaseDefinition("OLD", parameters={RELEASE: release}, verifier_rounds=1))
    return home


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    bench = Bench(created(tmp_path_factory.mktemp("old"), "11.2.0.4"))
    bench.open()
    yield bench.sys
    bench.close()


def test_eleven_has_never_heard_of_containers(old: Client) -> None:
    assert old.refused("SELECT cdb FROM v$database").code == 904
    assert old.refused("SELECT con_id FROM v$datafile").code == 904
    assert old.refused("SELECT name FROM v$pdbs").code == 942
    assert old.refused("SELECT * FROM cdb_data_files").code == 942
    assert old.refused("SELECT version_full FROM v$instance").code == 904
    assert old.refused("ALTER SESSION SET CONTAINER = pdb1").code == 2248
    assert old.refused("ALTER PLUGGABLE DATABASE p1 BEGIN BACKUP").code == 940
    assert old.refused("CREATE PLUGGABLE DATABASE p1 ADMIN USER u IDENTIFIED BY p").code == 901
    assert old.refused("ALTER DATABASE MOVE DATAFILE 1 TO '/x'").code == 2231
    refused = "ALTER DATABASE RECOVER DATABASE UNTIL CANCEL SNAPSHOT TIME '2026-01-01:00:00:00'"
    assert old.refused(refused).code == 274
    assert old.rows("SELECT version, status FROM v$instance") == [("11.2.0.4.0", "OPEN")]
    assert len(old.rows("SELECT banner FROM v$version")) == 5
    assert old.value("SELECT banner FROM v$version WHERE banner LIKE 'Oracle Database%'") == (
        "Oracle Database 11g Enterprise Edition Release 11.2.0.4.0 - 64bit Production"
    )
    assert old.rows("SELECT name FROM v$parameter WHERE name IN ('wallet_root', 'tde_configuration')") == []
    assert old.refused("ALTER SYSTEM SET wallet_root = '/x'").code == 2065


def test_the_current_log_ends_at_two_to_the_48th_before_12_2(old: Client) -> None:
    assert old.value("SELECT next_change# FROM v$log WHERE status = 'CURRENT'") == 281474976710655
    assert old.value("SELECT COUNT(*) FROM v$log WHERE next_change# = 281474976710655") == 1


def test_every_view_of_an_old_release_can_be_read(old: Client) -> None:
    for name in COLUMNS:
        view = find_view(name, parse_release("11.2.0.4"))
        assert view is not None and view.needs in Needs
        result = old.run(f"SELECT * FROM {name}")
        assert result.columns is not None
        assert [column.name for column in result.columns] == [column.name for column in view.columns]


def test_what_the_present_release_says_of_itself(bench: Bench) -> None:
    sys = bench.sys
    assert sys.rows("SELECT version, version_full FROM v$instance") == [("19.0.0.0.0", "19.22.0.0.0")]
    assert sys.rows("SELECT banner_full FROM v$version") == [
        ("Oracle Database 19c Enterprise Edition Release 19.0.0.0.0 - Production\nVersion 19.22.0.0.0",)
    ]
    named = {row[0] for row in sys.rows("SELECT name FROM v$parameter")}
    assert named >= NAMED_PARAMETERS


def test_a_new_database_is_compatible_with_its_release(tmp_path: Path) -> None:
    home = created(tmp_path, "11.2.0.4")
    assert "compatible=11.2.0.4.0" in home.parameter_file.read_text(encoding="utf-8")
    bench = Bench(home)
    with pytest.raises(OracleError) as caught:
        bench.database.verifier("SYS", AdminMode.SYSBACKUP)
        bench.connect("SYS", AdminMode.SYSBACKUP)
    assert caught.value.code == 1031  # that privilege came with 12.1
    bench.close()


def test_there_is_no_way_back_to_a_lower_compatible(tmp_path: Path) -> None:
    def starting_with(release: str, compatible: str) -> tuple[int, ...]:
        text = home.parameter_file.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if RELEASE not in line and "compatible" not in line]
        lines += [f"*.{RELEASE}={release}", f"*.compatible={compatible}"]
        home.parameter_file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        try:
            bench = Bench(home)
            bench.open()
        except OracleError as error:
            return error.codes
        bench.database.shutdown()
        return ()

    home = created(tmp_path, "11.2.0.4")
    assert starting_with("11.2.0.4", "12.1.0") == (401,)
    assert starting_with("19.22", "11.2.0.4.0") == ()  # newer software, old files
    assert starting_with("11.2.0.4", "11.2.0.4.0") == ()
    assert starting_with("19.22", "19.0.0") == ()
    assert starting_with("19.22", "11.2.0.4.0") == (201, 202)


def test_the_banner_of_every_release() -> None:
    assert [banner(parse_release(text)) for text in ("12.2.0.1", "18.3", "23.4")] == [
        "Oracle Database 12c Enterprise Edition Release 12.2.0.1.0 - 64bit Production",
        "Oracle Database 18c Enterprise Edition Release 18.0.0.0.0 - Production",
        "Oracle Database 23ai Enterprise Edition Release 23.0.0.0.0 - Production",
    ]
