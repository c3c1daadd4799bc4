# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large objects: locators stand for content, which the client reads and writes in calls of its own."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import StoredLob
from oracle_simulator.net.wire import bytes1, ub

LOCATOR_SIZE = 40
CHUNK_SIZE = 8132
"""Bytes of content per block of 8K; clients take it for the size to read in."""

_KEEP = 64 * 1024 * 1024
_MOST_TEMPORARY = 256 * 1024 * 1024
_HEAD = b"\x00\x26\x00\x02\x00\x00\x00"
_TEMPORARY = b"\x01"
_PERSISTENT = b"\x00"

Content = str | bytes
Write = Callable[[Hashable, Content], None]


@dataclass
class _Lob:
    """What one locator stands for. ``origin`` is its place in the database, None for a value of a query; a
    ``national`` CLOB travels in UTF-16."""

    content: Content
    temporary: bool
    national: bool
    origin: Hashable | None = None
    is_open: bool = False


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

    def add(self, value: Content | StoredLob, *, temporary: bool = False, national: bool = False) -> bytes:
        """A new locator for a value."""
        content, origin = (value.content, value.origin) if isinstance(value, StoredLob) else (value, None)
        self._last_number += 1
        kind = _TEMPORARY if temporary else _PERSISTENT
        locator = (_HEAD + kind + self._last_number.to_bytes(8, "big")).ljust(LOCATOR_SIZE, b"\0")
        self._lobs[locator] = _Lob(content, temporary, national, origin)
        if not temporary:
            self._fetched[locator] = len(content)
            self._fetched_size += len(content)
            while self._fetched_size > self._keep and len(self._fetched) > 1:
                self.free(next(iter(self._fetched)))
        return locator

    def value(self, locator: bytes) -> Content | StoredLob:
        """What a locator that was bound stands for."""
        lob = self._lob(locator)
        return lob.content if lob.origin is None else StoredLob(lob.content, lob.origin)

    def content(self, locator: bytes) -> Content:
        return self._lob(locator).content

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
        part = lob.content[start : start + amount]
        if isinstance(part, bytes):
            return part, len(part)
        return part.encode("utf-16-be" if lob.national else "utf-8"), len(part)

    def write(self, locator: bytes, offset: int, data: bytes) -> int:
        """Put ``data`` at ``offset``, filling a gap before it; the characters or bytes written. ORA-22275 for
        a value of a query that is in no row; ORA-22920 for a row that is not locked; ORA-21560 for offset 0,
        ORA-01652 when temporary LOBs grow too large, ORA-29275 for half a character."""
        lob = self._lob(locator)
        start = offset - 1
        if start < 0:
            raise OracleError(21560, "argument 3 is null, invalid, or out of range")
        held = sum(len(each.content) for each in self._lobs.values() if each.temporary)
        if held + max(start - len(lob.content), 0) + len(data) > _MOST_TEMPORARY:
            raise OracleError(1652, "unable to extend temp segment by 128 in tablespace TEMP")
        if isinstance(lob.content, str):
            try:
                text = data.decode("utf-16-be" if lob.national else "utf-8")
            except UnicodeDecodeError:
                raise OracleError(29275, "partial multibyte character") from None
            self._replace(lob, lob.content[:start].ljust(start) + text + lob.content[start + len(text) :])
            return len(text)
        self._replace(lob, lob.content[:start].ljust(start, b"\0") + data + lob.content[start + len(data) :])
        return len(data)

    def trim(self, locator: bytes, length: int) -> None:
        """Cut off what is behind the first ``length`` characters or bytes. ORA-22926 if there is less."""
        lob = self._lob(locator)
        if length > len(lob.content):
            raise OracleError(22926, "specified trim length is greater than current LOB value's length")
        self._replace(lob, lob.content[:length])

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

    def _replace(self, lob: _Lob, content: Content) -> None:
        if not lob.temporary:
            if lob.origin is None:
                raise OracleError(22275, "invalid LOB locator specified")
            self._write(lob.origin, content)
        lob.content = content

    def encode(self, value: Content | StoredLob, national: bool = False) -> bytes:
        """The column value that leads the client to a LOB. Empty content is not null."""
        locator = self.add(value, national=national)
        return ub(LOCATOR_SIZE) + ub(len(self.content(locator))) + ub(CHUNK_SIZE) + bytes1(locator)
