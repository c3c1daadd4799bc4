# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Segments: the extents of one object, and how far they are used (the high-water mark).

The segment header is the first block of the first extent. Slot 0 holds the high-water mark, the number
of blocks in use counted through all extents, the header included; slot n is the n-th extent.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from oracle_simulator.data.plan import BlockKey, ChangePlan
from oracle_simulator.data.space import Extent, SpaceManager, extent_blocks
from oracle_simulator.errors import OracleError
from oracle_simulator.storage.block import BlockType

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

_HIGH_WATER_MARK = struct.Struct("<I")
_EXTENT = struct.Struct("<HII")


def encode_high_water_mark(blocks: int) -> bytes:
    """Contents of slot 0 of a segment header."""
    return _HIGH_WATER_MARK.pack(blocks)


def encode_extent(extent: Extent) -> bytes:
    """Contents of the slot of an extent in a segment header."""
    return _EXTENT.pack(*extent)


class Segment:
    """One segment; what it knows is read from its header when first needed. Use under the latch.

    ``name`` is only for messages, ``OWNER.TABLE``.
    """

    def __init__(
        self,
        instance: Instance,
        space: SpaceManager,
        tablespace_number: int,
        object_id: int,
        header: BlockKey,
        name: str,
    ) -> None:
        self.instance = instance
        self.tablespace_number = tablespace_number
        self.object_id = object_id
        self.header = header
        self.name = name
        self._space = space
        self._extents: list[Extent] = []
        self._high_water_mark = 0
        self._capacity = 0
        self._loaded = False

    @classmethod
    def create(
        cls,
        plan: ChangePlan,
        space: SpaceManager,
        tablespace_number: int,
        object_id: int,
        name: str,
    ) -> Segment:
        """Plan a new segment with one extent. Raises ORA-01658 when there is no room for it."""
        tablespace = space.tablespace_name(tablespace_number)
        extent = space.allocate(
            plan,
            tablespace_number,
            extent_blocks(0),
            lambda: OracleError(
                1658, f"unable to create INITIAL extent for segment in tablespace {tablespace}"
            ),
        )
        header = (extent.file_number, extent.block_number)
        segment = cls(plan.instance, space, tablespace_number, object_id, header, name)
        plan.format(header, BlockType.SEGMENT_HEADER, object_id)
        plan.put(header, 1, encode_extent(extent))
        segment._extents = [extent]
        segment._capacity = extent.blocks
        segment._high_water_mark = 1
        segment._loaded = True
        plan.involve(segment, segment.forget, segment._write_high_water_mark)
        return segment

    @property
    def extents(self) -> list[Extent]:
        """All extents, in order. Raises ORA-01578 and its like when the header cannot be read."""
        self._load()
        return self._extents

    @property
    def high_water_mark(self) -> int:
        """Blocks in use, the header included."""
        self._load()
        return self._high_water_mark

    def used_blocks(self) -> Iterator[BlockKey]:
        """The data blocks in use, in order: all below the high-water mark but the header."""
        left = self.high_water_mark
        skip = 1
        for extent in self._extents:
            for number in range(extent.block_number + skip, extent.block_number + min(extent.blocks, left)):
                yield (extent.file_number, number)
            skip = 0
            left -= extent.blocks
            if left <= 0:
                return

    def add_block(self, plan: ChangePlan) -> BlockKey:
        """Plan one more data block, formatted and empty. Raises ORA-01653 when the tablespace is full."""
        self._load()
        plan.involve(self, self.forget, self._write_high_water_mark)
        if self._high_water_mark == self._capacity:
            self._add_extent(plan)
        (key,) = self._above_high_water_mark(1)
        self._high_water_mark += 1
        plan.format(key, BlockType.TABLE, self.object_id)
        return key

    def reserve(self, plan: ChangePlan, count: int) -> list[BlockKey]:
        """Plan room for ``count`` blocks above the high-water mark, which stays where it is; the blocks in order.

        Raises ORA-01653 when the tablespace is full.
        """
        self._load()
        plan.involve(self, self.forget, self._write_high_water_mark)
        while self._capacity - self._high_water_mark < count:
            self._add_extent(plan)
        return self._above_high_water_mark(count)

    def use_reserved(self, plan: ChangePlan, count: int) -> None:
        """Plan that ``count`` blocks above the high-water mark, which somebody has filled, are in use."""
        self._load()
        plan.involve(self, self.forget, self._write_high_water_mark)
        self._high_water_mark += count

    def release(self, plan: ChangePlan) -> None:
        """Plan to give all extents back. The segment must not be used after."""
        for extent in self.extents:
            self._space.release(plan, extent)

    def forget(self) -> None:
        """Read the header again when it is next needed."""
        self._loaded = False

    def _above_high_water_mark(self, count: int) -> list[BlockKey]:
        keys: list[BlockKey] = []
        end = self._capacity
        for extent in reversed(self._extents):
            first = end - extent.blocks
            low, high = max(first, self._high_water_mark), min(end, self._high_water_mark + count)
            offset = extent.block_number - first
            keys[:0] = [(extent.file_number, offset + number) for number in range(low, high)]
            if first <= self._high_water_mark:
                return keys
            end = first
        return keys

    def _add_extent(self, plan: ChangePlan) -> None:
        blocks = extent_blocks(len(self._extents))
        tablespace = self._space.tablespace_name(self.tablespace_number)
        text = f"unable to extend table {self.name} by {blocks} in tablespace {tablespace}"
        extent = self._space.allocate(plan, self.tablespace_number, blocks, lambda: OracleError(1653, text))
        self._extents.append(extent)
        self._capacity += extent.blocks
        plan.put(self.header, len(self._extents), encode_extent(extent))

    def _write_high_water_mark(self, plan: ChangePlan) -> None:
        plan.put(self.header, 0, encode_high_water_mark(self._high_water_mark))

    def _load(self) -> None:
        if self._loaded:
            return
        block = self.instance.cache.get(*self.header).block
        if block.type != BlockType.SEGMENT_HEADER or block.object_id != self.object_id:
            text = (
                f"segment header of {self.name} (file {self.header[0]}, block {self.header[1]}) is not there"
            )
            raise OracleError(8103, "object no longer exists", (600, f"internal error code: {text}"))
        self._extents = [Extent(*_EXTENT.unpack(block.slots[slot])) for slot in sorted(block.slots) if slot]
        (self._high_water_mark,) = _HIGH_WATER_MARK.unpack(block.slots[0])
        self._capacity = sum(extent.blocks for extent in self._extents)
        self._loaded = True
