# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What whole numbers may be: a value that means nothing is refused, never taken for another one. Pure.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError


@dataclass(frozen=True)
class Limit:
    """A range, both ends included; only multiples of ``step``. ``zero`` says what 0 means where that is special."""

    lowest: int
    highest: int | None = None
    step: int = 1
    zero: str = ""

    def allows(self, value: int) -> bool:
        return (
            value >= self.lowest
            and (self.highest is None or value <= self.highest)
            and value % self.step == 0
        )

    def __str__(self) -> str:
        if self.step > 1:
            return f"a multiple of {self.step}, at most {self.highest}"
        if self.highest is not None:
            return f"{self.lowest} to {self.highest}"
        return f"0 ({self.zero}) or more" if self.zero else f"at least {self.lowest}"

    def require(self, option: str, value: int) -> None:
        """Raises PreconditionError naming the option, its value and what it may be."""
        if not self.allows(value):
            raise PreconditionError(f"Option {option} is {value}; it must be {self}.")


NO_LIMIT_AT_ZERO = Limit(0, zero="no limit")
NOT_NEGATIVE = Limit(0)
POSITIVE = Limit(1)
DBID = Limit(1, (1 << 32) - 1)
SCN = Limit(1, (1 << 64) - 1)
FILE_NUMBER = POSITIVE
PORT = Limit(1, 65535)
