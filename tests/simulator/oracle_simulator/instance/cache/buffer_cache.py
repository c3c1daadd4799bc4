# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The buffer cache: blocks in memory, and the queue in which changed ones wait for the database writer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.buffer_pools import buffer_count, require_pool
from oracle_simulator.instance.keystore import Keystore
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.instance.open_files import OpenFile, OpenFiles
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.storage.block import examine
from oracle_simulator.storage.slotted import BodyCorrupt, SlottedBlock

BlockKey = tuple[int, int]
"""(absolute file number, block number)."""


class Buffer:
    """A block in memory.

    ``low_position`` is the redo position of its oldest change not yet on disk (None: clean),
    ``last_position`` of its newest change. ``image_scn`` is the begin-backup SCN for which the whole block
    has been logged since it came into the cache.
    """

    __slots__ = ("block", "block_number", "file_number", "image_scn", "last_position", "low_position")

    def __init__(self, file_number: int, block_number: int, block: SlottedBlock) -> None:
        self.file_number = file_number
        self.block_number = block_number
        self.block = block
        self.low_position: int | None = None
        self.last_position = 0
        self.image_scn = 0

    @property
    def dirty(self) -> bool:
        """Whether the block on disk is older."""
        return self.low_position is not None

    @property
    def key(self) -> BlockKey:
        return (self.file_number, self.block_number)


class BufferCache:
    """Blocks by (file number, block number). Use under the latch of the instance only.

    Blocks of all sizes stand in one list, as many as the pools of all sizes hold together; a size without
    a pool has no place in it (ORA-00379).

    A buffer may be evicted as soon as the latch is released: get it again rather than keep it.
    ``dirty`` is the checkpoint queue, in order of first change; ``in_flight`` holds, per block the
    database writer is writing now, the low position that write will make obsolete.
    """

    def __init__(self, files: OpenFiles, parameters: Parameters, keystore: Keystore) -> None:
        self._files = files
        self._keystore = keystore
        self._parameters = parameters
        self._capacity = max(buffer_count(parameters), 64)
        self._buffers: OrderedDict[BlockKey, Buffer] = OrderedDict()
        self.dirty: OrderedDict[BlockKey, Buffer] = OrderedDict()
        self.in_flight: dict[BlockKey, int] = {}

    def __len__(self) -> int:
        return len(self._buffers)

    def get(self, file_number: int, block_number: int) -> Buffer:
        """The buffer of a block, read from its file when it is not in memory.

        Raises ORA-01578 with ORA-01110 (and ORA-26040: never logged) for a block that is not sound, ORA-00376
        for a file that is not online, ORA-01115 when reading fails, ORA-00379 when blocks of its size have no buffers,
        ORA-28365 when they are encrypted and the keystore is closed.
        """
        key = (file_number, block_number)
        buffer = self._buffers.get(key)
        if buffer is not None:
            self._buffers.move_to_end(key)
            return buffer
        file = self._files.get(file_number)
        require_pool(self._parameters, file.block_size)
        return self._admit(Buffer(file_number, block_number, self._read(file, block_number)))

    def get_for_format(self, file_number: int, block_number: int) -> Buffer:
        """As :meth:`get`, for a block about to be formatted: what is on disk does not matter."""
        key = (file_number, block_number)
        buffer = self._buffers.get(key)
        if buffer is not None:
            self._buffers.move_to_end(key)
            return buffer
        file = self._files.get(file_number)
        require_pool(self._parameters, file.block_size)
        self._keystore.require_key(file.record)
        return self._admit(Buffer(file_number, block_number, SlottedBlock()))

    def changed(self, buffer: Buffer, first_position: int, last_position: int) -> None:
        """Note that redo at these positions changed ``buffer``."""
        buffer.last_position = last_position
        if buffer.low_position is None:
            buffer.low_position = first_position
            self.dirty[buffer.key] = buffer

    def low_position(self, file_numbers: frozenset[int] | None = None) -> int | None:
        """The oldest redo position whose change may not be on disk (of these files); None: all are."""
        queued = (
            buffer.low_position
            for key, buffer in self.dirty.items()
            if not file_numbers or key[0] in file_numbers
        )
        first = next((position for position in queued if position is not None), None)
        flying = [low for key, low in self.in_flight.items() if not file_numbers or key[0] in file_numbers]
        return min((low for low in (first, *flying) if low is not None), default=None)

    def forget_file(self, file_number: int) -> None:
        """Drop every buffer of a file, changed ones too (it goes offline or away)."""
        for key in [key for key in self._buffers if key[0] == file_number]:
            del self._buffers[key]
            self.dirty.pop(key, None)

    def forget_blocks(self, keys: Iterable[BlockKey]) -> None:
        """Drop buffers of blocks that were written past the cache; none of them is dirty."""
        for key in keys:
            self._buffers.pop(key, None)

    def _read(self, file: OpenFile, block_number: int) -> SlottedBlock:
        raw = file.read_block(block_number)
        more = [datafile_line(file.record)]
        if examine(raw, file.rdba(block_number)) is None:
            try:
                block = self._keystore.unseal(file, raw)
                if not block.marked_corrupt:
                    return block
                if block.never_logged:
                    more.append((26040, "Data block was loaded using the NOLOGGING option"))
            except BodyCorrupt:
                pass  # as corrupt as a bad checksum: the same error for both, below
        raise OracleError(
            1578,
            f"ORACLE data block corrupted (file # {file.record.file_number}, block # {block_number})",
            *more,
        )

    def _admit(self, buffer: Buffer) -> Buffer:
        self._buffers[buffer.key] = buffer
        if len(self._buffers) > self._capacity:
            self._evict(buffer)
        return buffer

    def _evict(self, newest: Buffer) -> None:
        surplus = len(self._buffers) - self._capacity
        victims: list[BlockKey] = []
        for key, buffer in self._buffers.items():
            if surplus == len(victims):
                break
            if not buffer.dirty and key not in self.in_flight and buffer is not newest:
                victims.append(key)
        for key in victims:
            del self._buffers[key]
