# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copies of datafiles as a DBA makes them, and what recovery needs to know of a database."""

from __future__ import annotations

from pathlib import Path

from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.headers import inspect_headers

from .conftest import Lab


def hot_copy(lab: Lab, tablespace: str = "USERS") -> Path:
    """A copy in backup mode, with changes before, during and after."""
    lab.fill(20, "before")
    backup_mode.begin_tablespace(lab.instance, tablespace)
    lab.fill(20, "during")
    copy = lab.copy(lab.file(tablespace))
    lab.fill(20, "during too")
    backup_mode.end_tablespace(lab.instance, tablespace)
    return copy


def whole_copy(lab: Lab) -> dict[int, Path]:
    """Hot copies of all files, in backup mode, with changes going on."""
    backup_mode.begin_database(lab.instance)
    copies = {}
    for record in lab.all_files:
        lab.fill(3, f"while file {record.file_number} is copied")
        copies[record.file_number] = lab.copy(record)
    backup_mode.end_database(lab.instance)
    return copies


def restore_all(lab: Lab, copies: dict[int, Path]) -> None:
    for record in lab.all_files:
        lab.restore(record, copies[record.file_number])


def archived(lab: Lab) -> list[Path]:
    return sorted(Path(log.name) for log in lab.instance.control.archived_logs if log.name)


def needing(lab: Lab) -> list[DatafileRecord]:
    return [facts.record for facts in inspect_headers(lab.instance) if facts.needs_recovery]
