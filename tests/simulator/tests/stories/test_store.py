# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards of the store: the Oracle files are all there is, and what they say is what SELECT says."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import oracledb
import pytest

from oracle_simulator.instance.home import Home
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.testing import SimulatedDatabase, adopt_database

BLOCK_SIZE = 8192


def make_note(database: SimulatedDatabase, text: str) -> None:
    """One row with this text, in USERS; then a clean shutdown."""
    with database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE note (id NUMBER PRIMARY KEY, text VARCHAR2(100)) TABLESPACE users")
        cursor.execute("INSERT INTO note VALUES (1, :1)", [text])
        connection.commit()
    database.shutdown()


def read_note(database: SimulatedDatabase) -> str:
    """The row as APP sees it over the wire."""
    with database.connect("APP") as connection, connection.cursor() as cursor:
        return str(cursor.execute("SELECT text FROM note WHERE id = 1").fetchone()[0])


def change_on_disk(path: Path, old: bytes, new: bytes, with_checksum: bool) -> None:
    """Change bytes in the one block that holds them, as with a disk editor."""
    data = bytearray(path.read_bytes())
    place = data.index(old)
    data[place : place + len(old)] = new
    start = place // BLOCK_SIZE * BLOCK_SIZE
    if with_checksum:
        # bytes 16 and 17 of a block make the exclusive or of all its 16-bit words zero
        struct.pack_into("<H", data, start + 16, 0)
        total = 0
        for (word,) in struct.iter_unpack("<H", data[start : start + BLOCK_SIZE]):
            total ^= word
        struct.pack_into("<H", data, start + 16, total)
    path.write_bytes(data)


def test_the_oracle_files_alone_are_the_database(database: SimulatedDatabase, tmp_path: Path) -> None:
    make_note(database, "carried over")
    old, new = database.home, Home(tmp_path / "elsewhere" / "home", database.sid)
    new.dbs.mkdir(parents=True)
    moves = {
        path: new.root / path.relative_to(old.root)
        for folder in (old.datafile_folder, old.redo_folder)
        for path in folder.iterdir()
    }
    for source, target in moves.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    new.archive_folder.mkdir(parents=True)
    shutil.rmtree(old.root)
    Parameters(
        {
            "db_name": database.sid,
            "control_files": [str(path) for path in new.control_files],
            "log_archive_dest_1": f"LOCATION={new.archive_folder}",
        }
    ).write(new.parameter_file)
    moved = adopt_database(new, database.passwords)
    try:
        moved.start("mount")
        for source, target in moves.items():
            if target not in new.control_files:
                moved.sql(f"ALTER DATABASE RENAME FILE '{source}' TO '{target}'")
        moved.sql("ALTER DATABASE OPEN")
        assert read_note(moved) == "carried over"
        assert moved.sql("SELECT dbid FROM v$database") == [[database.dbid]]
    finally:
        moved.crash()


def test_a_row_changed_on_disk_is_changed_in_select(database: SimulatedDatabase) -> None:
    make_note(database, "as it was written")
    change_on_disk(database.datafile("USERS"), b"as it was written", b"as it was altered", with_checksum=True)
    database.start()
    assert read_note(database) == "as it was altered"


def test_a_row_changed_on_disk_without_its_checksum_is_a_corrupt_block(database: SimulatedDatabase) -> None:
    make_note(database, "as it was written")
    change_on_disk(
        database.datafile("USERS"), b"as it was written", b"as it was altered", with_checksum=False
    )
    database.start()
    with pytest.raises(oracledb.DatabaseError, match=r"ORA-01578[\s\S]*ORA-01110"):
        read_note(database)
