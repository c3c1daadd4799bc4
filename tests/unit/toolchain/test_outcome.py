# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary says in its last two lines what a reader, and a program, look for."""

from __future__ import annotations

from pathlib import Path

from toolchain.outcome import Counts, Outcome, duration, read_junit, summary


def test_last_lines_sum_up_everything() -> None:
    outcomes = [
        Outcome("unit", Counts(passed=800, skips=("a.b: no node",)), 61.2),
        Outcome("lint", Counts(passed=6, failed=1), 10.0, ("mypy",)),
    ]
    lines = summary(outcomes, 492).splitlines()
    assert lines[-2] == "806 passed, 1 failed, 1 skipped"
    assert lines[-1] == "test: 1 stages passed, 1 failed, 808 tests, 1 skipped; 8m12s"
    assert "  a.b: no node" in lines
    assert "failed: lint (mypy)" in lines


def test_table_has_a_line_per_stage() -> None:
    lines = summary([Outcome("unit", Counts(passed=3), 1.0)], 1).splitlines()
    assert [line.split() for line in lines if line.startswith("unit")] == [
        ["unit", "passed", "3", "0", "0", "1s"]
    ]


def test_duration_is_readable() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.4, 60, 492)] == ["0s", "59s", "1m00s", "8m12s"]


def test_errors_count_as_failures_and_folders_are_summed(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text("<s><testcase><error/></testcase><testcase/></s>", encoding="utf-8")
    (tmp_path / "b.xml").write_text("<s><testcase><failure/></testcase></s>", encoding="utf-8")
    counts = read_junit(tmp_path)
    assert (counts.passed, counts.failed, counts.total) == (1, 2, 3)
