# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all block checkers share: taking a file in order, in pieces of whole blocks, and counting verdicts.

The sound blocks of a piece are recognised all at once; only doubtful ones are judged one by one. numpy, where
there is one, finds the wrong checksums faster; nothing else depends on it.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_columns import BlockColumns
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    ALL_ZERO,
    BAD_CHECKSUM,
    BAD_HEADER,
    BlockCounts,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_zero import (
    MAGIC_BIG,
    MAGIC_LITTLE,
    acceptable_format_bytes,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import (
    checksum_sweep,
    xor_words,
)


@dataclass(frozen=True)
class Verdict:
    """``fault`` is None for a sound block; only a sound one can be empty or without checksum."""

    fault: BlockFault | None = None
    empty: bool = False
    without_checksum: bool = False


SOUND = Verdict()


class BlockChecker:
    """What the checkers share: block 0, telling doubtful blocks from sound ones, counting, a second look."""

    def __init__(self, block_size: int, accelerator: str, file: str, big_endian: bool) -> None:
        self.block_size = block_size
        self.file = file
        self.counts = BlockCounts()
        self._sweep = checksum_sweep(block_size, accelerator)
        self._big_endian = big_endian
        self._order = ">" if big_endian else "<"
        self._formats = bytes(acceptable_format_bytes(block_size))
        self._zeros = bytes(block_size)

    @property
    def accelerator(self) -> str:
        """``numpy`` or ``none``."""
        return self._sweep.accelerator

    def check(self, first_block: int, data: memoryview) -> list[BlockFault]:
        """Check the blocks in ``data``, the first of which is number ``first_block``; return the bad ones.

        How a file is cut into pieces changes nothing, as long as they come in order. Raises ValueError if
        ``data`` is not a whole number of blocks.
        """
        if len(data) % self.block_size:
            raise ValueError(f"{len(data)} bytes are not whole blocks of {self.block_size} bytes")
        data = self._part_of_file(first_block, data)
        verdicts = []
        if first_block == 0 and data:
            verdicts.append(self._judge_block_zero(0, data[: self.block_size]))
            first_block, data = 1, data[self.block_size :]
        columns = BlockColumns(data, self.block_size, self._big_endian)
        self.counts.examined += columns.count
        for index in self._sift(first_block, columns):
            start = index * self.block_size
            verdicts.append(self._judge(first_block + index, data[start : start + self.block_size]))
        for verdict in verdicts:
            self._count(verdict)
        return [verdict.fault for verdict in verdicts if verdict.fault is not None]

    def recheck(self, fault: BlockFault, block: memoryview) -> BlockFault | None:
        """Judge a bad block that was read again; the new verdict replaces the old one in the counts."""
        self.counts.add_fault(fault.kind, -1)
        judge = self._judge if fault.block else self._judge_block_zero
        verdict = judge(fault.block, block)
        self._count(verdict)
        return verdict.fault

    def finish(self) -> list[BlockFault]:
        """Return the faults that only the whole file could show. To be called once, at the end."""
        return []

    def _part_of_file(self, _first_block: int, data: memoryview) -> memoryview:
        """Return the part of a piece that is to be checked."""
        return data

    def _sift(self, first_block: int, columns: BlockColumns) -> list[int]:
        """Count the blocks that are sound beyond doubt; return the indexes of all others, in order."""
        raise NotImplementedError

    def _judge(self, number: int, block: memoryview) -> Verdict:
        raise NotImplementedError

    def _count(self, verdict: Verdict) -> None:
        if verdict.fault is not None:
            self.counts.add_fault(verdict.fault.kind)
        self.counts.empty += verdict.empty
        self.counts.without_checksum += verdict.without_checksum

    def _is_all_zero(self, block: memoryview) -> bool:
        # As bytes they are compared as fast as memory is read; memoryviews compare item by item.
        return block[1] == 0 and block.tobytes() == self._zeros

    def _all_zero(self, number: int) -> Verdict:
        offset = number * self.block_size
        expected = "a block that is not all zero"
        return Verdict(
            fault=BlockFault(file=self.file, block=number, offset=offset, kind=ALL_ZERO, expected=expected)
        )

    def _judge_block_zero(self, number: int, block: memoryview) -> Verdict:
        if self._is_all_zero(block):
            return self._all_zero(number)
        (stored,) = struct.unpack_from(self._order + "H", block, 16)
        (size,) = struct.unpack_from(self._order + "I", block, 20)
        residual = xor_words(block, self._big_endian)
        magic = MAGIC_BIG if self._big_endian else MAGIC_LITTLE
        if block[0] or block[1] not in self._formats or size != self.block_size or block[28:32] != magic:
            kind = BAD_HEADER
            expected = f"type 0, format 0x{self._formats[0]:02x}, size {self.block_size} and the magic number"
        elif residual:
            kind, expected = BAD_CHECKSUM, f"check value 0x{stored ^ residual:04x}"
        else:
            return SOUND
        return Verdict(
            fault=BlockFault(
                file=self.file,
                block=number,
                offset=0,
                kind=kind,
                expected=expected,
                type=block[0],
                format=block[1],
                check_value_in_block_header=stored,
                computed_block_checksum=residual,
            )
        )
