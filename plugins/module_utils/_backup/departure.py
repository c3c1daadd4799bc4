# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a database left an incarnation when it was opened with RESETLOGS. Pure.

What the incarnation did from there on was given up: it must neither come back unnoticed nor be advised.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import RedoSpan, ScnInterval


class Birth(Protocol):
    """How an incarnation is known: the id, which grows with time, and the SCN that it began at."""

    @property
    def resetlogs_id(self) -> int: ...

    @property
    def resetlogs_scn(self) -> int: ...


class KnownLog(RedoSpan, Birth, Protocol):
    """A log that also tells when its incarnation began, and where the log is."""

    @property
    def path(self) -> object: ...


@dataclass(frozen=True)
class Departure:
    """``scn`` is the first that the incarnation left behind no longer has; ``resetlogs_id`` is of the one that began
    there, and ``shown_by`` the log that says so.
    """

    scn: int
    resetlogs_id: int
    shown_by: str


def departure_from(own: Birth, logs: Iterable[KnownLog]) -> Departure | None:
    """The earliest point at which a later incarnation began; None while there is none among the logs.

    Each later incarnation counts, whichever it came from: where a parent is not known, too little is taken for
    living rather than too much.
    """
    later = [log for log in logs if log.resetlogs_id > own.resetlogs_id]
    if not later:
        return None
    first = min(later, key=lambda log: (log.resetlogs_scn, log.resetlogs_id))
    return Departure(first.resetlogs_scn, first.resetlogs_id, str(first.path))


def living_part(interval: ScnInterval | None, departure: Departure | None) -> ScnInterval | None:
    """What is left of an interval of SCNs when that is taken away which was given up; None for nothing."""
    if interval is None or departure is None:
        return interval
    if departure.scn <= interval.from_scn:
        return None
    return ScnInterval(interval.from_scn, min(interval.through_scn, departure.scn - 1))
