# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Online redo log groups: opening their members, and what changes in them at a log switch."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.control import RedoGroup
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.storage.log_header import LogHeader, RedoCorrupt
from oracle_simulator.storage.redo_log import RedoLogFile

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


def log_header(
    instance: Instance, group: RedoGroup, sequence: int, first_scn: int, first_time: datetime
) -> LogHeader:
    """The header of a log that becomes current."""
    database = instance.control.database
    return LogHeader(
        dbid=database.dbid,
        db_name=database.name,
        thread=group.thread,
        sequence=sequence,
        group=group.group,
        size_blocks=group.size_bytes // group.block_size,
        first_scn=first_scn,
        first_time=first_time,
        block_size=group.block_size,
        resetlogs_id=database.resetlogs_id,
        resetlogs_scn=database.resetlogs_scn,
        prior_resetlogs_id=database.prior_resetlogs_id,
        prior_resetlogs_scn=database.prior_resetlogs_scn,
        enabled_scn=database.resetlogs_scn,
        activation_id=database.dbid,
        control_file_sequence=database.sequence,
    )


def close_group(group: RedoGroup, scn: int, now: datetime) -> None:
    """The group stops being current; the next log begins at ``scn``."""
    group.status = "ACTIVE"
    group.archived = False
    group.next_scn, group.next_time = scn, now


def use_group(group: RedoGroup, sequence: int, scn: int, now: datetime) -> None:
    """The group becomes current."""
    group.status = "CURRENT"
    group.sequence = sequence
    group.archived = False
    group.first_scn, group.first_time = scn, now
    group.next_scn, group.next_time = None, None


def open_members(group: RedoGroup) -> list[RedoLogFile]:
    """Open all members that can be opened. Raises ORA-00313 and ORA-00312 when none can."""
    members: list[RedoLogFile] = []
    lines: list[tuple[int, str]] = []
    for path in group.members:
        try:
            members.append(RedoLogFile.open(Path(path)))
        except OSError as exc:
            lines += [(312, f"online log {group.group} thread {group.thread}: '{path}'"), *os_lines(exc)]
        except RedoCorrupt:
            lines += [
                (312, f"online log {group.group} thread {group.thread}: '{path}'"),
                (27047, "unable to read the header block of file"),
            ]
    if members:
        return members
    text = f"open failed for members of log group {group.group} of thread {group.thread}"
    raise OracleError(313, text, *lines)
