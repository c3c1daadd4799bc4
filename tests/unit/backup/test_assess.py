# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict that follows from findings, and what missing redo means."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup import assess
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.verdict import (
    Finding,
    Severity,
    Verdict,
    verdict_of,
)

from unit.backup.samples import log, manifest


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ([], Verdict.GOOD),
        ([Severity.NOTICE], Verdict.GOOD_WITH_FINDINGS),
        ([Severity.NOTICE, Severity.DEGRADES], Verdict.DEGRADED),
        ([Severity.PREVENTS, Severity.DEGRADES], Verdict.UNUSABLE),
    ],
)
def test_gravest_finding_decides(severities: list[Severity], verdict: Verdict) -> None:
    assert verdict_of(Finding(item, "x", "y", "z") for item in severities) is verdict


def test_missing_redo_makes_a_set_unusable() -> None:
    found = assess.assess_chain([log(10, 0, 50)], resetlogs_id=77, threads=(1,), begin_scn=10, end_scn=60)
    assert verdict_of(found) is Verdict.UNUSABLE
    assert "sequence 11" in found[0].message


def test_set_reaches_from_its_own_end_to_the_end_of_the_redo() -> None:
    sealed = dataclasses.replace(manifest(), begin_scn=10, end_scn=60)
    found = assess.reachable(sealed, [log(10, 0, 50), log(11, 50, 100)])
    assert found is not None and (found.from_scn, found.through_scn) == (60, 99)
    assert assess.reachable(sealed, [log(10, 0, 50)]) is None
