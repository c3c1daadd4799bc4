# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far an instance can be up."""

from __future__ import annotations

import enum


class InstanceState(enum.Enum):
    """How far the instance is up. CLOSING lasts from an orderly shutdown's first act to its last."""

    SHUTDOWN = "SHUTDOWN"
    STARTED = "STARTED"
    MOUNTED = "MOUNTED"
    OPEN_READ_ONLY = "OPEN READ ONLY"
    OPEN = "OPEN"
    CLOSING = "CLOSING"
