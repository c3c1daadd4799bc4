# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on which Oracle's behaviour is not verified: which reading the instance follows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Readings:
    """One switch per unverified point; the product must be right under every combination.

    ``wrong_log_ends_recovery``: after ORA-00310 (and its like) the recovery session is gone.
    ``end_backup_of_datafile_when_open``: ALTER DATABASE DATAFILE ... END BACKUP works on an open database.
    """

    wrong_log_ends_recovery: bool = False
    end_backup_of_datafile_when_open: bool = True
