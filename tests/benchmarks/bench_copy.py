# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the copy engine compares with cp: ``make bench-copy``.

Every round runs ``cp`` with ``sync`` and the engine on the same files, one right after the other and in turn
which comes first, so that a busy moment of the machine meets both. Figures are medians over the rounds in
which others left the machine alone. Nothing is asserted; the last line is for programs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.copy_details import copy_with_cp, tell_details
from benchmarks.copying import GIGABYTE, MEBIBYTE, Engine, Workload, fresh_folder, workloads
from benchmarks.machine import Spread, Watch


@dataclass(frozen=True)
class Round:
    """One pair. ``ratio`` is how many times as fast as cp with sync the engine was."""

    cp_seconds: float
    engine_seconds: float
    cpu_seconds_per_gigabyte: float
    peak_bytes: int
    foreign_share: float
    clean: bool

    @property
    def ratio(self) -> float:
        return self.cp_seconds / self.engine_seconds


def measure_round(
    engine: Engine, files: Sequence[str], folder: Path, streams: int, engine_first: bool
) -> Round:
    """Both copies of the same files."""
    found: dict[str, Any] = {}

    def by_engine() -> None:
        target = fresh_folder(folder / "copies")
        found.update(engine.order(do="copy", files=list(files), target=str(target), streams=streams))

    def by_cp() -> None:
        found["cp"] = copy_with_cp(files, fresh_folder(folder / "copies"))

    steps: list[Callable[[], None]] = [by_engine, by_cp] if engine_first else [by_cp, by_engine]
    with Watch(engine.pid) as watch:
        for step in steps:
            step()
    return Round(
        cp_seconds=found["cp"],
        engine_seconds=found["seconds"],
        cpu_seconds_per_gigabyte=found["cpu_seconds"] / (found["bytes"] / GIGABYTE),
        peak_bytes=found["peak_bytes"] - found["idle_bytes"],
        foreign_share=watch.foreign_share,
        clean=watch.clean,
    )


def measure(workload: Workload, folder: Path, rounds: int, streams: int) -> list[Round]:
    """All rounds of one workload, told one by one; one more before them warms the cache and is not counted."""
    files = workload.make(folder / workload.name)
    with Engine() as engine:
        measure_round(engine, files, folder, streams, engine_first=False)
        measured = []
        for number in range(rounds):
            measured.append(measure_round(engine, files, folder, streams, engine_first=bool(number % 2)))
            _tell(workload.name, number + 1, measured[-1])
        if workload.name == "set":
            tell_details(engine, files, folder, rounds, streams)
    shutil.rmtree(folder / workload.name)
    return measured


def _tell(name: str, number: int, found: Round) -> None:
    mark = "" if found.clean else "  NOT CLEAN"
    print(
        f"{name:8} round {number}: cp+sync {found.cp_seconds:5.2f} s, engine {found.engine_seconds:5.2f} s, "
        f"{found.ratio:4.2f}x, {found.cpu_seconds_per_gigabyte:4.2f} cpu s/GB, "
        f"others {found.foreign_share:4.0%}{mark}",
        flush=True,
    )


def summary(name: str, rounds: Sequence[Round]) -> Spread:
    """Ratios of the clean rounds, or of all when none was clean."""
    counted = [found for found in rounds if found.clean] or list(rounds)
    ratios = Spread(tuple(found.ratio for found in counted))
    print(f"{name:8} median {ratios.text()} times the speed of cp+sync, {len(counted)} rounds counted")
    return ratios


def main(arguments: list[str]) -> int:
    """Measure the workloads one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--streams", type=int, default=4)
    parser.add_argument("--scale", type=float, default=1.0, help="1: 2 GiB for each workload")
    parser.add_argument("--folder", type=Path, help="where to work; its file system is what is measured")
    chosen = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="bench-copy-", dir=chosen.folder))
    print(f"in {folder}, {chosen.streams} streams, sources in the page cache, {os.cpu_count()} processors")
    try:
        results = {
            workload.name: measure(workload, folder, chosen.rounds, chosen.streams)
            for workload in workloads(chosen.scale)
        }
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    medians = {name: summary(name, rounds).median for name, rounds in results.items()}
    every = [found for rounds in results.values() for found in rounds]
    cpu = Spread(tuple(found.cpu_seconds_per_gigabyte for found in results["set"])).median
    peak = max(found.peak_bytes for found in every) / MEBIBYTE
    ratios = " ".join(f"{name} {median:.2f}x" for name, median in medians.items())
    clean = sum(found.clean for found in every)
    print(
        f"bench-copy: {ratios} of cp+sync; cpu {cpu:.2f} s/GB; rss {peak:.0f} MiB; "
        f"clean rounds {clean}/{len(every)}"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
