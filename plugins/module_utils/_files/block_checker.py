# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all block checkers share: taking a file in order, in chunks of whole blocks, and counting verdicts.

With numpy the sound blocks of a chunk are recognised all at once and only doubtful ones are judged one by
one; without it every block is judged. The judging code is the same, so both give the same verdicts and
counts.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

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
    load_accelerator,
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
    """What the checkers share: splitting a chunk, block 0, counting, and taking a verdict back."""

    def __init__(self, block_size: int, accelerator: str, file: str, big_endian: bool) -> None:
        self.block_size = block_size
        self.file = file
        self.counts = BlockCounts()
        self._numpy: Any = load_accelerator(accelerator)
        self._big_endian = big_endian
        self._formats = acceptable_format_bytes(block_size)
        self._zeros = bytes(block_size)

    @property
    def accelerator(self) -> str:
        """``numpy`` or ``none``."""
        return "none" if self._numpy is None else "numpy"

    def check(self, first_block: int, data: memoryview) -> list[BlockFault]:
        """Check the blocks in ``data``, the first of which is number ``first_block``; return the bad ones.

        Raises ValueError if ``data`` is not a whole number of blocks.
        """
        count, rest = divmod(len(data), self.block_size)
        if rest:
            raise ValueError(f"{len(data)} bytes are not whole blocks of {self.block_size} bytes")
        faults = []
        if first_block == 0 and count:
            verdict = self._judge_block_zero(0, data[: self.block_size])
            self._count(verdict)
            if verdict.fault is not None:
                faults.append(verdict.fault)
            data, first_block, count = data[self.block_size :], 1, count - 1
        self.counts.examined += count
        doubtful: Iterable[int] = (
            range(count) if self._numpy is None or not count else self._sift(first_block, data)
        )
        for index in doubtful:
            block = data[index * self.block_size : (index + 1) * self.block_size]
            verdict = self._judge(first_block + index, block)
            self._count(verdict)
            if verdict.fault is not None:
                faults.append(verdict.fault)
        return faults

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

    def _sift(self, first_block: int, data: memoryview) -> list[int]:
        """Count the blocks that are sound beyond doubt; return the indexes of all others."""
        raise NotImplementedError

    def _judge(self, number: int, block: memoryview) -> Verdict:
        raise NotImplementedError

    def _count(self, verdict: Verdict) -> None:
        if verdict.fault is not None:
            self.counts.add_fault(verdict.fault.kind)
        self.counts.empty += verdict.empty
        self.counts.without_checksum += verdict.without_checksum

    def _judge_block_zero(self, number: int, block: memoryview) -> Verdict:
        order = ">" if self._big_endian else "<"
        (size,) = struct.unpack_from(order + "I", block, 20)
        (stored,) = struct.unpack_from(order + "H", block, 16)
        residual = xor_words(block, self._big_endian)
        magic = MAGIC_BIG if self._big_endian else MAGIC_LITTLE
        if block == self._zeros:
            kind, expected = ALL_ZERO, "a block that is not all zero"
        elif block[0] or block[1] not in self._formats or size != self.block_size or block[28:32] != magic:
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

    def _views(self, data: memoryview) -> tuple[Any, Any, Any]:
        """Return the blocks as bytes, as words in the file's byte order, and each block's XOR."""
        np = self._numpy
        raw = np.frombuffer(data, dtype=np.uint8).reshape(-1, self.block_size)
        words = raw.view(">u4" if self._big_endian else "<u4")
        # Zero is zero in either byte order, so the machine's own words do.
        wide = np.bitwise_xor.reduce(raw.view(np.uint32), axis=1)
        return raw, words, (wide >> 16) ^ (wide & 0xFFFF)

    def _has_valid_format(self, raw: Any) -> Any:
        valid = raw[:, 1] == self._formats[0]
        for other in self._formats[1:]:
            valid |= raw[:, 1] == other
        return valid
