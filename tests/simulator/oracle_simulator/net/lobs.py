# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large objects: locators stand for content, which the client reads and writes in calls of its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import StoredLob
from oracle_simulator.net.wire import bytes1, ub

LOCATOR_SIZE = 40
CHUNK_SIZE = 8132
"""Bytes of content per block of 8K; clients take it for the size to read in."""

_KEEP = 64 * 1024 * 1024
_MOST_TEMPORARY = 256 * 1024 * 1024
_HEAD = b"\x00\x26\x00\x02\x00\x00"
_WIDE, _NARROW = b"\x80", b"\x00"
"""Flag of a locator: the content travels in UTF-16."""
_TEMPORARY = b"\x01"
_PERSISTENT = b"\x00"
_BLANK = " ".encode("utf-16-be")

Content = str | bytes
Write = Callable[[Hashable, Content], None]


@dataclass
class _Lob:
    """What one locator stands for. ``origin`` is its place in the database, None for a value of a query.

    A CLOB is kept, counted and sent in UTF-16, whatever the character set of the database, as long as that has
    characters of several widths (SecureFiles and Large Objects Developer's Guide, "LOB Storage"): a character
    beyond the basic plane counts twice.
    """

    data: bytes
    is_text: bool
    temporary: bool
    origin: Hashable | None = None
    is_open: bool = False

    @property
    def unit(self) -> int:
        """Bytes of one character."""
        return 2 if self.is_text else 1

    @property
    def length(self) -> int:
        return len(self.data) // self.unit

    @property
    def content(self) -> Content:
        return self.data.decode("utf-16-be", "replace") if self.is_text else self.data


def _not_writable(_origin: Hashable, _content: Content) -> None:
    raise OracleError(22275, "invalid LOB locator specified")


class LobStore:
    """The content behind the locators of one connection.

    Content of fetched LOBs stays until ``keep`` bytes of newer content have come; what was then forgotten
    raises ORA-22922. Temporary LOBs stay until they are freed. Offsets start at 1 and count characters
    in a CLOB (``str``) and bytes in a BLOB (``bytes``). ``write`` gives new content to a LOB of a row.
    """

    def __init__(self, write: Write = _not_writable, keep: int = _KEEP) -> None:
        self._write = write
        self._keep = keep
        self._lobs: dict[bytes, _Lob] = {}
        self._fetched: dict[bytes, int] = {}
        self._fetched_size = 0
        self._last_number = 0

    def add(self, value: Content | StoredLob, *, temporary: bool = False) -> bytes:
        """A new locator for a value."""
        content, origin = (value.content, value.origin) if isinstance(value, StoredLob) else (value, None)
        self._last_number += 1
        is_text = isinstance(content, str)
        data = content.encode("utf-16-be") if isinstance(content, str) else bytes(content)
        kind = _TEMPORARY if temporary else _PERSISTENT
        head = _HEAD + (_WIDE if is_text else _NARROW) + kind
        locator = (head + self._last_number.to_bytes(8, "big")).ljust(LOCATOR_SIZE, b"\0")
        self._lobs[locator] = _Lob(data, is_text, temporary, origin)
        if not temporary:
            self._fetched[locator] = len(data)
            self._fetched_size += len(data)
            while self._fetched_size > self._keep and len(self._fetched) > 1:
                self.free(next(iter(self._fetched)))
        return locator

    def value(self, locator: bytes) -> Content | StoredLob:
        """What a locator that was bound stands for."""
        lob = self._lob(locator)
        return lob.content if lob.origin is None else StoredLob(lob.content, lob.origin)

    def content(self, locator: bytes) -> Content:
        return self._lob(locator).content

    def length(self, locator: bytes) -> int:
        """In characters or bytes."""
        return self._lob(locator).length

    def _lob(self, locator: bytes) -> _Lob:
        try:
            return self._lobs[locator]
        except KeyError:
            raise OracleError(22922, "nonexistent LOB value") from None

    def free(self, locator: bytes) -> None:
        self._lobs.pop(locator, None)
        self._fetched_size -= self._fetched.pop(locator, 0)

    def read(self, locator: bytes, offset: int, amount: int) -> tuple[bytes, int]:
        """The bytes that travel for a part of the content, and how many characters or bytes of it they are."""
        lob = self._lob(locator)
        start = max(offset, 1) - 1
        part = lob.data[start * lob.unit : (start + amount) * lob.unit]
        return part, len(part) // lob.unit

    def write(self, locator: bytes, offset: int, data: bytes) -> int:
        """Put ``data`` at ``offset``, filling a gap before it; the characters or bytes written. ORA-22275 for
        a value of a query that is in no row; ORA-22920 for a row that is not locked; ORA-21560 for offset 0,
        ORA-01652 when temporary LOBs grow too large, ORA-29275 for half a character."""
        lob = self._lob(locator)
        if offset < 1:
            raise OracleError(21560, "argument 3 is null, invalid, or out of range")
        if len(data) % lob.unit:
            raise OracleError(29275, "partial multibyte character")
        start = (offset - 1) * lob.unit
        held = sum(len(each.data) for each in self._lobs.values() if each.temporary)
        if held + max(start - len(lob.data), 0) + len(data) > _MOST_TEMPORARY:
            raise OracleError(1652, "unable to extend temp segment by 128 in tablespace TEMP")
        gap = _BLANK if lob.is_text else b"\0"
        before = lob.data[:start] + gap * ((start - len(lob.data)) // lob.unit)
        self._replace(lob, before + data + lob.data[start + len(data) :])
        return len(data) // lob.unit

    def trim(self, locator: bytes, length: int) -> None:
        """Cut off what is behind the first ``length`` characters or bytes. ORA-22926 if there is less."""
        lob = self._lob(locator)
        if length > lob.length:
            raise OracleError(22926, "specified trim length is greater than current LOB value's length")
        self._replace(lob, lob.data[: length * lob.unit])

    def open(self, locator: bytes) -> None:
        """ORA-22293 when it is open already."""
        lob = self._lob(locator)
        if lob.is_open:
            raise OracleError(22293, "LOB already opened in the same transaction")
        lob.is_open = True

    def close(self, locator: bytes) -> None:
        """ORA-22289 when it is not open."""
        lob = self._lob(locator)
        if not lob.is_open:
            raise OracleError(22289, "cannot perform operation on an unopened file or LOB")
        lob.is_open = False

    def is_open(self, locator: bytes) -> bool:
        return self._lob(locator).is_open

    def _replace(self, lob: _Lob, data: bytes) -> None:
        if not lob.temporary:
            if lob.origin is None:
                raise OracleError(22275, "invalid LOB locator specified")
            self._write(lob.origin, replace(lob, data=data).content)
        lob.data = data

    def encode(self, value: Content | StoredLob) -> bytes:
        """The column value that leads the client to a LOB. Empty content is not null."""
        locator = self.add(value)
        return ub(LOCATOR_SIZE) + ub(self.length(locator)) + ub(CHUNK_SIZE) + bytes1(locator)
