# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What backup mode refuses, and what refuses backup mode."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import SMALL, MakeDatabase

from .dba import Dba

WITH_READ_ONLY = {
    "tablespaces": [*SMALL["tablespaces"], {"name": "OLD", "size": "2M", "read_only": True}],
}


def active_files(dba: Dba) -> list[int]:
    """FILE# of the files in backup mode."""
    return [row[0] for row in dba.query("SELECT file# FROM v$backup WHERE status = 'ACTIVE' ORDER BY file#")]


def test_shutdown_is_refused_while_a_file_is_in_backup(dba: Dba) -> None:
    dba.execute("ALTER TABLESPACE users BEGIN BACKUP")
    with pytest.raises(LocalError) as refused:
        dba.database.shutdown("immediate")
    assert refused.value.code == 1149
    assert "ORA-01110" in str(refused.value)
    assert dba.database.running
    dba.execute("ALTER TABLESPACE users END BACKUP")
    dba.database.shutdown("immediate")
    assert not dba.database.running


def test_wrong_use_has_its_own_error(make_database: MakeDatabase, tmp_path: Path) -> None:
    dba = Dba(make_database(spec=WITH_READ_ONLY), tmp_path / "kept")
    assert dba.refusal("ALTER TABLESPACE users END BACKUP")[0] == 1142
    assert dba.refusal("ALTER DATABASE END BACKUP")[0] == 1142
    assert dba.refusal("ALTER TABLESPACE temp BEGIN BACKUP")[0] == 3217
    assert dba.refusal("ALTER TABLESPACE old BEGIN BACKUP")[0] == 1642
    assert dba.refusal("ALTER TABLESPACE old END BACKUP")[0] == 1642
    assert dba.refusal("ALTER TABLESPACE nowhere BEGIN BACKUP")[0] == 959
    dba.execute("ALTER TABLESPACE users BEGIN BACKUP")
    assert dba.refusal("ALTER TABLESPACE users BEGIN BACKUP")[:2] == (1146, 1110)
    assert dba.refusal("ALTER DATABASE BEGIN BACKUP")[:2] == (1146, 1110)
    assert dba.refusal("ALTER TABLESPACE users OFFLINE")[0] == 1150
    assert dba.refusal("ALTER TABLESPACE users READ ONLY")[0] == 1150
    assert len(active_files(dba)) == 1
    dba.execute("ALTER TABLESPACE users END BACKUP")
    assert active_files(dba) == []
    dba.execute("ALTER DATABASE DATAFILE 4 OFFLINE")
    assert dba.refusal("ALTER TABLESPACE users BEGIN BACKUP")[0] == 1128


def test_the_header_is_frozen_in_backup_mode(dba: Dba) -> None:
    def checkpoint() -> int:
        return int(
            dba.query("SELECT checkpoint_change# FROM v$datafile_header WHERE tablespace_name = 'USERS'")[0][
                0
            ]
        )

    dba.start_load()
    dba.execute("ALTER TABLESPACE users BEGIN BACKUP")
    frozen = checkpoint()
    ((change,),) = dba.query("SELECT change# FROM v$backup WHERE status = 'ACTIVE'")
    assert frozen == change
    dba.load.wait_for(20)
    dba.execute("ALTER SYSTEM CHECKPOINT")
    assert checkpoint() == frozen
    dba.execute("ALTER TABLESPACE users END BACKUP")
    assert checkpoint() > frozen
    assert dba.query("SELECT status, change# FROM v$backup WHERE change# > 0") == [("NOT ACTIVE", change)]


def test_another_session_may_end_what_one_began(dba: Dba) -> None:
    with dba.database.connect("HOTBACKUP") as connection, connection.cursor() as cursor:
        cursor.execute("ALTER TABLESPACE users BEGIN BACKUP")
    assert len(active_files(dba)) == 1
    dba.execute("ALTER TABLESPACE users END BACKUP")
    assert active_files(dba) == []


def test_without_archivelog_there_is_no_hot_backup(make_database: MakeDatabase, tmp_path: Path) -> None:
    dba = Dba(make_database(spec={"archive_mode": False}), tmp_path / "kept")
    assert dba.refusal("ALTER TABLESPACE users BEGIN BACKUP")[0] == 1123
    assert dba.refusal("ALTER DATABASE BEGIN BACKUP")[0] == 1123
    assert dba.refusal("ALTER SYSTEM ARCHIVE LOG CURRENT")[0] == 258
