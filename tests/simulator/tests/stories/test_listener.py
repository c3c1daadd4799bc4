# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listener of its own: every refusal where Oracle gives it, and clients that reach the instance through it."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import oracledb
import pytest

from oracle_simulator.program.listener.services import Refusal, Registration, StaticService, Status, route
from oracle_simulator.program.local_socket import NoInstance
from oracle_simulator.testing import SimulatedDatabase

WAIT = 30.0


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimulatedDatabase]:
    made = SimulatedDatabase(tmp_path_factory.mktemp("own"), "OWN", {"listener": "own"})
    made.listener.start()
    yield made
    made.destroy()


def refusal(database: SimulatedDatabase, user: str = "SYS", **words: str) -> int:
    """The TNS error a connection is refused with; 0 when it works."""
    mode = oracledb.AUTH_MODE_SYSDBA if user == "SYS" else oracledb.AUTH_MODE_DEFAULT
    wanted = "".join(f"({name}={value})" for name, value in (words or {"SERVICE_NAME": database.sid}).items())
    address = f"(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT={database.port}))"
    dsn = f"(DESCRIPTION=(TRANSPORT_CONNECT_TIMEOUT=5){address}(CONNECT_DATA={wanted}))"
    try:
        oracledb.connect(user=user, password=database.passwords[user], dsn=dsn, mode=mode).close()
    except oracledb.Error as error:
        found = re.search(r"ORA-(\d+)", str(error))
        if found:
            return int(found[1])
        # Nothing listens: a client library of Oracle calls it ORA-12541.
        return 12541 if "refused" in str(error) else -1
    return 0


def refused_from_now_on(database: SimulatedDatabase, code: int) -> bool:
    """Whether the refusal is ``code``, now or when the listener has noticed."""
    return wait_until(lambda: refusal(database) == code)


def wait_until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + WAIT
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return met


@pytest.mark.covers(
    "1.1/down/listener", "1.1/nomount/blocked-service", "2.7/retry/ORA-12514", "2.7/retry/ORA-12528"
)
def test_a_listener_knows_an_instance_from_its_start_to_its_end(database: SimulatedDatabase) -> None:
    assert refusal(database) == 12514, "no instance has registered yet"
    database.start("nomount")
    try:
        assert refusal(database) == 12528
        assert refusal(database, SID="OWN") == 12528
        database.sql("ALTER DATABASE MOUNT", "ALTER SYSTEM REGISTER")
        assert refusal(database) == 0, "an administrator may come to a mounted database"
        database.sql("ALTER DATABASE OPEN")
        with database.connect("APP") as connection, connection.cursor() as cursor:
            cursor.execute("SELECT sys_context('USERENV', 'SERVICE_NAME'), 6 * 7 FROM dual")
            assert cursor.fetchone()[1] == 42
        assert refusal(database, SERVICE_NAME="OTHER") == 12514
        assert refusal(database, SID="OTHER") == 12505
        database.sql("ALTER SYSTEM ENABLE RESTRICTED SESSION")
        assert refusal(database) == 12526
        database.sql("ALTER SYSTEM DISABLE RESTRICTED SESSION")
        assert refusal(database) == 0
    finally:
        database.shutdown()
    assert refusal(database) == 12514, "it unregistered"


def test_a_killed_instance_is_forgotten_and_its_listener_lives_on(database: SimulatedDatabase) -> None:
    database.start("mount")
    assert [entry["status"] for entry in database.listener.status()["services"]] == ["READY"]
    pid = database.listener.status()["pid"]
    database.crash()
    assert refused_from_now_on(database, 12514)
    assert database.listener.status()["pid"] == pid


@pytest.mark.covers("1.1/down/nothing-listens", "2.7/retry/ORA-12541")
def test_connections_outlive_the_listener_and_a_new_one_learns_of_the_instance(
    database: SimulatedDatabase,
) -> None:
    database.start()
    try:
        with database.connect("APP") as connection, connection.cursor() as cursor:
            database.listener.stop()
            assert refusal(database) == 12541
            cursor.execute("SELECT 1 FROM dual")
            assert cursor.fetchone() == (1,)
            database.listener.start()
            assert refused_from_now_on(database, 0), "it registers again by itself"
    finally:
        database.crash()


def test_a_listener_can_be_silent_or_refuse_everybody(database: SimulatedDatabase) -> None:
    database.start("mount")
    try:
        database.listener.fault(refuse=12520)
        assert refusal(database) == 12520
        database.listener.fault(silent=True)
        answers: list[int] = []
        client = threading.Thread(target=lambda: answers.append(refusal(database)))
        client.start()
        wait_until(lambda: "silence" in database.listener.where.log.read_text())
        assert not answers, "it waits for an answer"
        database.listener.fault()
        client.join(WAIT)
        assert answers == [-1], "cut off without one"
        assert refusal(database) == 0
    finally:
        database.crash()


@pytest.mark.covers("1.1/nomount/static-registration", "2.7/retry/ORA-01034")
def test_static_registration_reaches_a_started_instance_and_finds_none_when_it_is_down(
    tmp_path: Path,
) -> None:
    database = SimulatedDatabase(tmp_path, "STATIC", {"listener": "static"})
    try:
        database.listener.start()
        assert refusal(database) == 1034, "the service is known, the instance is not there"
        database.start("nomount")
        assert refusal(database) == 0
        assert refusal(database, SID="STATIC") == 0
        statuses = {entry["status"] for entry in database.listener.status()["services"]}
        assert statuses == {"BLOCKED", "UNKNOWN"}
        database.crash()
        assert refused_from_now_on(database, 1034)
        database.listener.stop()
        with pytest.raises(NoInstance):
            database.listener.status()
    finally:
        with contextlib.suppress(NoInstance):
            database.listener.stop()
        database.destroy()


def registered(name: str, status: Status, *services: str) -> Registration:
    return Registration(name, frozenset(services), status, Path("/nowhere"))


def test_a_client_goes_to_a_ready_instance_then_to_a_static_one_else_it_learns_why_not() -> None:
    ready, blocked = registered("A1", Status.READY, "A"), registered("A2", Status.BLOCKED, "A", "B")
    restricted = registered("C1", Status.RESTRICTED, "C")
    static = StaticService("B", "A2", Path("/home"))
    everybody = (blocked, restricted, ready)
    assert route("a", None, everybody, ()) is ready
    assert route("B", None, everybody, ()) == Refusal(12528)
    assert route("B", None, everybody, (static,)) is static
    assert route("C", None, everybody, ()) == Refusal(12526)
    assert route("A", None, (blocked, registered("A3", Status.RESTRICTED, "A")), ()) == Refusal(12528)
    assert route(None, "A2", everybody, ()) == Refusal(12528)
    assert route(None, "A9", everybody, ()) == Refusal(12505)
    assert route(None, None, everybody, ()) == Refusal(12504)
