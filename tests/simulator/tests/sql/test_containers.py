# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers by statement: what each sees, and what is refused where."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.storage.datafile import Datafile

from .conftest import Bench
from .container_bench import cdb, opened, own, within

__all__ = ["cdb", "own"]

# ---------------------------------------------------------------- what is seen


def test_numbers_of_files_are_unique_those_of_tablespaces_are_not(cdb: Bench) -> None:
    sys = cdb.sys
    files = sys.rows("SELECT file#, ts#, con_id, rfile#, name FROM v$datafile ORDER BY file#")
    assert len({row[0] for row in files}) == len(files)
    assert {row[2] for row in files if row[1] == 0} == {1, 2, 3, 4}
    folders = {row[2]: Path(row[4]).parent.name for row in files}
    assert folders == {1: "LAB", 2: "pdbseed", 3: "PDB1", 4: "PDB2"}
    assert [row[3] for row in files if row[2] == 3] == [1, 2, 3, 4, 5]
    # A join on TS# alone multiplies rows: the trap CON_ID is there for.
    joined = "SELECT COUNT(*) FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts#"
    assert sys.value(joined) > len(files)
    assert sys.value(f"{joined} AND t.con_id = d.con_id") == len(files)
    assert sys.value("SELECT cdb FROM v$database") == "YES"


def test_headers_on_disk_say_to_which_container_they_belong(cdb: Bench) -> None:
    for path, con_id, dbid in cdb.sys.rows(
        "SELECT d.name, d.con_id, c.dbid FROM v$datafile d JOIN v$containers c ON c.con_id = d.con_id"
    ):
        with Datafile.open(path, writable=False) as datafile:
            header = datafile.read_header()
        assert (header.con_id, header.container_dbid, header.dbid) == (
            con_id,
            dbid,
            cdb.instance.control.database.dbid,
        )


def test_containers_and_their_modes(cdb: Bench) -> None:
    sys = cdb.sys
    assert sys.rows("SELECT con_id, name, open_mode, restricted FROM v$containers ORDER BY con_id") == [
        (1, "CDB$ROOT", "READ WRITE", "NO"),
        (2, "PDB$SEED", "READ ONLY", "NO"),
        (3, "PDB1", "READ WRITE", "NO"),
        (4, "PDB2", "MOUNTED", None),
    ]
    assert sys.rows("SELECT pdb_name, status FROM dba_pdbs ORDER BY pdb_id") == [
        ("PDB$SEED", "NORMAL"),
        ("PDB1", "NORMAL"),
        ("PDB2", "NORMAL"),
    ]
    guids = sys.rows("SELECT guid FROM v$pdbs")
    assert len(set(guids)) == 3


def test_a_closed_container_is_in_v_views_only(cdb: Bench) -> None:
    sys = cdb.sys
    assert sys.rows("SELECT DISTINCT con_id FROM v$datafile ORDER BY 1") == [(1,), (2,), (3,), (4,)]
    for view in ("cdb_tablespaces", "cdb_data_files", "cdb_temp_files", "cdb_users"):
        assert sys.rows(f"SELECT DISTINCT con_id FROM {view} ORDER BY 1") == [(1,), (3,)]
    sys.run("ALTER SYSTEM SET exclude_seed_cdb_view = FALSE SCOPE = MEMORY")
    assert sys.rows("SELECT DISTINCT con_id FROM cdb_tablespaces ORDER BY 1") == [(1,), (2,), (3,)]
    sys.run("ALTER SYSTEM SET exclude_seed_cdb_view = TRUE SCOPE = MEMORY")


def test_a_pluggable_database_sees_itself(cdb: Bench) -> None:
    sys = within(cdb, "pdb1")
    for view in ("v$datafile", "v$tablespace", "v$backup", "v$datafile_header", "v$tempfile", "v$pdbs"):
        assert sys.rows(f"SELECT DISTINCT con_id FROM {view}") == [(3,)], view
    assert sys.rows("SELECT name, con_id FROM v$database") == [("LAB", 0)]
    assert sys.rows("SELECT DISTINCT con_id FROM v$log") == [(0,)]
    assert ("SALES",) in sys.rows("SELECT tablespace_name FROM dba_tablespaces")
    assert ("SALES",) not in cdb.sys.rows("SELECT tablespace_name FROM dba_tablespaces")
    assert sys.rows(
        "SELECT SYS_CONTEXT('USERENV', 'CON_NAME'), SYS_CONTEXT('USERENV', 'CON_ID') FROM dual"
    ) == [("PDB1", "3")]


def test_a_common_user_sees_other_containers_only_with_container_data(cdb: Bench) -> None:
    everywhere, narrow = cdb.connect("C##ALL"), cdb.connect("C##ROOT")
    query = "SELECT DISTINCT con_id FROM v$datafile ORDER BY 1"
    assert everywhere.rows(query) == [(1,), (2,), (3,), (4,)]
    assert narrow.rows(query) == [(1,)]
    assert narrow.rows("SELECT con_id FROM v$database") == [(0,)]
    assert narrow.rows("SELECT DISTINCT con_id FROM cdb_data_files") == [(1,)]
    narrow.run("ALTER SESSION SET CONTAINER = pdb1")
    assert narrow.rows(query) == [(3,)]
    cdb.sys.run("ALTER USER c##root SET CONTAINER_DATA = (CDB$ROOT, PDB2) CONTAINER = CURRENT")
    assert cdb.connect("C##ROOT").rows(query) == [(1,), (4,)]
    refused = cdb.sys.refused("ALTER USER c##root SET CONTAINER_DATA = (PDB2) CONTAINER = CURRENT")
    assert refused.code == 65057
    cdb.sys.run("ALTER USER c##root SET CONTAINER_DATA = DEFAULT CONTAINER = CURRENT")
    assert cdb.connect("C##ROOT").rows(query) == [(1,)]


def test_shared_undo_belongs_to_the_whole_and_is_seen_from_everywhere(tmp_path: Path) -> None:
    with opened(tmp_path, local_undo=False) as bench:
        undo = "SELECT con_id, name FROM v$tablespace WHERE name LIKE 'UNDO%'"
        assert bench.sys.rows(undo) == [(1, "UNDOTBS1")]
        sys = within(bench, "pdb1")
        assert sys.rows(undo) == [(0, "UNDOTBS1")]
        assert sys.rows("SELECT con_id, COUNT(*) FROM v$datafile GROUP BY con_id ORDER BY 1") == [
            (0, 1),
            (3, 4),
        ]
        property_value = "SELECT property_value FROM database_properties WHERE property_name = :1"
        assert sys.value(property_value, "LOCAL_UNDO_ENABLED") == "FALSE"
        assert sys.rows("SELECT local_undo FROM v$pdbs") == [(0,)]


def test_mounted_all_files_are_there_and_no_container_is_open(own: Bench) -> None:
    own.database.shutdown("immediate")
    own.nomount()
    own.instance.mount()
    assert own.sys.rows("SELECT con_id, COUNT(*) FROM v$datafile GROUP BY con_id ORDER BY 1") == [
        (1, 4),
        (2, 3),
        (3, 5),
        (4, 4),
    ]
    assert own.sys.rows("SELECT DISTINCT open_mode FROM v$pdbs") == [("MOUNTED",)]
    assert own.sys.refused("SELECT * FROM cdb_data_files").code == 1219


# ---------------------------------------------------------------- what is refused where

WHOLE = [
    "ALTER SYSTEM SWITCH LOGFILE",
    "ALTER SYSTEM ARCHIVE LOG CURRENT",
    "ALTER DATABASE BACKUP CONTROLFILE TO '/nowhere/c'",
    "ALTER DATABASE BACKUP CONTROLFILE TO TRACE",
    "ALTER DATABASE NOARCHIVELOG",
    "ALTER DATABASE RECOVER DATABASE UNTIL CANCEL",
    "ALTER DATABASE RECOVER DATABASE USING BACKUP CONTROLFILE",
    "ALTER DATABASE OPEN RESETLOGS",
    "CREATE PLUGGABLE DATABASE p ADMIN USER a IDENTIFIED BY x",
    "DROP PLUGGABLE DATABASE pdb2 INCLUDING DATAFILES",
    "ALTER PLUGGABLE DATABASE pdb2 OPEN",
    "ALTER PLUGGABLE DATABASE ALL CLOSE",
]


@pytest.mark.covers("4.1/pdb-context/ORA-65040", "2.7/wrong-place/ORA-65040")
@pytest.mark.parametrize("statement", WHOLE)
def test_what_concerns_the_whole_is_refused_in_a_pluggable_database(cdb: Bench, statement: str) -> None:
    before = cdb.sys.rows("SELECT sequence#, status FROM v$log ORDER BY group#")
    assert within(cdb, "pdb1").refused(statement).code == 65040
    assert cdb.sys.rows("SELECT sequence#, status FROM v$log ORDER BY group#") == before
    assert cdb.sys.value("SELECT open_mode FROM v$pdbs WHERE name = 'PDB2'") == "MOUNTED"


def test_a_checkpoint_is_allowed_in_a_pluggable_database(cdb: Bench) -> None:
    checkpoint = "SELECT MIN(checkpoint_change#) FROM v$datafile WHERE con_id = 1"
    before = cdb.sys.value(checkpoint)
    within(cdb, "pdb1").run("ALTER SYSTEM CHECKPOINT")
    assert cdb.sys.value(checkpoint) > before


REFUSED = [
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE pdb1 OPEN", 65019),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE pdb2 CLOSE", 65020),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE nopdb OPEN", 65011),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE OPEN", 65000),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE pdb$seed CLOSE", 65017),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE pdb1 BEGIN BACKUP", 65046),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE pdb2 RECOVER DATABASE", 65046),
    ("CDB$ROOT", "ALTER PLUGGABLE DATABASE pdb1 DISABLE RECOVERY", 65025),
    ("CDB$ROOT", "ALTER SESSION SET CONTAINER = nopdb", 65011),
    ("CDB$ROOT", "ALTER DATABASE DATAFILE 9 OFFLINE", 1516),
    ("CDB$ROOT", "DROP PLUGGABLE DATABASE pdb1 INCLUDING DATAFILES", 65025),
    ("CDB$ROOT", "DROP PLUGGABLE DATABASE pdb2", 65179),
    ("CDB$ROOT", "DROP PLUGGABLE DATABASE pdb$seed INCLUDING DATAFILES", 65017),
    ("CDB$ROOT", "CREATE PLUGGABLE DATABASE p ADMIN USER a IDENTIFIED BY x", 65016),
    ("CDB$ROOT", "CREATE PLUGGABLE DATABASE pdb1 ADMIN USER a IDENTIFIED BY x", 65012),
    ("CDB$ROOT", "CREATE USER local IDENTIFIED BY x", 65096),
    ("CDB$ROOT", "CREATE USER c##x IDENTIFIED BY x CONTAINER = CURRENT", 65049),
    ("PDB1", "CREATE USER c##x IDENTIFIED BY x", 65094),
    ("PDB1", "CREATE USER local IDENTIFIED BY x CONTAINER = ALL", 65050),
    ("PDB1", "ALTER USER c##all IDENTIFIED BY y", 65066),
    ("PDB1", "ALTER PLUGGABLE DATABASE DISABLE RECOVERY", 65040),
    ("PDB1", "ALTER PLUGGABLE DATABASE RECOVER DATABASE UNTIL CANCEL", 922),
    ("PDB1", "ALTER PLUGGABLE DATABASE RECOVER CANCEL", 922),
    ("PDB1", "ALTER DATABASE RECOVER DATABASE", 283),
    ("PDB1", "ALTER DATABASE DATAFILE 1 OFFLINE", 1516),
    ("PDB$SEED", "CREATE USER local IDENTIFIED BY x", 16000),
    ("PDB$SEED", "ALTER TABLESPACE system BEGIN BACKUP", 16000),
]


@pytest.mark.parametrize(("container", "statement", "code"), REFUSED)
def test_refusals(cdb: Bench, container: str, statement: str, code: int) -> None:
    before = cdb.sys.rows("SELECT con_id, file#, status FROM v$datafile ORDER BY file#")
    assert within(cdb, container).refused(statement).code == code
    assert cdb.sys.rows("SELECT con_id, file#, status FROM v$datafile ORDER BY file#") == before


@pytest.mark.covers(
    "4.1/pdb-context/ORA-00959", "2.1/tablespace-begin/ORA-00959", "2.7/wrong-place/ORA-00959"
)
def test_a_tablespace_is_backed_up_in_its_own_container_only(cdb: Bench) -> None:
    assert cdb.sys.refused("ALTER TABLESPACE sales BEGIN BACKUP").code == 959
    active = "SELECT file#, con_id FROM v$backup WHERE status = 'ACTIVE'"
    assert cdb.sys.rows(active) == []
    sys = within(cdb, "pdb1")
    sys.run("ALTER TABLESPACE sales BEGIN BACKUP")
    ((number, con_id),) = cdb.sys.rows(active)
    assert con_id == 3
    name = cdb.sys.value("SELECT name FROM v$datafile WHERE file# = :1", number)
    assert name.endswith("/PDB1/sales01.dbf")
    assert cdb.sys.refused("ALTER TABLESPACE sales END BACKUP").code == 959
    # USERS of the root has the same name and is another one.
    cdb.sys.run("ALTER TABLESPACE users BEGIN BACKUP")
    assert sys.rows("SELECT t.name FROM v$backup b JOIN v$datafile d ON d.file# = b.file# "
                    "JOIN v$tablespace t ON t.ts# = d.ts# WHERE b.status = 'ACTIVE'") == [("SALES",)]  # fmt: skip
    cdb.sys.run("ALTER TABLESPACE users END BACKUP")
    sys.run("ALTER TABLESPACE sales END BACKUP")
    assert cdb.sys.rows(active) == []


@pytest.mark.covers("4.1/pdb-context/ORA-01109", "2.7/wrong-place/ORA-01109")
def test_nothing_but_v_views_works_in_a_closed_container(cdb: Bench) -> None:
    sys = within(cdb, "pdb2")
    assert sys.refused("ALTER TABLESPACE users BEGIN BACKUP").code == 1109
    assert sys.refused("ALTER PLUGGABLE DATABASE BEGIN BACKUP").code == 1109
    assert sys.refused("CREATE TABLE t (n NUMBER)").code == 1109
    assert sys.refused("SELECT * FROM dba_data_files").code == 1219
    assert sys.rows("SELECT DISTINCT con_id FROM v$datafile") == [(4,)]
    with pytest.raises(OracleError) as refused:
        cdb.connect("APP", service="pdb2")
    assert refused.value.code == 1033
    assert cdb.connect("C##ALL").refused("ALTER SESSION SET CONTAINER = pdb2").code == 1109
    assert cdb.sys.rows("SELECT * FROM v$backup WHERE status = 'ACTIVE'") == []


def test_a_local_user_has_nowhere_else_to_go(cdb: Bench) -> None:
    local = cdb.connect("APP", service="pdb1")
    assert local.value("SELECT SYS_CONTEXT('USERENV', 'CON_NAME') FROM dual") == "PDB1"
    assert local.refused("ALTER SESSION SET CONTAINER = cdb$root").code == 1031
    with pytest.raises(OracleError) as refused:
        cdb.connect("APP")
    assert refused.value.code == 1017
    cdb.sys.run("CREATE USER c##stay IDENTIFIED BY x")
    cdb.sys.run("GRANT CREATE SESSION TO c##stay CONTAINER = ALL")
    assert cdb.connect("C##STAY").refused("ALTER SESSION SET CONTAINER = pdb1").code == 1031
    assert cdb.connect("C##STAY", service="pdb1").value("SELECT user FROM dual") == "C##STAY"
    cdb.sys.run("GRANT SET CONTAINER TO c##stay")  # in the root only
    assert cdb.connect("C##STAY").refused("ALTER SESSION SET CONTAINER = pdb1").code == 1031
    within(cdb, "pdb1").run("GRANT SET CONTAINER TO c##stay")
    cdb.connect("C##STAY").run("ALTER SESSION SET CONTAINER = pdb1")


def test_services_lead_to_containers(cdb: Bench) -> None:
    database = cdb.database
    assert database.refusal("pdb1", None) is None
    assert database.refusal("PDB2", None) is None
    assert database.refusal("LAB", None) is None
    assert database.refusal("pdb9", None) == 12514
    assert database.refusal("pdb$seed", None) == 12514
    assert database.refusal(None, "pdb1") == 12505


def test_a_transaction_stays_in_its_container(cdb: Bench) -> None:
    cdb.sys.run("GRANT CREATE TABLE, UNLIMITED TABLESPACE TO c##all CONTAINER = ALL")
    cdb.connect("C##ALL").run("CREATE TABLE there (n NUMBER)")
    client = cdb.connect("C##ALL", service="pdb1")
    client.run("CREATE TABLE here (n NUMBER)")
    client.run("INSERT INTO here VALUES (1)")
    client.run("ALTER SESSION SET CONTAINER = cdb$root")
    assert client.refused("SELECT * FROM here").code == 942
    assert cdb.connect("C##ALL", service="pdb1").rows("SELECT * FROM here") == []
    assert client.rows("SELECT * FROM there") == []
    assert client.refused("INSERT INTO there VALUES (1)").code == 65023
    client.commit()
    client.run("INSERT INTO there VALUES (1)")
    client.rollback()
    assert cdb.connect("C##ALL", service="pdb1").rows("SELECT * FROM here") == [(1,)]


def test_tables_of_the_same_name_and_number_are_different_tables(own: Bench) -> None:
    own.sys.run("ALTER PLUGGABLE DATABASE pdb2 OPEN")
    one, two = own.connect("APP", service="pdb1"), own.connect("APP", service="pdb2")
    for client, value in ((one, 1), (two, 2)):
        client.run("CREATE TABLE t (n NUMBER PRIMARY KEY)")
        client.run("INSERT INTO t VALUES (:1)", value)
    numbers = "SELECT object_id, data_object_id FROM all_objects WHERE object_name = 'T'"
    assert one.rows(numbers) == two.rows(numbers)
    assert (one.rows("SELECT n FROM t"), two.rows("SELECT n FROM t")) == ([(1,)], [(2,)])
    one.commit()
    two.rollback()
    assert (one.rows("SELECT n FROM t"), two.rows("SELECT n FROM t")) == ([(1,)], [])
    two.run("INSERT INTO t VALUES (1)")  # no key of the other table is in the way
    two.commit()
    one.run("DROP TABLE t")
    assert two.rows("SELECT n FROM t") == [(1,)]
    own.restart()
    assert within(own, "pdb1").rows("SELECT table_name FROM dba_tables") == []
    own.sys.run("ALTER PLUGGABLE DATABASE pdb2 OPEN READ ONLY")
    reader = own.connect("APP", service="pdb2")
    assert reader.rows("SELECT n FROM t") == [(1,)]
    assert reader.refused("INSERT INTO t VALUES (2)").code == 16000
