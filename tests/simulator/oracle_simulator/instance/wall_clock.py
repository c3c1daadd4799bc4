# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of day as an instance sees it: the machine's, which somebody may set forward or back.

Nothing in a database is ordered by it; that is what SCNs are for. It is written beside them, in redo records,
headers and the control file, and RECOVER UNTIL TIME reads it back: recovery stops before the first record whose
time is the target or later, also when the clock was set back afterwards and later records have earlier times.
"""

from __future__ import annotations

from datetime import datetime, timedelta


class WallClock:
    """Local time, as SYSDATE has it."""

    def __init__(self) -> None:
        self._offset = timedelta()

    @property
    def offset_seconds(self) -> float:
        """How far it is from the machine's."""
        return self._offset.total_seconds()

    def jump(self, seconds: float) -> None:
        """Set it forward by ``seconds``, or back."""
        self._offset += timedelta(seconds=seconds)

    def now(self) -> datetime:
        """The time, with microseconds."""
        return datetime.now() + self._offset

    def second(self) -> datetime:
        """The time as Oracle's DATE has it, to the second."""
        return self.now().replace(microsecond=0)
