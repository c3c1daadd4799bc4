# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The alert log: what the instance tells its administrator."""

from __future__ import annotations

import threading
from pathlib import Path

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.wall_clock import WallClock


class AlertLog:
    """Appends to ``alert_<SID>.log`` in the form of 12.2 and later: an ISO time line, then the message."""

    def __init__(self, path: Path, clock: WallClock) -> None:
        self.path = path
        self._clock = clock
        self._lock = threading.Lock()

    def write(self, *lines: str) -> None:
        """One entry. A full disk must not stop a database, so failing to write is no error here."""
        stamp = self._clock.now().astimezone().isoformat(timespec="microseconds")
        text = "\n".join((stamp, *lines)) + "\n"
        with self._lock:
            try:
                with self.path.open("a", encoding="utf-8") as stream:
                    stream.write(text)
            except OSError:
                return

    def error(self, error: OracleError, context: str = "") -> None:
        """An error stack, with a line before it saying where it came from."""
        self.write(*([context] if context else []), *error.lines)
