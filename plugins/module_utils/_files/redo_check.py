# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical checks of redo log blocks.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_checker import (
    SOUND,
    BlockChecker,
    Verdict,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    BAD_CHECKSUM,
    BAD_HEADER,
    MISPLACED,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import xor_words

_REDO_BLOCK = 0x01
_WITHHELD_LIMIT = 100


class RedoChecker(BlockChecker):
    """Checks an online or archived log.

    Only blocks before ``next_available_block`` belong to the log. Without one (the log is current) the first
    block of another sequence ends it. A log may have been written without checksums: the field is then 0 in
    every block, which only :meth:`finish` can tell from damage.
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
        self._open_ended = next_available_block is None
        self._some_block_has_checksum = False
        self._withheld: list[BlockFault] = []
        self._withheld_count = 0

    def check(self, first_block: int, data: memoryview) -> list[BlockFault]:
        faults = super().check(first_block, data[: self._length_in_log(first_block, data)])
        return sorted([*faults, *self._release()], key=lambda fault: fault.block)

    def finish(self) -> list[BlockFault]:
        return self._release()

    def _length_in_log(self, first_block: int, data: memoryview) -> int:
        """Return how many bytes of the chunk hold this log's redo rather than what older logs left behind."""
        if self._end is None:
            order = ">I" if self._big_endian else "<I"
            for position in range(0, len(data), self.block_size):
                number = first_block + position // self.block_size
                if number > 1 and struct.unpack_from(order, data, position + 8)[0] != self._sequence:
                    self._end = number
                    break
            else:
                return len(data)
        return max(0, min(len(data), (self._end - first_block) * self.block_size))

    def _release(self) -> list[BlockFault]:
        """Return what was withheld once it is certain that this log is written with checksums."""
        if not self._some_block_has_checksum or not self._withheld_count:
            return []
        self.counts.without_checksum -= self._withheld_count
        self.counts.corrupt += self._withheld_count
        released, self._withheld, self._withheld_count = self._withheld, [], 0
        return released

    def _judge(self, number: int, block: memoryview) -> Verdict:
        order = ">" if self._big_endian else "<"
        kind, fmt, spare, found_number, sequence, _first_record, stored = struct.unpack_from(
            order + "BBHIIHH", block
        )
        residual = xor_words(block, self._big_endian)
        if kind != _REDO_BLOCK or fmt not in self._formats or spare:
            found, expected = BAD_HEADER, f"type 0x01, format 0x{self._formats[0]:02x} and spare bytes 0"
        elif found_number != number or sequence != self._sequence:
            found, expected = MISPLACED, f"block {number} of sequence {self._sequence}"
        elif residual:
            found, expected = BAD_CHECKSUM, f"check value 0x{stored ^ residual:04x}"
        else:
            self._some_block_has_checksum |= stored != 0
            return SOUND
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
        if found == BAD_CHECKSUM and not stored and not self._some_block_has_checksum:
            self._withheld_count += 1
            if len(self._withheld) < _WITHHELD_LIMIT:
                self._withheld.append(fault)
            return Verdict(without_checksum=True)
        return Verdict(fault=fault)

    def _sift(self, first_block: int, data: memoryview) -> list[int]:
        np = self._numpy
        raw, words, xor = self._views(data)
        number = np.arange(first_block, first_block + len(raw), dtype=np.uint32)
        sound = (raw[:, 0] == _REDO_BLOCK) & self._has_valid_format(raw) & ((raw[:, 2] | raw[:, 3]) == 0)
        sound &= (words[:, 1] == number) & (words[:, 2] == self._sequence) & (xor == 0)
        stored: Any = raw[:, 14] | raw[:, 15]
        self._some_block_has_checksum |= bool(np.any(sound & (stored != 0)))
        return [int(index) for index in np.flatnonzero(~sound)]
