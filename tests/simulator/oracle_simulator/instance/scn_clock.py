# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system change number: the clock by which everything in a database is ordered."""

from __future__ import annotations


class ScnClock:
    """Hands out SCNs. Every use is under the latch of the instance, so it has no lock of its own."""

    def __init__(self, scn: int = 0) -> None:
        self._scn = scn

    def current(self) -> int:
        """The last SCN handed out (``V$DATABASE.CURRENT_SCN``): redo written later has a higher one."""
        return self._scn

    def next(self) -> int:
        """A new SCN."""
        self._scn += 1
        return self._scn

    def advance_to(self, scn: int) -> None:
        """Make sure that :meth:`next` gives more than ``scn``; never goes back."""
        self._scn = max(self._scn, scn)
