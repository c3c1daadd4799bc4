# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof of unbroken redo, and what can be reached with it."""

from __future__ import annotations

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.chain import (
    prove_chain,
    reachable_interval,
    required_threads,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import ArchivedLog, RedoThread
from hypothesis import given
from hypothesis import strategies as st

from unit.backup.samples import log

LOGS = [log(10, 100, 200), log(11, 200, 300), log(12, 300, 400), log(13, 400, 500)]


def gaps(
    logs: list[ArchivedLog], begin: int = 150, end: int = 350, threads: tuple[int, ...] = (1,)
) -> list[str]:
    chain = prove_chain(logs, resetlogs_id=77, threads=threads, begin_scn=begin, end_scn=end)
    return [str(gap) for gap in chain.gaps]


def test_unbroken_logs_are_a_complete_chain() -> None:
    chain = prove_chain(reversed(LOGS), resetlogs_id=77, threads=(1,), begin_scn=150, end_scn=350)
    assert chain.complete
    assert chain.required == ((77, 1, 10), (77, 1, 11), (77, 1, 12))


@pytest.mark.parametrize(
    ("logs", "found"),
    [
        pytest.param(
            LOGS[1:], ["thread 1: before sequence 11 (SCN 150 to 200)"], id="the log that holds the begin"
        ),
        pytest.param([LOGS[0], *LOGS[2:]], ["thread 1: sequence 11 (SCN 200 to 300)"], id="in the middle"),
        pytest.param(LOGS[:2], ["thread 1: from sequence 12 on (SCN 300 to 350)"], id="the end"),
        pytest.param([], ["thread 1: all redo (SCN 150 to 350)"], id="everything"),
        pytest.param(
            [LOGS[0], log(13, 250, 400)], ["thread 1: sequences 11 to 12 (SCN 200 to 250)"], id="two"
        ),
        pytest.param(
            [LOGS[0], log(11, 210, 400)],
            ["thread 1: between sequences 10 and 11 (SCN 200 to 210)"],
            id="SCNs that do not meet",
        ),
    ],
)
def test_gap_is_found_and_named(logs: list[ArchivedLog], found: list[str]) -> None:
    assert gaps(logs) == found


def test_last_log_must_end_beyond_the_end() -> None:
    assert gaps(LOGS[:2], end=299) == []
    assert gaps(LOGS[:2], end=300) != []


def test_every_thread_is_proved_by_itself() -> None:
    second = [log(5, 120, 400, thread=2)]
    assert gaps(LOGS + second, threads=(1, 2)) == []
    assert gaps(LOGS, threads=(1, 2)) == ["thread 2: all redo (SCN 150 to 350)"]


def test_thread_enabled_later_starts_at_its_first_log() -> None:
    assert gaps([*LOGS, log(1, 250, 400, thread=2)], threads=(1, 2)) == []
    assert gaps([*LOGS, log(2, 250, 400, thread=2)], threads=(1, 2)) != []


def test_logs_of_another_incarnation_do_not_count() -> None:
    assert gaps([log(item.sequence, item.first_scn, item.next_scn, resetlogs_id=1) for item in LOGS]) != []


def test_copies_of_one_log_count_once() -> None:
    chain = prove_chain(LOGS * 2, resetlogs_id=77, threads=(1,), begin_scn=150, end_scn=350)
    assert chain.complete and len(chain.required) == 3


@pytest.mark.parametrize(
    ("logs", "interval"),
    [
        pytest.param(LOGS, (350, 499), id="to the end of the last log"),
        pytest.param(LOGS[:3], (350, 399), id="fewer logs"),
        pytest.param([*LOGS, log(15, 600, 700)], (350, 499), id="not beyond a gap"),
        pytest.param(LOGS[:2], None, id="not even the set's own end"),
        pytest.param(LOGS[1:], None, id="no beginning"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_reachable_interval(logs: list[ArchivedLog], interval: tuple[int, int] | None) -> None:
    found = reachable_interval(logs, resetlogs_id=77, threads=(1,), begin_scn=150, end_scn=350)
    assert (None if found is None else (found.from_scn, found.through_scn)) == interval


def test_slowest_thread_limits_what_can_be_reached() -> None:
    logs = [*LOGS, log(5, 100, 420, thread=2)]
    found = reachable_interval(logs, resetlogs_id=77, threads=(1, 2), begin_scn=150, end_scn=350)
    assert found is not None and found.through_scn == 419
    assert 419 in found and 420 not in found and 349 not in found


@given(st.sets(st.integers(0, 19)), st.integers(0, 1999), st.integers(0, 1999))
def test_chain_is_complete_exactly_when_every_scn_is_covered(missing: set[int], one: int, other: int) -> None:
    begin, end = sorted((one, other))
    logs = [log(n + 2, n * 100, n * 100 + 100) for n in range(20) if n not in missing]
    covered = all(n not in missing for n in range(begin // 100, end // 100 + 1))
    chain = prove_chain(logs, resetlogs_id=77, threads=(1,), begin_scn=begin, end_scn=end)
    reach = reachable_interval(logs, resetlogs_id=77, threads=(1,), begin_scn=begin, end_scn=end)
    assert chain.complete is covered
    assert (reach is not None) is covered


def test_closed_thread_with_old_redo_is_not_required() -> None:
    idle = RedoThread(2, "CLOSED", "PUBLIC", 5, 3, last_redo_scn=90)
    busy = RedoThread(2, "OPEN", "PUBLIC", 6, 3, last_redo_scn=160)
    disabled = RedoThread(3, "CLOSED", "DISABLED", 1, 5)
    one = RedoThread(1, "OPEN", "PUBLIC", 10, 1)
    assert required_threads([one, idle, disabled], [one, idle, disabled], 150) == {1}
    assert required_threads([one, idle], [one, busy], 150) == {1, 2}
