# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every single call of the file layer fails once: never a wrong "ok", and the same run made again completes."""

from __future__ import annotations

import errno
import itertools
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer

from unit.files.faulty_files import FailingLayer, ShortLayer, WatchedLayer
from unit.files.small_backup import Entry, SmallBackup, write_sources

FAILURES = [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EINTR]
failures = pytest.mark.parametrize("failure", FAILURES, ids=lambda number: errno.errorcode[number])


@pytest.fixture
def backups(tmp_path: Path) -> Iterator[SmallBackup]:
    """One backup after the other, each in a folder of its own in which runs before it have left something."""

    def endless() -> Iterator[SmallBackup]:
        sources = write_sources(tmp_path / "oradata")
        for number in itertools.count():
            backup = SmallBackup(sources, tmp_path / "sets" / str(number))
            backup.leave_earlier_content()
            yield backup

    return endless()


def another(backups: Iterator[SmallBackup]) -> SmallBackup:
    """One more of the endless many."""
    return next(backups)


def run_with_each_failure(
    backups: Iterator[SmallBackup],
    failure: int | type[BaseException],
    streams: int = 1,
    lasting: bool = False,
    inner: Any = None,
) -> Iterator[tuple[SmallBackup, FailingLayer, BaseException | None]]:
    """Let the first call of each name fail in a run, the second, and so on; yield what each run led to.

    Counted by name, because threads mix their calls differently each time. The state that each run leaves is
    checked here, and that the run made again completes.
    """
    expected = BackupError if isinstance(failure, int) else failure
    undisturbed = WatchedLayer(inner)
    another(backups).run(undisturbed, streams=streams)
    for name in sorted(set(undisturbed.calls)):
        for nth in itertools.count():
            backup = another(backups)
            files = FailingLayer(name, failure, nth=nth, lasting=lasting, inner=inner)
            acknowledged: list[Entry] = []
            outcome: BaseException | None = None
            try:
                backup.run(files, streams=streams, acknowledged=acknowledged)
            except expected as exc:
                outcome = exc
            where = f"{name}, number {nth}, of {files.subject}"
            assert outcome is not None or backup.shortcomings(acknowledged) == [], where
            assert backup.violations(acknowledged) == [], where
            assert (files.left_open, files.closed_twice) == (set(), []), where
            if files.failed is None:
                assert outcome is None, where
                break
            yield backup, files, outcome
            assert backup.run_again() == [], where


@failures
def test_whatever_call_fails_it_is_told_and_nothing_is_half_done(
    backups: Iterator[SmallBackup], failure: int
) -> None:
    require_told(backups, failure)


def test_whatever_call_fails_among_several_streams_and_direct_writes_it_is_told(
    backups: Iterator[SmallBackup],
) -> None:
    require_told(backups, errno.EIO, streams=2, inner=OsFileLayer())


def require_told(backups: Iterator[SmallBackup], failure: int, streams: int = 1, inner: Any = None) -> None:
    failed = set()
    for backup, files, outcome in run_with_each_failure(backups, failure, streams, inner=inner):
        assert backup.leftovers() == []
        if outcome is not None:
            failed.add(files.failed)
            assert files.subject in str(outcome)
            assert errno.errorcode[failure] in str(outcome)
    assert failed >= {
        "open_source",
        "open_staging",
        "open_new",
        "open_journal",
        "read_into",
        "write_at",
        "append",
        "set_mode",
        "flush",
        "rename",
        "rename_new",
        "flush_folder",
        "close",
    }


@pytest.mark.parametrize("failure", [errno.ENOSPC, errno.EROFS], ids=["full", "read-only"])
def test_a_disk_that_stays_full_or_read_only_is_told_and_holds_no_half_file(
    backups: Iterator[SmallBackup], failure: int
) -> None:
    outcomes = [
        str(outcome)
        for _backup, _files, outcome in run_with_each_failure(backups, failure, lasting=True)
        if outcome is not None
    ]
    assert len(outcomes) > len(FAILURES)
    assert [text for text in outcomes if errno.errorcode[failure] not in text] == []


def test_an_interrupt_at_whatever_call_gets_through_and_nothing_is_half_done(
    backups: Iterator[SmallBackup],
) -> None:
    for backup, _files, outcome in run_with_each_failure(backups, KeyboardInterrupt, streams=2):
        assert isinstance(outcome, KeyboardInterrupt)
        assert backup.leftovers() == []


def main_thread_awaits_futures() -> bool:
    """Whether the main thread has handed out all its work."""
    frame: FrameType | None = sys._current_frames()[threading.main_thread().ident or 0]
    while frame is not None:
        if (frame.f_code.co_name, Path(frame.f_code.co_filename).parent.name) == ("wait", "futures"):
            return True
        frame = frame.f_back
    return False


def test_an_interrupt_of_the_waiting_thread_stops_the_streams(backups: Iterator[SmallBackup]) -> None:
    class Interrupting(WatchedLayer):
        interrupted = False

        def before(self, _position: int, name: str, _arguments: tuple[Any, ...]) -> None:
            if name == "write_at" and not self.interrupted:
                self.interrupted = True
                deadline = time.monotonic() + 30
                while not main_thread_awaits_futures():
                    assert time.monotonic() < deadline, "the main thread does not wait for the streams"
                # A signal to the process could end up at a stream's thread.
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    backup = another(backups)
    with pytest.raises(KeyboardInterrupt):
        backup.run(Interrupting(), streams=2)
    assert backup.violations() == []
    assert backup.leftovers() == []
    assert backup.run_again() == []


def test_reads_and_writes_that_are_always_short_are_continued(backups: Iterator[SmallBackup]) -> None:
    backup = another(backups)
    acknowledged: list[Entry] = []
    backup.run(ShortLayer(), acknowledged=acknowledged)
    assert backup.shortcomings([{"event": "earlier_run"}, *acknowledged]) == []


def test_whatever_single_read_or_write_is_short_it_is_continued(backups: Iterator[SmallBackup]) -> None:
    for position in itertools.count():
        files = ShortLayer(only=position)
        backup = another(backups)
        acknowledged: list[Entry] = []
        backup.run(files, acknowledged=acknowledged)
        assert backup.shortcomings([{"event": "earlier_run"}, *acknowledged]) == [], f"data call {position}"
        if position >= files.data_calls:
            break
