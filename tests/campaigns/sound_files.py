# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether files are sound, read from their bytes alone: no code of the instance is asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np

_HEADER_SIZE = 20
_CHECKSUM_SET = 4


def datafile_problems(path: Path, block_size: int = 8192) -> list[str]:
    """Every block but block 0: its address, its checksum (XOR of all words is 0) and its tail."""
    data = np.fromfile(path, dtype=np.uint8)
    if len(data) % block_size or not len(data):
        return [f"{path}: {len(data)} bytes are no whole number of blocks"]
    blocks = data.reshape(-1, block_size)[1:]
    words = blocks.view("<u4")
    numbers = np.arange(1, len(blocks) + 1, dtype="<u4")
    used = blocks[:, 0] != 0
    wrong = (words[:, 1] & 0x3FFFFF) != numbers
    wrong |= np.bitwise_xor.reduce(blocks.view("<u2"), axis=1) != 0
    wrong |= (blocks[:, 15] & _CHECKSUM_SET) == 0
    # The tail repeats the low half of the SCN, the type and the sequence number.
    expected = (words[:, 2] & 0xFFFF) << 16 | blocks[:, 0].astype("<u4") << 8 | blocks[:, 14]
    wrong |= used & (words[:, -1] != expected)
    return [f"{path}: block {number} is not sound" for number in numbers[wrong][:5]]


def archived_log_problems(path: Path, blocks: int, block_size: int = 512) -> list[str]:
    """Its size is that of ``blocks`` blocks and block 0; every block has its number and its checksum."""
    data = np.fromfile(path, dtype=np.uint8)
    if len(data) != (blocks + 1) * block_size:
        return [f"{path}: {len(data)} bytes instead of {(blocks + 1) * block_size}"]
    rows = data.reshape(-1, block_size)[1:]
    wrong = rows.view("<u4")[:, 1] != np.arange(1, len(rows) + 1, dtype="<u4")
    wrong |= np.bitwise_xor.reduce(rows.view("<u2"), axis=1) != 0
    return [f"{path}: block {number} is not sound" for number in np.flatnonzero(wrong)[:5] + 1]
