# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Direct-path INSERT without redo: new blocks above the high-water mark, which the commit then moves.

Whether a direct-path load is logged is decided as on Oracle (SQL Reference, logging_clause): FORCE LOGGING of
the database or the tablespace has the last word; without ARCHIVELOG nothing is logged; else the table's own
attribute counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from oracle_simulator.data.heap import Heap, make_rowid
from oracle_simulator.data.plan import BlockKey, Cancelled, ChangePlan, make_change
from oracle_simulator.instance.cache.unlogged import write_unlogged
from oracle_simulator.storage.block import BlockType
from oracle_simulator.storage.redo_record import UnloggedBlocks
from oracle_simulator.storage.slotted import SlottedBlock

if TYPE_CHECKING:
    from oracle_simulator.data.dictionary import Dictionary
    from oracle_simulator.data.tables import Table


def is_unlogged(dictionary: Dictionary, table: Table) -> bool:
    """Whether a direct-path load of this table writes no redo; hold the latch."""
    database = dictionary.instance.control.database
    tablespace = dictionary.tablespace_rows.find(number=table.tablespace_number)
    if database.force_logging or (tablespace is not None and tablespace.force_logging):
        return False
    return database.log_mode != "ARCHIVELOG" or not table.logging


class DirectLoad:
    """Rows of one table that are in their blocks, on disk, but not in the table before its commit."""

    def __init__(self, heap: Heap, rowids: list[int], blocks: int, ranges: list[UnloggedBlocks]) -> None:
        self.rowids = rowids
        self._heap = heap
        self._blocks = blocks
        self._ranges = ranges

    @property
    def file_numbers(self) -> set[int]:
        """The files that were written to."""
        return {written.file_number for written in self._ranges}

    @classmethod
    def write(
        cls, heap: Heap, rows: Sequence[bytes], cancelled: Cancelled | None = None
    ) -> DirectLoad | None:
        """Write rows to disk; None, with nothing done, for rows that don't fit a block each.

        The table must be locked; call without the latch. Extents allocated for a load that then fails stay
        with the segment. Raises ORA-01653, and as ``write_unlogged``.
        """
        packed = heap.pack(rows)
        if packed is None:
            return None
        segment = heap.segment

        def reserve(plan: ChangePlan) -> list[BlockKey]:
            return segment.reserve(plan, len(packed))

        keys, _commit = make_change(segment.instance, reserve, cancelled)
        blocks = [
            SlottedBlock(BlockType.TABLE, segment.object_id, slots=dict(enumerate(rows_of_block)))
            for rows_of_block in packed
        ]
        ranges = write_unlogged(segment.instance, keys, blocks, cancelled)
        rowids = [
            make_rowid(*key, slot)
            for key, rows_of_block in zip(keys, packed, strict=True)
            for slot in range(len(rows_of_block))
        ]
        return cls(heap, rowids, len(packed), ranges)

    def plan(self, plan: ChangePlan) -> None:
        """Plan that the blocks belong to the table: the high-water mark, and the redo that knows no rows."""
        self._heap.segment.use_reserved(plan, self._blocks)
        plan.markers.extend(self._ranges)
