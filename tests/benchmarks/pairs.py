# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a measurement beside a peer amounts to: pairs of copies, their ratios, and the lines that tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.copying import GIGABYTE
from benchmarks.machine import FOREIGN_LIMIT, Spread


@dataclass(frozen=True)
class Measurement:
    """One copy. ``foreign_share`` is the part of the machine, 0 to 1, that others took meanwhile."""

    seconds: float
    bytes_copied: int
    cpu_seconds: float
    foreign_share: float

    @property
    def bytes_per_second(self) -> float:
        return self.bytes_copied / self.seconds

    @property
    def cpu_seconds_per_gigabyte(self) -> float:
        return self.cpu_seconds / (self.bytes_copied / GIGABYTE)

    @property
    def clean(self) -> bool:
        return self.foreign_share <= FOREIGN_LIMIT

    def text(self) -> str:
        mark = "" if self.clean else " NOT CLEAN"
        return (
            f"{self.seconds:6.2f} s, {self.cpu_seconds_per_gigabyte:5.2f} cpu s/GB, "
            f"others {self.foreign_share:4.0%}{mark}"
        )


@dataclass(frozen=True)
class Pair:
    """A peer and the engine, one right after the other."""

    peer: Measurement
    engine: Measurement

    @property
    def speed_ratio(self) -> float:
        """How many times as many bytes a second as the engine the peer copied."""
        return self.peer.bytes_per_second / self.engine.bytes_per_second

    @property
    def time_ratio(self) -> float:
        """The same by the clock alone, whatever the number of bytes."""
        return self.engine.seconds / self.peer.seconds

    @property
    def clean(self) -> bool:
        return self.peer.clean and self.engine.clean


def counted(pairs: Sequence[Pair]) -> list[Pair]:
    """The clean pairs, or all when none was clean."""
    return [pair for pair in pairs if pair.clean] or list(pairs)


def summary(results: Mapping[str, Sequence[Pair]]) -> list[str]:
    """A line for the engine and one for each peer: medians with ranges."""
    every = [pair for pairs in results.values() for pair in counted(pairs)]
    lines = [_row("engine", [pair.engine for pair in every], "1.00")]
    for name, pairs in results.items():
        used = counted(pairs)
        ratios = Spread(tuple(pair.speed_ratio for pair in used)).text()
        note = f"{sum(pair.clean for pair in pairs)} of {len(pairs)} pairs clean"
        if any(pair.peer.bytes_copied != pair.engine.bytes_copied for pair in used):
            by_time = Spread(tuple(pair.time_ratio for pair in used)).text()
            moved = used[0].peer.bytes_copied / used[0].engine.bytes_copied
            note += f"; by time {by_time}, having copied {moved:.3f} times the engine's bytes"
        lines.append(_row(name, [pair.peer for pair in used], f"{ratios}  {note}"))
    return lines


def _row(name: str, measured: Sequence[Measurement], rest: str) -> str:
    seconds = Spread(tuple(found.seconds for found in measured)).text()
    cpu = Spread(tuple(found.cpu_seconds_per_gigabyte for found in measured)).text()
    return f"{name:17} {seconds:24} {cpu:22} {rest}"


SUMMARY_HEAD = f"{'':17} {'seconds':24} {'cpu s/GB':22} of the engine's speed"


def last_line(results: Mapping[str, Sequence[Pair]], absent: Sequence[str], rounds: int) -> str:
    """For programs."""
    ratios = "".join(
        f" {name} {Spread(tuple(pair.speed_ratio for pair in counted(pairs))).median:.2f}x"
        for name, pairs in results.items()
    )
    every = [pair for pairs in results.values() for pair in pairs]
    line = f"bench-peers: engine 1.00x{ratios} of the engine's speed; rounds {rounds}"
    line += f"; clean pairs {sum(pair.clean for pair in every)}/{len(every)}"
    return line + (f"; absent {' '.join(absent)}" if absent else "")
