# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Breaks, time-outs and ends of connections, in every state."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import oracledb
import pytest

from oracle_simulator.net.backend import Result
from oracle_simulator.net.listener import Listener

from .toy_backend import PASSWORD, SERVICE, Connect, ToyDatabase, ToySession, sleeping

CLIENT = """
import sys, oracledb
port, password, service = sys.argv[1:]
connection = oracledb.connect(
    user="scott", password=password, host="127.0.0.1", port=int(port), service_name=service)
connection.cursor().execute("begin slow; end;")
"""

SLEEP = "begin sleep; end;"


@pytest.fixture(autouse=True)
def sleeper(database: ToyDatabase) -> None:
    database.answers[SLEEP] = sleeping


class Background:
    """A call in another thread, and the error it ended with."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.error: oracledb.Error | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._call()
        except oracledb.Error as error:
            self.error = error

    def wait(self) -> str:
        """The error's full code, or an empty text."""
        self._thread.join(20)
        assert not self._thread.is_alive(), "the call hangs"
        return self.error.args[0].full_code if self.error else ""


def test_cancel_interrupts_a_running_statement(
    connection: oracledb.Connection, database: ToyDatabase
) -> None:
    for _ignored in range(3):
        running = Background(lambda: connection.cursor().execute(SLEEP))
        assert database.sessions[0].running.wait(10)
        connection.cancel()
        assert running.wait() == "ORA-01013"
        assert connection.cursor().execute("select 1 from dual").fetchall() == [(1,)]


def test_cancel_of_an_idle_connection_hits_the_next_call_at_most(
    connection: oracledb.Connection,
) -> None:
    cursor = connection.cursor()
    for _ignored in range(5):
        connection.cancel()
        try:
            cursor.execute("select 1 from dual")
        except oracledb.OperationalError as error:
            assert error.args[0].full_code == "ORA-01013"
        assert cursor.execute("select 1 from dual").fetchall() == [(1,)]


def test_a_call_timeout_leaves_the_connection_usable(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    for _ignored in range(3):
        connection.call_timeout = 100
        with pytest.raises(oracledb.DatabaseError) as caught:
            cursor.execute(SLEEP)
        assert caught.value.args[0].full_code == "DPY-4024"
        connection.call_timeout = 0
        assert cursor.execute("select 1 from dual").fetchall() == [(1,)]


def test_breaks_at_any_moment_never_lose_step(connection: oracledb.Connection) -> None:
    """Many short calls under a rain of breaks: each gives its own answer or ORA-01013."""
    cursor = connection.cursor()
    done = threading.Event()

    def rain() -> None:
        while not done.wait(0.002):
            connection.cancel()

    thread = threading.Thread(target=rain)
    thread.start()
    answered = 0
    try:
        for number in range(400):
            try:
                assert cursor.execute("select :1 from dual", [number]).fetchall() == [(number,)]
                answered += 1
            except oracledb.OperationalError as error:
                assert error.args[0].full_code == "ORA-01013"
    finally:
        done.set()
        thread.join()
    assert answered
    for _ignored in range(3):
        try:
            cursor.execute("select 7 from dual")
        except oracledb.OperationalError as error:
            assert error.args[0].full_code == "ORA-01013"
    assert cursor.execute("select 7 from dual").fetchall() == [(7,)]


def test_a_break_that_the_statement_missed_is_repeated(
    connection: oracledb.Connection, database: ToyDatabase
) -> None:
    """The break comes when the call has begun but its statement cannot be cancelled yet."""
    session_may_start = threading.Event()
    in_call = threading.Event()

    def late(session: ToySession, *_: object) -> Result:
        in_call.set()
        assert session_may_start.wait(10)
        session.wait_for_cancel()
        return Result()

    database.answers[SLEEP] = late
    running = Background(lambda: connection.cursor().execute(SLEEP))
    assert in_call.wait(10)
    connection.cancel()
    assert database.sessions[0].cancel_asked.wait(10)
    session_may_start.set()
    assert running.wait() == "ORA-01013"


def test_stop_cuts_connections_in_the_middle_of_a_call(
    connection: oracledb.Connection, database: ToyDatabase, listener: Listener
) -> None:
    running = Background(lambda: connection.cursor().execute(SLEEP))
    assert database.sessions[0].running.wait(10)
    listener.stop()
    assert running.wait() == "DPY-4011"
    assert not connection.is_healthy()
    assert database.sessions[0].closed.is_set()


def test_a_dead_client_does_not_end_its_statement(database: ToyDatabase, listener: Listener) -> None:
    """As on Oracle: what a killed client has begun goes on, and its session ends afterwards."""
    release, started = threading.Event(), threading.Event()

    def slow(session: ToySession, *_: object) -> Result:
        started.set()
        assert release.wait(20)
        session.log.append("finished")
        return Result()

    database.answers["begin slow; end;"] = slow
    client = subprocess.Popen([sys.executable, "-c", CLIENT, str(listener.port), PASSWORD, SERVICE])
    assert started.wait(20)
    client.kill()
    client.wait()
    session = database.sessions[0]
    assert not session.closed.is_set()
    assert "cancel" not in session.log
    release.set()
    assert session.closed.wait(10)
    assert session.log[-1] == "finished"


def test_what_a_dead_client_left_running_for_ever_is_cancelled_when_the_probe_is_due(
    database: ToyDatabase,
) -> None:
    started = threading.Event()

    def endless(session: ToySession, *_: object) -> Result:
        started.set()
        session.wait_for_cancel()
        return Result()

    database.answers["begin slow; end;"] = endless
    listener = Listener(database, expire_time=0.2)
    listener.start()
    try:
        client = subprocess.Popen([sys.executable, "-c", CLIENT, str(listener.port), PASSWORD, SERVICE])
        assert started.wait(20)
        assert not database.sessions[0].cancel_asked.is_set()
        client.kill()
        client.wait()
        assert database.sessions[0].closed.wait(20)
    finally:
        listener.stop()


def test_one_session_can_be_disconnected_alone(
    connect: Connect, database: ToyDatabase, listener: Listener
) -> None:
    first, second = connect(), connect()
    listener.disconnect(database.sessions[0].session_id)
    assert database.sessions[0].closed.wait(10)
    with pytest.raises(oracledb.DatabaseError) as caught:
        first.cursor().execute("select 1 from dual")
    assert caught.value.args[0].full_code == "DPY-4011"
    assert second.cursor().execute("select 1 from dual").fetchall() == [(1,)]


def test_accepting_stops_and_resumes_on_the_same_port(connect: Connect, listener: Listener) -> None:
    kept = connect()
    port = listener.port
    listener.stop_accepting()
    with pytest.raises(oracledb.OperationalError) as caught:
        connect()
    assert caught.value.args[0].full_code == "DPY-6005"
    assert kept.cursor().execute("select 1 from dual").fetchall() == [(1,)]
    listener.start()
    assert listener.port == port
    assert connect().is_healthy()


GARBAGE = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x00\x05\x00\x00\x01\x00\x00\x00",
    b"\x00\x10\x00\x00\x06\x00\x00\x00" + bytes(8),
    b"\x00\x3a\x00\x00\x01\x00\x00\x00" + bytes(10),
    b"\xff" * 4096,
    b"\x00",
    b"",
]


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_costs_only_its_own_connection(
    connection: oracledb.Connection, listener: Listener, garbage: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as stranger:
        stranger.sendall(garbage)
        stranger.shutdown(socket.SHUT_WR)
        while stranger.recv(4096):
            pass
    assert connection.cursor().execute("select 1 from dual").fetchall() == [(1,)]


AFTER_ACCEPT = [
    (12, b"\x01\x00\x09"),
    (12, b"\x01"),
    (6, b""),
    (6, b"\x00\x00\x63"),
    (6, b"\x00\x00\x03\x5e\x01\x81\x01"),
    (6, b"\x00\x00\x11\xff\x01"),
    (1, b"again"),
    (6, b"\x00\x00\x03\x73\x00\x00\x00\x00\x01\x00\x00\x00"),
]


@pytest.mark.parametrize(("packet_type", "body"), AFTER_ACCEPT)
def test_garbage_after_accept_costs_only_its_own_connection(
    connection: oracledb.Connection,
    listener: Listener,
    server_log: list[str],
    packet_type: int,
    body: bytes,
) -> None:
    descriptor = b"(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=toypdb)))"
    head = (319).to_bytes(2, "big") + (300).to_bytes(2, "big") + bytes(2) + b"\x20\x00\x20\x00"
    head = (head + bytes(6) + len(descriptor).to_bytes(2, "big") + (74).to_bytes(2, "big")).ljust(66, b"\0")
    connect_packet = head + descriptor
    with socket.create_connection(("127.0.0.1", listener.port), timeout=10) as stranger:
        stranger.sendall((len(connect_packet) + 8).to_bytes(2, "big") + b"\0\0\x01\0\0\0" + connect_packet)
        assert stranger.recv(4096)[4] == 2
        stranger.sendall((len(body) + 8).to_bytes(4, "big") + bytes((packet_type, 0, 0, 0)) + body)
        while stranger.recv(4096):
            pass
    assert any("dropped" in line for line in server_log)
    assert connection.cursor().execute("select 1 from dual").fetchall() == [(1,)]
