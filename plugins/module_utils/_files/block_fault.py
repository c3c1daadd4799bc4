# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be wrong with a block, in the words dbv uses, and the counters of a check.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ALL_ZERO = "all_zero"
BAD_HEADER = "bad_header"
MISPLACED = "misplaced"
FRACTURED = "fractured"
BAD_CHECKSUM = "bad_checksum"
SOFT_CORRUPT = "soft_corrupt"

_DBV_TEXT = {
    ALL_ZERO: "Completely zero block found",
    BAD_HEADER: "Bad header found",
    MISPLACED: "Bad header found",
    FRACTURED: "Fractured block found",
    BAD_CHECKSUM: "Bad check value found",
    SOFT_CORRUPT: "already marked corrupt",
}


@dataclass(frozen=True)
class BlockFault:
    """One bad block. ``offset`` is in bytes from the start of the file; ``kind`` is a constant above.

    ``expected`` names the first rule that was broken. The remaining fields are what dbv prints for a bad
    page; for a redo block, ``rdba`` is the block number and ``seq`` the log sequence it carries, and there is
    no tail. They are None where the block has no such field. ``computed_block_checksum`` is the residual: 0
    means a right checksum.
    """

    file: str
    block: int
    offset: int
    kind: str
    expected: str
    type: int | None = None
    format: int | None = None
    rdba: int | None = None
    last_change_scn: int | None = None
    seq: int | None = None
    flg: int | None = None
    spare1: int | None = None
    spare2: int | None = None
    spare3: int | None = None
    consistency_value_in_tail: int | None = None
    check_value_in_block_header: int | None = None
    computed_block_checksum: int | None = None

    @property
    def text(self) -> str:
        """The sentence dbv prints for this kind of fault."""
        return _DBV_TEXT[self.kind]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for a result, a journal or a manifest."""
        known = {name: value for name, value in dataclasses.asdict(self).items() if value is not None}
        return {**known, "text": self.text}


def block_runs(faults: Iterable[BlockFault]) -> list[list[int | str]]:
    """Bad blocks in short: ``[first, last, kind]`` for every run of neighbours with the same fault."""
    runs: list[list[Any]] = []
    for fault in faults:
        if runs and runs[-1][1] == fault.block - 1 and runs[-1][2] == fault.kind:
            runs[-1][1] = fault.block
        else:
            runs.append([fault.block, fault.block, fault.kind])
    return runs


@dataclass
class BlockCounts:
    """dbv's summary, one verdict per block. Block 0 is no page of the database, so it is not ``examined``.

    ``influx`` blocks (fractured) are counted in ``corrupt`` too, as dbv does. ``empty`` and
    ``without_checksum`` count sound blocks only. ``soft_corrupt`` blocks were marked by the database itself
    and are no error of a copy.
    """

    examined: int = 0
    empty: int = 0
    without_checksum: int = 0
    influx: int = 0
    corrupt: int = 0
    soft_corrupt: int = 0

    @property
    def faults(self) -> int:
        """All blocks for which a :class:`BlockFault` was given, block 0 included."""
        return self.corrupt + self.soft_corrupt

    def add(self, other: BlockCounts) -> None:
        """Add what was counted elsewhere in the same file."""
        for field in dataclasses.fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))

    def add_fault(self, kind: str, change: int = 1) -> None:
        if kind == SOFT_CORRUPT:
            self.soft_corrupt += change
            return
        self.corrupt += change
        if kind == FRACTURED:
            self.influx += change
