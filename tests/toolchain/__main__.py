# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m toolchain`` runs every stage; ``python -m toolchain unit`` only that, live on the terminal.

With all stages each one's output goes to ``.build/logs/<stage>.log``; of a failing stage the end is shown.
The exit status is 0 only if every stage that ran has passed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import FrameType

from toolchain.outcome import Outcome, duration, summary
from toolchain.runner import Runner
from toolchain.stages import AT_ONCE, LOGS, STAGES, Stage, all_stages

_TAIL_LINES = 60


def run_one(runner: Runner, stage: Stage) -> Outcome:
    """One stage, live on the terminal."""
    outcome = runner.run(stage, None)
    for skip in outcome.counts.skips:
        print(f"skipped: {skip}")
    because = "" if outcome.passed else f" ({', '.join(outcome.failures)})"
    print(f"{stage.name}: {outcome.verdict}{because}", flush=True)
    return outcome


def run_all(runner: Runner, stages: Sequence[Stage], at_once: int) -> list[Outcome]:
    """All stages, begun in their order, some at the same time; one line when a stage starts and one when it ends."""
    printing = threading.Lock()

    def run_stage(stage: Stage) -> Outcome:
        log = LOGS / f"{stage.name}.log"
        with printing:
            print(f"{stage.name}: started", flush=True)
        outcome = runner.run(stage, log)
        with printing:
            print(f"{stage.name}: {outcome.verdict} in {duration(outcome.elapsed_seconds)}")
            if not outcome.passed:
                tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:]
                print("\n".join(f"  | {line}" for line in tail))
                print(f"  (all of it: {log})")
            sys.stdout.flush()
        return outcome

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(run_stage, stages))


def main(arguments: Sequence[str]) -> int:
    """Parse the command line, run, report."""
    stages = all_stages()
    parser = argparse.ArgumentParser(prog="toolchain", description=__doc__)
    parser.add_argument("stage", nargs="?", choices=list(stages), help="one stage instead of all")
    parser.add_argument("--one-at-a-time", action="store_true", help="run the stages one after the other")
    chosen = parser.parse_args(arguments)

    LOGS.mkdir(parents=True, exist_ok=True)
    runner = Runner()

    def stop(_number: int, _frame: FrameType | None) -> None:
        runner.stop()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)

    if chosen.stage:
        return 0 if run_one(runner, stages[chosen.stage]).passed else 1
    started = time.monotonic()
    outcomes = run_all(runner, STAGES, 1 if chosen.one_at_a_time else AT_ONCE)
    print(summary(outcomes, time.monotonic() - started), flush=True)
    return 0 if all(outcome.passed for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
