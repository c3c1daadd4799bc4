# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tablespaces of all block sizes in one database: what their files and views say, backup and recovery."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import SMALL, MakeDatabase, SimulatedDatabase

from ..storage.independent import u4, walk_datafile
from .dba import Dba

SIZES = {"K2": 2048, "K4": 4096, "K16": 16384, "K32": 32768, "BIG16": 16384}
TABLESPACES = [
    {"name": "K4", "size": "1M", "block_size": "4K"},
    {"name": "K16", "size": "3M", "block_size": "16K"},
    {"name": "K32", "size": "5M", "block_size": "32K"},
    {"name": "BIG16", "size": "3M", "block_size": "16K", "bigfile": True},
]
PARAMETERS = {"db_2k_cache_size": "1M"}


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """One database for all tests here: four sizes from its spec, the fifth made with SQL."""
    folder = tmp_path_factory.mktemp("sizes")
    spec = {"tablespaces": [*SMALL["tablespaces"], *TABLESPACES], "parameters": PARAMETERS}
    database = SimulatedDatabase(folder / "orcl", spec=spec)
    database.start()
    at_work = Dba(database, folder / "kept")
    at_work.execute(
        f"CREATE TABLESPACE k2 DATAFILE '{database.datafile('K2')}' SIZE 1M AUTOEXTEND ON BLOCKSIZE 2K"
    )
    yield at_work
    database.destroy()


def rows_of(dba: Dba, table: str) -> list[tuple[int, str]]:
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        return list(cursor.execute(f"SELECT id, pad FROM {table} ORDER BY id"))


def write_rows(dba: Dba, first: int) -> None:
    """A hundred rows more in a table of each size."""
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        for name in SIZES:
            rows = [(row, f"{name} {row} " * 9) for row in range(first, first + 100)]
            cursor.executemany(f"INSERT INTO t_{name} VALUES (:1, :2)", rows)
        connection.commit()


def make_tables(dba: Dba) -> None:
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        for name in SIZES:
            cursor.execute(f"CREATE TABLE t_{name} (id NUMBER, pad VARCHAR2(200)) TABLESPACE {name}")


def paths(dba: Dba) -> dict[str, Path]:
    return {name: dba.database.datafile(name) for name in SIZES}


def test_the_views_say_what_the_files_are(dba: Dba) -> None:
    found = dba.query(
        "SELECT t.name, d.block_size, d.bytes, d.blocks, d.rfile#, t.bigfile, d.name, h.blocks "
        "FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts# JOIN v$datafile_header h ON h.file# = d.file#"
    )
    seen = {row[0]: row[1:] for row in found if row[0] in SIZES}
    assert set(seen) == set(SIZES)
    for name, (block_size, size, blocks, rfile, bigfile, path, header_blocks) in seen.items():
        assert block_size == SIZES[name]
        assert size == blocks * block_size == Path(path).stat().st_size - block_size
        assert header_blocks == blocks
        assert (bigfile, rfile == 1024) == (("YES", True) if name == "BIG16" else ("NO", False))
    declared = dict(dba.query("SELECT tablespace_name, block_size FROM dba_tablespaces"))
    assert {name: declared[name] for name in SIZES} == SIZES
    assert declared["SYSTEM"] == 8192


def test_each_size_is_backed_up_hot_and_recovered(dba: Dba) -> None:
    make_tables(dba)
    write_rows(dba, 0)
    for name, path in paths(dba).items():
        dba.execute(f"ALTER TABLESPACE {name} BEGIN BACKUP")
        write_rows(dba, 100 * (1 + list(SIZES).index(name)))
        dba.copy(path)
        dba.execute(f"ALTER TABLESPACE {name} END BACKUP")
    write_rows(dba, 600)
    expected = {name: rows_of(dba, f"t_{name}") for name in SIZES}
    assert all(len(rows) == 700 for rows in expected.values())
    dba.crash()
    for path in paths(dba).values():
        shutil.copyfile(dba.kept / "datafiles" / path.name, path)
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE OPEN")[:1] == (1113,)
    dba.recover_database()
    dba.open()
    assert {name: rows_of(dba, f"t_{name}") for name in SIZES} == expected
    dba.execute("ALTER SYSTEM CHECKPOINT")
    for name, path in paths(dba).items():
        used = walk_datafile(path)
        assert u4(path.read_bytes(), 20) == SIZES[name]
        text = f"{name} 650 ".encode()
        assert any(text in block for block in used.values())


def test_a_size_without_buffers_can_be_neither_made_nor_read(dba: Dba) -> None:
    new = dba.database.home.datafile_folder / "x.dbf"
    assert dba.refusal(f"CREATE TABLESPACE x DATAFILE '{new}' SIZE 1M BLOCKSIZE 3K") == (25157,)
    dba.execute("ALTER SYSTEM SET db_4k_cache_size = 0")
    assert dba.refusal(f"CREATE TABLESPACE x DATAFILE '{new}' SIZE 1M BLOCKSIZE 4K") == (29339,)
    dba.execute("ALTER SYSTEM SET db_4k_cache_size = 1M")
    assert dba.refusal("ALTER SYSTEM SET db_8k_cache_size = 4M") == (2097, 380)
    temporary = f"CREATE TEMPORARY TABLESPACE x TEMPFILE '{new}' SIZE 5M BLOCKSIZE 16K"
    assert dba.refusal(temporary) == (25139,)
    undo = f"CREATE UNDO TABLESPACE x DATAFILE '{new}' SIZE 5M BLOCKSIZE 16K"
    assert dba.refusal(undo) == (30024,)
    assert not new.exists()


def test_a_parameter_file_without_the_cache_refuses_recovery(dba: Dba) -> None:
    """What a restore with a pfile of the defaults runs into."""
    dba.execute("ALTER SYSTEM CHECKPOINT")
    write_rows(dba, 700)
    dba.crash()
    pfile = dba.database.home.parameter_file
    before = pfile.read_text(encoding="utf-8")
    pfile.write_text(
        "".join(line for line in before.splitlines(True) if "db_2k" not in line), encoding="utf-8"
    )
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE OPEN") == (379,)
    assert dba.refusal("ALTER DATABASE RECOVER AUTOMATIC DATABASE")[:2] == (283, 379)
    dba.execute("ALTER SYSTEM SET db_2k_cache_size = 1M")
    dba.open()
    assert len(rows_of(dba, "t_K2")) == 800
    pfile.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("size", [2048, 32768])
def test_the_database_itself_may_have_any_of_them(make_database: MakeDatabase, size: int) -> None:
    tablespaces = [{**each, "size": 210 * size} for each in SMALL["tablespaces"]]
    database = make_database(
        spec={"block_size": size, "tablespaces": tablespaces, "redo": {"groups": 2, "size": "1M"}}
    )
    with database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE t (id NUMBER PRIMARY KEY, pad VARCHAR2(200))")
        cursor.executemany("INSERT INTO t VALUES (:1, :2)", [(row, "y" * 150) for row in range(300)])
        connection.commit()
    database.crash()
    database.start()
    with database.connect("APP") as connection, connection.cursor() as cursor:
        assert list(cursor.execute("SELECT COUNT(*), COUNT(pad) FROM t")) == [(300, 300)]
    database.shutdown()
    for path in database.home.datafile_folder.glob("*.dbf"):
        if path.name != "temp01.dbf":
            assert u4(path.read_bytes(), 20) == size
            walk_datafile(path)
    pfile = database.home.parameter_file
    pfile.write_text(pfile.read_text(encoding="utf-8").replace(f"db_block_size={size}", "db_block_size=8192"))
    database.start("nomount")
    with pytest.raises(LocalError, match="ORA-00058: DB_BLOCK_SIZE must be"):
        database.sql("ALTER DATABASE MOUNT")
