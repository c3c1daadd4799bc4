# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Log switches and archiving as statements ask for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archiver import ArchiveFailed, archive_now
from oracle_simulator.instance.recovery.resetlogs import online_log_to_archive
from oracle_simulator.instance.redo.redo_groups import member_lines
from oracle_simulator.instance.redo.thread_states import instance_name, switch_closed_thread

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import RedoGroup
    from oracle_simulator.instance.instance import Instance

Cancelled = Callable[[], bool] | None


def switch_logfile(instance: Instance, cancelled: Cancelled = None) -> int:
    """ALTER SYSTEM SWITCH LOGFILE: in the caller's redo thread; returns the sequence that was closed, not
    waiting for its archiving.

    Waits while no other group is free. Raises ORA-01109 unless open read write, ORA-01013, ORA-01092.
    """
    with instance.latch:
        instance.require_open_read_write()
        number = instance.redo.writer.redo_thread
    return _switch(instance, [number], cancelled)[number]


def switch_all_logfiles(instance: Instance, cancelled: Cancelled = None) -> None:
    """ALTER SYSTEM SWITCH ALL LOGFILE: in every open thread. Raises as :func:`switch_logfile`."""
    with instance.latch:
        instance.require_open_read_write()
        numbers = [writer.redo_thread for writer in instance.redo.writers]
    _switch(instance, numbers, cancelled)


def _switch(instance: Instance, threads: Sequence[int], cancelled: Cancelled) -> dict[int, int]:
    """Switch logs in these threads; returns the sequence that each closed."""
    with instance.latch:
        writers = [(number, instance.redo.find_writer(number)) for number in threads]
        ended = {number: writer.request_switch() for number, writer in writers if writer is not None}

    def all_switched() -> bool:
        records = [(instance.control.thread_record(number), last) for number, last in ended.items()]
        # A thread closed meanwhile has ended its log as far as redo goes; whoever waits for more asks again.
        return all(record.sequence > last or record.status == "CLOSED" for record, last in records)

    for number, writer in writers:
        if writer is None:
            ended[number] = switch_closed_thread(instance, number)
    instance.wait_for(all_switched, cancelled)
    return ended


def archive_log_current(
    instance: Instance, cancelled: Cancelled = None, to: str | None = None, thread: int | None = None
) -> int:
    """ALTER SYSTEM ARCHIVE LOG CURRENT: switch logs in all enabled threads, closed ones too, or in one of
    them (INSTANCE); then wait until every log of these up to there is archived.

    Whether that means every destination or those that are required is one of the readings. ``to`` is a
    folder for the logs just closed. Returns the sequence that was current in the caller's thread. Raises
    ORA-00258 in NOARCHIVELOG mode, ORA-00262 when a closed thread has no log to switch to, and as
    :func:`switch_logfile`. A stuck archiver lets it wait for ever, as on Oracle.
    """
    with instance.latch:
        instance.require_open_read_write()
        _require_archivelog(instance)
        own = instance.redo.writer.redo_thread
        enabled = [record.thread for record in instance.control.threads if record.enabled != "DISABLED"]
    ended = _switch(instance, enabled if thread is None else [thread], cancelled)
    if to is not None:
        with instance.latch:
            waiting = instance.archiver.unarchived()
            groups = [group for group in waiting if ended.get(group.thread) == group.sequence]
        archive_now(instance, groups, cancelled, to)
    instance.wait_for(lambda: _archived_through(instance, ended), cancelled)
    return ended.get(own, 0)


def archive_log_noswitch(instance: Instance, to: str | None = None) -> None:
    """ALTER SYSTEM ARCHIVE LOG CURRENT NOSWITCH: the current logs as far as they are written, of a mounted database.

    Raises ORA-00258, ORA-01507, ORA-16038, ORA-03001 for an open database, which Oracle would close for it.
    """
    instance.require_mounted()
    _require_archivelog(instance)
    if instance.is_open:
        raise OracleError(3001, "unimplemented feature (ARCHIVE LOG CURRENT NOSWITCH of an open database)")
    for group in [group for group in instance.control.redo_groups if group.status == "CURRENT"]:
        found = online_log_to_archive(instance, group)
        if found is None:
            raise OracleError(
                16038,
                f"log {group.group} sequence# {group.sequence} cannot be archived",
                *member_lines(group),
            )
        try:
            instance.archiver.archive_log(*found, "FGRD", to)
        except ArchiveFailed as exc:
            raise exc.error from exc


def archive_log_all(
    instance: Instance, cancelled: Cancelled = None, to: str | None = None, thread: int | None = None
) -> None:
    """ALTER SYSTEM ARCHIVE LOG ALL: archive every full group, without a switch; also when only mounted.

    Raises ORA-00271 when there is nothing to do (ORA-00263 in one thread), ORA-00258, ORA-01507, ORA-16038.
    """
    _archive(instance, lambda groups: groups, cancelled, to, thread)


def archive_log_next(
    instance: Instance, cancelled: Cancelled = None, to: str | None = None, thread: int | None = None
) -> None:
    """ALTER SYSTEM ARCHIVE LOG NEXT: the oldest full group. Raises as :func:`archive_log_all`."""
    _archive(instance, lambda groups: groups[:1], cancelled, to, thread)


def archive_log_sequence(
    instance: Instance, sequence: int, cancelled: Cancelled = None, to: str | None = None, thread: int = 1
) -> None:
    """ALTER SYSTEM ARCHIVE LOG SEQUENCE n, of one thread. Raises ORA-00260 when no online log has it, and as
    :func:`archive_log_group`."""
    with instance.latch:
        groups = instance.control.groups_of(thread)
        group = next((group for group in groups if group.sequence == sequence), None)
        if group is None:
            raise OracleError(260, f"cannot find online log sequence {sequence} for thread {thread}")
    archive_log_group(instance, group, cancelled, to)


def archive_log_group(
    instance: Instance, group: RedoGroup, cancelled: Cancelled = None, to: str | None = None
) -> None:
    """ALTER SYSTEM ARCHIVE LOG GROUP n. Raises ORA-00259 for the current log of an open thread, ORA-00262 for
    that of a closed one that cannot switch, ORA-16013 when the log does not need archiving."""
    with instance.latch:
        if group.archived:
            raise OracleError(16013, f"log sequence# {group.sequence} does not need archiving")
        current = group.status == "CURRENT"
        if current and instance.control.thread_record(group.thread).status == "OPEN":
            name = instance_name(instance.home.sid, group.thread)
            place = f"log {group.group} of open instance {name} (thread {group.thread})"
            raise OracleError(259, f"{place} is the current log, cannot archive")
    if current:
        switch_closed_thread(instance, group.thread)
    archive_now(instance, [group], cancelled, to)


def _archive(
    instance: Instance,
    choose: Callable[[list[RedoGroup]], list[RedoGroup]],
    cancelled: Cancelled,
    to: str | None,
    thread: int | None,
) -> None:
    with instance.latch:
        instance.require_mounted()
        _require_archivelog(instance)
        waiting = instance.archiver.unarchived()
        groups = choose([group for group in waiting if thread in (None, group.thread)])
    if not groups and thread is not None:
        raise OracleError(263, f"there are no logs that need archiving for thread {thread}")
    if not groups:
        raise OracleError(271, "there are no logs that need archiving")
    archive_now(instance, groups, cancelled, to)


def _archived_through(instance: Instance, ended: Mapping[int, int]) -> bool:
    groups = instance.control.redo_groups
    closed = [group for group in groups if 0 < group.sequence <= ended.get(group.thread, 0)]
    if instance.readings.archive_current_awaits_optional:
        return all(group.archived for group in closed)
    return all(group.archived or instance.archiver.required_copies_made(group) for group in closed)


def _require_archivelog(instance: Instance) -> None:
    if instance.control.database.log_mode != "ARCHIVELOG":
        raise OracleError(258, "manual archiving in NOARCHIVELOG mode must identify log")
