# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Free space in datafiles: bitmaps of 8-block units, extents, and files that grow by themselves.

Layout of a datafile: block 1 header, 2 space header, 3 to 127 bitmap blocks, extents from 128 on. A slot of
a bitmap block holds the bits of 512 units; a slot that is missing, and a bitmap block never used, are all
free. Extent sizes follow what Oracle's AUTOALLOCATE does: 64 KiB, then 1 MiB, then 8 MiB (for 8K blocks).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from oracle_simulator.data.plan import ChangePlan
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.messages import datafile_line, os_lines
from oracle_simulator.storage.block import BlockType
from oracle_simulator.storage.redo_record import FileResized

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance

UNIT_BLOCKS = 8
FIRST_EXTENT_BLOCK = 128
SPACE_HEADER_BLOCK = 2
FIRST_BITMAP_BLOCK = 3
PIECE_UNITS = 512
PIECE_BYTES = PIECE_UNITS // 8
MIN_FILE_BLOCKS = FIRST_EXTENT_BLOCK + UNIT_BLOCKS - 1
_EXTENT_STEPS = ((16, 8), (16 + 63, 128))
_LARGE_EXTENT = 1024
_SPACE_HEADER = struct.Struct("<IIII")


class Extent(NamedTuple):
    """A run of blocks of one segment."""

    file_number: int
    block_number: int
    blocks: int


@dataclass(frozen=True)
class Autoextend:
    """How a file grows by itself: increment and largest size, in blocks."""

    increment_blocks: int
    max_blocks: int


def extent_blocks(extents_present: int) -> int:
    """Size of the next extent of a segment that has ``extents_present`` of them."""
    for count, blocks in _EXTENT_STEPS:
        if extents_present < count:
            return blocks
    return _LARGE_EXTENT


def units_in(file_blocks: int) -> int:
    """Whole units in a file of ``file_blocks`` blocks (block 0 not counted)."""
    return max(0, (file_blocks + 1 - FIRST_EXTENT_BLOCK) // UNIT_BLOCKS)


def pieces_per_block(block_size: int) -> int:
    """How many bitmap slots of 512 units a bitmap block has."""
    return (block_size - 64) // (PIECE_BYTES + 4)


def bitmap_piece(units: bytes | bytearray) -> bytes:
    """The 64 bytes of a bitmap slot from up to 512 bytes 0 or 1."""
    return (
        np.packbits(np.frombuffer(units, dtype=np.uint8), bitorder="little")
        .tobytes()
        .ljust(PIECE_BYTES, b"\0")
    )


def space_header(relative_file_number: int, file_blocks: int) -> bytes:
    """Slot 0 of block 2: relative file number, blocks per unit, size when the file was made, first extent."""
    return _SPACE_HEADER.pack(relative_file_number, UNIT_BLOCKS, file_blocks, FIRST_EXTENT_BLOCK)


class FileSpace:
    """The bitmap of one datafile in memory, one byte per unit."""

    def __init__(self, instance: Instance, file_number: int) -> None:
        self._instance = instance
        self.file_number = file_number
        file = instance.files.get(file_number)
        self._per_block = pieces_per_block(file.block_size)
        self._units = bytearray(units_in(file.record.blocks))
        self._formatted: set[int] = set()
        self._load()

    @property
    def free_units(self) -> int:
        """Units no segment uses."""
        return self._units.count(0)

    @property
    def used_end_block(self) -> int:
        """The first block behind all extents."""
        return FIRST_EXTENT_BLOCK + (self._units.rfind(1) + 1) * UNIT_BLOCKS

    def resized(self, file_blocks: int) -> None:
        """Follow a change of the size of the file. Cutting off used units is the caller's error."""
        units = units_in(file_blocks)
        if units < len(self._units):
            del self._units[units:]
        else:
            self._units.extend(bytes(units - len(self._units)))

    def take(self, plan: ChangePlan, blocks: int) -> Extent | None:
        """Allocate a run of ``blocks`` blocks; None when there is none."""
        count = -(-blocks // UNIT_BLOCKS)
        first = self._units.find(bytes(count))
        if first < 0:
            return None
        self._set(plan, first, count, 1)
        return Extent(self.file_number, FIRST_EXTENT_BLOCK + first * UNIT_BLOCKS, count * UNIT_BLOCKS)

    def give_back(self, plan: ChangePlan, extent: Extent) -> None:
        """Free an extent."""
        first = (extent.block_number - FIRST_EXTENT_BLOCK) // UNIT_BLOCKS
        self._set(plan, first, extent.blocks // UNIT_BLOCKS, 0)

    def _set(self, plan: ChangePlan, first: int, count: int, value: int) -> None:
        self._units[first : first + count] = bytes((value,)) * count
        for piece in range(first // PIECE_UNITS, (first + count - 1) // PIECE_UNITS + 1):
            index, slot = divmod(piece, self._per_block)
            key = (self.file_number, FIRST_BITMAP_BLOCK + index)
            if index not in self._formatted:
                plan.format(key, BlockType.BITMAP, 0)
                self._formatted.add(index)
            start = piece * PIECE_UNITS
            plan.put(key, slot, bitmap_piece(self._units[start : start + PIECE_UNITS]))

    def _load(self) -> None:
        units_per_block = self._per_block * PIECE_UNITS
        for index in range(-(-len(self._units) // units_per_block)):
            block = self._instance.cache.get(self.file_number, FIRST_BITMAP_BLOCK + index).block
            if block.type != BlockType.BITMAP:
                continue
            self._formatted.add(index)
            for slot, piece in block.slots.items():
                start = (index * self._per_block + slot) * PIECE_UNITS
                bits = np.unpackbits(np.frombuffer(piece, dtype=np.uint8), bitorder="little")
                end = min(start + PIECE_UNITS, len(self._units))
                self._units[start:end] = bits[: end - start].tobytes()


class SpaceManager:
    """Allocates extents in the tablespaces of a container. ``autoextend`` is kept by the dictionary: file number
    to limits."""

    def __init__(self, instance: Instance, con_id: int) -> None:
        self._instance = instance
        self._con_id = con_id
        self.autoextend: dict[int, Autoextend] = {}
        self._files: dict[int, FileSpace] = {}
        self._last_file: dict[int, int] = {}

    def file_space(self, file_number: int) -> FileSpace:
        """The bitmap of a file, read from its blocks on first use."""
        space = self._files.get(file_number)
        if space is None:
            space = self._files[file_number] = FileSpace(self._instance, file_number)
        return space

    def forget(self, file_number: int) -> None:
        """Read the bitmap again when it is next needed."""
        self._files.pop(file_number, None)

    def tablespace_name(self, number: int) -> str:
        """The name of a tablespace of this container; empty when there is none of that number."""
        tablespace = self._instance.control.tablespace(number, self._con_id)
        return tablespace.name if tablespace else ""

    def allocate(
        self, plan: ChangePlan, tablespace_number: int, blocks: int, failure: Callable[[], OracleError]
    ) -> Extent:
        """An extent in one of the files of the tablespace, in turn; a file grows if it must and may.

        Raises what ``failure`` makes (ORA-01653 and its like) when no file has room.
        """
        control = self._instance.control
        files = [
            record.file_number
            for record in control.datafiles_in(tablespace_number, self._con_id)
            if record.online and record.enabled == "READ WRITE"
        ]
        last = self._last_file.get(tablespace_number, 0)
        in_turn = [number for number in files if number > last] + [
            number for number in files if number <= last
        ]
        for grow in (False, True):
            for number in in_turn:
                extent = self._allocate_in(plan, number, blocks, grow)
                if extent is not None:
                    self._last_file[tablespace_number] = number
                    return extent
        raise failure()

    def release(self, plan: ChangePlan, extent: Extent) -> None:
        """Free an extent."""
        space = self.file_space(extent.file_number)
        plan.involve(space, lambda: self.forget(extent.file_number))
        space.give_back(plan, extent)

    def grow(self, plan: ChangePlan, file_number: int, blocks: int) -> None:
        """Make a file larger: physically at once, in redo with the plan.

        If the plan fails the file stays larger than the control file says, which harms nobody. Raises
        ORA-01237 when the operating system refuses.
        """
        file = self._instance.files.get(file_number)
        before = file.record.blocks
        try:
            file.datafile.resize(blocks)
        except OSError as exc:
            text = f"cannot extend datafile {file_number}"
            raise OracleError(1237, text, datafile_line(file.record), *os_lines(exc)) from exc
        self.plan_size(plan, file_number, blocks)

        def forget() -> None:
            file.record.blocks = before

        file.record.blocks = blocks
        plan.involve(file, forget)

    def plan_size(self, plan: ChangePlan, file_number: int, blocks: int) -> None:
        """Plan another size of a file: bitmap in memory, and redo. Raises ORA-03297 when used blocks would be
        cut off."""
        space = self.file_space(file_number)
        if blocks + 1 < space.used_end_block:
            raise OracleError(3297, "file contains used data beyond requested RESIZE value")
        plan.involve(space, lambda: self.forget(file_number))
        space.resized(blocks)
        plan.markers.append(FileResized(file_number, blocks))

    def _allocate_in(self, plan: ChangePlan, file_number: int, blocks: int, grow: bool) -> Extent | None:
        space = self.file_space(file_number)
        plan.involve(space, lambda: self.forget(file_number))
        if not grow:
            return space.take(plan, blocks)
        limits = self.autoextend.get(file_number)
        present = self._instance.files.get(file_number).record.blocks
        if limits is None or present >= limits.max_blocks:
            return None
        wanted = min(present + max(limits.increment_blocks, blocks + UNIT_BLOCKS), limits.max_blocks)
        self.grow(plan, file_number, wanted)
        return space.take(plan, blocks)
