# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers by statement: what each sees, what each may do, and what is refused where."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    PluggableDefinition,
    RedoThreadDefinition,
    TablespaceDefinition,
    UserDefinition,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.net.backend import AdminMode
from oracle_simulator.sql.engine import Database
from oracle_simulator.storage.datafile import Datafile

from .conftest import MIB, Background, Bench, Client, wait_until

SMALL = (FileDefinition(2 * MIB),)
EVERYWHERE = ("CREATE SESSION", "SET CONTAINER", "SELECT_CATALOG_ROLE", "ALTER DATABASE")


def definition(local_undo: bool = True) -> DatabaseDefinition:
    """A CDB with one pluggable database that opens with it and one that does not."""
    users = (UserDefinition("APP", "app"),)
    tablespaces = [TablespaceDefinition(name, SMALL) for name in ("SYSTEM", "SYSAUX", "USERS")]
    return DatabaseDefinition(
        "LAB",
        tablespaces=(
            *tablespaces,
            TablespaceDefinition("UNDOTBS1", SMALL, contents="UNDO"),
            TablespaceDefinition("TEMP", SMALL, contents="TEMPORARY"),
        ),
        redo_threads=(RedoThreadDefinition(size_bytes=MIB),),
        users=(
            UserDefinition("C##ALL", "x", privileges=EVERYWHERE, container_data="ALL"),
            UserDefinition("C##ROOT", "x", privileges=EVERYWHERE),
        ),
        cdb=True,
        pluggables=(
            PluggableDefinition("PDB1", (TablespaceDefinition("SALES", SMALL),), users, "READ WRITE"),
            PluggableDefinition("PDB2", users=users),
        ),
        local_undo=local_undo,
        verifier_rounds=1,
    )


@contextlib.contextmanager
def opened(folder: Path, local_undo: bool = True, readings: Readings | None = None) -> Iterator[Bench]:
    """An open CDB of its own."""
    home = Home(folder / "home", "LAB")
    create_database(home, definition(local_undo))
    bench = Bench(home)
    if readings is not None:
        bench.close()
        instance = Instance(home, Parameters.read(home.parameter_file), readings=readings)
        bench.database = Database(instance)
        instance.startup()
    bench.open()
    try:
        yield bench
    finally:
        bench.close()


@pytest.fixture(scope="module")
def cdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """An open CDB for the whole module: tests leave it as they found it."""
    with opened(tmp_path_factory.mktemp("cdb")) as bench:
        yield bench


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Bench]:
    """An open CDB for one test."""
    with opened(tmp_path) as bench:
        yield bench


def within(bench: Bench, container: str) -> Client:
    """SYS in a container."""
    client = bench.sys
    client.run(f"ALTER SESSION SET CONTAINER = {container}")
    return client


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


# ---------------------------------------------------------------- opening and closing


def test_state_is_saved_or_the_container_stays_closed(own: Bench) -> None:
    modes = "SELECT name, open_mode FROM v$pdbs WHERE con_id > 2 ORDER BY con_id"
    own.sys.run("ALTER PLUGGABLE DATABASE ALL OPEN")
    assert own.sys.rows(modes) == [("PDB1", "READ WRITE"), ("PDB2", "READ WRITE")]
    own.restart()
    assert own.sys.rows(modes) == [("PDB1", "READ WRITE"), ("PDB2", "MOUNTED")]
    own.sys.run("ALTER PLUGGABLE DATABASE pdb2 OPEN READ ONLY")
    own.sys.run("ALTER PLUGGABLE DATABASE pdb2 SAVE STATE")
    own.sys.run("ALTER PLUGGABLE DATABASE pdb1 DISCARD STATE")
    assert own.sys.rows("SELECT con_name, state FROM dba_pdb_saved_states") == [("PDB2", "OPEN READ ONLY")]
    own.restart()
    assert own.sys.rows(modes) == [("PDB1", "MOUNTED"), ("PDB2", "READ ONLY")]


def test_a_closed_container_is_quiet_and_consistent(own: Bench) -> None:
    app = own.connect("APP", service="pdb1")
    app.run("CREATE TABLE t (n NUMBER)")
    app.run("INSERT INTO t VALUES (1)")
    app.commit()
    sys = own.sys
    header = "SELECT fuzzy, recover FROM v$datafile_header WHERE con_id = :1"
    assert set(sys.rows(header, 3)) == {("YES", "NO")}
    sys.run("ALTER PLUGGABLE DATABASE pdb1 CLOSE IMMEDIATE")
    assert set(sys.rows(header, 3)) == {("NO", "NO")}
    stopped = sys.rows("SELECT DISTINCT checkpoint_change#, last_change# FROM v$datafile WHERE con_id = 3")
    assert len(stopped) == 1
    assert stopped[0][0] == stopped[0][1]
    before = {path: path.read_bytes() for path in (own.home.datafile_folder / "PDB1").iterdir()}
    sys.run("ALTER SYSTEM SWITCH LOGFILE")
    sys.run("ALTER SYSTEM CHECKPOINT")
    assert {path: path.read_bytes() for path in before} == before
    with pytest.raises(OracleError) as killed:
        app.rows("SELECT * FROM t")
    assert killed.value.code == 1089
    sys.run("ALTER PLUGGABLE DATABASE pdb1 OPEN")
    assert own.connect("APP", service="pdb1").rows("SELECT * FROM t") == [(1,)]


def test_close_without_immediate_waits_for_the_sessions(own: Bench) -> None:
    app = own.connect("APP", service="pdb1")
    closing = own.sys
    background = Background(lambda: closing.run("ALTER PLUGGABLE DATABASE pdb1 CLOSE"))
    wait_until(lambda: closing.session.record.in_call)
    assert app.value("SELECT 1 FROM dual") == 1
    assert own.sys.value("SELECT open_mode FROM v$pdbs WHERE name = 'PDB1'") == "READ WRITE"
    app.session.close()
    background.join()
    assert background.error is None
    assert own.sys.value("SELECT open_mode FROM v$pdbs WHERE name = 'PDB1'") == "MOUNTED"


def test_restricted_lets_in_whom_it_may(own: Bench) -> None:
    own.sys.run("ALTER PLUGGABLE DATABASE pdb1 CLOSE IMMEDIATE")
    own.sys.run("ALTER PLUGGABLE DATABASE pdb1 OPEN RESTRICTED")
    assert own.sys.value("SELECT restricted FROM v$pdbs WHERE name = 'PDB1'") == "YES"
    with pytest.raises(OracleError) as refused:
        own.connect("APP", service="pdb1")
    assert refused.value.code == 1035
    within(own, "pdb1").run("ALTER SYSTEM DISABLE RESTRICTED SESSION")
    own.connect("APP", service="pdb1")


def test_a_new_pluggable_database_is_a_copy_of_the_seed(own: Bench) -> None:
    sys = own.sys
    sys.run(
        "CREATE PLUGGABLE DATABASE pdb3 ADMIN USER adm IDENTIFIED BY x "
        "FILE_NAME_CONVERT = ('/pdbseed/', '/three/')"
    )
    assert sys.rows("SELECT con_id, open_mode FROM v$pdbs WHERE name = 'PDB3'") == [(5, "MOUNTED")]
    assert sys.value("SELECT status FROM dba_pdbs WHERE pdb_name = 'PDB3'") == "NEW"
    assert sys.refused("ALTER PLUGGABLE DATABASE pdb3 OPEN READ ONLY").code == 65085
    sys.run("ALTER PLUGGABLE DATABASE pdb3 OPEN")
    assert sys.value("SELECT status FROM dba_pdbs WHERE pdb_name = 'PDB3'") == "NORMAL"
    assert own.connect("ADM", service="pdb3").value("SELECT user FROM dual") == "ADM"
    names = sys.rows("SELECT name FROM v$datafile WHERE con_id = 5 ORDER BY file#")
    assert [Path(name).relative_to(own.home.datafile_folder).as_posix() for (name,) in names] == [
        "three/system01.dbf",
        "three/sysaux01.dbf",
        "three/undotbs01.dbf",
    ]
    assert len(sys.rows("SELECT DISTINCT dbid FROM v$containers")) == 5
    own.restart()
    own.sys.run("ALTER PLUGGABLE DATABASE pdb3 OPEN")
    own.sys.run("ALTER PLUGGABLE DATABASE pdb3 CLOSE")
    own.sys.run("DROP PLUGGABLE DATABASE pdb3 INCLUDING DATAFILES")
    assert own.sys.rows("SELECT name FROM v$pdbs WHERE con_id > 2") == [("PDB1",), ("PDB2",)]
    assert list((own.home.datafile_folder / "three").iterdir()) == []


def test_a_pluggable_database_that_cannot_be_made_leaves_nothing(cdb: Bench) -> None:
    folder = cdb.home.datafile_folder / "half"
    folder.mkdir()
    (folder / "sysaux01.dbf").write_bytes(b"somebody's")
    before = cdb.sys.rows("SELECT file#, con_id FROM v$datafile ORDER BY file#")
    create = (
        "CREATE PLUGGABLE DATABASE half ADMIN USER a IDENTIFIED BY x FILE_NAME_CONVERT = ('pdbseed', 'half')"
    )
    assert cdb.sys.refused(create).codes == (1119, 27038)
    assert [path.read_bytes() for path in folder.iterdir()] == [b"somebody's"]
    assert cdb.sys.rows("SELECT file#, con_id FROM v$datafile ORDER BY file#") == before
    assert cdb.sys.rows("SELECT name FROM v$pdbs WHERE name = 'HALF'") == []


# ---------------------------------------------------------------- backup mode


def active(bench: Bench) -> list[tuple[int, int]]:
    """(container, files) in backup mode, from the headers on disk."""
    found: dict[int, int] = {}
    for con_id, name in bench.sys.rows("SELECT con_id, name FROM v$datafile"):
        with Datafile.open(name, writable=False) as datafile:
            if datafile.read_header().in_backup:
                found[con_id] = found.get(con_id, 0) + 1
    return sorted(found.items())


@pytest.mark.covers("2.1/pluggable/begin-end")
def test_backup_mode_of_one_pluggable_database(cdb: Bench) -> None:
    sys = within(cdb, "pdb1")
    sys.run("ALTER PLUGGABLE DATABASE pdb1 BEGIN BACKUP")
    assert active(cdb) == [(3, 5)]
    assert cdb.sys.refused("ALTER DATABASE BEGIN BACKUP").code == 1146
    sys.run("ALTER DATABASE END BACKUP")
    assert active(cdb) == []
    sys.run("ALTER DATABASE BEGIN BACKUP")
    assert active(cdb) == [(3, 5)]
    cdb.sys.run("ALTER DATABASE END BACKUP")
    assert active(cdb) == []


@pytest.mark.parametrize("covers_closed", [False, True])
def test_backup_mode_of_the_whole_skips_the_seed(tmp_path: Path, covers_closed: bool) -> None:
    readings = Readings(begin_backup_covers_closed_pluggables=covers_closed)
    with opened(tmp_path, readings=readings) as bench:
        sys = bench.sys
        sys.run("ALTER DATABASE BEGIN BACKUP")
        assert active(bench) == [(1, 4), (3, 5), *([(4, 4)] if covers_closed else [])]
        if covers_closed:
            assert sys.refused("ALTER PLUGGABLE DATABASE pdb2 OPEN").code == 10873
        sys.run("ALTER DATABASE END BACKUP")
        assert active(bench) == []
        sys.run("ALTER PLUGGABLE DATABASE pdb2 OPEN")


@pytest.mark.parametrize("allowed", [False, True])
def test_closing_in_backup_mode_is_a_reading(tmp_path: Path, allowed: bool) -> None:
    with opened(tmp_path, readings=Readings(pluggable_closes_in_backup_mode=allowed)) as bench:
        sys = within(bench, "pdb1")
        sys.run("ALTER TABLESPACE sales BEGIN BACKUP")
        if not allowed:
            refused = bench.sys.refused("ALTER PLUGGABLE DATABASE pdb1 CLOSE IMMEDIATE")
            assert refused.codes == (1149, 1110)
            sys.run("ALTER TABLESPACE sales END BACKUP")
            return
        bench.sys.run("ALTER PLUGGABLE DATABASE pdb1 CLOSE IMMEDIATE")
        assert active(bench) == [(3, 1)]
        assert bench.sys.refused("ALTER PLUGGABLE DATABASE pdb1 OPEN").code == 10873
        bench.sys.run("ALTER DATABASE END BACKUP")
        assert active(bench) == []
        bench.sys.run("ALTER PLUGGABLE DATABASE pdb1 OPEN")


@pytest.mark.parametrize("checkpoints", [False, True])
def test_what_close_abort_leaves_is_a_reading(tmp_path: Path, checkpoints: bool) -> None:
    with opened(tmp_path, readings=Readings(close_abort_checkpoints=checkpoints)) as bench:
        app = bench.connect("APP", service="pdb1")
        app.run("CREATE TABLE t (n NUMBER)")
        app.run("INSERT INTO t VALUES (1)")
        app.commit()
        bench.sys.run("ALTER PLUGGABLE DATABASE pdb1 CLOSE ABORT")
        if not checkpoints:
            assert bench.sys.refused("ALTER PLUGGABLE DATABASE pdb1 OPEN").codes == (1113, 1110)
            within(bench, "pdb1").run("ALTER PLUGGABLE DATABASE RECOVER AUTOMATIC DATABASE")
        bench.sys.run("ALTER PLUGGABLE DATABASE pdb1 OPEN")
        assert bench.connect("APP", service="pdb1").rows("SELECT n FROM t") == [(1,)]


def test_after_a_crash_a_file_in_backup_mode_keeps_the_whole_closed(own: Bench) -> None:
    within(own, "pdb1").run("ALTER TABLESPACE sales BEGIN BACKUP")
    own.database.shutdown("abort")
    own.nomount()
    own.instance.mount()
    refused = own.sys.refused("ALTER DATABASE OPEN")
    assert refused.codes == (10873, 1110)
    assert "PDB1/sales01.dbf" in refused.message
    own.sys.run("ALTER DATABASE END BACKUP")
    own.sys.run("ALTER DATABASE OPEN")
    assert own.sys.value("SELECT open_mode FROM v$pdbs WHERE name = 'PDB1'") == "READ WRITE"
    assert active(own) == []


def test_a_cdb_open_read_only_opens_its_containers_read_only(own: Bench) -> None:
    own.database.shutdown("immediate")
    own.nomount()
    own.instance.mount()
    own.sys.run("ALTER DATABASE OPEN READ ONLY")
    assert own.sys.value("SELECT open_mode FROM v$pdbs WHERE name = 'PDB1'") == "READ ONLY"
    assert own.sys.refused("ALTER PLUGGABLE DATABASE pdb2 OPEN").code == 65054
    own.sys.run("ALTER PLUGGABLE DATABASE pdb2 OPEN READ ONLY")


def test_a_database_that_is_no_cdb_has_no_containers(bench: Bench) -> None:
    sys = bench.sys
    assert sys.rows("SELECT name FROM v$pdbs") == []
    assert sys.rows("SELECT DISTINCT con_id FROM v$datafile") == [(0,)]
    for statement in ("ALTER PLUGGABLE DATABASE p OPEN", "ALTER SESSION SET CONTAINER = p"):
        assert sys.refused(statement).code == 65090
    create = "CREATE PLUGGABLE DATABASE p ADMIN USER a IDENTIFIED BY x"
    assert sys.refused(create).code == 65090
    assert bench.connect("APP", AdminMode.NORMAL).value("SELECT user FROM dual") == "APP"
