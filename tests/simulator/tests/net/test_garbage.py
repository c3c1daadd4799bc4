# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is no Oracle Net, what is too much of it, and what is never finished: it costs its sender the connection."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator

import oracledb
import pytest

from oracle_simulator.net.connection import MAX_FAILED_LOGONS
from oracle_simulator.net.inbox import Inbox
from oracle_simulator.net.listener import Listener
from oracle_simulator.net.packets import MAX_SDU, MarkerKind
from oracle_simulator.net.wire import str2, ub

from .toy_backend import PASSWORD, SERVICE, Connect, ToyDatabase

_LIMIT_S = 60
_DESCRIPTOR = f"(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME={SERVICE})))".encode()


def connect_packet(data: bytes = _DESCRIPTOR, version: int = 319) -> bytes:
    head = b"".join(
        number.to_bytes(2, "big")
        for number in (version, 300, 1, 8192, 65535, 0x4F98, 0, 1, len(data), 74, 0, 0, 0)
    )
    body = head.ljust(50, b"\0") + (8192).to_bytes(4, "big") + (65535).to_bytes(4, "big") + bytes(8) + data
    return (8 + len(body)).to_bytes(2, "big") + b"\0\0\1\0\0\0" + body


def data_packet(payload: bytes, length: int | None = None) -> bytes:
    return (10 + len(payload) if length is None else length).to_bytes(4, "big") + b"\6\0\0\0\0\0" + payload


@pytest.fixture
def dial(listener: Listener) -> Iterator[Callable[..., socket.socket]]:
    made: list[socket.socket] = []

    def new(*packets: bytes) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", listener.port), timeout=_LIMIT_S)
        made.append(sock)
        for packet in packets:
            sock.sendall(packet)
        return sock

    yield new
    for each in made:
        each.close()


Dial = Callable[..., socket.socket]


def everything_from(sock: socket.socket) -> bytes:
    """What comes until the other side has closed: TimeoutError if it does not."""
    answers = b""
    try:
        while answer := sock.recv(65536):
            answers += answer
    except ConnectionResetError:
        return answers
    return answers


def logged(server_log: list[str], text: str) -> bool:
    return any(text in line for line in server_log)


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        bytes(64),
        b"\xff" * 64,
        b"\0\x07\0\0\1\0\0\0",
        b"\0\x20\0\0\1\0\0\0" + bytes(24),
        data_packet(b"\1\6\0"),
        b"\0\x0b\0\0\x0c\0\0\0\1\0\1",
    ],
    ids=["HTTP", "SSH", "zeros", "ones", "no length", "short CONNECT", "DATA first", "marker first"],
)
def test_what_is_no_connect_is_dropped_at_once(
    dial: Dial, connect: Connect, server_log: list[str], garbage: bytes
) -> None:
    assert everything_from(dial(garbage)) == b""
    assert logged(server_log, "TNS-12592")
    assert connect().is_healthy()


def test_tls_at_the_plain_port_is_dropped(listener: Listener, server_log: list[str]) -> None:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    plain = socket.create_connection(("127.0.0.1", listener.port), timeout=_LIMIT_S)
    with plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="localhost")
    assert logged(server_log, "TNS-12592")


@pytest.mark.parametrize(
    "packets",
    [
        [],
        [connect_packet()[:40]],
        [connect_packet(_DESCRIPTOR.ljust(300))[:74]],
        [connect_packet()],
        [connect_packet(), data_packet(b"\1\6\0drv\0")[:9]],
        [connect_packet(), data_packet(b"\1\6\0drv\0")],
    ],
    ids=["nothing", "half a CONNECT", "no descriptor", "only CONNECT", "half a packet", "no logon"],
)
def test_who_is_not_logged_on_in_time_is_cut_off(
    database: ToyDatabase, server_log: list[str], packets: list[bytes]
) -> None:
    listener = Listener(database, log=server_log.append, connect_timeout=0.2)
    listener.start()
    try:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=_LIMIT_S) as sock:
            for packet in packets:
                sock.sendall(packet)
            everything_from(sock)
        assert logged(server_log, "ORA-3136")
    finally:
        listener.stop()


def test_a_byte_now_and_then_does_not_win_time(database: ToyDatabase, server_log: list[str]) -> None:
    listener = Listener(database, log=server_log.append, connect_timeout=0.3)
    listener.start()
    try:
        with socket.create_connection(("127.0.0.1", listener.port), timeout=_LIMIT_S) as sock:
            end = time.monotonic() + _LIMIT_S
            for byte in connect_packet().ljust(5000, b"x"):
                if time.monotonic() > end or logged(server_log, "ORA-3136"):
                    break
                try:
                    sock.sendall(bytes((byte,)))
                except OSError:
                    break
                time.sleep(0.02)
        assert logged(server_log, "ORA-3136")
    finally:
        listener.stop()


def test_who_is_logged_on_has_all_the_time_there_is(database: ToyDatabase, server_log: list[str]) -> None:
    listener = Listener(database, log=server_log.append, connect_timeout=5)
    listener.start()
    try:
        address = f"127.0.0.1:{listener.port}/{SERVICE}"
        connection = oracledb.connect(user="scott", password=PASSWORD, dsn=address)
        deadlines = [each._channel.deadline for each in listener._connections]
        assert deadlines == [None]
        connection.ping()
        connection.close()
    finally:
        listener.stop()


@pytest.mark.parametrize(
    "wrong",
    [
        data_packet(b"", length=MAX_SDU + 1),
        data_packet(b"", length=0xFFFFFFFF),
        data_packet(b"", length=7),
        b"\0\0\0\x08\x0b\0\0\0",
        b"\0\0\0\x0b\x0c\0\0\0\1\0\x09",
        b"\0\0\0\x09\x06\0\0\0\0",
        data_packet(b"\x11\xc7\1"),
        data_packet(b"\x63"),
        data_packet(b"\1\6\0drv\0surplus"),
        data_packet(b"\xde\xad\xbe\xef\0\x20\x0b\x20\2\0\0\0\0\4"),
        data_packet(b"\3\x76\1\1\1\1\2\1\1\x08" + b"\xff" * 8),
        data_packet(b"\3\x76\1\x01\x03\x00\1\1\1\0\0\xfe\x08" + b"\xff" * 8),
    ],
    ids=[
        "larger than the SDU",
        "four gigabytes",
        "no length",
        "RESEND",
        "unknown marker",
        "DATA without flags",
        "unknown piggyback",
        "unknown message",
        "surplus",
        "native encryption",
        "endless entries",
        "endless name",
    ],
)
def test_malformed_packets_end_the_conversation(
    dial: Dial, connect: Connect, server_log: list[str], wrong: bytes
) -> None:
    sock = dial(connect_packet())
    assert sock.recv(65536)[4] == 2, "ACCEPT"
    sock.sendall(wrong)
    sock.shutdown(socket.SHUT_WR)
    everything_from(sock)
    assert connect().is_healthy()
    assert logged(server_log, "ORA-03137")


def test_a_logon_must_be_short(dial: Dial, server_log: list[str]) -> None:
    sock = dial(connect_packet())
    sock.recv(65536)
    with pytest.raises(OSError):
        for _turn in range(1000):
            sock.sendall(data_packet(b"\1\6\0" + b"x" * 8000 if not _turn else b"x" * 8000))
            time.sleep(0.001)
    assert logged(server_log, "too much before a logon")


def authentication(function: int, entries: dict[str, str]) -> bytes:
    head = bytes((3, function, 1, 1)) + ub(6) + ub(0x101) + b"\1" + ub(len(entries)) + b"\1\1"
    pairs = b"".join(str2(key) + str2(value) + ub(0) for key, value in entries.items())
    return data_packet(head + b"\6nobody" + pairs)


def test_a_connection_may_fail_to_log_on_three_times(dial: Dial, server_log: list[str]) -> None:
    sock = dial(connect_packet())
    sock.recv(65536)
    keys = {"AUTH_SESSKEY": "00" * 32, "AUTH_PASSWORD": "00" * 32}
    for _turn in range(MAX_FAILED_LOGONS):
        sock.sendall(authentication(118, {}))
        assert b"AUTH_VFR_DATA" in sock.recv(65536)
        sock.sendall(authentication(115, keys))
        assert b"ORA-01017" in sock.recv(65536)
    assert everything_from(sock) == b""
    assert len([line for line in server_log if "ORA-01017" in line]) == MAX_FAILED_LOGONS


@pytest.mark.parametrize("server", ["POOLED", "SHARED", "pooled"])
def test_servers_there_are_not_are_refused(connect: Connect, listener: Listener, server: str) -> None:
    dsn = (
        f"(DESCRIPTION=(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT={listener.port}))"
        f"(CONNECT_DATA=(SERVICE_NAME={SERVICE})(SERVER={server})))"
    )
    with pytest.raises(oracledb.OperationalError, match="12520"):
        connect(dsn=dsn, host=None, port=None, service_name=None)


def test_old_clients_are_refused(dial: Dial) -> None:
    assert b"(ERR=12618)" in everything_from(dial(connect_packet(version=314)))


def test_there_are_not_endlessly_many_connections(database: ToyDatabase, server_log: list[str]) -> None:
    listener = Listener(database, log=server_log.append, most=3)
    listener.start()
    try:
        address = ("127.0.0.1", listener.port)
        idle = [socket.create_connection(address, timeout=_LIMIT_S) for _turn in range(3)]
        with socket.create_connection(address, timeout=_LIMIT_S) as surplus:
            assert b"(ERR=12516)" in everything_from(surplus)
        for each in idle:
            each.close()
        end = time.monotonic() + _LIMIT_S
        while listener._connections and time.monotonic() < end:
            time.sleep(0.01)
        dsn = f"127.0.0.1:{listener.port}/{SERVICE}"
        assert oracledb.connect(user="scott", password=PASSWORD, dsn=dsn).is_healthy()
    finally:
        listener.stop()


def test_a_client_that_sends_on_has_to_wait() -> None:
    inbox = Inbox(room=1000)
    sent = []

    def send() -> None:
        for number in range(100):
            inbox.put(b"x" * 100)
            sent.append(number)
        inbox.end()

    thread = threading.Thread(target=send)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert len(sent) < 20
    taken = 0
    while inbox.take() is not None:
        taken += 1
    thread.join(_LIMIT_S)
    assert (taken, len(sent)) == (100, 100)


def test_a_closed_inbox_lets_everybody_go() -> None:
    inbox = Inbox(room=1000)

    def send() -> None:
        for _turn in range(100):
            inbox.put(MarkerKind.BREAK)

    thread = threading.Thread(target=send)
    thread.start()
    inbox.close()
    thread.join(_LIMIT_S)
    assert not thread.is_alive()
