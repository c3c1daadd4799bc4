# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running listener over the toy database, and connections to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import oracledb
import pytest

from oracle_simulator.net.listener import Listener

from .toy_backend import PASSWORD, SERVICE, Connect, ToyDatabase


@pytest.fixture
def database() -> ToyDatabase:
    return ToyDatabase()


@pytest.fixture
def server_log() -> list[str]:
    return []


@pytest.fixture
def listener(database: ToyDatabase, server_log: list[str]) -> Iterator[Listener]:
    running = Listener(database, log=server_log.append)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def connect(listener: Listener) -> Iterator[Connect]:
    made: list[oracledb.Connection] = []

    def new(**options: Any) -> oracledb.Connection:
        settings = {
            "user": "scott",
            "password": PASSWORD,
            "host": "127.0.0.1",
            "port": listener.port,
            "service_name": SERVICE,
            **options,
        }
        connection = oracledb.connect(**settings)
        made.append(connection)
        return connection

    yield new
    for connection in made:
        if connection.is_healthy():
            connection.close()


@pytest.fixture
def connection(connect: Connect) -> oracledb.Connection:
    return connect()
