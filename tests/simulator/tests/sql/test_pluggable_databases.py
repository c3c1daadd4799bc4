# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pluggable databases by statement: opened, closed, made, dropped, in backup mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.readings import Readings
from oracle_simulator.net.backend import AdminMode
from oracle_simulator.storage.datafile import Datafile

from .conftest import Background, Bench, wait_until
from .container_bench import cdb, opened, own, within

__all__ = ["cdb", "own"]

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
