# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical checks of redo log blocks.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from array import array

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_checker import (
    SOUND,
    BlockChecker,
    Verdict,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_columns import (
    BlockColumns,
    outside,
    unequal,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BAD_CHECKSUM,
    BAD_HEADER,
    MISPLACED,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import xor_words

_REDO_BLOCK = 0x01
_REDO_TYPE = bytes((_REDO_BLOCK,))
_WITHHELD_LIMIT = 100
_WITHHELD = Verdict(without_checksum=True)


class RedoChecker(BlockChecker):
    """Checks an online or archived log.

    Only blocks before ``next_available_block`` belong to the log. Without one (the log is current) the first
    block of another sequence ends it.

    A log may have been written without checksums: the field is then 0 in every block. A wrong checksum of 0
    is therefore only an error if some other block has a right one that is not 0. What comes before the first
    such block is withheld until :meth:`finish`, which gives the first hundred of those faults.
    """

    def __init__(
        self,
        block_size: int,
        sequence: int,
        accelerator: str = "auto",
        file: str = "",
        big_endian: bool = False,
        next_available_block: int | None = None,
    ) -> None:
        super().__init__(block_size, accelerator, file, big_endian)
        self._sequence = sequence
        self._end = next_available_block
        self._header = struct.Struct(self._order + "BBHIIHH")
        self._first_with_checksum: int | None = None
        self._withheld: list[BlockFault] = []
        self._withheld_count = 0

    def finish(self) -> list[BlockFault]:
        """Return what was withheld, if the log has turned out to be written with checksums."""
        released, count = sorted(self._withheld, key=lambda fault: fault.block), self._withheld_count
        self._withheld, self._withheld_count = [], 0
        if self._first_with_checksum is None:
            return []
        self.counts.without_checksum -= count
        self.counts.corrupt += count
        return released

    def _part_of_file(self, first_block: int, data: memoryview) -> memoryview:
        """Leave out what older logs left behind this one's end."""
        if self._end is None:
            # Block 0 carries no sequence, and the one this log has comes from block 1.
            skipped = max(0, 2 - first_block)
            sequences = BlockColumns(data, self.block_size, self._big_endian).u4_at(8)[skipped:]
            foreign = unequal(sequences, self._own_sequence(len(sequences)))
            if not foreign:
                return data
            self._end = first_block + skipped + foreign[0]
        return data[: max(0, self._end - first_block) * self.block_size]

    def _own_sequence(self, count: int) -> array[int]:
        return array("I", (self._sequence,)) * count

    def _is_before_checksums(self, number: int) -> bool:
        """Tell whether no block up to this one has shown that the log is written with checksums."""
        return self._first_with_checksum is None or number < self._first_with_checksum

    def _judge(self, number: int, block: memoryview) -> Verdict:
        kind, fmt, spare, found_number, sequence, _first_record, stored = self._header.unpack_from(block)
        residual = xor_words(block, self._big_endian)
        if kind != _REDO_BLOCK or fmt not in self._formats or spare:
            found, expected = BAD_HEADER, f"type 0x01, format 0x{self._formats[0]:02x} and spare bytes 0"
        elif found_number != number or sequence != self._sequence:
            found, expected = MISPLACED, f"block {number} of sequence {self._sequence}"
        elif residual:
            found, expected = BAD_CHECKSUM, f"check value 0x{stored ^ residual:04x}"
        else:
            if stored and self._is_before_checksums(number):
                self._first_with_checksum = number
            return SOUND
        withheld = found == BAD_CHECKSUM and not stored and self._is_before_checksums(number)
        if withheld:
            self._withheld_count += 1
            if len(self._withheld) == _WITHHELD_LIMIT:
                return _WITHHELD
        fault = BlockFault(
            file=self.file,
            block=number,
            offset=number * self.block_size,
            kind=found,
            expected=expected,
            type=kind,
            format=fmt,
            rdba=found_number,
            seq=sequence,
            check_value_in_block_header=stored,
            computed_block_checksum=residual,
        )
        if withheld:
            self._withheld.append(fault)
            return _WITHHELD
        return Verdict(fault=fault)

    def _sift(self, first_block: int, columns: BlockColumns) -> list[int]:
        numbers = array("I", range(first_block, first_block + columns.count))
        failing = set(self._sweep.failing(columns.data))
        broken = {
            *outside(columns.bytes_at(0), _REDO_TYPE),
            *outside(columns.bytes_at(1), self._formats),
            *outside(columns.bytes_at(2), b"\0"),
            *outside(columns.bytes_at(3), b"\0"),
            *unequal(columns.u4_at(4), numbers),
            *unequal(columns.u4_at(8), self._own_sequence(columns.count)),
        }
        if self._first_with_checksum is None:
            with_value = {*outside(columns.bytes_at(14), b"\0"), *outside(columns.bytes_at(15), b"\0")}
            right = with_value - failing - broken
            if right:
                self._first_with_checksum = first_block + min(right)
            elif len(self._withheld) == _WITHHELD_LIMIT:
                # No more faults are kept, so these need not be judged one by one.
                more = failing - with_value - broken
                self._withheld_count += len(more)
                self.counts.without_checksum += len(more)
                failing -= more
        return sorted(failing | broken)
