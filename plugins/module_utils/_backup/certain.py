# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Say that a value cannot be None, and be told at once if it is.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from typing import TypeVar

Value = TypeVar("Value")


def certain(value: Value | None, what: str) -> Value:
    """Return ``value``; raises ValueError naming ``what`` if it is None, which is a defect of ours."""
    if value is None:
        raise ValueError(f"{what} is missing")
    return value
