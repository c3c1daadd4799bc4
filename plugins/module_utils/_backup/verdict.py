# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a set is worth, from what was found about it.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Verdict(str, Enum):
    """What a set is worth.

    good: nothing found. good_with_findings: restorable whole. degraded: restorable, but something that was
    asked for is missing or blocks are corrupt in the source itself. unusable: a restore would fail. unknown:
    not checked since it last changed.
    """

    GOOD = "good"
    GOOD_WITH_FINDINGS = "good_with_findings"
    DEGRADED = "degraded"
    UNUSABLE = "unusable"
    UNKNOWN = "unknown"


class Severity(str, Enum):
    """What a finding does to the verdict."""

    NOTICE = "notice"
    DEGRADES = "degrades"
    PREVENTS = "prevents"


@dataclass(frozen=True)
class Finding:
    """One thing found. ``code`` is stable for programs, ``subject`` names the file, log or tablespace."""

    severity: Severity
    code: str
    subject: str
    message: str


def verdict_of(findings: Iterable[Finding]) -> Verdict:
    """Return the verdict of the gravest finding; good for none."""
    seen = {finding.severity for finding in findings}
    if Severity.PREVENTS in seen:
        return Verdict.UNUSABLE
    if Severity.DEGRADES in seen:
        return Verdict.DEGRADED
    return Verdict.GOOD_WITH_FINDINGS if Severity.NOTICE in seen else Verdict.GOOD
