# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Heap tables: rows in the blocks of a segment, found by rowid.

A rowid is an integer: absolute file number << 48 | block number << 16 | slot. A row that outgrows its block
moves, and then has another rowid; one larger than any block is chained (``row_pieces``). Ten percent of a block
are kept free for rows that grow (PCTFREE 10).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oracle_simulator.data import row_pieces
from oracle_simulator.data.plan import BlockKey, ChangePlan, Room
from oracle_simulator.data.segment import Segment
from oracle_simulator.errors import OracleError
from oracle_simulator.storage.block import TAIL_SIZE
from oracle_simulator.storage.slotted import DIRECTORY_OFFSET, MAX_SLOT, SLOT_OVERHEAD, SlottedBlock
from oracle_simulator.storage.values import MAX_TAG

_REOPEN_SHARE = 0.4
_PCTFREE = 0.1


def make_rowid(file_number: int, block_number: int, slot: int) -> int:
    """The rowid of a slot."""
    return file_number << 48 | block_number << 16 | slot


def split_rowid(rowid: int) -> tuple[int, int, int]:
    """(file number, block number, slot) of a rowid."""
    return rowid >> 48, (rowid >> 16) & 0xFFFFFFFF, rowid & 0xFFFF


class Heap:
    """The rows of one segment. Use under the latch; rows are bytes of ``storage.values``."""

    def __init__(self, segment: Segment, block_size: int) -> None:
        self.segment = segment
        self._instance = segment.instance
        self._usable = block_size - DIRECTORY_OFFSET - TAIL_SIZE
        self._block_size = block_size
        self._reserve = int(self._usable * _PCTFREE)
        # Blocks that probably have room, the best one last. Only a hint: the block itself decides.
        self._open: list[BlockKey] | None = None
        self._open_set: set[BlockKey] = set()
        self._empty: list[BlockKey] = []

    @property
    def object_id(self) -> int:
        return self.segment.object_id

    def scan(self) -> Iterator[tuple[int, bytes]]:
        """All rows with their rowids. Hold the latch throughout for a consistent picture."""
        for key in self.segment.used_blocks():
            block = self._instance.cache.get(*key).block
            base = make_rowid(*key, 0)
            for slot, row in list(block.slots.items()):
                if row[0] <= MAX_TAG:
                    yield base | slot, row
                elif not row_pieces.is_continuation(row):
                    yield base | slot, self._whole(row)

    def fetch(self, rowid: int) -> bytes | None:
        """One row, None if there is none with this rowid."""
        row = self._slot(rowid)
        if row is None or row_pieces.is_continuation(row):
            return None
        return self._whole(row)

    def _slot(self, rowid: int) -> bytes | None:
        file_number, block_number, slot = split_rowid(rowid)
        return self._instance.cache.get(file_number, block_number).block.slots.get(slot)

    def _whole(self, slot: bytes) -> bytes:
        """The row that begins in a slot."""
        head = row_pieces.head_of(slot)
        if head is None:
            return slot
        return head.data + b"".join(data for _rowid, data in row_pieces.follow(head, self._slot))

    def insert(self, plan: ChangePlan, row: bytes) -> int:
        """Plan a new row; its rowid."""
        return self.insert_many(plan, (row,))[0]

    def insert_many(self, plan: ChangePlan, rows: Sequence[bytes]) -> list[int]:
        """Plan new rows; their rowids in the same order.

        Raises ORA-01653 when the tablespace is full.
        """
        if self._open is None:
            self._find_open_blocks()
        rowids = []
        reserve = self._reserve
        key, room, base = self._insertion_block(plan)
        for row in rows:
            need = len(row) + SLOT_OVERHEAD
            if need > self._usable:
                row = self._chain(plan, row)
                need = len(row) + SLOT_OVERHEAD
            # A row that would not even fit an empty block with its reserve may use the reserve.
            while room.free - need < reserve and not (need + reserve > self._usable and need <= room.free):
                self._close(key)
                key, room, base = self._insertion_block(plan)
            slot = room.next_slot
            plan.put(key, slot, row)
            room.next_slot = slot + 1
            room.free -= need
            rowids.append(base | slot)
            if slot >= MAX_SLOT:
                self._close(key)
                key, room, base = self._insertion_block(plan)
        return rowids

    def pack(self, rows: Sequence[bytes]) -> list[list[bytes]] | None:
        """The rows in the order of new blocks, each as full as PCTFREE lets it be; None when one of them is
        larger than a block."""
        blocks: list[list[bytes]] = []
        free = 0
        for row in rows:
            need = len(row) + SLOT_OVERHEAD
            if need > self._usable:
                return None
            if not blocks or free - need < self._reserve or len(blocks[-1]) > MAX_SLOT:
                blocks.append([])
                free = self._usable
            blocks[-1].append(row)
            free -= need
        return blocks

    def update(self, plan: ChangePlan, rowid: int, row: bytes) -> int:
        """Plan new contents of a row; its rowid afterwards, another one if the row had to move."""
        file_number, block_number, slot = split_rowid(rowid)
        key = (file_number, block_number)
        room = self._room(plan, key)
        present = self._present(key, slot)
        growth = len(row) - len(present)
        if growth <= room.free:
            self._remove_pieces(plan, present)
            plan.put(key, slot, row)
            room.free -= growth
            return rowid
        self.delete(plan, rowid)
        return self.insert(plan, row)

    def delete(self, plan: ChangePlan, rowid: int) -> None:
        """Plan the end of a row."""
        file_number, block_number, slot = split_rowid(rowid)
        self._remove_pieces(plan, self._present((file_number, block_number), slot))
        self._remove_slot(plan, (file_number, block_number), slot)

    def _remove_pieces(self, plan: ChangePlan, row: bytes) -> None:
        """Plan the end of the pieces behind a row's own slot."""
        head = row_pieces.head_of(row)
        for rowid, _data in row_pieces.follow(head, self._slot) if head is not None else ():
            file_number, block_number, slot = split_rowid(rowid)
            self._remove_slot(plan, (file_number, block_number), slot)

    def _remove_slot(self, plan: ChangePlan, key: BlockKey, slot: int) -> None:
        room = self._room(plan, key)
        plan.remove(key, slot)
        room.free += len(self._present(key, slot)) + SLOT_OVERHEAD
        if room.free == self._usable:
            self._empty.append(key)
        if self._open is not None and key not in self._open_set and room.free > self._usable * _REOPEN_SHARE:
            self._open.insert(0, key)
            self._open_set.add(key)

    def _chain(self, plan: ChangePlan, row: bytes) -> bytes:
        """Plan all of a row but its head piece: full blocks, the last one first. The head piece is what is
        left, and small."""
        size = self._usable - SLOT_OVERHEAD - row_pieces.PIECE_OVERHEAD
        start = len(row) % size
        next_rowid = 0
        for end in range(len(row), start, -size):
            key = self._empty_block(plan)
            room = self._room(plan, key)
            plan.put(key, room.next_slot, row_pieces.continuation(row[end - size : end], next_rowid))
            next_rowid = make_rowid(*key, room.next_slot)
            room.next_slot += 1
            room.free = 0
        return row_pieces.head(row[:start], next_rowid)

    def _empty_block(self, plan: ChangePlan) -> BlockKey:
        """A block for a piece that fills it: one that rows have left, else a new one."""
        while self._empty:
            key = self._empty.pop()
            room = self._room(plan, key)
            if room.free == self._usable and room.next_slot <= MAX_SLOT:
                plan.involve(self, self.forget)
                return key
        key = self.segment.add_block(plan)
        plan.involve(self, self.forget)
        plan.room[key] = Room(self._usable, 0)
        return key

    def forget(self) -> None:
        """Look for free space in the blocks again when it is next needed."""
        self._open = None
        self._open_set.clear()
        self._empty.clear()

    def _present(self, key: BlockKey, slot: int) -> bytes:
        row = self._instance.cache.get(*key).block.slots.get(slot)
        if row is None:
            raise OracleError(1410, "invalid ROWID")
        return row

    def _room(self, plan: ChangePlan, key: BlockKey) -> Room:
        room = plan.room.get(key)
        if room is None:
            block = self._instance.cache.get(*key).block
            room = plan.room[key] = Room(block.free_bytes(self._block_size), _next_slot(block))
        return room

    def _insertion_block(self, plan: ChangePlan) -> tuple[BlockKey, Room, int]:
        """The block to try next: an open one, else a new one."""
        open_blocks = self._open
        assert open_blocks is not None
        if open_blocks:
            key = open_blocks[-1]
            room = self._room(plan, key)
            if room.next_slot <= MAX_SLOT:
                return key, room, make_rowid(*key, 0)
            self._close(key)
            return self._insertion_block(plan)
        key = self.segment.add_block(plan)
        plan.involve(self, self.forget)
        room = plan.room[key] = Room(self._usable, 0)
        open_blocks.append(key)
        self._open_set.add(key)
        return key, room, make_rowid(*key, 0)

    def _close(self, key: BlockKey) -> None:
        assert self._open is not None
        if self._open[-1] == key:
            self._open.pop()
        else:
            self._open.remove(key)
        self._open_set.discard(key)

    def _find_open_blocks(self) -> None:
        least = self._usable * _REOPEN_SHARE
        cache = self._instance.cache
        keys = list(self.segment.used_blocks())
        self._open = [key for key in keys if self._usable - cache.get(*key).block.used_bytes > least]
        if keys and keys[-1] not in self._open:
            self._open.append(keys[-1])
        self._open_set = set(self._open)
        self._empty = [key for key in self._open if not cache.get(*key).block.slots]


def _next_slot(block: SlottedBlock) -> int:
    """A slot number above all in use, so that rowids are not soon given to other rows; else the lowest free."""
    if not block.slots:
        return 0
    highest = max(block.slots)
    if highest < MAX_SLOT:
        return highest + 1
    return next((slot for slot in range(MAX_SLOT) if slot not in block.slots), MAX_SLOT + 1)
