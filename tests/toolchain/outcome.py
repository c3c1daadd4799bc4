# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage came to, and how that is said in a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Counts:
    """Numbers of tests; ``skips`` holds "test: reason" for each skipped one."""

    passed: int = 0
    failed: int = 0
    skips: tuple[str, ...] = ()

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skips + other.skips)

    @property
    def total(self) -> int:
        return self.passed + self.failed + len(self.skips)


@dataclass(frozen=True)
class Outcome:
    """One finished stage. ``failures`` names the steps that did not succeed."""

    stage: str
    counts: Counts
    elapsed_seconds: float
    failures: tuple[str, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return not self.failures

    @property
    def verdict(self) -> str:
        return "passed" if self.passed else "FAILED"


def read_junit(path: Path) -> Counts:
    """Counts from a JUnit report, or from all reports in a folder.

    Raises OSError or ElementTree.ParseError if there is none to read.
    """
    if path.is_dir():
        return sum((read_junit(report) for report in sorted(path.glob("*.xml"))), Counts())
    passed = failed = 0
    skips: list[str] = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif skipped is not None:
            reason = skipped.get("message") or skipped.text
            skips.append(f"{case.get('classname')}.{case.get('name')}: {reason}")
        else:
            passed += 1
    return Counts(passed, failed, tuple(skips))


def duration(seconds: float) -> str:
    """``8m12s``, or ``42s`` below a minute."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def summary(outcomes: Sequence[Outcome], elapsed_seconds: float) -> str:
    """The table, the reasons of skipped tests, and the two lines everybody looks for."""
    lines = ["", f"{'stage':<12} {'result':<7} {'passed':>7} {'failed':>7} {'skipped':>8} {'time':>7}"]
    for outcome in outcomes:
        counts, elapsed = outcome.counts, duration(outcome.elapsed_seconds)
        lines.append(
            f"{outcome.stage:<12} {outcome.verdict:<7}"
            f" {counts.passed:>7} {counts.failed:>7} {len(counts.skips):>8} {elapsed:>7}"
        )
    together = sum((outcome.counts for outcome in outcomes), Counts())
    if together.skips:
        lines += ["", "skipped:", *(f"  {skip}" for skip in together.skips)]
    broken = [outcome for outcome in outcomes if not outcome.passed]
    if broken:
        named = "; ".join(f"{outcome.stage} ({', '.join(outcome.failures)})" for outcome in broken)
        lines += ["", f"failed: {named}"]
    lines += [
        "",
        f"{together.passed} passed, {together.failed} failed, {len(together.skips)} skipped",
        f"test: {len(outcomes) - len(broken)} stages passed, {len(broken)} failed, {together.total} tests,"
        f" {len(together.skips)} skipped; {duration(elapsed_seconds)}",
    ]
    return "\n".join(lines)
