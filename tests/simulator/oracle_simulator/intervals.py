# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""INTERVAL YEAR TO MONTH, which Python has no type for (INTERVAL DAY TO SECOND is ``timedelta``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class IntervalYM:
    """A number of months, negative for the other direction."""

    total: int

    @property
    def years(self) -> int:
        """Whole years, with the sign of the interval."""
        return -(-self.total // 12) if self.total < 0 else self.total // 12

    @property
    def months(self) -> int:
        """Months beyond the years, with the sign of the interval."""
        return self.total - 12 * self.years

    def __str__(self) -> str:
        sign = "-" if self.total < 0 else "+"
        return f"{sign}{abs(self.years):02d}-{abs(self.months):02d}"
