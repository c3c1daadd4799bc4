# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time-outs, cancels and lost servers, whatever a session is doing; many sessions, pools and asyncio."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import oracledb
import pytest

from oracle_simulator.testing import MakeDatabase, SimulatedDatabase

from .python_client import connection, cursor, shared, table

__all__ = ["connection", "cursor", "shared"]

WAIT = 60
SLEEP = "BEGIN DBMS_SESSION.SLEEP(60); END;"
LONG_QUERY = "SELECT COUNT(*) FROM (SELECT 1 FROM dual CONNECT BY LEVEL <= 100000000)"


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + WAIT
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@contextlib.contextmanager
def row_locked(shared: SimulatedDatabase) -> Iterator[None]:
    """Row 1 of CONF_LOCK is locked by somebody else."""
    with (
        shared.connect("APP") as owner,
        owner.cursor() as cursor,
        table(cursor, "id NUMBER PRIMARY KEY, n NUMBER", "conf_lock"),
    ):
        cursor.execute("INSERT INTO conf_lock VALUES (1, 0)")
        owner.commit()
        cursor.execute("UPDATE conf_lock SET n = 1 WHERE id = 1")
        yield


STATES = {
    "in a block": SLEEP,
    "in a query": LONG_QUERY,
    "waiting for a lock": "UPDATE conf_lock SET n = 2 WHERE id = 1",
}


@pytest.mark.parametrize("statement", STATES.values(), ids=STATES.keys())
def test_a_time_out_leaves_the_session_in_order(
    shared: SimulatedDatabase, connection: oracledb.Connection, statement: str
) -> None:
    with row_locked(shared), connection.cursor() as cursor:
        connection.call_timeout = 300
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            cursor.execute(statement)
        connection.call_timeout = 0
        assert cursor.execute("SELECT 1 FROM dual").fetchone() == (1,)


@pytest.mark.parametrize("statement", STATES.values(), ids=STATES.keys())
def test_a_cancel_reaches_the_statement(
    shared: SimulatedDatabase, connection: oracledb.Connection, statement: str
) -> None:
    with row_locked(shared), connection.cursor() as cursor:
        timer = threading.Timer(0.3, connection.cancel)
        timer.start()
        with pytest.raises(oracledb.DatabaseError, match="ORA-01013"):
            cursor.execute(statement)
        timer.join()
        connection.ping()
        assert cursor.execute("SELECT 1 FROM dual").fetchone() == (1,)


def test_a_cancel_of_an_idle_session_and_between_fetches(connection: oracledb.Connection) -> None:
    with connection.cursor() as cursor:
        cursor.arraysize = cursor.prefetchrows = 2
        cursor.execute("SELECT LEVEL FROM dual CONNECT BY LEVEL <= 100")
        assert cursor.fetchone() == (1,)
        connection.cancel()
        with contextlib.suppress(oracledb.DatabaseError):
            cursor.fetchall()
        assert cursor.execute("SELECT 2 FROM dual").fetchone() == (2,)


def test_a_commit_that_waits_for_the_archiver_is_cancelled(make_database: MakeDatabase) -> None:
    database = make_database()
    database.fault(archiver_stopped=True)
    with database.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filler (n NUMBER, t VARCHAR2(4000))")
        cursor.execute("INSERT INTO filler VALUES (0, NULL)")
        connection.call_timeout = 3000
        with pytest.raises(oracledb.DatabaseError, match=r"DPY-4024|ORA-01013"):
            for number in range(5000):
                cursor.execute("UPDATE filler SET n = :1, t = RPAD('x', 4000, 'x')", [number])
                connection.commit()
        connection.call_timeout = 0
        database.fault(archiver_stopped=False)
        connection.rollback()
        cursor.execute("INSERT INTO filler VALUES (-1, NULL)")
        connection.commit()
        assert cursor.execute("SELECT COUNT(*) FROM filler").fetchone() == (2,)


def test_a_server_killed_in_a_call(make_database: MakeDatabase) -> None:
    database = make_database()
    lost: list[str] = []

    def call() -> None:
        with contextlib.suppress(oracledb.Error), database.connect("APP") as connection:
            try:
                ready.set()
                connection.cursor().execute(SLEEP)
            except oracledb.Error as error:
                lost.append(error.args[0].full_code)

    ready = threading.Event()
    caller = threading.Thread(target=call)
    caller.start()
    assert ready.wait(WAIT)
    wait_until(
        lambda: database.sql("SELECT COUNT(*) FROM v$session WHERE username = 'APP' AND status = 'ACTIVE'")[
            0
        ][0]
    )
    database.crash()
    caller.join(WAIT)
    assert lost == ["DPY-4011"]


def test_fifty_sessions_at_once(shared: SimulatedDatabase) -> None:
    with contextlib.ExitStack() as stack:
        sessions = [stack.enter_context(shared.connect("APP")) for _number in range(50)]
        assert len({session.session_id for session in sessions}) == 50
        with sessions[0].cursor() as cursor, table(cursor, "s NUMBER, n NUMBER"):
            threads = [
                threading.Thread(target=_work, args=(session, number))
                for number, session in enumerate(sessions)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(WAIT)
            cursor.execute("SELECT COUNT(*), COUNT(DISTINCT s) FROM conf_t")
            assert cursor.fetchone() == (250, 50)


def _work(session: oracledb.Connection, number: int) -> None:
    with session.cursor() as cursor:
        for step in range(5):
            cursor.execute("INSERT INTO conf_t VALUES (:1, :2)", [number, step])
            session.commit()


def test_a_pool_gives_sessions_back_clean(shared: SimulatedDatabase) -> None:
    pool = oracledb.create_pool(
        user="APP", password=shared.passwords["APP"], dsn=shared.dsn, min=1, max=3, increment=1
    )
    with pool.acquire() as first, first.cursor() as cursor:
        cursor.execute("CREATE TABLE conf_pool (n NUMBER)")
        cursor.execute("INSERT INTO conf_pool VALUES (1)")
    with pool.acquire() as again, again.cursor() as cursor:
        assert cursor.execute("SELECT COUNT(*) FROM conf_pool").fetchone() == (0,)
        cursor.execute("DROP TABLE conf_pool")
        shared.sql(f"ALTER SYSTEM KILL SESSION '{again.session_id},{again.serial_num}' IMMEDIATE")
        with pytest.raises(oracledb.DatabaseError):
            cursor.execute("SELECT 1 FROM dual")
    with pool.acquire() as fresh:
        assert fresh.cursor().execute("SELECT 1 FROM dual").fetchone() == (1,)
    pool.close()


def test_asyncio(shared: SimulatedDatabase) -> None:
    asyncio.run(_asynchronously(shared))


async def _asynchronously(shared: SimulatedDatabase) -> None:
    pool = oracledb.create_pool_async(
        user="APP", password=shared.passwords["APP"], dsn=shared.dsn, min=2, max=4, increment=1
    )

    async def work(number: int) -> tuple[int]:
        async with pool.acquire() as connection:
            with connection.cursor() as cursor:
                await cursor.execute("SELECT :1 * 2 FROM dual", [number])
                row: tuple[int] = await cursor.fetchone()
                return row

    assert await asyncio.gather(*map(work, range(20))) == [(2 * number,) for number in range(20)]
    async with pool.acquire() as connection:
        connection.call_timeout = 300
        with pytest.raises(oracledb.DatabaseError, match="DPY-4024"):
            await connection.execute(SLEEP)
        connection.call_timeout = 0
        await connection.execute("CREATE TABLE conf_async (id NUMBER, c CLOB)")
        await connection.executemany(
            "INSERT INTO conf_async VALUES (:1, :2)", [(n, f"text {n}") for n in range(30)]
        )
        await connection.commit()
        rows = await connection.fetchall("SELECT id, c FROM conf_async ORDER BY id", arraysize=4)
        assert [(number, await lob.read()) for number, lob in rows] == [(n, f"text {n}") for n in range(30)]
        await connection.execute("DROP TABLE conf_async")
        await connection.ping()
    await pool.close()
