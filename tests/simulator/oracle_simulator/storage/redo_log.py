# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Redo logs: packing records into blocks, writing online logs, reading any log, and archived copies.

Each flush of the log writer starts on a fresh block, as Oracle's redo wastage does, so that no block is
ever written twice: a torn flush can only lose its own records.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from oracle_simulator.storage.block import block_zero, fold, format_byte, read_block_zero
from oracle_simulator.storage.disk import PLAIN_DISK, Disk, DiskFile
from oracle_simulator.storage.log_header import (
    BLOCK_HEADER,
    BLOCK_HEADER_SIZE,
    CHECKSUM_OFFSET,
    FIRST_RECORD_BLOCK,
    ORDINARY_BLOCK,
    LogHeader,
    RedoCorrupt,
    RedoUnreadable,
)
from oracle_simulator.storage.redo_record import (
    RECORD_HEADER_SIZE,
    RedoDecodeError,
    RedoRecord,
    record_length,
)

__all__ = [
    "ArchivedCopyPlan",
    "LogHeader",
    "LogRecord",
    "PackedRedo",
    "RedoAddress",
    "RedoCorrupt",
    "RedoLogFile",
    "archived_copy_plan",
    "blocks_needed",
    "finish_archived_copy",
    "pack_records",
    "read_log_header",
    "read_records",
]

_MIN_RECORD_SPACE = 24
_FEW_BLOCKS = 8
_READ_CHUNK_BLOCKS = 4096


class RedoAddress(NamedTuple):
    """Where a record starts (RBA): log sequence#, block in the log, byte in the block."""

    sequence: int
    block: int
    offset: int


class LogRecord(NamedTuple):
    """A record and where it stands. ``end_block`` is the block after the last one it touches."""

    address: RedoAddress
    record: RedoRecord
    end_block: int


class PackedRedo(NamedTuple):
    """Blocks ready to be written. ``addresses`` has the (block, offset) of each record."""

    data: bytes
    block_count: int
    addresses: list[tuple[int, int]]


def blocks_needed(record_sizes: Sequence[int], block_size: int = 512) -> int:
    """How many blocks :func:`pack_records` makes of encoded records of these sizes."""
    return -(-_layout(record_sizes, block_size - BLOCK_HEADER_SIZE)[1] // (block_size - BLOCK_HEADER_SIZE))


def pack_records(
    records: Sequence[bytes], first_block: int, sequence: int, block_size: int = 512
) -> PackedRedo:
    """Lay encoded records into whole blocks numbered from ``first_block``, headers and checksums included."""
    area = block_size - BLOCK_HEADER_SIZE
    starts, size = _layout(list(map(len, records)), area)
    count = -(-size // area)
    payload = bytearray(count * area)
    first_records = [0] * count
    addresses = []
    for record, start in zip(records, starts, strict=True):
        payload[start : start + len(record)] = record
        block, place = divmod(start, area)
        if not first_records[block]:
            first_records[block] = place + BLOCK_HEADER_SIZE
        addresses.append((first_block + block, place + BLOCK_HEADER_SIZE))
    build = _build_few if count <= _FEW_BLOCKS else _build_many
    return PackedRedo(build(payload, first_records, first_block, sequence, block_size), count, addresses)


def _layout(sizes: Sequence[int], area: int) -> tuple[list[int], int]:
    """Start of each record in the payload, and where the last one ends.

    A record never starts in the last 24 bytes of a block, so that its first fields are in one piece.
    """
    starts = []
    position = 0
    for size in sizes:
        left = area - position % area
        if left < _MIN_RECORD_SPACE:
            position += left
        starts.append(position)
        position += size
    return starts, position


def _build_few(
    payload: bytearray, first_records: list[int], first_block: int, sequence: int, block_size: int
) -> bytes:
    area = block_size - BLOCK_HEADER_SIZE
    frmt = format_byte(block_size)
    buf = bytearray(block_size * len(first_records))
    view = memoryview(buf)
    for index, first in enumerate(first_records):
        start = index * block_size
        end = start + block_size
        buf[start + BLOCK_HEADER_SIZE : end] = payload[index * area : (index + 1) * area]
        BLOCK_HEADER.pack_into(
            buf, start, 1, frmt, 0, first_block + index, sequence, ORDINARY_BLOCK | first, 0
        )
        checksum = fold(view[start:end])
        buf[start + CHECKSUM_OFFSET] = checksum & 0xFF
        buf[start + CHECKSUM_OFFSET + 1] = checksum >> 8
    view.release()
    return bytes(buf)


def _build_many(
    payload: bytearray, first_records: list[int], first_block: int, sequence: int, block_size: int
) -> bytes:
    count = len(first_records)
    blocks = np.zeros((count, block_size), dtype=np.uint8)
    blocks[:, BLOCK_HEADER_SIZE:] = np.frombuffer(payload, dtype=np.uint8).reshape(count, -1)
    words = blocks.view("<u2")
    numbers = np.arange(first_block, first_block + count, dtype="<u4")
    words[:, 0] = format_byte(block_size) << 8 | 1
    blocks[:, 4:8] = numbers.view(np.uint8).reshape(count, 4)
    blocks[:, 8:12] = np.frombuffer(sequence.to_bytes(4, "little"), dtype=np.uint8)
    words[:, 6] = np.array(first_records, dtype="<u2") | ORDINARY_BLOCK
    words[:, 7] = _folds(blocks)
    return blocks.tobytes()


def _folds(blocks: np.ndarray[Any, np.dtype[np.uint8]]) -> np.ndarray[Any, np.dtype[Any]]:
    """XOR of the 16-bit words of each row."""
    wide = np.bitwise_xor.reduce(blocks.view("<u8"), axis=1)
    wide ^= wide >> np.uint64(32)
    wide ^= wide >> np.uint64(16)
    return wide.astype("<u2")


class RedoLogFile:
    """One member of a redo log group, open for writing. One writer at a time; ``OSError`` passes up."""

    def __init__(self, file: DiskFile, block_size: int) -> None:
        self.path = file.path
        self.block_size = block_size
        self._file = file

    @classmethod
    def create(
        cls,
        path: Path | str,
        size_blocks: int,
        block_size: int = 512,
        *,
        reuse: bool = False,
        disk: Disk = PLAIN_DISK,
    ) -> RedoLogFile:
        """Make a log of ``size_blocks`` blocks, block 0 not counted, all zero and without a header.

        Raises FileExistsError unless ``reuse``; then whatever the file held is gone.
        """
        flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if reuse else os.O_EXCL)
        log = cls(disk.open(path, flags), block_size)
        log._file.allocate((size_blocks + 1) * block_size)
        log._file.write_at(block_zero(block_size, size_blocks), 0)
        return log

    @classmethod
    def open(cls, path: Path | str, *, disk: Disk = PLAIN_DISK) -> RedoLogFile:
        """Open an existing log. Raises RedoCorrupt when it is none."""
        file = disk.open(path)
        found = read_block_zero(file.read_at(4096, 0))
        if found is None:
            file.close()
            raise RedoCorrupt(str(path), "no redo log")
        return cls(file, found.block_size)

    @property
    def size_blocks(self) -> int:
        """Blocks of the file, block 0 not counted: the last block has this number."""
        return self._file.size // self.block_size - 1

    def read_header(self) -> LogHeader:
        """The log header. Raises RedoCorrupt."""
        return LogHeader.decode(self._file.read_at(self.block_size, self.block_size), str(self.path))

    def write_header(self, header: LogHeader) -> None:
        """Rewrite the log header."""
        self._file.write_at(header.encode(), self.block_size)

    def write_blocks(self, first_block: int, data: bytes) -> None:
        """Write whole blocks, as :func:`pack_records` made them."""
        self._file.write_at(data, first_block * self.block_size)

    def fsync(self) -> None:
        """Put everything written on stable storage."""
        self._file.sync()

    def close(self) -> None:
        """Close the descriptor; a second call does nothing."""
        self._file.close()


def read_log_header(path: Path | str, *, disk: Disk = PLAIN_DISK) -> LogHeader:
    """The header of an online or archived log. Raises RedoCorrupt, OSError."""
    with disk.open(path, os.O_RDONLY) as file:
        return _header_of(file)


def _header_of(file: DiskFile) -> LogHeader:
    found = read_block_zero(file.read_at(4096, 0))
    if found is None:
        raise RedoCorrupt(str(file.path), "no redo log")
    return LogHeader.decode(file.read_at(found.block_size, found.block_size), str(file.path))


def read_records(
    path: Path | str, start_block: int = FIRST_RECORD_BLOCK, *, disk: Disk = PLAIN_DISK
) -> Iterator[LogRecord]:
    """The records of a log in order, from the first one that starts in ``start_block`` or later.

    In a log whose header says where it ends (an archived one, or an online one no longer current) every
    block up to there must be sound: RedoCorrupt otherwise. A current log ends, quietly, before the first
    block that does not belong to it or the first record that is not complete. Raises
    RedoUnreadable when a block cannot be read, OSError when the file cannot be opened.
    """
    with disk.open(path, os.O_RDONLY) as file:
        yield from _records(file, _header_of(file), start_block)


def has_block(path: Path | str, number: int, *, disk: Disk = PLAIN_DISK) -> bool:
    """Whether a block belongs to the log and is sound. Raises RedoCorrupt for no log, RedoUnreadable, OSError."""
    with disk.open(path, os.O_RDONLY) as file:
        return next(_sound_payload(file, reopened(_header_of(file)), number), None) is not None


def _records(file: DiskFile, header: LogHeader, start_block: int) -> Iterator[LogRecord]:
    path, end_block = file.path, header.next_available_block
    if end_block is not None and file.size < end_block * header.block_size:
        raise RedoCorrupt(str(path), f"truncated: {file.size} bytes, {end_block} blocks written")
    area = header.block_size - BLOCK_HEADER_SIZE
    pending = b""
    base = start_block
    position: int | None = None
    for first, payload in _sound_payload(file, header, start_block):
        pending += payload
        if position is None:
            position = _first_record(file, header, start_block, first + len(payload) // area)
            if position is None:
                return
        while True:
            left = area - position % area
            if left < _MIN_RECORD_SPACE:
                position += left
            if position + _MIN_RECORD_SPACE > len(pending):
                break
            length = record_length(pending, position)
            if length == 0:
                position += area - position % area
                continue
            block, place = divmod(position, area)
            if length < RECORD_HEADER_SIZE or length % 4:
                if header.current:
                    return
                raise RedoCorrupt(str(path), f"record length {length}", base + block)
            end = position + length
            if end > len(pending):
                break
            try:
                record = RedoRecord.decode(pending[position:end])
            except RedoDecodeError as exc:
                raise RedoCorrupt(str(path), str(exc), base + block) from exc
            address = RedoAddress(header.sequence, base + block, place + BLOCK_HEADER_SIZE)
            yield LogRecord(address, record, base + -(-end // area))
            position = end
        done = position // area
        pending = pending[done * area :]
        base += done
        position -= done * area
    if pending and position is not None and position < len(pending) and not header.current:
        raise RedoCorrupt(str(path), "last record is not complete", base)


def _first_record(file: DiskFile, header: LogHeader, start_block: int, end_block: int) -> int | None:
    """Position in the payload of the first record at or after ``start_block``; None if there is none."""
    area = header.block_size - BLOCK_HEADER_SIZE
    for block in range(start_block, end_block):
        raw = file.read_at(BLOCK_HEADER_SIZE, block * header.block_size)
        first = BLOCK_HEADER.unpack(raw)[5] & ~ORDINARY_BLOCK
        if first:
            return (block - start_block) * area + first - BLOCK_HEADER_SIZE
    return None


def _sound_payload(file: DiskFile, header: LogHeader, start_block: int) -> Iterator[tuple[int, bytes]]:
    """(first block, payload without block headers) of runs of verified blocks, in order."""
    size = header.block_size
    end_block = header.next_available_block
    block = start_block
    while end_block is None or block < end_block:
        wanted = _READ_CHUNK_BLOCKS if end_block is None else min(_READ_CHUNK_BLOCKS, end_block - block)
        try:
            data = file.read_at(wanted * size, block * size)
        except OSError as exc:
            raise RedoUnreadable(str(file.path), block, wanted, exc) from exc
        count = len(data) // size
        if not count:
            return
        blocks = np.frombuffer(data, dtype=np.uint8, count=count * size).reshape(count, size)
        words = blocks.view("<u4")
        sound = words[:, 0] == (format_byte(size) << 8 | 1)
        sound &= words[:, 1] == np.arange(block, block + count, dtype="<u4")
        sound &= words[:, 2] == header.sequence
        sound &= _folds(blocks) == 0
        good = count if sound.all() else int(np.argmin(sound))
        if good:
            yield block, blocks[:good, BLOCK_HEADER_SIZE:].tobytes()
        if good < count:
            if end_block is None:
                return
            raise RedoCorrupt(str(file.path), "damaged or misplaced block", block + good)
        block += count


@dataclass(frozen=True)
class ArchivedCopyPlan:
    """How to make an archived log of an online one: copy the bytes from ``first_byte`` to ``size_bytes``
    to the same place, then :func:`finish_archived_copy`."""

    block_zero: bytes
    first_byte: int
    size_bytes: int


def archived_copy_plan(header: LogHeader) -> ArchivedCopyPlan:
    """The plan for a log that is no longer current: nab blocks, of which block 0 does not count itself.

    Raises ValueError for a current log.
    """
    if header.next_available_block is None:
        raise ValueError(f"log {header.sequence} is current")
    nab, size = header.next_available_block, header.block_size
    return ArchivedCopyPlan(block_zero(size, nab - 1), size, nab * size)


def finish_archived_copy(copy: DiskFile, plan: ArchivedCopyPlan) -> None:
    """Write block 0 of the copy, cut it to its size and put it on stable storage."""
    copy.write_at(plan.block_zero, 0)
    copy.truncate(plan.size_bytes)
    copy.sync()


def closed(header: LogHeader, next_scn: int, next_time: Any, next_available_block: int) -> LogHeader:
    """The header of a log that stops being current."""
    return replace(
        header,
        next_scn=next_scn,
        next_time=next_time,
        next_available_block=next_available_block,
        header_write_sequence=header.header_write_sequence + 1,
    )


def reopened(header: LogHeader) -> LogHeader:
    """The header of a log that is current after all: :func:`closed` undone."""
    return replace(header, next_scn=None, next_time=None, next_available_block=None)
