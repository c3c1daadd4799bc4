# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oldest and the newest release over the wire: a driver connects to either, and each looks its age."""

from __future__ import annotations

from typing import Any

import oracledb
import pytest

from oracle_simulator.testing import MakeDatabase

SENTINEL = "SELECT next_change# FROM v$log WHERE status = 'CURRENT'"


def query(connection: Any, statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        return list(cursor.execute(statement))


def code_of(connection: Any, statement: str) -> int:
    with pytest.raises(oracledb.DatabaseError) as caught:
        query(connection, statement)
    return int(caught.value.args[0].code)


def test_eleven_looks_like_eleven(make_database: MakeDatabase) -> None:
    with make_database(spec={"version": "11.2.0.4"}).connect("SYS") as connection:
        assert connection.version == "11.2.0.4.0"
        assert query(connection, "SELECT version FROM v$instance") == [("11.2.0.4.0",)]
        assert query(connection, SENTINEL) == [(2**48 - 1,)]
        assert code_of(connection, "SELECT cdb FROM v$database") == 904
        assert code_of(connection, "SELECT name FROM v$pdbs") == 942
        assert query(connection, "SELECT value FROM v$parameter WHERE name = 'compatible'") == [
            ("11.2.0.4.0",)
        ]


def test_twenty_three_is_a_container_database(make_database: MakeDatabase) -> None:
    with pytest.raises(ValueError, match="say cdb: true"):
        make_database("PLAIN", spec={"version": "23.4"}, start=None)
    database = make_database(spec={"version": "23.4", "cdb": True, "pdbs": {"PDB1": {"open": "read_write"}}})
    with database.connect("SYS") as connection:
        assert connection.version == "23.4.0.0.0"
        assert query(connection, "SELECT version, version_full FROM v$instance") == [
            ("23.0.0.0.0", "23.4.0.0.0")
        ]
        assert query(connection, SENTINEL) == [(9295429630892703743,)]
        assert query(connection, "SELECT cdb FROM v$database") == [("YES",)]
        assert query(connection, "SELECT name, open_mode FROM v$pdbs WHERE con_id > 2") == [
            ("PDB1", "READ WRITE")
        ]
