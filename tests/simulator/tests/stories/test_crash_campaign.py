# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Twenty rounds of the crash campaign; ``make campaign-crash`` has the others, and repeats any of them by its seed."""

from __future__ import annotations

from pathlib import Path

from campaigns.crash import Plan, campaign

FIRST_SEED = 20
ROUNDS = 20


def test_acknowledged_commits_and_nothing_else_survive_kills_and_lost_power(tmp_path: Path) -> None:
    told: list[str] = []
    found = campaign(ROUNDS, FIRST_SEED, tmp_path, told.append)
    assert (found.lost, found.unexpected) == (0, []), "\n".join(told)
    assert found.commits > ROUNDS, "there was a load"


def test_half_of_the_rounds_lose_power_and_every_plan_follows_from_its_seed() -> None:
    plans = [Plan.of(seed) for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS)]
    assert [plan.power_loss for plan in plans].count(True) == ROUNDS // 2
    assert plans == [Plan.of(plan.seed) for plan in plans]
    assert {bool(plan.fault) for plan in plans} == {True, False}, "at random moments, and at chosen ones"
