# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests with python-oracledb share: one open database, and sessions in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oracledb
import pytest

from oracle_simulator.testing import SMALL, SimulatedDatabase

ADMINISTRATOR = [
    "CREATE SESSION",
    "CREATE TABLE",
    "CREATE PROCEDURE",
    "CREATE VIEW",
    "UNLIMITED TABLESPACE",
    "SELECT_CATALOG_ROLE",
]
SPEC: dict[str, Any] = {
    "redo": {"groups": 3, "size": "8M"},
    "tablespaces": [
        {**each, "size": "40M"} if each["name"] == "USERS" else each for each in SMALL["tablespaces"]
    ],
    "users": [{"name": "APP", "privileges": ADMINISTRATOR}, *SMALL["users"][1:]],
}


@pytest.fixture(scope="package")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedDatabase]:
    """One open database for all tests that leave it open."""
    folder: Path = tmp_path_factory.mktemp("conformance")
    database = SimulatedDatabase(folder, "CONF", SPEC)
    database.start()
    yield database
    database.destroy()


@pytest.fixture
def connection(shared: SimulatedDatabase) -> Iterator[oracledb.Connection]:
    with shared.connect("APP") as connected:
        yield connected


@pytest.fixture
def cursor(connection: oracledb.Connection) -> Iterator[oracledb.Cursor]:
    with connection.cursor() as opened:
        yield opened


@contextlib.contextmanager
def table(cursor: oracledb.Cursor, columns: str, name: str = "conf_t") -> Iterator[str]:
    """A table for the time of the block."""
    cursor.execute(f"CREATE TABLE {name} ({columns})")
    try:
        yield name
    finally:
        cursor.connection.rollback()
        cursor.execute(f"DROP TABLE {name}")
