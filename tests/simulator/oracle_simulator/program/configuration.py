# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the server process is told through files of its home, beside Oracle's own parameters."""

from __future__ import annotations

ARCHIVER_DELAY = "_simulator_archiver_delay"
"""Parameter: seconds an archiver takes for one log, as on a slow disk."""

VOLATILE_WRITES = "_simulator_volatile_writes"
"""Parameter: TRUE keeps what is needed to take back, after a crash, all that was not synced."""

READINGS = "_simulator_readings"
"""Parameter: readings of unverified points that differ from the default, each ``name=value``."""
