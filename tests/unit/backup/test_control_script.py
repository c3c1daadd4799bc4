# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CREATE CONTROLFILE script, taken apart and put together."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.control_script import (
    StatementKind,
    create_controlfile_statement,
    parse_trace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import VerificationError

NORESETLOGS = r"""-- The following are current System-scope REDO Log Archival related
-- parameters and can be included in the database initialization file.
--
-- LOG_ARCHIVE_DEST_1='LOCATION=/u02/archive'
--
-- The following commands will create a new control file and use it
-- to open the database.
STARTUP NOMOUNT
CREATE CONTROLFILE REUSE DATABASE "ORCL" NORESETLOGS  ARCHIVELOG
    MAXLOGFILES 16
    MAXDATAFILES 100
LOGFILE
  GROUP 1 '/u01/oradata/RESETLOGS/redo01.log'  SIZE 4M BLOCKSIZE 512,
  GROUP 2 '/u01/oradata/it''s;/redo02.log'  SIZE 4M BLOCKSIZE 512
-- STANDBY LOGFILE
DATAFILE
  '/u01/oradata/system01.dbf',
  '/u01/oradata/users01.dbf'
CHARACTER SET AL32UTF8
;

-- Commands to re-create incarnation table
-- ALTER DATABASE REGISTER LOGFILE '/u02/archive/1_1_77.arc';
-- Recovery is required if any of the datafiles are restored backups,
-- or if the last shutdown was not normal or immediate.
RECOVER DATABASE

-- All logs need archiving and a log switch is needed.
ALTER SYSTEM ARCHIVE LOG ALL;

-- Database can now be opened normally.
ALTER DATABASE OPEN;

-- Files in read-only tablespaces are now named.
ALTER DATABASE RENAME FILE 'MISSING00005'
  TO '/u01/oradata/history01.dbf';

-- Online the files in read-only tablespaces.
ALTER TABLESPACE "HISTORY" ONLINE;

-- Commands to add tempfiles to temporary tablespaces.
ALTER TABLESPACE TEMP ADD TEMPFILE '/u01/oradata/temp01.dbf'
     SIZE 20971520  REUSE AUTOEXTEND OFF;
ALTER SESSION SET CONTAINER = "PDB1";
-- End of tempfile additions.
"""
RESETLOGS = (
    NORESETLOGS.replace('"ORCL" NORESETLOGS', '"ORCL" RESETLOGS')
    .replace("RECOVER DATABASE", "RECOVER DATABASE USING BACKUP CONTROLFILE")
    .replace("ALTER SYSTEM ARCHIVE LOG ALL;", "")
    .replace("ALTER DATABASE OPEN;", "ALTER DATABASE OPEN RESETLOGS;")
)
K = StatementKind


def test_statements_come_out_in_order_with_their_kinds() -> None:
    script = parse_trace(NORESETLOGS, resetlogs=False)
    assert [item.kind for item in script.statements] == [
        K.STARTUP,
        K.CREATE,
        K.RECOVER,
        K.ARCHIVE,
        K.OPEN,
        K.NAME_FILE,
        K.ONLINE,
        K.TEMPFILE,
        K.CONTAINER,
    ]
    assert [item.kind for item in script.statements if item.sqlplus_command] == [K.STARTUP, K.RECOVER]


def test_create_statement_is_what_a_driver_executes() -> None:
    statement = parse_trace(NORESETLOGS, resetlogs=False).create_statement
    assert statement.startswith('CREATE CONTROLFILE REUSE DATABASE "ORCL" NORESETLOGS')
    assert statement.endswith("CHARACTER SET AL32UTF8")
    assert "STANDBY LOGFILE" not in statement
    assert "'/u01/oradata/it''s;/redo02.log'" in statement


def test_resetlogs_variant_opens_with_resetlogs() -> None:
    script = parse_trace(RESETLOGS, resetlogs=True)
    assert script.of_kind(K.OPEN) == ("ALTER DATABASE OPEN RESETLOGS",)
    assert script.of_kind(K.RECOVER) == ("RECOVER DATABASE USING BACKUP CONTROLFILE",)
    assert script.of_kind(K.ARCHIVE) == ()


@pytest.mark.parametrize(("text", "resetlogs"), [(NORESETLOGS, False), (RESETLOGS, True)])
def test_stored_script_is_read_as_the_same_script(text: str, resetlogs: bool) -> None:
    script = parse_trace(text, resetlogs=resetlogs)
    assert parse_trace(script.as_text(), resetlogs=resetlogs) == script
    assert create_controlfile_statement(script.as_text()) == script.create_statement


def test_stored_script_terminates_sql_but_not_sqlplus_commands() -> None:
    lines = parse_trace(NORESETLOGS, resetlogs=False).as_text().splitlines()
    assert "STARTUP NOMOUNT" in lines and "RECOVER DATABASE" in lines
    assert "ALTER DATABASE OPEN;" in lines and "CHARACTER SET AL32UTF8;" in lines


@pytest.mark.parametrize(
    ("text", "resetlogs"),
    [
        pytest.param(NORESETLOGS, True, id="the other variant"),
        pytest.param(RESETLOGS, False, id="the other variant, reversed"),
        pytest.param(NORESETLOGS + RESETLOGS, False, id="both variants"),
        pytest.param("-- nothing\n", False, id="nothing"),
        pytest.param(NORESETLOGS[: NORESETLOGS.index("CHARACTER SET")], False, id="cut off"),
    ],
)
def test_script_that_is_not_the_wanted_one_is_refused(text: str, resetlogs: bool) -> None:
    with pytest.raises(VerificationError):
        parse_trace(text, resetlogs=resetlogs)
