# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The double-write file: the model of storage that does not tear single writes of a killed process.

The database writer puts a batch of blocks here before it writes them in pieces to their files. If the
process dies between pieces, the next start finds the whole blocks here. An entry is only used for a file
that is still the same one (path and inode) and a block each sector of which is either the new one or what
was there before: a file restored from a copy is left as it is.

Layout: magic, u4 entries, u4 length, u4 CRC-32, then the entries. Each batch overwrites the last one,
whose writes are complete by then; an incomplete batch is one whose writes have not begun.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from oracle_simulator.storage.block import examine
from oracle_simulator.storage.disk import PLAIN_DISK, SECTOR_BYTES, Disk

_MAGIC = b"DBLWRIT1"
_BATCH = struct.Struct("<8sIII")
_ENTRY = struct.Struct("<HQIII")
_SUM = struct.Struct("<I")


class DoubleWriteEntry(NamedTuple):
    """One block about to be written to its file; ``before`` has a CRC-32 of each sector it replaces."""

    path: str
    inode: int
    block_number: int
    data: bytes
    before: bytes


class DoubleWrite:
    """The double-write file at ``path``, used by one writer at a time. ``OSError`` passes up."""

    def __init__(self, path: Path | str, *, disk: Disk = PLAIN_DISK) -> None:
        self._file = disk.open(path, os.O_RDWR | os.O_CREAT)

    def record(self, entries: Sequence[DoubleWriteEntry]) -> None:
        """Remember a batch; call before the first of its blocks is written to its file."""
        parts: list[bytes] = []
        for path, inode, block_number, data, before in entries:
            name = path.encode()
            head = _ENTRY.pack(len(name), inode, block_number, len(data), len(before))
            parts += (head, name, data, before)
        body = b"".join(parts)
        self._file.write_at(_BATCH.pack(_MAGIC, len(entries), len(body), zlib.crc32(body)) + body, 0)
        self._file.sync()

    def pending(self) -> list[DoubleWriteEntry]:
        """The last whole batch; empty if there is none."""
        data = self._file.read_at(self._file.size, 0)
        if len(data) < _BATCH.size:
            return []
        magic, count, length, crc = _BATCH.unpack_from(data, 0)
        body = data[_BATCH.size : _BATCH.size + length]
        if magic != _MAGIC or len(body) != length or zlib.crc32(body) != crc:
            return []
        entries = []
        offset = 0
        for _ignored in range(count):
            name_length, inode, block_number, size, sums = _ENTRY.unpack_from(body, offset)
            offset += _ENTRY.size
            name = body[offset : offset + name_length].decode()
            offset += name_length
            data, before = body[offset : offset + size], body[offset + size : offset + size + sums]
            entries.append(DoubleWriteEntry(name, inode, block_number, data, before))
            offset += size + sums
        return entries

    def clear(self) -> None:
        """Forget everything."""
        self._file.truncate(0)

    def close(self) -> None:
        """Close the descriptor."""
        self._file.close()


def sector_sums(block: bytes) -> bytes:
    """What :class:`DoubleWriteEntry` keeps of the block that is replaced."""
    return b"".join(_SUM.pack(zlib.crc32(sector)) for sector in _sectors(block))


def left_torn(found: bytes, entry: DoubleWriteEntry) -> bool:
    """Whether ``found``, what the file holds now, is the entry's block with its writing broken off.

    It is no sound block, and each sector is the entry's or what was there before: a disk writes sectors whole.
    """
    if len(found) != len(entry.data) or examine(found) is None:
        return False
    old = [entry.before[start : start + _SUM.size] for start in range(0, len(entry.before), _SUM.size)]
    return all(
        sector == new or _SUM.pack(zlib.crc32(sector)) == before
        for sector, new, before in zip(_sectors(found), _sectors(entry.data), old, strict=True)
    )


def _sectors(block: bytes) -> list[bytes]:
    return [block[start : start + SECTOR_BYTES] for start in range(0, len(block), SECTOR_BYTES)]
