# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a fault is for: a file number, a kind of file, or a pattern, as the patterns of file faults."""

from __future__ import annotations

import glob
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archive_destinations import destinations

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


def patterns(instance: Instance, choice: str) -> list[str]:
    """Shell patterns of whole paths for a choice:

    ``4`` the datafile of that number; ``control`` every control file, ``control:1`` the first;
    ``redo`` every online log, ``redo:2`` the members of group 2, ``redo:current`` those of the current group;
    ``archive`` every local archive destination, ``archive:1`` that of LOG_ARCHIVE_DEST_1; anything else is a
    pattern itself. Raises ORA-01507 for numbers and redo before mount, ORA-01516 when there is no such file.
    """
    kind, _colon, which = choice.partition(":")
    if choice.isdigit():
        found = [file.path for file in instance.control.datafiles if file.file_number == int(choice)]
    elif kind == "control":
        paths = [str(path) for path in instance.parameters.control_files]
        found = paths[int(which) - 1 : int(which)] if which else paths
    elif kind == "redo":
        groups = instance.control.redo_groups
        found = [
            member
            for group in groups
            if not which or which == str(group.group) or (which == "current" and group.status == "CURRENT")
            for member in group.members
        ]
    elif kind == "archive":
        used = destinations(instance.parameters, instance.home)
        area = instance.parameters.get("db_recovery_file_dest")
        return [
            f"{glob.escape(area if destination.in_recovery_area else str(destination.file('')))}*"
            for destination in used
            if not which or which == str(destination.dest_id)
        ]
    else:
        return [choice]
    if not found:
        raise OracleError(1516, f'nonexistent log file, data file, or temporary file "{choice}"')
    return [glob.escape(path) for path in found]
