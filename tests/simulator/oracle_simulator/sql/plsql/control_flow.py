# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves a loop or a routine before its end."""

from __future__ import annotations

from typing import Any


class Leave(Exception):
    """EXIT or CONTINUE."""

    def __init__(self, label: str | None, continues: bool) -> None:
        super().__init__()
        self.label = label
        self.continues = continues


class Returned(Exception):
    """RETURN."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value
