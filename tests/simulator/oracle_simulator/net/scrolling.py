# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scrollable cursors: a result that can be read again from any of its rows."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterator, Sequence
from typing import Any


class Orientation(enum.IntEnum):
    """Where to fetch from. Clients work out relative positions themselves and send the row's number."""

    CURRENT = 0x01
    NEXT = 0x02
    FIRST = 0x04
    LAST = 0x08
    PRIOR = 0x10
    ABSOLUTE = 0x20
    RELATIVE = 0x40


class ScrollableRows:
    """All rows of one execution."""

    def __init__(self, rows: Sequence[Sequence[Any]]) -> None:
        self._rows = rows

    def move(self, orientation: int, position: int) -> int:
        """The number of rows before the one to fetch next. ``position`` counts from 1; one outside the result
        leaves nothing to fetch."""
        if orientation == Orientation.FIRST:
            return 0
        if orientation == Orientation.LAST:
            return max(len(self._rows) - 1, 0)
        return min(max(position - 1, 0), len(self._rows)) if position > 0 else len(self._rows)

    def rows_from(self, before: int) -> Iterator[Sequence[Any]]:
        """The rows behind the first ``before``."""
        return itertools.islice(self._rows, before, None)
