# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DBMS_OUTPUT's buffer: lines that a session's blocks have written and its client may fetch."""

from __future__ import annotations

from collections import deque


class OutputBuffer:
    """Nothing is kept before it is enabled."""

    def __init__(self) -> None:
        self._enabled = False
        self._lines: deque[str] = deque()
        self._unfinished = ""

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        """Forget everything."""
        self._enabled = False
        self._lines.clear()
        self._unfinished = ""

    def put(self, text: str) -> None:
        if self._enabled:
            self._unfinished += text

    def new_line(self) -> None:
        if self._enabled:
            self._lines.append(self._unfinished)
            self._unfinished = ""

    def take(self, most: int) -> list[str]:
        """The oldest lines, ``most`` of them at most."""
        return [self._lines.popleft() for _ignored in range(min(most, len(self._lines)))]
