# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statement parser: what each text means, and which error a wrong one raises where."""

from __future__ import annotations

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.sql.parser import pluggable_statements as pst
from oracle_simulator.sql.parser import statements as st
from oracle_simulator.sql.parser.parse import parse

MIB = 1 << 20

UNDERSTOOD: list[tuple[str, st.Statement]] = [
    ("COMMIT", st.Commit()),
    ("commit work", st.Commit()),
    ("ROLLBACK TO SAVEPOINT a", st.Rollback("A")),
    ("savepoint Before_It", st.Savepoint("BEFORE_IT")),
    ("SET TRANSACTION READ ONLY", st.SetTransaction(fixed=True)),
    ("ALTER SYSTEM SWITCH LOGFILE", st.SwitchLogfile()),
    ("ALTER SYSTEM ARCHIVE LOG CURRENT", st.ArchiveLog("CURRENT")),
    ("alter system archive log all", st.ArchiveLog("ALL")),
    ("ALTER SYSTEM ARCHIVE LOG SEQUENCE 12 TO '/a'", st.ArchiveLog("SEQUENCE", 12, destination="/a")),
    ("ALTER SYSTEM CHECKPOINT GLOBAL", st.Checkpoint()),
    ("ALTER SYSTEM KILL SESSION '12, 7' IMMEDIATE", st.KillSession(12, 7, immediate=True)),
    (
        "ALTER SYSTEM SET log_archive_dest_state_2=DEFER SCOPE=MEMORY",
        st.SetParameters((("log_archive_dest_state_2", "DEFER"),), "MEMORY"),
    ),
    ("ALTER SYSTEM ENABLE RESTRICTED SESSION", st.RestrictedSession(True)),
    (
        "ALTER SESSION SET NLS_LANGUAGE='AMERICAN' NLS_DATE_FORMAT='YYYY-MM-DD HH24:MI:SS'",
        st.AlterSessionSet((("nls_language", "AMERICAN"), ("nls_date_format", "YYYY-MM-DD HH24:MI:SS"))),
    ),
    ("ALTER DATABASE MOUNT", st.MountDatabase()),
    ("alter database lab open read only", st.OpenDatabase(read_only=True)),
    ("ALTER DATABASE OPEN RESETLOGS", st.OpenDatabase(resetlogs=True)),
    ("ALTER DATABASE BEGIN BACKUP", st.DatabaseBackupMode(True)),
    ("ALTER DATABASE DATAFILE 4, '/a/b.dbf' END BACKUP", st.DatafileEndBackup((4, "/a/b.dbf"))),
    ("ALTER DATABASE DATAFILE 4 OFFLINE FOR DROP", st.DatafileOffline((4,), for_drop=True)),
    ("ALTER DATABASE DATAFILE '/x' RESIZE 20M", st.DatafileResize("/x", 20 * MIB)),
    (
        "ALTER DATABASE DATAFILE 3 AUTOEXTEND ON NEXT 512K MAXSIZE UNLIMITED",
        st.DatafileAutoextend((3,), st.Autoextend(True, MIB // 2, st.UNLIMITED)),
    ),
    ("ALTER DATABASE TEMPFILE '/t' DROP INCLUDING DATAFILES", st.TempfileDrop(("/t",), True)),
    ("ALTER DATABASE BACKUP CONTROLFILE TO '/x/it''s' REUSE", st.BackupControlfile("/x/it's", reuse=True)),
    (
        "ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '/x' NORESETLOGS",
        st.BackupControlfile("/x", trace=True, resetlogs=False),
    ),
    ("ALTER DATABASE RENAME FILE 'a', 'b' TO 'c', 'd'", st.RenameFile(("a", "b"), ("c", "d"))),
    ("ALTER DATABASE CREATE DATAFILE 7 AS '/n'", st.CreateDatafile(7, "/n")),
    (
        "ALTER DATABASE RECOVER AUTOMATIC FROM '/a' DATABASE UNTIL CHANGE 1000 USING BACKUP CONTROLFILE",
        st.Recover(
            "DATABASE", automatic=True, directory="/a", until_change=1000, using_backup_controlfile=True
        ),
    ),
    (
        "ALTER DATABASE RECOVER DATABASE UNTIL TIME '2024-01-01:10:00:00'",
        st.Recover("DATABASE", until_time="2024-01-01:10:00:00"),
    ),
    ("ALTER DATABASE RECOVER DATAFILE 1, 2 PARALLEL 4", st.Recover("DATAFILE", files=(1, 2))),
    (
        'ALTER DATABASE RECOVER TABLESPACE "lower", data',
        st.Recover("TABLESPACE", tablespaces=("lower", "DATA")),
    ),
    ("ALTER DATABASE RECOVER LOGFILE '/l'", st.Recover("LOGFILE", logfile="/l")),
    ("ALTER DATABASE RECOVER CONTINUE DEFAULT", st.RecoverContinue(default=True)),
    ("ALTER DATABASE RECOVER CANCEL", st.RecoverCancel()),
    ('ALTER TABLESPACE "USERS" BEGIN BACKUP', st.TablespaceBackupMode("USERS", True)),
    (
        "ALTER TABLESPACE data ADD DATAFILE '/x' SIZE 10M REUSE AUTOEXTEND ON NEXT 1M MAXSIZE 2G, '/y' SIZE 3M",
        st.AddFiles(
            "DATA",
            (
                st.FileSpecification("/x", 10 * MIB, True, st.Autoextend(True, MIB, 2 << 30)),
                st.FileSpecification("/y", 3 * MIB),
            ),
        ),
    ),
    ("ALTER TABLESPACE t OFFLINE", st.TablespaceOffline("T")),
    ("ALTER TABLESPACE t OFFLINE IMMEDIATE", st.TablespaceOffline("T", "IMMEDIATE")),
    ("ALTER TABLESPACE t READ ONLY", st.TablespaceReadOnly("T")),
    (
        "CREATE BIGFILE TABLESPACE big DATAFILE '/b' SIZE 1M EXTENT MANAGEMENT LOCAL UNIFORM SIZE 1M",
        st.CreateTablespace("BIG", "PERMANENT", (st.FileSpecification("/b", MIB),), bigfile=True),
    ),
    ("DROP TABLESPACE t INCLUDING CONTENTS AND DATAFILES", st.DropTablespace("T", True, True)),
    ('DROP TABLE "mixed" PURGE', st.DropTable(None, "mixed")),
    ("TRUNCATE TABLE app.t", st.TruncateTable("APP", "T")),
    (
        'CREATE USER u IDENTIFIED BY "Secret" DEFAULT TABLESPACE data QUOTA UNLIMITED ON data',
        st.UserStatement("U", True, "Secret", "DATA"),
    ),
    ("GRANT CREATE SESSION, ALTER SYSTEM TO a, b", st.Grant(("CREATE SESSION", "ALTER SYSTEM"), ("A", "B"))),
    ("GRANT SELECT ON v_$database TO a", st.Grant(("SELECT",), ("A",), (None, "V_$DATABASE"))),
    ("REVOKE SYSBACKUP FROM a", st.Grant(("SYSBACKUP",), ("A",), None, revoke=True)),
    ("CREATE PFILE='/p' FROM MEMORY", st.CreateParameterFile(False, "/p", "MEMORY")),
    (
        "ALTER PLUGGABLE DATABASE p OPEN READ ONLY INSTANCES=ALL",
        pst.OpenPluggable(pst.PluggableTarget(("P",)), read_only=True),
    ),
    (
        "ALTER PLUGGABLE DATABASE ALL EXCEPT p, q CLOSE IMMEDIATE",
        pst.ClosePluggable(pst.PluggableTarget(("P", "Q"), every=True), "IMMEDIATE"),
    ),
    (
        "ALTER PLUGGABLE DATABASE RECOVER AUTOMATIC DATABASE",
        pst.PluggableRecover(pst.PluggableTarget(), st.Recover("DATABASE", automatic=True)),
    ),
    (
        "CREATE PLUGGABLE DATABASE p ADMIN USER a IDENTIFIED BY x FILE_NAME_CONVERT=('a', 'b')",
        pst.CreatePluggable("P", "A", "x", convert=(("a", "b"),)),
    ),
    ("DROP PLUGGABLE DATABASE p INCLUDING DATAFILES", pst.DropPluggable("P", True)),
    ("CREATE VIEW v AS SELECT 1 FROM dual", st.CreateSource(None, "V", "VIEW", "SELECT 1 FROM dual")),
    (
        " /* hint */ -- and more\n select 1 from dual",
        st.Query(" /* hint */ -- and more\n select 1 from dual"),
    ),
    ("BEGIN NULL; END;", st.PlsqlBlock("BEGIN NULL; END;")),
]


@pytest.mark.parametrize(("text", "meaning"), UNDERSTOOD, ids=[text[:50] for text, _ignored in UNDERSTOOD])
def test_statement_means(text: str, meaning: st.Statement) -> None:
    assert parse(text) == meaning


def test_create_table_with_all_its_clauses() -> None:
    statement = parse(
        "CREATE TABLE app.t (id NUMBER(10) NOT NULL, code VARCHAR2(20 CHAR) DEFAULT 'it''s' CONSTRAINT u1 UNIQUE,"
        " n NUMBER(*,2) DEFAULT -1, at TIMESTAMP(3) WITH LOCAL TIME ZONE DEFAULT SYSTIMESTAMP,"
        " CONSTRAINT pk PRIMARY KEY (id)) TABLESPACE data"
    )
    assert isinstance(statement, st.CreateTable)
    assert (statement.schema, statement.name, statement.tablespace) == ("APP", "T", "DATA")
    assert [column.type for column in statement.columns] == [
        st.TypeSpecification("NUMBER", (10,)),
        st.TypeSpecification("VARCHAR2", (20,)),
        st.TypeSpecification("NUMBER", (None, 2)),
        st.TypeSpecification("TIMESTAMP", (3,), "LOCAL"),
    ]
    assert [column.default for column in statement.columns] == [None, "'it''s'", "-1", "SYSTIMESTAMP"]
    assert [column.nullable for column in statement.columns] == [False, True, True, True]
    assert statement.columns[1].unique
    assert statement.columns[1].constraint_name == "U1"
    assert statement.keys == (st.KeyConstraint(("ID",), True, "PK"),)


def test_create_controlfile_as_the_trace_script_writes_it() -> None:
    statement = parse(
        """CREATE CONTROLFILE REUSE DATABASE "LAB" NORESETLOGS  ARCHIVELOG
    MAXLOGFILES 16
    MAXDATAFILES 100
LOGFILE
  GROUP 1 '/r1'  SIZE 4M BLOCKSIZE 512,
  GROUP 2 ('/r2a','/r2b')  SIZE 4M BLOCKSIZE 512
-- STANDBY LOGFILE
DATAFILE
  '/d1',
  '/d2'
CHARACTER SET AL32UTF8
"""
    )
    assert statement == st.CreateControlfile(
        "LAB",
        (
            st.RedoGroupSpecification(("/r1",), 1, 4 * MIB, 512),
            st.RedoGroupSpecification(("/r2a", "/r2b"), 2, 4 * MIB, 512),
        ),
        (st.FileSpecification("/d1"), st.FileSpecification("/d2")),
        resetlogs=False,
        reuse=True,
        archivelog=True,
        character_set="AL32UTF8",
        limits=(("maxlogfiles", 16), ("maxdatafiles", 100)),
    )


REFUSED = [
    ("", 900, 0),
    ("frobnicate", 900, 0),
    ("select 1 from dual;", 911, 18),
    ("alter database open ?", 911, 20),
    ("select 'x from dual", 1756, 7),
    ("ALTER SYSTEM FROB", 2065, 13),
    ("ALTER SESSION SET foo", 2248, 21),
    ("ALTER DATABASE FROB NICATE", 2231, 20),
    ("ALTER TABLESPACE t FROB", 2142, 19),
    ("ALTER TABLESPACE", 2216, 16),
    ("ALTER FROB", 940, 6),
    ("CREATE FROB", 901, 7),
    ("DROP FROB", 950, 5),
    ("ALTER SYSTEM SWITCH LOGFILE NOW", 933, 28),
    ("CREATE TABLE t (id NUMBER", 907, 25),
    ("CREATE TABLE t (id NUMBER CHECK (id > 0))", 3001, 26),
    ("CREATE TABLE t (id NUMBER, id DATE)", 957, 0),
    ("ALTER DATABASE RECOVER DATABASE UNTIL TIME SYSDATE", 285, 43),
    ("ALTER SYSTEM KILL SESSION 'x'", 26, 0),
]


@pytest.mark.parametrize(("text", "code", "offset"), REFUSED, ids=[case[0] or "empty" for case in REFUSED])
def test_wrong_text_raises_oracles_error_at_its_place(text: str, code: int, offset: int) -> None:
    with pytest.raises(OracleError) as caught:
        parse(text)
    assert (caught.value.code, caught.value.offset) == (code, offset)


def test_keywords_are_names_where_only_a_name_can_stand() -> None:
    assert parse("ALTER TABLESPACE size ONLINE") == st.TablespaceOnline("SIZE")
    statement = parse("CREATE TABLE data (value NUMBER, status VARCHAR2(3), online DATE)")
    assert isinstance(statement, st.CreateTable)
    assert [column.name for column in statement.columns] == ["VALUE", "STATUS", "ONLINE"]
