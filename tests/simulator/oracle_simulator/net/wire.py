# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Integers and byte strings as TTC, the protocol inside Oracle Net DATA packets, writes them.

``ub`` is a variable-length unsigned integer (a length byte, then that many bytes, big endian); ``sb`` the
signed one; ``bytes1`` a string with a one-byte length or in chunks; ``bytes2`` and ``str2`` such a string
behind a ``ub`` length.
"""

from __future__ import annotations

from collections.abc import Callable

MAX_SHORT = 252
"""The longest string with a one-byte length; 253 is an escape, 254 announces chunks, 255 is null."""

MAX_CHUNK = 32767
MAX_VALUE = 1 << 28
"""No client of ours sends a value as long as this; a longer one is garbage."""

LENGTH_BYTE = tuple(bytes((length,)) for length in range(MAX_SHORT + 1))

_SMALL_UB = (b"\0", *(bytes((1, value)) for value in range(1, 256)))


class ProtocolError(Exception):
    """The client sent what no client sends: only closing the connection helps."""


class NeedMore(Exception):
    """The bytes at hand end before the value does."""


def _no_more() -> bytes:
    raise NeedMore


class Reader:
    """A cursor over incoming bytes.

    ``refill`` is asked for the next bytes whenever the ones at hand do not suffice. It may block, or
    raise: by default it raises :class:`NeedMore`. A request has no end mark, so its parser just reads on
    and thereby waits for whatever is still under way, however the client has split it.

    ``data`` and ``pos`` are open to the decoder of bind rows, whose speed depends on it.
    """

    __slots__ = ("_refill", "data", "pos")

    def __init__(self, data: bytes = b"", refill: Callable[[], bytes] = _no_more) -> None:
        self.data = data
        self.pos = 0
        self._refill = refill

    @property
    def at_hand(self) -> int:
        """The number of bytes not yet read."""
        return len(self.data) - self.pos

    def discard(self) -> None:
        """Forget the bytes at hand."""
        self.data = b""
        self.pos = 0

    def need(self, count: int) -> None:
        """Have at least ``count`` bytes at hand."""
        missing = self.pos + count - len(self.data)
        if missing <= 0:
            return
        if count > MAX_VALUE:
            raise ProtocolError(f"a value of {count} bytes was announced")
        pieces = [self.data[self.pos :]]
        while missing > 0:
            piece = self._refill()
            pieces.append(piece)
            missing -= len(piece)
        self.data = b"".join(pieces)
        self.pos = 0

    def raw(self, count: int) -> bytes:
        self.need(count)
        start = self.pos
        self.pos = start + count
        return self.data[start : self.pos]

    def skip(self, count: int) -> None:
        self.need(count)
        self.pos += count

    def peek(self) -> int:
        self.need(1)
        return self.data[self.pos]

    def peek_raw(self, count: int) -> bytes:
        self.need(count)
        return self.data[self.pos : self.pos + count]

    def u8(self) -> int:
        if self.pos >= len(self.data):
            self.need(1)
        value = self.data[self.pos]
        self.pos += 1
        return value

    def u16be(self) -> int:
        return int.from_bytes(self.raw(2), "big")

    def ub(self) -> int:
        length = self.u8()
        if length == 0:
            return 0
        if length > 8:
            raise ProtocolError(f"an unsigned integer of length byte {length:#x}")
        return int.from_bytes(self.raw(length), "big")

    def skip_ub(self, count: int) -> None:
        for _ignored in range(count):
            self.ub()

    def bytes1(self) -> bytes | None:
        """The string, or None for null (which an empty string is, too)."""
        length = self.u8()
        if length in (0, 255):
            return None
        if length <= MAX_SHORT:
            return self.raw(length)
        if length == 253:
            self.skip(1)
            return None
        chunks: list[bytes] = []
        total = 0
        while size := self.ub():
            total += size
            if total > MAX_VALUE:
                raise ProtocolError(f"a value of more than {MAX_VALUE} bytes")
            chunks.append(self.raw(size))
        return b"".join(chunks)

    def bytes2(self) -> bytes | None:
        return self.bytes1() if self.ub() else None

    def str2(self) -> str:
        return (self.bytes2() or b"").decode()


def ub(value: int) -> bytes:
    """``value`` as a variable-length unsigned integer of 0, 1, 2, 4 or 8 bytes."""
    if value < 256:
        return _SMALL_UB[value]
    if value < 1 << 16:
        return b"\x02" + value.to_bytes(2, "big")
    if value < 1 << 32:
        return b"\x04" + value.to_bytes(4, "big")
    return b"\x08" + value.to_bytes(8, "big")


def sb(value: int) -> bytes:
    """``value`` as a variable-length signed integer: the sign travels in the length byte."""
    if value >= 0:
        return ub(value)
    data = bytearray(ub(-value))
    data[0] |= 0x80
    return bytes(data)


def bytes1(data: bytes) -> bytes:
    """``data`` behind a one-byte length, or in chunks if it is too long for that."""
    if len(data) <= MAX_SHORT:
        return LENGTH_BYTE[len(data)] + data
    pieces = [b"\xfe"]
    for start in range(0, len(data), MAX_CHUNK):
        chunk = data[start : start + MAX_CHUNK]
        pieces += (ub(len(chunk)), chunk)
    pieces.append(b"\0")
    return b"".join(pieces)


def bytes2(data: bytes) -> bytes:
    """``data`` behind both lengths; nothing but a zero when it is empty."""
    return ub(len(data)) + bytes1(data) if data else b"\0"


def str2(text: str) -> bytes:
    return bytes2(text.encode())
