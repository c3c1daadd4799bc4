# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a view is written down: where its records come from, and what each column takes from a record."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from oracle_simulator.instance.cluster import running_instances
from oracle_simulator.instance.container import NON_CDB
from oracle_simulator.instance.release import Release
from oracle_simulator.sql.query import types
from oracle_simulator.sql.query.types import EngineValue, SqlType

if TYPE_CHECKING:
    from oracle_simulator.data.dictionary import Dictionary
    from oracle_simulator.data.transaction import Transactions
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.sql.session_registry import SessionRecord, SessionRegistry

R = TypeVar("R")
_CON_ID = "CON_ID"
LATER: Sequence[int] = (99,)
MULTITENANT: Sequence[int] = (12, 1)
"""The release that brought containers, and CON_ID to almost every view."""


class Needs(enum.IntEnum):
    """The least state of the instance in which a view can be read."""

    INSTANCE = 0
    CONTROL_FILE = 1
    DICTIONARY = 2


@dataclass(frozen=True)
class ViewContext:
    """What views are made from.

    ``dictionary`` and ``transactions`` are those of the current container, None until it is open;
    ``dictionaries`` those of all open containers. ``visible`` are the containers whose rows the session may
    see, None for all. A V$ view shows what its instance, ``instance_number``, knows.
    """

    instance: Instance
    sessions: SessionRegistry
    session: SessionRecord
    dictionary: Dictionary | None = None
    transactions: Transactions | None = None
    dictionaries: Sequence[Dictionary] = ()
    visible: frozenset[int] | None = None
    instance_number: int = 1

    @property
    def open_dictionary(self) -> Dictionary:
        assert self.dictionary is not None  # views of the dictionary are only read when open
        return self.dictionary


@dataclass(frozen=True)
class ViewColumn(Generic[R]):
    """A column; ``since`` and ``until`` (exclusive) are the releases that have it."""

    name: str
    type: SqlType
    value: Callable[[R], Any]
    since: Sequence[int] = ()
    until: Sequence[int] = LATER

    def exists_in(self, release: Release) -> bool:
        return tuple(self.since) <= release < tuple(self.until)


@dataclass(frozen=True)
class View(Generic[R]):
    """A view. ``reads_files``: its rows come from files, so they are not made under the latch.

    ``since`` is the first release that has it.
    """

    name: str
    needs: Needs
    records: Callable[[ViewContext], Iterable[R]]
    columns: Sequence[ViewColumn[R]]
    reads_files: bool = False
    since: Sequence[int] = ()

    def in_release(self, release: Release) -> View[R] | None:
        """The view as a release has it, None when it does not."""
        if release < tuple(self.since):
            return None
        return replace(self, columns=[column for column in self.columns if column.exists_in(release)])

    def rows(self, context: ViewContext) -> Iterator[tuple[EngineValue, ...]]:
        """The rows in the engine's values, but for those of containers the session may not see."""
        owner = next((column.value for column in self.columns if column.name == _CON_ID), None)
        visible = context.visible
        for record in self.records(context):
            if visible is not None and owner is not None and owner(record) not in visible:
                continue
            yield tuple(types.encode(column.value(record)) for column in self.columns)

    def named(self, name: str, since: Sequence[int] = ()) -> View[R]:
        return replace(self, name=name, since=since or self.since)

    def without(self, *columns: str) -> View[R]:
        return replace(self, columns=[column for column in self.columns if column.name not in columns])

    def global_view(self) -> View[tuple[int, R]]:
        """The GV$ variant: the rows of every instance that is up, INST_ID in front.

        What comes from the control file is the same for all of them, so its rows are multiplied.
        """

        def everywhere(context: ViewContext) -> Iterator[tuple[int, R]]:
            for instance_number in running_instances(context.instance):
                here = replace(context, instance_number=instance_number)
                for record in self.records(here):
                    yield instance_number, record

        instance_id: ViewColumn[tuple[int, R]] = number("INST_ID", lambda pair: pair[0])
        columns = [instance_id, *(_of_one_instance(column) for column in self.columns)]
        return View("G" + self.name, self.needs, everywhere, columns, self.reads_files, self.since)


def _of_one_instance(column: ViewColumn[R]) -> ViewColumn[tuple[int, R]]:
    return ViewColumn(
        column.name, column.type, lambda pair: column.value(pair[1]), column.since, column.until
    )


def number(
    name: str, value: Callable[[R], Any], *, since: Sequence[int] = (), until: Sequence[int] = LATER
) -> ViewColumn[R]:
    return ViewColumn(name, types.NUMBER, value, since, until)


def text(
    name: str,
    size: int,
    value: Callable[[R], Any],
    *,
    since: Sequence[int] = (),
    until: Sequence[int] = LATER,
) -> ViewColumn[R]:
    return ViewColumn(name, types.text_type(size), value, since, until)


def raw(name: str, value: Callable[[R], Any], *, since: Sequence[int] = ()) -> ViewColumn[R]:
    return ViewColumn(name, types.RAW, value, since)


def date(
    name: str, value: Callable[[R], Any], *, since: Sequence[int] = (), until: Sequence[int] = LATER
) -> ViewColumn[R]:
    return ViewColumn(name, types.DATE, value, since, until)


def timestamp(
    name: str, value: Callable[[R], Any], *, since: Sequence[int] = (), until: Sequence[int] = LATER
) -> ViewColumn[R]:
    return ViewColumn(name, types.TIMESTAMP_TZ, value, since, until)


def container(con_id: Callable[[Any], int] = lambda _record: NON_CDB) -> ViewColumn[Any]:
    """CON_ID: to which container a row belongs, 0 for the whole CDB (and for everything in a non-CDB).

    The column also decides who sees the row: see :meth:`View.rows`.
    """
    return number(_CON_ID, con_id, since=MULTITENANT)


def yes_no(flag: object) -> str:
    return "YES" if flag else "NO"


def nothing(_context: ViewContext) -> list[Any]:
    """The records of a view that is empty here."""
    return []
