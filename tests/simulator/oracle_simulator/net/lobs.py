# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large objects: locators stand for content, which the client reads in calls of its own."""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.net.wire import bytes1, ub

LOCATOR_SIZE = 40
CHUNK_SIZE = 8132
"""Bytes of content per block of 8K; clients take it for the size to read in."""

_KEEP = 64 * 1024 * 1024
_MOST_TEMPORARY = 256 * 1024 * 1024
_HEAD = b"\x00\x26\x00\x02\x00\x00\x00"
_TEMPORARY = b"\x01"
_PERSISTENT = b"\x00"


class LobStore:
    """The content behind the locators of one connection.

    Content of fetched LOBs stays until ``keep`` bytes of newer content have come; what was then forgotten
    raises ORA-22922. Temporary LOBs stay until they are freed. Offsets start at 1 and count characters
    in a CLOB (``str``) and bytes in a BLOB (``bytes``).
    """

    def __init__(self, keep: int = _KEEP) -> None:
        self._keep = keep
        self._content: dict[bytes, str | bytes] = {}
        self._fetched: dict[bytes, int] = {}
        self._fetched_size = 0
        self._last_number = 0

    def add(self, content: str | bytes, temporary: bool = False) -> bytes:
        """A new locator for ``content``."""
        self._last_number += 1
        kind = _TEMPORARY if temporary else _PERSISTENT
        locator = (_HEAD + kind + self._last_number.to_bytes(8, "big")).ljust(LOCATOR_SIZE, b"\0")
        self._content[locator] = content
        if not temporary:
            self._fetched[locator] = len(content)
            self._fetched_size += len(content)
            while self._fetched_size > self._keep and len(self._fetched) > 1:
                self.free(next(iter(self._fetched)))
        return locator

    def content(self, locator: bytes) -> str | bytes:
        try:
            return self._content[locator]
        except KeyError:
            raise OracleError(22922, "nonexistent LOB value") from None

    def free(self, locator: bytes) -> None:
        self._content.pop(locator, None)
        self._fetched_size -= self._fetched.pop(locator, 0)

    def write(self, locator: bytes, offset: int, data: bytes) -> None:
        """Put ``data`` (UTF-8 for a CLOB) at ``offset``, filling a gap before it. ORA-22275 unless the
        LOB is a temporary one: what was fetched belongs to the database. ORA-21560 for offset 0, ORA-01652
        when temporary LOBs grow too large, ORA-29275 for half a character."""
        content = self._writable(locator)
        start = offset - 1
        if start < 0:
            raise OracleError(21560, "argument 3 is null, invalid, or out of range")
        held = sum(len(each) for key, each in self._content.items() if key not in self._fetched)
        if held + max(start - len(content), 0) + len(data) > _MOST_TEMPORARY:
            raise OracleError(1652, "unable to extend temp segment by 128 in tablespace TEMP")
        if isinstance(content, str):
            try:
                text = data.decode()
            except UnicodeDecodeError:
                raise OracleError(29275, "partial multibyte character") from None
            self._content[locator] = content[:start].ljust(start) + text + content[start + len(text) :]
        else:
            self._content[locator] = content[:start].ljust(start, b"\0") + data + content[start + len(data) :]

    def trim(self, locator: bytes, length: int) -> None:
        """ORA-22926 when it is shorter already."""
        content = self._writable(locator)
        if length > len(content):
            raise OracleError(22926, "specified trim length is greater than current LOB value's length")
        self._content[locator] = content[:length]

    def _writable(self, locator: bytes) -> str | bytes:
        if locator in self._fetched:
            raise OracleError(22275, "invalid LOB locator specified")
        return self.content(locator)

    def encode(self, content: str | bytes) -> bytes:
        """The column value that leads the client to ``content``. Empty content is not null."""
        locator = self.add(content)
        return ub(LOCATOR_SIZE) + ub(len(content)) + ub(CHUNK_SIZE) + bytes1(locator)
