# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Views of online redo logs, threads and what recovery needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oracle_simulator.instance.control_file.control import (
    LogHistoryRecord,
    RedoGroup,
    ThreadRecord,
)
from oracle_simulator.instance.instance import Instance
from oracle_simulator.sql.views.definition import (
    Needs,
    View,
    ViewContext,
    container,
    date,
    number,
    text,
    yes_no,
)
from oracle_simulator.storage.oracle_time import decode_time

OPEN_ENDED_SCN = 9295429630892703743
"""NEXT_CHANGE# of the current log in the SCN format of 12.2 and later; above 2^63."""


OPEN_ENDED_SCN_48_BIT = 281474976710655
"""The same in the SCN format before 12.2: 2^48 - 1."""


def _next(group: RedoGroup, open_ended: int) -> int:
    return open_ended if group.next_scn is None else group.next_scn


def _groups(context: ViewContext) -> list[RedoGroup]:
    return sorted(context.instance.control.redo_groups, key=lambda group: group.group)


LOG = View(
    "V$LOG",
    Needs.CONTROL_FILE,
    _groups,
    [
        number("GROUP#", lambda g: g.group),
        number("THREAD#", lambda g: g.thread),
        number("SEQUENCE#", lambda g: g.sequence),
        number("BYTES", lambda g: g.size_bytes),
        number("BLOCKSIZE", lambda g: g.block_size),
        number("MEMBERS", lambda g: len(g.members)),
        text("ARCHIVED", 3, lambda g: yes_no(g.archived)),
        text("STATUS", 16, lambda g: g.status),
        number("FIRST_CHANGE#", lambda g: g.first_scn),
        date("FIRST_TIME", lambda g: g.first_time),
        number("NEXT_CHANGE#", lambda g: _next(g, OPEN_ENDED_SCN_48_BIT), until=(12, 2)),
        number("NEXT_CHANGE#", lambda g: _next(g, OPEN_ENDED_SCN), since=(12, 2)),
        date("NEXT_TIME", lambda g: g.next_time),
        container(),
    ],
)


def _members(context: ViewContext) -> Iterator[tuple[RedoGroup, str]]:
    for group in _groups(context):
        for member in group.members:
            yield group, member


LOGFILE = View(
    "V$LOGFILE",
    Needs.CONTROL_FILE,
    _members,
    [
        number("GROUP#", lambda m: m[0].group),
        text("STATUS", 7, lambda m: "INVALID" if m[1] in m[0].invalid else None),
        text("TYPE", 7, lambda m: "ONLINE"),
        text("MEMBER", 513, lambda m: m[1]),
        text("IS_RECOVERY_DEST_FILE", 3, lambda m: "NO"),
        container(),
    ],
)


@dataclass(frozen=True)
class _Thread:
    instance: Instance
    record: ThreadRecord

    @property
    def groups(self) -> list[RedoGroup]:
        return [g for g in self.instance.control.redo_groups if g.thread == self.record.thread]

    @property
    def current_group(self) -> int:
        return next((group.group for group in self.groups if group.status == "CURRENT"), 0)

    @property
    def enabled_scn(self) -> int:
        if self.record.enabled == "DISABLED":
            return self.record.enabled_scn
        return self.record.enabled_scn or self.instance.control.database.resetlogs_scn

    @property
    def last_scn(self) -> int:
        here = self.instance.redo.find_writer(self.record.thread) is not None
        return self.instance.clock.current() if here else self.record.last_redo_scn


def _threads(context: ViewContext) -> Iterator[_Thread]:
    for record in context.instance.control.threads:
        yield _Thread(context.instance, record)


THREAD = View(
    "V$THREAD",
    Needs.CONTROL_FILE,
    _threads,
    [
        number("THREAD#", lambda t: t.record.thread),
        text("STATUS", 6, lambda t: t.record.status),
        text("ENABLED", 8, lambda t: t.record.enabled),
        number("GROUPS", lambda t: len(t.groups)),
        text("INSTANCE", 80, lambda t: t.record.instance),
        date("OPEN_TIME", lambda t: t.record.open_time),
        number("CURRENT_GROUP#", lambda t: t.current_group),
        number("SEQUENCE#", lambda t: t.record.sequence),
        number("CHECKPOINT_CHANGE#", lambda t: t.record.checkpoint.scn),
        date("CHECKPOINT_TIME", lambda t: t.record.checkpoint.time),
        number("ENABLE_CHANGE#", lambda t: t.enabled_scn),
        number("DISABLE_CHANGE#", lambda t: t.record.disabled_scn),
        number("LAST_REDO_SEQUENCE#", lambda t: t.record.sequence),
        number("LAST_REDO_CHANGE#", lambda t: t.last_scn),
        date("LAST_REDO_TIME", lambda t: t.record.last_redo_time),
        container(),
    ],
)


def _history(context: ViewContext) -> list[LogHistoryRecord]:
    return list(context.instance.control.log_history)


LOG_HISTORY = View(
    "V$LOG_HISTORY",
    Needs.CONTROL_FILE,
    _history,
    [
        number("RECID", lambda h: h.recid),
        number("STAMP", lambda h: h.stamp),
        number("THREAD#", lambda h: h.thread),
        number("SEQUENCE#", lambda h: h.sequence),
        number("FIRST_CHANGE#", lambda h: h.first_scn),
        date("FIRST_TIME", lambda h: h.first_time),
        number("NEXT_CHANGE#", lambda h: h.next_scn),
        number("RESETLOGS_CHANGE#", lambda h: h.resetlogs_scn),
        date("RESETLOGS_TIME", lambda h: decode_time(h.resetlogs_id)),
        container(),
    ],
)


@dataclass(frozen=True)
class _LogNeeded:
    thread: int
    sequence: int
    time: datetime | None
    name: str | None


def _logs_to_recover(context: ViewContext) -> Iterator[_LogNeeded]:
    """Logs the recovery of this session still needs, as far as V$LOG_HISTORY knows them."""
    recovery = context.session.recovery
    if recovery is None:
        return
    control = context.instance.control
    behind = [file.checkpoint.scn for file in control.datafiles if file.online]
    names = {(log.thread, log.sequence): log.name for log in control.archived_logs}
    for record in control.log_history:
        if record.next_scn > min(behind, default=0):
            name = names.get((record.thread, record.sequence))
            yield _LogNeeded(record.thread, record.sequence, record.first_time, name)


RECOVERY_LOG = View(
    "V$RECOVERY_LOG",
    Needs.CONTROL_FILE,
    _logs_to_recover,
    [
        number("THREAD#", lambda r: r.thread),
        number("SEQUENCE#", lambda r: r.sequence),
        date("TIME", lambda r: r.time),
        text("ARCHIVE_NAME", 513, lambda r: r.name),
        container(),
    ],
)

VIEWS: tuple[View[Any], ...] = (LOG, LOGFILE, THREAD, LOG_HISTORY, RECOVERY_LOG)
