# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All stages run, as many at the same time as they may, and are told in their order."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from toolchain import __main__ as toolchain
from toolchain.outcome import Counts, Outcome
from toolchain.runner import Runner
from toolchain.stages import STAGES, Stage, all_stages

PATIENCE_SECONDS = 30


class Meeting(Runner):
    """Runs nothing; a stage ends when it has met the others that run beside it."""

    def __init__(self, at_once: int) -> None:
        super().__init__()
        self.started: list[str] = []
        self._barrier = threading.Barrier(at_once)

    def run(self, stage: Stage, log: Path | None) -> Outcome:
        self.started.append(stage.name)
        self._barrier.wait(PATIENCE_SECONDS)
        return Outcome(stage.name, Counts(passed=1), 0.0)


def stages(count: int) -> list[Stage]:
    return [Stage(f"stage {number}", tuple, 60) for number in range(count)]


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_as_many_as_allowed_run_at_the_same_time(
    at_once: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain, "LOGS", tmp_path)
    wanted = stages(6)
    runner = Meeting(at_once)
    outcomes = toolchain.run_all(runner, wanted, at_once)
    assert [outcome.stage for outcome in outcomes] == [stage.name for stage in wanted]
    assert sorted(runner.started) == [stage.name for stage in wanted]
    assert set(runner.started[:at_once]) == {stage.name for stage in wanted[:at_once]}


def test_every_stage_has_a_name_of_its_own() -> None:
    assert list(all_stages()) == [stage.name for stage in STAGES]
