# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A physical standby as a backup tool meets it: its role shows, and it cannot be put in backup mode."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oracle_simulator.testing import SimulatedDatabase

from .dba import Dba


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """A standby, mounted."""
    folder = tmp_path_factory.mktemp("standby")
    database = SimulatedDatabase(folder / "database", spec={"role": "physical_standby"})
    database.start("nomount")
    database.sql("ALTER DATABASE MOUNT STANDBY DATABASE")
    yield Dba(database, folder / "kept")
    database.destroy()


def refused_codes(dba: Dba) -> set[tuple[int, ...]]:
    statements = ("ALTER DATABASE BEGIN BACKUP", "ALTER TABLESPACE users BEGIN BACKUP")
    found = {dba.refusal(statement) for statement in statements}
    assert dba.query("SELECT COUNT(*) FROM v$backup WHERE status = 'ACTIVE'") == [(0,)]
    return found


@pytest.mark.covers("4.1/wrong-role/begin-on-standby", "2.7/wrong-place/ORA-16000")
def test_a_standby_shows_its_role_and_refuses_what_belongs_to_a_primary(dba: Dba) -> None:
    role = "SELECT database_role, controlfile_type, open_mode, open_resetlogs FROM v$database"
    assert dba.query(role) == [("PHYSICAL STANDBY", "STANDBY", "MOUNTED", "REQUIRED")]
    assert dba.query("SELECT database_mode FROM v$archive_dest_status WHERE dest_id = 1") == [
        ("MOUNTED-STANDBY",)
    ]
    for code in (1109, 1666, 16000):
        dba.database.readings(standby_begin_backup=code)
        assert refused_codes(dba) == {(code,)}
    assert dba.refusal("ALTER DATABASE OPEN READ WRITE") == (16003,)
    assert dba.refusal("ALTER DATABASE OPEN RESETLOGS") == (1666,)
    assert dba.refusal("ALTER DATABASE RECOVER DATABASE") == (283, 1666)
    assert dba.refusal("ALTER DATABASE RECOVER STANDBY DATABASE") == (279, 289, 280)
    dba.execute("ALTER DATABASE RECOVER CANCEL")
    dba.execute("ALTER DATABASE OPEN")
    assert dba.query(role)[0][2] == "READ ONLY"
    assert refused_codes(dba) == {(16000,)}
    assert dba.refusal("ALTER SYSTEM SWITCH LOGFILE") == (16000,)
    assert dba.refusal("ALTER SYSTEM ARCHIVE LOG CURRENT") == (16000,)
    assert dba.refusal("CREATE TABLE t (id NUMBER)") == (16000,)
