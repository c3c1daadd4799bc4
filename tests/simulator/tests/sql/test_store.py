# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards of the store: SELECT says what the blocks say, recovery is the conversation, names are files."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

from .conftest import Bench, Client, needed_sequence

BLOCK_SIZE = 8192


def change_row_on_disk(path: Path, old: bytes, new: bytes) -> None:
    """Change bytes of the one block that holds them and make its checksum right again."""
    data = bytearray(path.read_bytes())
    assert data.count(old) == 1
    place = data.index(old)
    data[place : place + len(old)] = new
    start = place // BLOCK_SIZE * BLOCK_SIZE
    struct.pack_into("<H", data, start + 16, 0)
    total = 0
    for (word,) in struct.iter_unpack("<H", data[start : start + BLOCK_SIZE]):
        total ^= word
    struct.pack_into("<H", data, start + 16, total)
    path.write_bytes(data)


def file_of(client: Client, tablespace: str) -> Path:
    return Path(client.value("SELECT file_name FROM dba_data_files WHERE tablespace_name = :1", tablespace))


def table_in_data(bench: Bench, text: str) -> None:
    client = bench.connect()
    client.run("CREATE TABLE note (id NUMBER PRIMARY KEY, text VARCHAR2(40)) TABLESPACE data")
    client.run("INSERT INTO note VALUES (1, :1)", text)
    client.commit()


def test_a_row_changed_on_disk_is_what_select_shows(bench: Bench) -> None:
    table_in_data(bench, "as it was written")
    assert bench.connect().value("SELECT text FROM note") == "as it was written"
    path = file_of(bench.sys, "DATA")
    bench.database.shutdown("immediate")
    change_row_on_disk(path, b"as it was written", b"as it stands now!")
    bench.nomount()
    bench.open()
    assert bench.connect().value("SELECT text FROM note") == "as it stands now!"


def test_a_torn_row_block_is_ora_01578(bench: Bench) -> None:
    table_in_data(bench, "whole block")
    path = file_of(bench.sys, "DATA")
    bench.database.shutdown("immediate")
    data = bytearray(path.read_bytes())
    place = data.index(b"whole block")
    data[place : place + 5] = b"WHOLE"
    path.write_bytes(data)
    bench.nomount()
    bench.open()
    assert bench.connect().refused("SELECT * FROM note").codes == (1578, 1110)


def test_crash_keeps_commits_and_only_commits(bench: Bench) -> None:
    table_in_data(bench, "committed")
    client = bench.connect()
    client.run("INSERT INTO note VALUES (2, 'not committed')")
    bench.database.shutdown("abort")
    bench.nomount()
    bench.open()
    assert bench.connect().rows("SELECT id, text FROM note") == [(1, "committed")]


def test_a_lost_file_comes_back_by_the_recovery_conversation(bench: Bench, tmp_path: Path) -> None:
    table_in_data(bench, "before the copy")
    sys, client = bench.sys, bench.connect()
    number = sys.value("SELECT file_id FROM dba_data_files WHERE tablespace_name = 'DATA'")
    path, copy = file_of(sys, "DATA"), tmp_path / "copy.dbf"
    sys.run("ALTER TABLESPACE data BEGIN BACKUP")
    shutil.copyfile(path, copy)
    sys.run("ALTER TABLESPACE data END BACKUP")
    client.run("INSERT INTO note VALUES (2, 'after the copy')")
    client.commit()
    for _ignored in range(4):  # more switches than groups: the first logs exist only as archived logs
        sys.run("ALTER SYSTEM ARCHIVE LOG CURRENT")
    sys.run(f"ALTER DATABASE DATAFILE {number} OFFLINE")
    shutil.copyfile(copy, path)

    asked = sys.refused(f"ALTER DATABASE RECOVER DATAFILE {number}")
    assert asked.codes[:3] == (279, 289, 280)
    assert bench.sys.refused(f"ALTER DATABASE RECOVER DATAFILE {number}").code == 1153
    assert sys.refused(f"ALTER DATABASE RECOVER DATAFILE {number}").code == 275
    assert sys.refused("ALTER DATABASE RECOVER LOGFILE '/nowhere'").codes[0] == 308
    wanted = needed_sequence(asked)
    for _ignored in range(10):
        name = sys.value("SELECT name FROM v$archived_log WHERE sequence# = :1", wanted)
        error = None
        try:
            sys.run(f"ALTER DATABASE RECOVER LOGFILE '{name}'")
        except type(asked) as problem:
            error = problem
        if error is None:
            break
        assert error.codes[0] == 279
        wanted = needed_sequence(error)
    sys.run(f"ALTER DATABASE DATAFILE {number} ONLINE")
    assert bench.connect().rows("SELECT text FROM note ORDER BY id") == [
        ("before the copy",),
        ("after the copy",),
    ]


def test_a_session_that_ends_gives_its_recovery_up(bench: Bench, tmp_path: Path) -> None:
    table_in_data(bench, "x")
    sys = bench.sys
    number = sys.value("SELECT file_id FROM dba_data_files WHERE tablespace_name = 'DATA'")
    path, copy = file_of(sys, "DATA"), tmp_path / "copy.dbf"
    sys.run("ALTER TABLESPACE data BEGIN BACKUP")
    shutil.copyfile(path, copy)
    sys.run("ALTER TABLESPACE data END BACKUP")
    for _ignored in range(4):
        sys.run("ALTER SYSTEM ARCHIVE LOG CURRENT")
    sys.run(f"ALTER DATABASE DATAFILE {number} OFFLINE")
    shutil.copyfile(copy, path)
    assert sys.refused(f"ALTER DATABASE RECOVER DATAFILE {number}").code == 279
    sys.session.close()
    other = bench.sys
    assert other.refused("ALTER DATABASE RECOVER CONTINUE DEFAULT").code == 1112
    other.run(f"ALTER DATABASE RECOVER AUTOMATIC DATAFILE {number}")
    other.run(f"ALTER DATABASE DATAFILE {number} ONLINE")


def test_control_file_copies_and_scripts(bench: Bench, tmp_path: Path) -> None:
    sys = bench.sys
    sys.run(f"ALTER DATABASE BACKUP CONTROLFILE TO '{tmp_path}/c.ctl'")
    assert sys.refused(f"ALTER DATABASE BACKUP CONTROLFILE TO '{tmp_path}/c.ctl'").codes[0] == 1580
    sys.run(f"ALTER DATABASE BACKUP CONTROLFILE TO '{tmp_path}/c.ctl' REUSE")
    sys.run(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{tmp_path}/c.sql' NORESETLOGS")
    script = (tmp_path / "c.sql").read_text(encoding="utf-8")
    assert "CREATE CONTROLFILE" in script
    sys.run(f"CREATE PFILE='{tmp_path}/init.ora' FROM MEMORY")
    assert "control_files" in (tmp_path / "init.ora").read_text(encoding="utf-8")
    assert sys.refused(f"CREATE PFILE='{tmp_path}/init2.ora' FROM SPFILE").codes == (1565, 27037)


def test_the_script_rebuilds_the_control_file(bench: Bench, tmp_path: Path) -> None:
    table_in_data(bench, "still here")
    sys = bench.sys
    sys.run(f"ALTER DATABASE BACKUP CONTROLFILE TO TRACE AS '{tmp_path}/c.sql' NORESETLOGS")
    script = (tmp_path / "c.sql").read_text(encoding="utf-8")
    start = script.index("CREATE CONTROLFILE")
    statement = script[start : script.index(";", start)].strip()
    bench.database.shutdown("immediate")
    bench.nomount()
    sys = bench.sys
    sys.run(statement)
    assert sys.value("SELECT open_mode FROM v$database") == "MOUNTED"
    sys.run("ALTER DATABASE OPEN")
    assert bench.connect().value("SELECT text FROM note") == "still here"
