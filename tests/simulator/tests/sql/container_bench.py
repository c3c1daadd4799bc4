# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small container database in one process, and sessions in its containers."""

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
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.sql.engine import Database

from .conftest import MIB, Bench, Client

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
