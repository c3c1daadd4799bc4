# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored program units in the dictionary. The session commits before it calls one of these, as for all DDL."""

from __future__ import annotations

from datetime import datetime

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.plan import Cancelled, ChangePlan, make_change
from oracle_simulator.data.system_tables import SourceRow
from oracle_simulator.data.tables import table_missing
from oracle_simulator.errors import OracleError


def create_source(
    dictionary: Dictionary, row: SourceRow, replace: bool = False, cancelled: Cancelled | None = None
) -> None:
    """Keep a unit. Raises ORA-00955 for a name in use unless ``replace``, and also then when it is that of something
    of another kind."""

    def planner(plan: ChangePlan) -> None:
        old = dictionary.source_rows.find(owner=row.owner, name=row.name, type=row.type)
        other = any(
            _namespace(found.type) == _namespace(row.type) and found.type != row.type
            for found in dictionary.source_rows.where(owner=row.owner, name=row.name)
        )
        if (
            other
            or dictionary.get_table(row.owner, row.name) is not None
            or (old is not None and not replace)
        ):
            raise OracleError(955, "name is already used by an existing object")
        if old is None:
            dictionary.source_rows.insert(plan, row)
        else:
            dictionary.source_rows.replace(plan, old, row)

    make_change(dictionary.instance, planner, cancelled)


def drop_source(
    dictionary: Dictionary, owner: str, name: str, kind: str, cancelled: Cancelled | None = None
) -> None:
    """Drop a unit, a package with its body. Raises ORA-04043, ORA-00942 for a view."""
    kinds = ("PACKAGE", "PACKAGE BODY") if kind == "PACKAGE" else (kind,)

    def planner(plan: ChangePlan) -> None:
        rows = [row for row in dictionary.source_rows.where(owner=owner, name=name) if row.type in kinds]
        if not rows and kind == "VIEW":
            raise table_missing()
        if not rows:
            raise OracleError(4043, f"object {name} does not exist")
        for row in rows:
            dictionary.source_rows.delete(plan, row)

    make_change(dictionary.instance, planner, cancelled)


def source_row(owner: str, name: str, kind: str, text: str, errors: str) -> SourceRow:
    """The row of a unit that is compiled now."""
    return SourceRow(owner, name, kind, text, errors, datetime.now().replace(microsecond=0))


def _namespace(kind: str) -> str:
    """Bodies have a namespace of their own."""
    return "body" if kind == "PACKAGE BODY" else "unit"
