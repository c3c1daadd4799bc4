# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The redo of a new database: threads, their log groups, and the online logs as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from oracle_simulator.data.definition import RedoThreadDefinition
from oracle_simulator.instance.control_file.control import ControlState, RedoGroup, ThreadRecord
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.redo.thread_states import instance_name
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.log_header import LogHeader
from oracle_simulator.storage.redo_log import RedoLogFile

_BLOCK_SIZE = 512


def redo_thread_records(
    home: Home, threads: Sequence[RedoThreadDefinition], checkpoint: Checkpoint
) -> list[ThreadRecord]:
    """The control file's records of the threads, all closed; ``checkpoint`` is that of the first one."""
    return [
        ThreadRecord(
            thread=number,
            enabled=thread.enabled,
            instance=instance_name(home.sid, number),
            sequence=1 if thread.enabled != "DISABLED" else 0,
            checkpoint=replace(checkpoint, thread=number),
            last_redo_scn=checkpoint.scn,
            last_redo_time=checkpoint.time,
        )
        for number, thread in enumerate(threads, start=1)
    ]


def redo_group_records(
    home: Home, threads: Sequence[RedoThreadDefinition], first_scn: int, now: datetime
) -> list[RedoGroup]:
    """The log groups, numbered through all threads; the first of each enabled thread is current."""
    groups: list[RedoGroup] = []
    for number, thread in enumerate(threads, start=1):
        size = thread.size_bytes // _BLOCK_SIZE * _BLOCK_SIZE
        first = len(groups) + 1
        for group in range(first, first + thread.groups):
            groups.append(RedoGroup(group, number, size, _members(home, group, thread.members), _BLOCK_SIZE))
        if thread.enabled != "DISABLED":
            current = groups[first - 1]
            current.sequence, current.status, current.archived = 1, "CURRENT", False
            current.first_scn, current.first_time, current.next_scn = first_scn, now, None
    return groups


def _members(home: Home, group: int, count: int) -> list[str]:
    letters = [""] if count == 1 else [chr(ord("a") + member) for member in range(count)]
    return [str(home.redo_folder / f"redo{group:02d}{letter}.log") for letter in letters]


def create_redo_logs(control: ControlState) -> None:
    """Make the online logs: the current ones are empty, the others have never been used."""
    database = control.database
    for group in control.redo_groups:
        for member in group.members:
            log = RedoLogFile.create(member, group.size_bytes // group.block_size, group.block_size)
            if group.status == "CURRENT":
                log.write_header(
                    LogHeader(
                        dbid=database.dbid,
                        db_name=database.name,
                        thread=group.thread,
                        sequence=group.sequence,
                        group=group.group,
                        size_blocks=group.size_bytes // group.block_size,
                        first_scn=group.first_scn,
                        first_time=group.first_time,
                        block_size=group.block_size,
                        resetlogs_id=database.resetlogs_id,
                        resetlogs_scn=database.resetlogs_scn,
                        enabled_scn=database.resetlogs_scn,
                        activation_id=database.dbid,
                        control_file_sequence=database.sequence,
                    )
                )
            log.close()
