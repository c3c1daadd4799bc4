# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the steps of a stage as child processes and never leaves one behind."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from toolchain.outcome import Counts, Outcome, read_junit
from toolchain.stages import Stage, Step

#: What a step may take to end after it was told to, before it is killed.
_GRACE_SECONDS = 10


class Runner:
    """Runs stages, from several threads if wanted; ``stop`` ends those that run and lets no other start."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._running: set[int] = set()
        self._stopped = False

    def stop(self) -> None:
        """End every running step. May be called from a signal handler: it takes no lock."""
        self._stopped = True
        for group in tuple(self._running):
            _signal_group(group, signal.SIGTERM)

    def run(self, stage: Stage, log: Path | None) -> Outcome:
        """Run all steps of a stage, their output into ``log``, or to the terminal if there is none."""
        started = time.monotonic()
        counts = Counts()
        failures: list[str] = []
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(log.open("w", encoding="utf-8")) if log else None
            for step in stage.steps():
                remaining = stage.timeout_seconds - (time.monotonic() - started)
                succeeded = self._run_step(step, output, remaining)
                step_counts = _counts_of(step, succeeded)
                counts += step_counts
                if not succeeded or step_counts.failed:
                    failures.append(step.name)
        return Outcome(stage.name, counts, time.monotonic() - started, tuple(failures))

    def _run_step(self, step: Step, output: IO[str] | None, remaining_seconds: float) -> bool:
        if step.junit:
            _forget(step.junit)
        if self._stopped:
            return False
        _say(output, f"== {step.name}: {shlex.join(step.command)}")
        # A group of its own, so that what the step has started ends with it.
        process = subprocess.Popen(
            step.command,
            cwd=step.directory,
            env={**os.environ, **dict(step.environment)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
        with self._guard:
            self._running.add(process.pid)
        try:
            if self._stopped:
                _signal_group(process.pid, signal.SIGTERM)
            return process.wait(max(remaining_seconds, 1)) == 0
        except subprocess.TimeoutExpired:
            _say(output, f"== {step.name}: ended, because its stage took longer than it may")
            _signal_group(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
            return False
        finally:
            with self._guard:
                self._running.discard(process.pid)
            _signal_group(process.pid, signal.SIGKILL)
            process.wait()


def _say(output: IO[str] | None, line: str) -> None:
    """A line of our own between the output of steps."""
    print(line, file=output, flush=True)


def _forget(report: Path) -> None:
    """An earlier run's report must not count for this one."""
    if report.is_dir():
        shutil.rmtree(report)
    else:
        report.unlink(missing_ok=True)


def _signal_group(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _counts_of(step: Step, succeeded: bool) -> Counts:
    """What the step's JUnit file says; without one, the step is one test that passed or failed."""
    if step.junit:
        try:
            counts = read_junit(step.junit)
        except (OSError, ElementTree.ParseError):
            return Counts(failed=1)
        # A tool can fail with every test passed: nothing collected, an error while finishing.
        return counts if succeeded or counts.failed else counts + Counts(failed=1)
    return Counts(passed=1) if succeeded else Counts(failed=1)
