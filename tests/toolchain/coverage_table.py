# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write tests/simulator/COVERAGE.md: which row of Oracle's tables is proved by which test of the simulated instance.

The rows are in tests/simulator/coverage/*.yml, a file for each table. A test says what it proves with
``@pytest.mark.covers("<row id>", ...)``. A row without a test has to say why it has none (``not_simulated``).

``python -m toolchain.coverage_table`` writes the table; with ``--check`` it only says whether it is true.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

SIMULATOR = Path(__file__).resolve().parents[1] / "simulator"
TESTS = SIMULATOR / "tests"
TARGET = SIMULATOR / "COVERAGE.md"
MOST_NAMES = 3

Proofs = Mapping[str, Sequence[str]]

HEAD = """# What is proved of the simulated instance

Written by `make coverage-table`; not edited by hand. Each table is one of the tables of states and errors in the
project's reference on user-managed backup, under that reference's section number. A row names the tests that provoke
it and look at what Oracle leaves behind, or says why it is not simulated.
"""


@dataclass(frozen=True)
class Row:
    """One row of a table: its stable id, what Oracle does, and why it is not simulated (None: it is)."""

    id: str
    text: str
    not_simulated: str | None


@dataclass(frozen=True)
class Table:
    """One table, by its section number."""

    number: str
    title: str
    rows: tuple[Row, ...]


def tables(folder: Path = SIMULATOR / "coverage") -> list[Table]:
    """All tables, by section number."""
    found = [_table(path) for path in folder.glob("*.yml")]
    return sorted(found, key=lambda table: [int(part) for part in table.number.split(".")])


def _table(path: Path) -> Table:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    rows = tuple(Row(row["id"], row["row"], row.get("not_simulated")) for row in content["rows"])
    return Table(content["table"], content["title"], rows)


class _Marks:
    """A pytest plugin that notes the marks of what is collected."""

    def __init__(self) -> None:
        self.proofs: dict[str, list[str]] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for mark in item.iter_markers("covers"):
                for row in mark.args:
                    name = f"{item.path.relative_to(TESTS)}::{item.name}"
                    self.proofs.setdefault(row, []).append(name)


def collected_proofs() -> Proofs:
    """Row id to the names of the tests that carry it. Raises RuntimeError when the tests cannot be collected."""
    marks = _Marks()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        status = pytest.main(
            ["--collect-only", "-qqq", "-p", "no:cacheprovider", str(TESTS)], plugins=[marks]
        )
    if status != pytest.ExitCode.OK:
        raise RuntimeError(output.getvalue()[-4000:])
    return {row: sorted(set(names)) for row, names in marks.proofs.items()}


def faults(known: Sequence[Table], proofs: Proofs) -> list[str]:
    """What does not fit: unknown ids, rows with neither a test nor a reason, rows with both."""
    rows = [row for table in known for row in table.rows]
    ids = {row.id for row in rows}
    return [
        *(
            f"{row}: no such row, but {names[0]} claims to cover it"
            for row, names in proofs.items()
            if row not in ids
        ),
        *(
            f"{row.id}: neither a test nor a reason"
            for row in rows
            if not row.not_simulated and row.id not in proofs
        ),
        *(f"{row.id}: covered, yet said not to be" for row in rows if row.not_simulated and row.id in proofs),
    ]


def rendered(known: Sequence[Table], proofs: Proofs) -> str:
    """The whole document."""
    proved = sum(row.id in proofs for table in known for row in table.rows)
    total = sum(len(table.rows) for table in known)
    lines = [HEAD, f"{proved} of {total} rows are proved."]
    for table in known:
        lines += [
            "",
            f"## {table.number} {table.title}",
            "",
            "| row | what Oracle does | proved by |",
            "| --- | --- | --- |",
        ]
        lines += [f"| `{row.id}` | {row.text} | {_proof(row, proofs)} |" for row in table.rows]
    return "\n".join(lines) + "\n"


def _proof(row: Row, proofs: Proofs) -> str:
    names = proofs.get(row.id)
    if not names:
        return f"not simulated: {row.not_simulated}"
    more = [f"and {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    return "<br>".join([*(f"`{name}`" for name in names[:MOST_NAMES]), *more])


def main() -> int:
    """Write or check the table; 1 when something does not fit."""
    parser = argparse.ArgumentParser(description="Which row of Oracle's tables is proved by which test.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the table is stale")
    options = parser.parse_args()
    known = tables()
    proofs = collected_proofs()
    found = faults(known, proofs)
    document = rendered(known, proofs)
    if not options.check:
        TARGET.write_text(document, encoding="utf-8")
    elif TARGET.read_text(encoding="utf-8") != document:
        found.append(f"{TARGET.name} is stale: make coverage-table")
    for fault in found:
        print(fault, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
