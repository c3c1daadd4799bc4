# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block checksum: all 16-bit words of a block, the stored checksum included, XOR to zero.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import importlib
import struct
from types import ModuleType
from typing import Any, Literal, Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError


def xor_words(block: bytes | memoryview, big_endian: bool = False) -> int:
    """Return the XOR of the 16-bit words of ``block``: what dbv prints as the computed block checksum.

    0 means the checksum is right. The length of ``block`` is a power of two, at least 4 bytes.
    """
    # XOR is associative, so the block is folded in halves as one wide integer: about 1 ns per byte.
    half = len(block) // 2
    order: Literal["little", "big"] = "big" if big_endian else "little"
    folded = int.from_bytes(block[:half], order) ^ int.from_bytes(block[half:], order)
    bits = half * 8
    while bits > 16:
        bits //= 2
        folded = (folded >> bits) ^ (folded & ((1 << bits) - 1))
    return folded


def load_accelerator(wanted: str) -> ModuleType | None:
    """Return numpy, or None for the standard-library path; both give the same verdicts.

    ``wanted``: ``auto`` (numpy if it is installed), ``numpy`` or ``none``. Raises BackupError if numpy is
    demanded and missing, ValueError for any other word.
    """
    if wanted not in ("auto", "numpy", "none"):
        raise ValueError(f"unknown accelerator {wanted!r}")
    if wanted == "none":
        return None
    try:
        return importlib.import_module("numpy")
    except ImportError as exc:
        if wanted == "numpy":
            raise BackupError(f"Failed to load the accelerator numpy: {exc}.") from exc
        return None


class ChecksumSweep(Protocol):
    """Tests the checksums of many blocks of one size at once."""

    accelerator: str

    def failing(self, data: memoryview) -> list[int]:
        """Return the indexes of the blocks in ``data`` (whole blocks) whose words do not XOR to zero."""


def checksum_sweep(block_size: int, accelerator: str) -> ChecksumSweep:
    """Return the fastest sweep there is; all find the same. Raises as :func:`load_accelerator`."""
    numpy = load_accelerator(accelerator)
    return _PlainSweep(block_size) if numpy is None else _NumpySweep(block_size, numpy)


class _PlainSweep:
    """With the standard library alone: blocks are XORed as wide integers, a batch of them at a time.

    Nearly all of the time goes into ``int.from_bytes``, which costs the same for every byte, so each byte is
    converted once and all else is kept off the single block. A block is cut into slices of one lane; the
    first slices of all blocks of the batch become one integer, the second slices another, and so on. XORed,
    they leave one lane per block, and all lanes are folded to 16 bits together. Each block keeps its own
    residual: errors of two blocks cannot cancel.
    """

    accelerator = "none"
    # Few enough to stay in a processor's cache, enough to make the cost of a step small: measured.
    _BATCH_BYTES = 256 * 1024

    def __init__(self, block_size: int) -> None:
        self._block_size = block_size
        # Short slices are dear to cut, long lanes to fold: measured, 64 bytes for 512 to 1024 for 32K.
        self._lane = max(min(256, block_size // 8), block_size // 32)
        self._slices_per_block = block_size // self._lane
        self._layouts: dict[int, tuple[struct.Struct, int]] = {}

    def failing(self, data: memoryview) -> list[int]:
        found = []
        for start in range(0, len(data), self._BATCH_BYTES):
            batch = data[start : start + self._BATCH_BYTES]
            lanes = self._fold(batch)
            if lanes:
                raw = lanes.to_bytes(len(batch) // self._block_size * self._lane, "little")
                residuals = zip(raw[:: self._lane], raw[1 :: self._lane])
                first = start // self._block_size
                found += [first + index for index, (low, high) in enumerate(residuals) if low or high]
        return found

    def _fold(self, batch: memoryview) -> int:
        """Return one lane per block, zero but for the block's residual in the lowest 16 bits."""
        cut, residuals = self._layout(len(batch) // self._block_size)
        slices = cut.unpack(batch)
        folded = 0
        for place in range(self._slices_per_block):
            folded ^= int.from_bytes(b"".join(slices[place :: self._slices_per_block]), "little")
        # What the next lane shifts into the upper half of a lane never gets down to its lowest 16 bits.
        bits = self._lane * 8
        while bits > 16:
            bits //= 2
            folded ^= folded >> bits
        return folded & residuals

    def _layout(self, blocks: int) -> tuple[struct.Struct, int]:
        """Return what cuts a batch of so many blocks into slices, and the mask of the residuals in its lanes."""
        if blocks not in self._layouts:
            cut = struct.Struct(f"{self._lane}s" * (blocks * self._slices_per_block))
            mask = int.from_bytes((b"\xff\xff" + bytes(self._lane - 2)) * blocks, "little")
            self._layouts[blocks] = cut, mask
        return self._layouts[blocks]


class _NumpySweep:
    """With numpy: at about the speed of memory."""

    accelerator = "numpy"

    def __init__(self, block_size: int, numpy: Any) -> None:
        self._words_per_block = block_size // 8
        self._numpy = numpy

    def failing(self, data: memoryview) -> list[int]:
        np = self._numpy
        words = np.frombuffer(data, dtype=np.uint64).reshape(-1, self._words_per_block)
        folded = np.bitwise_xor.reduce(words, axis=1)
        folded ^= folded >> 32
        folded ^= folded >> 16
        indexes: list[int] = np.flatnonzero(folded & 0xFFFF).tolist()
        return indexes
