# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pairs of copies are compared by bytes and by the clock; disturbed ones count only when there are no others."""

from __future__ import annotations

import pytest

from benchmarks.pairs import Measurement, Pair, counted, last_line, summary
from benchmarks.peers import PeerAbsent, tool

GIGABYTE = 10**9


def measurement(seconds: float, bytes_copied: int = GIGABYTE, foreign_share: float = 0.0) -> Measurement:
    return Measurement(seconds, bytes_copied, cpu_seconds=1.5, foreign_share=foreign_share)


def pair(peer_seconds: float, *, foreign_share: float = 0.0) -> Pair:
    return Pair(measurement(peer_seconds), measurement(2.0, foreign_share=foreign_share))


def test_ratios_are_of_the_engines_speed() -> None:
    more = Pair(measurement(4.0, bytes_copied=2 * GIGABYTE), measurement(2.0))
    assert (more.speed_ratio, more.time_ratio) == (1.0, 0.5)
    assert (pair(4.0).speed_ratio, pair(4.0).time_ratio) == (0.5, 0.5)


def test_a_pair_is_clean_when_both_copies_were_left_alone() -> None:
    disturbed = pair(9.0, foreign_share=0.5)
    assert counted([disturbed, pair(4.0)]) == [pair(4.0)]
    assert counted([disturbed]) == [disturbed]


def test_summary_has_a_line_for_the_engine_and_each_peer() -> None:
    more = Pair(measurement(4.0, bytes_copied=2 * GIGABYTE), measurement(2.0))
    engine, cp, pgbackrest = summary({"cp": [pair(4.0), pair(1.0)], "pgbackrest": [more]})
    assert " ".join(engine.split()) == "engine 2.00 (2.00 to 2.00) 1.50 (1.50 to 1.50) 1.00"
    assert cp.split()[:5] == ["cp", "2.50", "(1.00", "to", "4.00)"]
    assert cp.endswith("1.25 (0.50 to 2.00)  2 of 2 pairs clean")
    assert pgbackrest.endswith("by time 0.50 (0.50 to 0.50), having copied 2.000 times the engine's bytes")


def test_last_line_names_who_was_there_and_who_was_not() -> None:
    results = {"cp": [pair(4.0), pair(9.0, foreign_share=0.5)], "rsync": [pair(8.0), pair(8.0)]}
    assert last_line(results, ["restic"], 2) == (
        "bench-peers: engine 1.00x cp 0.50x rsync 0.25x of the engine's speed; rounds 2; clean pairs 3/4; absent restic"
    )
    assert last_line(results, [], 2).endswith("clean pairs 3/4")


def test_a_missing_tool_is_named_with_its_package() -> None:
    with pytest.raises(
        PeerAbsent, match="no-such-program is not installed; install the package some-package"
    ):
        tool("no-such-program", "some-package")
