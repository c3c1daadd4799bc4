# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle Net packets: framing, and what is said before the database takes part.

The length field is 16 bits wide up to and including ACCEPT and 32 bits afterwards, as of version 315.
"""

from __future__ import annotations

import enum
import re
import select
import socket
import time
from dataclasses import dataclass, replace
from typing import NamedTuple

from oracle_simulator.net.wire import ProtocolError

VERSION = 317
"""The newest version without out-of-band breaks, fast authentication and end-of-response marks."""

MIN_CLIENT_VERSION = 315
MAX_SDU = 8192
END_OF_FILE = 0x0040
"""The data flag of a client's last packet."""

_HEADER_SIZE = 8
_DATA_OVERHEAD = _HEADER_SIZE + 2
_MAX_UNNEGOTIATED = 0xFFFF
_RECEIVE_SIZE = 65536


class PacketType(enum.IntEnum):
    CONNECT = 1
    ACCEPT = 2
    REFUSE = 4
    DATA = 6
    RESEND = 11
    MARKER = 12


_FROM_CLIENTS = frozenset((PacketType.CONNECT, PacketType.DATA, PacketType.MARKER))


class MarkerKind(enum.IntEnum):
    BREAK = 1
    RESET = 2
    INTERRUPT = 3


class Packet(NamedTuple):
    """``body`` is everything behind the 8 bytes of header."""

    type: int
    body: bytes


class Channel:
    """Packets over one socket. One thread may read while one other sends.

    ``deadline`` (of ``time.monotonic``) is when reading gives up, with TimeoutError; any thread may move it.
    """

    def __init__(self, sock: socket.socket, deadline: float | None = None) -> None:
        self._socket = sock
        self.deadline = deadline
        self._buffer = b""
        self._wide = False
        self._largest = _MAX_UNNEGOTIATED
        self._room = MAX_SDU - _DATA_OVERHEAD

    def accept_sdu(self, sdu: int) -> None:
        """ACCEPT was sent: from now on lengths have 32 bits and packets at most ``sdu`` bytes."""
        self._wide = True
        self._largest = sdu
        self._room = sdu - _DATA_OVERHEAD

    def read(self) -> Packet | None:
        """The next packet; None when the client has closed. OSError, ProtocolError.

        A header is judged before its body is waited for: what speaks another protocol (TLS, HTTP) ends here.
        """
        buffer = self._buffer
        while True:
            if len(buffer) >= _HEADER_SIZE:
                length = int.from_bytes(buffer[:4] if self._wide else buffer[:2], "big")
                if buffer[4] not in _FROM_CLIENTS:
                    raise ProtocolError(f"a packet of type {buffer[4]}")
                if not _HEADER_SIZE <= length <= self._largest:
                    raise ProtocolError(f"a packet of {length} bytes")
                if len(buffer) >= length:
                    self._buffer = buffer[length:]
                    return Packet(buffer[4], buffer[_HEADER_SIZE:length])
            self._wait_until_deadline()
            piece = self._socket.recv(_RECEIVE_SIZE)
            if not piece:
                if buffer:
                    raise ProtocolError(f"the connection ended within a packet, {len(buffer)} bytes into it")
                return None
            buffer = buffer + piece if buffer else piece

    def readable(self, timeout: float) -> bool:
        """Whether :meth:`read` has something to work on within ``timeout`` seconds. OSError."""
        return bool(self._buffer) or self._poll(timeout)

    def _poll(self, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def _wait_until_deadline(self) -> None:
        while (deadline := self.deadline) is not None:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError("the client took too long")
            if self._poll(left):
                return

    def send(self, packet_type: PacketType, body: bytes) -> None:
        length = _HEADER_SIZE + len(body)
        head = length.to_bytes(4, "big") if self._wide else length.to_bytes(2, "big") + b"\0\0"
        self._socket.sendall(head + bytes((packet_type, 0, 0, 0)) + body)

    def send_data(self, payload: bytes | bytearray) -> None:
        """A response, in as many DATA packets as it takes."""
        if len(payload) <= self._room:
            self.send(PacketType.DATA, b"\0\0" + payload)
            return
        pieces: list[bytes | bytearray] = []
        for start in range(0, len(payload), self._room):
            piece = payload[start : start + self._room]
            head = (_DATA_OVERHEAD + len(piece)).to_bytes(4, "big")
            pieces += (head + bytes((PacketType.DATA, 0, 0, 0, 0, 0)), piece)
        self._socket.sendall(b"".join(pieces))

    def send_marker(self, kind: MarkerKind) -> None:
        self.send(PacketType.MARKER, bytes((1, 0, kind)))

    def close(self) -> None:
        """Wake whoever reads or sends, and let the client see the end. Idempotent."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # already closed, by either side

    def release(self) -> None:
        """Give the descriptor back: only when no thread uses the channel any more."""
        self._socket.close()


@dataclass(frozen=True)
class ConnectRequest:
    """What CONNECT says: the client's highest version, its packet size, and the connect descriptor."""

    version: int
    sdu: int
    data_length: int
    data: str

    def item(self, name: str) -> str | None:
        """The value of ``(name=value)`` in the descriptor, names without regard to case."""
        return _item(self.data, name)

    def client_item(self, name: str) -> str:
        """The same within CID, where HOST is the client's and not the address it connects to."""
        cid = re.search(r"\(\s*CID\s*=((?:\s*\([^()]*\))*)", self.data, re.IGNORECASE)
        return (_item(cid[1], name) if cid else None) or ""


def _item(descriptor: str, name: str) -> str | None:
    match = re.search(rf"\(\s*{name}\s*=([^()]*)\)", descriptor, re.IGNORECASE)
    return match[1].strip() if match else None


def parse_connect(body: bytes) -> ConnectRequest:
    """The descriptor stays empty when it was too long for CONNECT: DATA packets bring it, then."""
    if len(body) < 58:
        raise ProtocolError(f"a CONNECT packet of {len(body) + _HEADER_SIZE} bytes")
    data_length = int.from_bytes(body[16:18], "big")
    data_offset = int.from_bytes(body[18:20], "big") - _HEADER_SIZE
    data = body[data_offset : data_offset + data_length] if data_offset > 0 else b""
    return ConnectRequest(
        version=int.from_bytes(body[0:2], "big"),
        sdu=int.from_bytes(body[50:54], "big") or int.from_bytes(body[6:8], "big"),
        data_length=data_length,
        data=data.decode(errors="replace"),
    )


def receive_connect(channel: Channel) -> ConnectRequest | None:
    """CONNECT with its whole descriptor; None when the client has closed. OSError, ProtocolError."""
    packet = channel.read()
    if packet is None:
        return None
    if packet.type != PacketType.CONNECT:
        raise ProtocolError(f"packet type {packet.type} instead of CONNECT")
    request = parse_connect(packet.body)
    if request.data or not request.data_length:
        return request
    descriptor = b""
    while len(descriptor) < request.data_length:
        packet = channel.read()
        if packet is None or packet.type != PacketType.DATA:
            raise ProtocolError("the connect descriptor ends early")
        descriptor += packet.body[2:]
    return replace(request, data=descriptor.decode(errors="replace"))


def accept_body(sdu: int) -> bytes:
    """Lengths granted twice, in 16 and 32 bits; native encryption off; no out-of-band breaks."""
    size16, size32 = sdu.to_bytes(2, "big"), sdu.to_bytes(4, "big")
    return b"".join(
        (
            VERSION.to_bytes(2, "big"),
            b"\x00\x01",
            size16 * 2,
            b"\x01\x00\x00\x00\x00\x2d\x0c\x0c",
            bytes(8),
            size32 * 2,
            b"\0",
        )
    )


def refuse_body(error: int) -> bytes:
    text = f"(DESCRIPTION=(TMP=)(VSNNUM=0)(ERR={error})(ERROR_STACK=(ERROR=(CODE={error})(EMFI=4))))".encode()
    return b"\x22\x00" + len(text).to_bytes(2, "big") + text
