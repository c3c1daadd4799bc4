# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block checksum: all 16-bit words of a block, the stored checksum included, XOR to zero.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Literal

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
