# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""COVERAGE.md says the truth: each row of Oracle's tables has a test, or a reason for having none."""

from __future__ import annotations

import subprocess
import sys

from toolchain.coverage_table import Row, Table, faults, rendered, tables


def test_the_table_is_as_the_tests_are() -> None:
    command = [sys.executable, "-m", "toolchain.coverage_table", "--check"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert checked.returncode == 0, checked.stderr


def test_the_ids_of_the_rows_are_unique_and_bear_their_section() -> None:
    ids = [row.id for table in tables() for row in table.rows]
    assert len(ids) == len(set(ids))
    assert all(row.id.startswith(f"{table.number}/") for table in tables() for row in table.rows)


def test_what_does_not_fit_is_named() -> None:
    table = Table(
        "9.9", "made up", (Row("9.9/a", "a", None), Row("9.9/b", "b", "no"), Row("9.9/c", "c", None))
    )
    found = faults([table], {"9.9/b": ["t"], "9.9/c": ["t"], "9.9/d": ["t"]})
    assert [fault.split(":")[0] for fault in found] == ["9.9/d", "9.9/a", "9.9/b"]
    assert "| `9.9/c` | c | `t` |" in rendered([table], {"9.9/c": ["t"]})
