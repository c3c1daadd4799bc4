# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tablespaces are meant: names, globs, and what a JMESPath query answered.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.describe import tablespace_result
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import PreconditionError
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import Tablespace

Search = Callable[[str, Any], Any]
"""A JMESPath evaluator: (expression, data) -> result."""


@dataclass(frozen=True)
class Selection:
    """The chosen tablespaces in the order of the control file, and the others with the reason."""

    tablespaces: tuple[Tablespace, ...]
    excluded: tuple[tuple[Tablespace, str], ...]


def select_tablespaces(
    tablespaces: Sequence[Tablespace],
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    query: str = "",
    search: Search | None = None,
) -> Selection:
    """Choose among ``tablespaces``: by ``include`` (all when empty), then ``query``, then not ``exclude``.

    A pattern is a name or a glob, compared exactly and, failing that, without regard to case;
    ``container:name`` in a container database. Raises PreconditionError for an ``include`` or ``exclude``
    pattern that fits nothing, and for a query whose answer does not name tablespaces.
    """
    chosen = _matching(tablespaces, include, "tablespaces") if include else set(range(len(tablespaces)))
    asked = chosen & _queried(tablespaces, query, search) if query else chosen
    left_out = _matching(tablespaces, exclude, "exclude") if exclude else set()
    excluded: list[tuple[Tablespace, str]] = []
    for position, tablespace in enumerate(tablespaces):
        if position not in chosen:
            excluded.append((tablespace, "not selected"))
        elif position not in asked:
            excluded.append((tablespace, "not selected by the query"))
        elif position in left_out:
            excluded.append((tablespace, "excluded"))
    return Selection(
        tablespaces=tuple(
            tablespace for position, tablespace in enumerate(tablespaces) if position in asked - left_out
        ),
        excluded=tuple(excluded),
    )


def _matching(tablespaces: Sequence[Tablespace], patterns: Sequence[str], option: str) -> set[int]:
    found: set[int] = set()
    for pattern in patterns:
        fits = _fitting(tablespaces, pattern)
        if not fits:
            known = ", ".join(tablespace.label for tablespace in tablespaces)
            raise PreconditionError(
                f"{pattern!r} in {option} matches no tablespace.", hint=f"The database has {known}."
            )
        found |= fits
    return found


def _fitting(tablespaces: Sequence[Tablespace], pattern: str) -> set[int]:
    def fits(fold: Callable[[str], str]) -> set[int]:
        return {
            position
            for position, tablespace in enumerate(tablespaces)
            if fnmatchcase(fold(tablespace.name), fold(pattern))
            or fnmatchcase(fold(tablespace.label), fold(pattern))
        }

    # Names are case-sensitive data; only people who typed users for USERS are helped.
    return fits(str) or fits(str.upper)


def _queried(tablespaces: Sequence[Tablespace], query: str, search: Search | None) -> set[int]:
    if search is None:
        raise PreconditionError("A query was given but no JMESPath evaluator is at hand.")
    answer = search(query, [tablespace_result(tablespace) for tablespace in tablespaces])
    if answer is None:
        return set()
    if not isinstance(answer, list):
        raise PreconditionError(
            f"The query {query!r} must answer a list of tablespaces, it answered {type(answer).__name__}.",
            hint="For example: [?size_bytes > `1000000000`] or [?bigfile].name",
        )
    found: set[int] = set()
    for item in answer:
        name = item.get("name") if isinstance(item, dict) else item
        con_id = item.get("con_id") if isinstance(item, dict) else None
        fits = {
            position
            for position, tablespace in enumerate(tablespaces)
            if name in (tablespace.name, tablespace.label) and con_id in (None, tablespace.con_id)
        }
        if not fits:
            raise PreconditionError(f"The query {query!r} answered {name!r}, which is not a tablespace.")
        found |= fits
    return found
