# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sessions have done: V$SESSTAT, V$MYSTAT, and V$STATNAME with the names.

Names are Oracle's (Database Reference, "Statistics Descriptions"), their numbers, which differ from release
to release there, are ours. Statements that come over the local socket are not counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from oracle_simulator.net.backend import SessionStatistics
from oracle_simulator.sql.session_registry import SessionRecord
from oracle_simulator.sql.views.definition import Needs, View, ViewContext, container, number, text

_USER, _SQL = 1, 64
"""Classes of statistics."""


@dataclass(frozen=True)
class _Statistic:
    number: int
    name: str
    group: int
    value: Callable[[SessionStatistics], int]


_STATISTICS = tuple(
    _Statistic(number, *each)
    for number, each in enumerate(
        (
            ("opened cursors current", _USER, lambda s: s.open_cursors),
            ("user commits", _USER, lambda s: s.commits),
            ("user rollbacks", _USER, lambda s: s.rollbacks),
            ("user calls", _USER, lambda s: s.round_trips),
            ("SQL*Net roundtrips to/from client", _USER, lambda s: s.round_trips),
            ("parse count (total)", _SQL, lambda s: s.parses),
            ("execute count", _SQL, lambda s: s.executions),
        )
    )
)


@dataclass(frozen=True)
class _Value:
    session: SessionRecord
    statistic: _Statistic


def _values_of(session: SessionRecord) -> Iterator[_Value]:
    return (_Value(session, statistic) for statistic in _STATISTICS)


def _all_values(context: ViewContext) -> Iterator[_Value]:
    for session in context.sessions.records():
        if session.instance_number == context.instance_number:
            yield from _values_of(session)


STATNAME = View(
    "V$STATNAME",
    Needs.INSTANCE,
    lambda _context: _STATISTICS,
    [
        number("STATISTIC#", lambda s: s.number),
        text("NAME", 64, lambda s: s.name),
        number("CLASS", lambda s: s.group),
        container(),
    ],
)

_COLUMNS = [
    number("SID", lambda v: v.session.sid),
    number("STATISTIC#", lambda v: v.statistic.number),
    number("VALUE", lambda v: v.statistic.value(v.session.statistics)),
    container(lambda v: v.session.con_id),
]

SESSTAT = View("V$SESSTAT", Needs.INSTANCE, _all_values, _COLUMNS)
MYSTAT = View("V$MYSTAT", Needs.INSTANCE, lambda context: _values_of(context.session), _COLUMNS)

VIEWS = (STATNAME, SESSTAT, MYSTAT)
