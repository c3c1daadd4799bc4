# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log switches and archiving as statements ask for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiver import archive_now

if TYPE_CHECKING:
    from oracle_simulator.instance.control import RedoGroup
    from oracle_simulator.instance.instance import Instance

Cancelled = Callable[[], bool] | None


def switch_logfile(instance: Instance, cancelled: Cancelled = None) -> int:
    """ALTER SYSTEM SWITCH LOGFILE: in the caller's redo thread; returns the sequence that was closed, not
    waiting for its archiving.

    Waits while no other group is free. Raises ORA-01109 unless open read write, ORA-01013, ORA-01092.
    """
    with instance.latch:
        instance.require_open_read_write()
        writer = instance.redo.writer
        sequence = writer.request_switch()
    instance.wait_for(lambda: _switched_past(instance, writer.redo_thread, sequence), cancelled)
    return sequence


def _switched_past(instance: Instance, thread: int, sequence: int) -> bool:
    return instance.control.thread_record(thread).sequence > sequence


def archive_log_current(instance: Instance, cancelled: Cancelled = None, to: str | None = None) -> int:
    """ALTER SYSTEM ARCHIVE LOG CURRENT: switch, then wait until every log up to there is archived.

    Whether that means every destination or those that are required is one of the readings. ``to`` is a
    folder for the log just closed. Returns the sequence that was current. Raises ORA-00258 in NOARCHIVELOG mode, and as
    :func:`switch_logfile`. A stuck archiver lets it wait for ever, as on Oracle.
    """
    instance.require_open_read_write()
    _require_archivelog(instance)
    sequence = switch_logfile(instance, cancelled)
    if to is not None:
        with instance.latch:
            groups = [group for group in instance.archiver.unarchived() if group.sequence == sequence]
        archive_now(instance, groups, cancelled, to)
    instance.wait_for(lambda: _archived_through(instance, sequence), cancelled)
    return sequence


def archive_log_all(instance: Instance, cancelled: Cancelled = None, to: str | None = None) -> None:
    """ALTER SYSTEM ARCHIVE LOG ALL: archive every full group, without a switch; also when only mounted.

    Raises ORA-00271 when there is nothing to do, ORA-00258, ORA-01507, ORA-16038.
    """
    _archive(instance, lambda groups: groups, cancelled, to)


def archive_log_next(instance: Instance, cancelled: Cancelled = None, to: str | None = None) -> None:
    """ALTER SYSTEM ARCHIVE LOG NEXT: the oldest full group. Raises as :func:`archive_log_all`."""
    _archive(instance, lambda groups: groups[:1], cancelled, to)


def archive_log_sequence(
    instance: Instance, sequence: int, cancelled: Cancelled = None, to: str | None = None
) -> None:
    """ALTER SYSTEM ARCHIVE LOG SEQUENCE n. Raises ORA-00259 for the current log of an open thread,
    ORA-16013 when no online log of that sequence needs archiving."""
    with instance.latch:
        control = instance.control
        group = next((group for group in control.redo_groups if group.sequence == sequence), None)
        if group is None or group.archived:
            raise OracleError(16013, f"log sequence# {sequence} does not need archiving")
        if group.status == "CURRENT":
            place = f"log {group.group} of open instance {instance.home.sid} (thread 1)"
            text = f"{place} is the current log, cannot archive"
            raise OracleError(259, text)
    archive_now(instance, [group], cancelled, to)


def _archive(
    instance: Instance,
    choose: Callable[[list[RedoGroup]], list[RedoGroup]],
    cancelled: Cancelled,
    to: str | None,
) -> None:
    with instance.latch:
        instance.require_mounted()
        _require_archivelog(instance)
        groups = choose(instance.archiver.unarchived())
    if not groups:
        raise OracleError(271, "there are no logs that need archiving")
    archive_now(instance, groups, cancelled, to)


def _archived_through(instance: Instance, sequence: int) -> bool:
    closed = [group for group in instance.control.redo_groups if 0 < group.sequence <= sequence]
    if instance.readings.archive_current_awaits_optional:
        return all(group.archived for group in closed)
    return all(group.archived or instance.archiver.required_copies_made(group) for group in closed)


def _require_archivelog(instance: Instance) -> None:
    if instance.control.database.log_mode != "ARCHIVELOG":
        raise OracleError(258, "manual archiving in NOARCHIVELOG mode must identify log")
