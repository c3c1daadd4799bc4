# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage runs all its steps, tells what they came to, and leaves no process behind."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain.runner import Runner
from toolchain.stages import Stage, Step


def python(name: str, code: str, junit: Path | None = None) -> Step:
    return Step(name, (sys.executable, "-c", code), junit=junit)


def stage(*steps: Step, timeout_seconds: int = 60) -> Stage:
    return Stage("example", lambda: steps, timeout_seconds)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "example.log"


def is_alive(process: int) -> bool:
    """A zombie that nobody has waited for yet counts as dead."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def becomes(condition: Callable[[], bool]) -> bool:
    """Whether the condition comes true within the time a loaded machine may need."""
    waiting = threading.Event()
    for _attempt in range(600):
        if condition():
            return True
        waiting.wait(0.05)
    return False


def test_steps_after_a_failed_one_run_too(log: Path) -> None:
    outcome = Runner().run(stage(python("bad", "raise SystemExit(1)"), python("good", "print('done')")), log)
    assert outcome.failures == ("bad",)
    assert (outcome.counts.passed, outcome.counts.failed) == (1, 1)
    assert "done" in log.read_text(encoding="utf-8")


def test_stage_passes_when_every_step_does(log: Path) -> None:
    outcome = Runner().run(stage(python("good", "pass")), log)
    assert outcome.passed
    assert outcome.verdict == "passed"


def test_counts_come_from_the_report_of_the_step(tmp_path: Path, log: Path) -> None:
    report = tmp_path / "report.xml"
    cases = (
        "<testcase name='a'/><testcase name='b'/><testcase name='c'><skipped message='no node'/></testcase>"
    )
    write = f"open({str(report)!r}, 'w').write(\"<testsuite>{cases}</testsuite>\")"
    outcome = Runner().run(stage(python("tests", write, report)), log)
    assert (outcome.counts.passed, outcome.counts.failed) == (2, 0)
    assert outcome.counts.skips == ("None.c: no node",)


def test_report_of_an_earlier_run_does_not_count(tmp_path: Path, log: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text("<testsuite><testcase name='a'/></testsuite>", encoding="utf-8")
    outcome = Runner().run(stage(python("tests", "pass", report)), log)
    assert outcome.failures == ("tests",)


def test_failure_of_a_tool_whose_tests_all_passed_is_a_failure(tmp_path: Path, log: Path) -> None:
    report = tmp_path / "report.xml"
    code = f"open({str(report)!r}, 'w').write('<testsuite><testcase/></testsuite>'); raise SystemExit(5)"
    outcome = Runner().run(stage(python("tests", code, report)), log)
    assert (outcome.counts.passed, outcome.counts.failed) == (1, 1)
    assert not outcome.passed


def test_step_and_its_children_end_when_time_is_up(tmp_path: Path, log: Path) -> None:
    child = tmp_path / "child"
    code = (
        "import subprocess, sys, time;"
        "process = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        f"open({str(child)!r}, 'w').write(str(process.pid));"
        "time.sleep(600)"
    )
    outcome = Runner().run(stage(python("slow", code), timeout_seconds=2), log)
    assert outcome.failures == ("slow",)
    assert "longer than it may" in log.read_text(encoding="utf-8")
    assert becomes(lambda: not is_alive(int(child.read_text(encoding="ascii"))))


def test_stop_ends_what_runs_and_lets_nothing_else_start(tmp_path: Path, log: Path) -> None:
    started = tmp_path / "started"
    slow = python("slow", f"import os, time; os.mkdir({str(started)!r}); time.sleep(600)")
    never = python("never", f"open({str(tmp_path / 'never')!r}, 'w')")
    runner = Runner()
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(runner.run(stage(slow, never), log)))
    thread.start()
    assert becomes(started.is_dir)
    runner.stop()
    thread.join(60)
    assert outcomes[0].failures == ("slow", "never")
    assert not (tmp_path / "never").exists()


def test_step_sees_its_own_environment(log: Path) -> None:
    step = Step(
        "environment",
        (sys.executable, "-c", "import os; print(os.environ['WORD'], os.environ['PATH'] != '')"),
        environment=(("WORD", "hello"),),
    )
    assert Runner().run(stage(step), log).passed
    assert "hello True" in log.read_text(encoding="utf-8")
    assert "WORD" not in os.environ
