# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Genuine traffic of a driver: recorded, and replayed in other words.

A tap stands between a driver and a database. It notes what the driver sends; and once the driver is logged
on, its connection to the database can be taken over, so that a test goes on speaking in the driver's place.
"""

from __future__ import annotations

import contextlib
import random
import select
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

HEADER_SIZE = 8
_LIMIT_S = 120.0


@dataclass
class Tap:
    """One driver's way to the database at ``port``. ``sent`` holds what the driver sent, one entry for each
    piece before it waited for an answer."""

    port: int
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.tap_port: int = self._listening.getsockname()[1]
        self._stop_read, self._stop_write = socket.socketpair()
        self._server: socket.socket | None = None
        self._thread = threading.Thread(target=self._forward, daemon=True)
        self._thread.start()

    def _forward(self) -> None:
        driver, _address = self._listening.accept()
        server = socket.create_connection(("127.0.0.1", self.port), timeout=_LIMIT_S)
        self._server = server
        answered = True
        with driver:
            while True:
                ready, _writable, _broken = select.select([driver, server, self._stop_read], [], [], _LIMIT_S)
                if not ready or self._stop_read in ready:
                    return
                if server in ready:
                    answer = server.recv(65536)
                    if not answer:
                        return
                    driver.sendall(answer)
                    answered = True
                    continue
                piece = driver.recv(65536)
                if not piece:
                    return
                if answered:
                    self.sent.append(b"")
                self.sent[-1] += piece
                answered = False
                server.sendall(piece)

    def take_over(self) -> socket.socket:
        """The connection to the database; the driver's own end is cut."""
        self._end()
        assert self._server is not None
        return self._server

    def close(self) -> None:
        self._end()
        if self._server is not None:
            self._server.close()

    def _end(self) -> None:
        with contextlib.suppress(OSError):
            self._stop_write.send(b"x")
        self._thread.join(_LIMIT_S)
        for each in (self._listening, self._stop_read, self._stop_write):
            each.close()


def say_and_listen(server: socket.socket, *pieces: bytes) -> bytes:
    """Send everything, then nothing more, and read until the server has closed. A server that closes before
    it has read everything is no failure; one that keeps the connection is (TimeoutError)."""
    answers = b""
    with server:
        server.settimeout(_LIMIT_S)
        try:
            for piece in pieces:
                server.sendall(piece)
            server.shutdown(socket.SHUT_WR)
            while answer := server.recv(65536):
                answers += answer
        except TimeoutError:
            raise
        except OSError:
            return answers  # cut by the server in the middle of it
    return answers


def truncations(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """``data`` cut off at ``count`` places, or at every place when there are no more than that."""
    places = range(1, len(data))
    if count < len(places):
        places = sorted(random.Random(seed).sample(places, count))  # type: ignore[assignment] # a range, too
    for place in places:
        yield data[:place]


def framed(packet_type: int, body: bytes) -> bytes:
    """A packet as after ACCEPT."""
    return (HEADER_SIZE + len(body)).to_bytes(4, "big") + bytes((packet_type, 0, 0, 0)) + body


def with_packet_length(data: bytes) -> bytes:
    """``data``, one packet, with a header that tells its real length: what is wrong in it is then only inside."""
    return len(data).to_bytes(4, "big") + data[4:]


MARKERS = tuple(framed(12, bytes((1, 0, kind))) for kind in (1, 2, 3))


def mutation(data: bytes, dice: random.Random) -> bytes:
    """``data`` with one thing wrong: bytes changed, lost, added or doubled, a length made huge, a marker
    or a packet of another type in between."""
    at = dice.randrange(len(data))
    size = dice.choice((1, 1, 2, 4, 9))
    match dice.randrange(8):
        case 0:
            return data[:at] + bytes((data[at] ^ 1 << dice.randrange(8),)) + data[at + 1 :]
        case 1:
            return data[:at] + dice.randbytes(size) + data[at + size :]
        case 2:
            return with_packet_length(data[:at] + data[at + size :])
        case 3:
            return with_packet_length(data[:at] + dice.randbytes(size) + data[at:])
        case 4:
            return with_packet_length(data[: at + size] + data[at:])
        case 5:
            return data[:at] + b"\x08" + b"\xff" * 8 + data[at + 9 :]
        case 6:
            return data[:at] + dice.choice(MARKERS) + data[at:]
        case other:
            return framed(dice.randrange(16), data[:at]) + data if other else data
