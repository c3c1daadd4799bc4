# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tiny database with the data layer on it, which tests may crash and open again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    TablespaceDefinition,
    UserDefinition,
)
from oracle_simulator.instance.home import Home

from .shop import MIB, Shop

SMALL = (FileDefinition(2 * MIB, increment_bytes=MIB),)


def definition() -> DatabaseDefinition:
    """Small files, cheap passwords, a user APP with tablespace DATA of two files."""
    return DatabaseDefinition(
        name="SHOP",
        dbid=4711,
        tablespaces=(
            TablespaceDefinition("SYSTEM", SMALL),
            TablespaceDefinition("SYSAUX", SMALL),
            TablespaceDefinition("UNDOTBS1", SMALL, contents="UNDO"),
            TablespaceDefinition("TEMP", SMALL, contents="TEMPORARY"),
            TablespaceDefinition("USERS", SMALL),
            TablespaceDefinition("DATA", (FileDefinition(4 * MIB), FileDefinition(4 * MIB))),
            TablespaceDefinition("BIG", (FileDefinition(4 * MIB, increment_bytes=MIB),), bigfile=True),
            TablespaceDefinition("OLD", SMALL, read_only=True),
        ),
        users=(UserDefinition("APP", "secret", "DATA"),),
        verifier_rounds=10,
    )


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", "SHOP")


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    create_database(home, definition())
    made = Shop(home)
    made.open()
    yield made
    made.crash()
