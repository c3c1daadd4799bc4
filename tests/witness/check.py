# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare a restored database with the ledger of the client that worked on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .ledger import Ledger
from .model import WITNESS_TABLE


@dataclass(frozen=True)
class Verdict:
    """How a restored database compares with what its client knows.

    ``checked`` acknowledged transactions had to be there; ``lost`` of them are not, or not whole;
    ``unexpected`` counts transactions and rows that must not be there; ``undecided`` ones ran across the
    target SCN, or were never acknowledged: both outcomes are right for them.
    """

    checked: int
    lost: int
    unexpected: int
    undecided: int
    rows_compared: int
    last_transaction: int
    findings: tuple[str, ...] = field(default=())

    @property
    def good(self) -> bool:
        """Nothing lost, nothing unexpected, and something was checked at all."""
        return self.checked > 0 and self.lost == 0 and self.unexpected == 0


def check_database(connection: Any, ledger: Ledger, target_scn: int | None) -> Verdict:
    """Judge the database behind ``connection``.

    :param connection: an open DB-API connection as the client's own user.
    :param target_scn: the SCN the database was restored to (inclusive); None after complete recovery.
    """
    present = {row[0] for row in _rows(connection, f"SELECT id FROM {WITNESS_TABLE}")}
    required, forbidden, undecided = set(), set(), set()
    for attempt in ledger.attempts:
        if target_scn is not None and attempt.scn_before > target_scn:
            forbidden.add(attempt.number)
        elif attempt.scn_after is None or (target_scn is not None and attempt.scn_after > target_scn):
            undecided.add(attempt.number)
        else:
            required.add(attempt.number)
    lost = required - present
    unexpected = present - required - undecided
    findings = [f"transaction {number} is lost" for number in sorted(lost)[:5]]
    findings += [f"transaction {number} must not be there" for number in sorted(unexpected)[:5]]
    last = max(present, default=0)
    damaged, foreign, compared = _compare_rows(connection, ledger, last, findings)
    return Verdict(
        checked=len(required),
        lost=len(lost) + damaged,
        unexpected=len(unexpected) + foreign,
        undecided=len(undecided),
        rows_compared=compared,
        last_transaction=last,
        findings=tuple(findings),
    )


def _compare_rows(connection: Any, ledger: Ledger, last: int, findings: list[str]) -> tuple[int, int, int]:
    """Every row of every table against the model; returns missing or wrong rows, surplus rows, all rows."""
    model = ledger.model_after(last)
    damaged = foreign = compared = 0
    for table, expected in model.tables.items():
        found = {
            row[0]: (row[1], row[2]) for row in _rows(connection, f"SELECT id, amount, note FROM {table}")
        }
        wrong = [row_id for row_id, row in expected.items() if found.get(row_id) != row]
        surplus = [row_id for row_id in found if row_id not in expected]
        findings.extend(
            f"{table} row {row_id}: expected {expected[row_id]}, found {found.get(row_id)}"
            for row_id in wrong[:5]
        )
        findings.extend(f"{table} row {row_id} must not be there" for row_id in surplus[:5])
        damaged += len(wrong)
        foreign += len(surplus)
        compared += len(found)
    return damaged, foreign, compared


def _rows(connection: Any, query: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.arraysize = 5000
        cursor.prefetchrows = 5000
        cursor.execute(query)
        return list(cursor.fetchall())
