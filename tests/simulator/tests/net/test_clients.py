# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pools, asyncio and many connections at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import oracledb
import pytest

from oracle_simulator.net.listener import Listener

from .toy_backend import PASSWORD, SERVICE, Connect, ToyDatabase, sleeping


@pytest.fixture
def pool(listener: Listener) -> Iterator[oracledb.ConnectionPool]:
    made = oracledb.create_pool(
        user="scott", password=PASSWORD, host="127.0.0.1", port=listener.port, service_name=SERVICE,
        min=1, max=3, ping_interval=0,
    )  # fmt: skip
    yield made
    made.close(force=True)


def test_a_pool_reuses_and_pings_its_connections(
    pool: oracledb.ConnectionPool, database: ToyDatabase
) -> None:
    for _ignored in range(5):
        with pool.acquire() as connection:
            assert connection.cursor().execute("select 1 from dual").fetchone() == (1,)
    assert len(database.sessions) == 1


def test_a_pool_rolls_back_what_was_left_open(pool: oracledb.ConnectionPool, database: ToyDatabase) -> None:
    with pool.acquire() as connection:
        connection.cursor().execute("create table t (n)")
        connection.cursor().execute("insert into t values (1)")
    with pool.acquire() as connection:
        assert connection.cursor().execute("select count(*) from t").fetchone() == (0,)
    assert "rollback" in database.sessions[0].log


def test_a_pool_replaces_a_connection_that_was_cut(
    pool: oracledb.ConnectionPool, database: ToyDatabase, listener: Listener
) -> None:
    with pool.acquire() as connection:
        connection.ping()
    listener.disconnect()
    assert database.sessions[0].closed.wait(10)
    with pool.acquire() as connection:
        assert connection.cursor().execute("select 1 from dual").fetchone() == (1,)


def test_asyncio_clients_are_served(listener: Listener, database: ToyDatabase) -> None:
    database.answers["begin sleep; end;"] = sleeping

    async def conversation(number: int) -> None:
        connection = await oracledb.connect_async(
            user="scott", password=PASSWORD, host="127.0.0.1", port=listener.port, service_name=SERVICE
        )
        async with connection:
            cursor = connection.cursor()
            await cursor.execute("create table t (n, t)")
            await cursor.executemany(
                "insert into t values (:1, :2)", [(row, "x" * 100) for row in range(500)]
            )
            await connection.commit()
            await cursor.execute("select count(*) + :1 from t", [number])
            assert await cursor.fetchone() == (500 + number,)
            connection.call_timeout = 200
            with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
                await cursor.execute("begin sleep; end;")
            connection.call_timeout = 0
            await cursor.execute("select 1 from dual")
            assert await cursor.fetchall() == [(1,)]

    async def all_of_them() -> None:
        await asyncio.gather(*(conversation(number) for number in range(8)))

    asyncio.run(asyncio.wait_for(all_of_them(), 60))
    assert len(database.sessions) == 8


def test_connections_do_not_disturb_each_other(connect: Connect) -> None:
    failures: list[str] = []

    def work(connection: oracledb.Connection, number: int) -> None:
        cursor = connection.cursor()
        for step in range(100):
            rows = cursor.execute("select :1, :2 from dual", [number, step]).fetchall()
            if rows != [(number, step)]:
                failures.append(f"{number}/{step}: {rows}")

    threads = [threading.Thread(target=work, args=(connect(), number)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


def test_sessions_end_with_the_listener(connect: Connect, database: ToyDatabase, listener: Listener) -> None:
    for _ignored in range(5):
        connect()
    before = threading.active_count()
    listener.stop()
    assert all(session.closed.is_set() for session in database.sessions)
    assert threading.active_count() <= before - 10
