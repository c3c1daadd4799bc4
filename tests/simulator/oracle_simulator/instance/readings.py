# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Points on which Oracle's behaviour is not verified: which reading the instance follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True)
class Readings:
    """One switch per unverified point; the product must be right under every combination.

    ``wrong_log_ends_recovery``: after ORA-00310 (and its like) the recovery session is gone.
    ``minor_errors_have_a_heading``: ORA-00284 stands above an error after which the recovery session goes on.
    ``recovery_pauses_at_its_end``: a recovery that needs no more log stops with ORA-00288 before its last
    checkpoint and wants RECOVER CONTINUE.
    ``snapshot_time_is_enabled``: the database may use SNAPSHOT TIME (without it, ORA-19840).
    ``end_backup_of_datafile_when_open``: ALTER DATABASE DATAFILE ... END BACKUP works on an open database.
    ``partial_end_backup_is_an_error``: ORA-01260, a warning, reaches the client of END BACKUP as an error.
    ``archive_current_awaits_optional``: ARCHIVE LOG CURRENT returns when every destination, optional ones
    too, has its copy or has failed; without it, when the required ones have theirs.
    ``begin_backup_covers_closed_pluggables``: ALTER DATABASE BEGIN BACKUP in the root marks the files of closed
    pluggable databases, too.
    ``pluggable_closes_in_backup_mode``: a pluggable database closes although files of it are in backup mode.
    ``closed_thread_is_trusted``: recovery with a backup control file does not ask for logs of a redo thread
    that was closed before the files' checkpoint, by that control file.
    ``unknown_sequence_is_named``: when the control file cannot tell which log of a thread holds a change,
    recovery asks for "sequence #0"; without it, ORA-00280 is left out.
    ``current_scn_when_closed_is_null``: V$DATABASE.CURRENT_SCN of a database that is not open; else it is 0.
    ``standby_begin_backup``: the error of BEGIN BACKUP on a physical standby: 16000, 1109 or 1666.
    ``close_abort_checkpoints``: CLOSE ABORT of a pluggable database writes its files; without it they need
    recovery.
    ``wallet_view_in_nomount``: V$ENCRYPTION_WALLET can be read in NOMOUNT; without it, ORA-01507.
    ``moves_datafile_in_backup_mode``: ALTER DATABASE MOVE DATAFILE works on a file in backup mode, whose name then
    changes under whoever copies it; without it, ORA-01150.
    """

    wrong_log_ends_recovery: bool = False
    minor_errors_have_a_heading: bool = False
    recovery_pauses_at_its_end: bool = False
    snapshot_time_is_enabled: bool = True
    end_backup_of_datafile_when_open: bool = True
    partial_end_backup_is_an_error: bool = True
    archive_current_awaits_optional: bool = False
    current_scn_when_closed_is_null: bool = False
    standby_begin_backup: int = 16000
    begin_backup_covers_closed_pluggables: bool = False
    pluggable_closes_in_backup_mode: bool = False
    closed_thread_is_trusted: bool = False
    unknown_sequence_is_named: bool = False
    close_abort_checkpoints: bool = False
    moves_datafile_in_backup_mode: bool = True
    wallet_view_in_nomount: bool = True

    def chosen(self, choices: Iterable[str]) -> Readings:
        """These readings with some taken otherwise.

        :param choices: texts ``name=value``, as the command line and the parameter file have them.
        :raises ValueError: no such reading, or no such value of it.
        """
        defaults = {field.name: field.default for field in fields(self)}
        changes: dict[str, bool | int | str] = {}
        for choice in choices:
            name, _equals, text = choice.partition("=")
            if name not in defaults:
                raise ValueError(f"no reading {name!r}; known are {', '.join(sorted(defaults))}")
            changes[name] = _value_like(defaults[name], text)
        return replace(self, **changes)  # type: ignore[arg-type]  # each value is of its field's type


def _value_like(default: object, text: str) -> bool | int | str:
    if isinstance(default, bool):
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text.lower() == "true"
    return int(text) if isinstance(default, int) else text
