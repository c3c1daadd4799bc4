# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's last page: a table per database and one line that says it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from witness.check import Verdict

COLUMNS = (
    "database",
    "backups",
    "restored",
    "commits checked",
    "lost",
    "unexpected",
    "undecided",
    "rows compared",
    "longest gap",
    "errors",
    "reconnects",
)


@dataclass
class DatabaseReport:
    """What the demo found out about one database."""

    name: str
    backups: int = 0
    restored: bool = False
    left_alone: bool = False
    checked: int = 0
    lost: int = 0
    unexpected: int = 0
    undecided: int = 0
    rows_compared: int = 0
    commits: int = 0
    longest_gap_seconds: float = 0.0
    errors: int = 0
    reconnects: int = 0

    def add(self, verdict: Verdict) -> None:
        """Count one comparison of the database with its ledger."""
        self.checked += verdict.checked
        self.lost += verdict.lost
        self.unexpected += verdict.unexpected
        self.undecided += verdict.undecided
        self.rows_compared += verdict.rows_compared

    @property
    def disturbed(self) -> bool:
        """Whether the client saw more trouble than the one disaster that was meant for its database."""
        disasters = 1 if self.restored else 0
        return self.errors > disasters or self.reconnects > disasters

    @property
    def cells(self) -> tuple[str, ...]:
        """The table's row."""
        return (
            self.name,
            str(self.backups),
            "yes" if self.restored else "left alone" if self.left_alone else "no",
            f"{self.checked:,}",
            str(self.lost),
            str(self.unexpected),
            str(self.undecided),
            f"{self.rows_compared:,}",
            f"{self.longest_gap_seconds:.2f} s",
            str(self.errors),
            str(self.reconnects),
        )


def table(reports: Sequence[DatabaseReport]) -> str:
    """The table, ready to print."""
    rows = [COLUMNS, *(report.cells for report in reports)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(COLUMNS))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join(["", lines[0], "-" * len(lines[0]), *lines[1:]])


def last_line(reports: Sequence[DatabaseReport], restores_wanted: int) -> tuple[str, bool]:
    """The verdict and whether it is good: all backed up, all restored, nothing lost, nothing unexpected,
    and no error or reconnect but those of the disasters."""
    total = len(reports)
    backed_up = sum(report.backups >= 2 for report in reports)
    restored = sum(report.restored for report in reports)
    checked = sum(report.checked for report in reports)
    lost = sum(report.lost for report in reports)
    unexpected = sum(report.unexpected for report in reports)
    disturbed = [report.name for report in reports if report.disturbed]
    good = (
        total > 0
        and backed_up == total
        and restored == restores_wanted
        and all(report.checked for report in reports)
        and not lost
        and not unexpected
        and not disturbed
    )
    line = (
        f"demo: backed up {backed_up}/{total}, restored {restored}/{restores_wanted}, "
        f"acknowledged commits checked {checked}, lost {lost}, unexpected {unexpected}"
    )
    return line, good
