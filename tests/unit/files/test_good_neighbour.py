# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A good neighbour: bandwidth, priority and cancellation."""

from __future__ import annotations

import shutil
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import priority as priority_module
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.bandwidth import Bandwidth
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BufferRing
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.priority import Priority
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import Streams, StreamSettings

from unit.files import oracle_file_writer as writer

MEBIBYTE = 1 << 20


def request_for(source: Path, target: Path) -> CopyRequest:
    return CopyRequest(source=str(source), destination=str(target), kind=FileKind.DATAFILE)


# --- bandwidth


class Clock:
    """Time passes only while somebody sleeps, or is told to have passed."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.longest_sleep = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.longest_sleep = max(self.longest_sleep, seconds)
        self.now += seconds


def nothing() -> None:
    pass


def limited(clock: Clock, rate: int) -> Bandwidth:
    return Bandwidth(rate, monotonic=clock.monotonic, sleep=clock.sleep)


@pytest.mark.parametrize("piece", [64 * 1024, 2 * MEBIBYTE, 7 * MEBIBYTE])
@pytest.mark.parametrize("rate", [MEBIBYTE, 100 * MEBIBYTE])
def test_the_limit_is_kept_within_a_twentieth(piece: int, rate: int) -> None:
    clock = Clock()
    bandwidth = limited(clock, rate)
    started = clock.now
    for _piece in range(500):
        bandwidth.take(piece, nothing)
    assert 500 * piece / (clock.now - started) == pytest.approx(rate, rel=0.05)


def test_time_spent_on_the_work_itself_counts() -> None:
    clock = Clock()
    bandwidth = limited(clock, 10 * MEBIBYTE)
    started = clock.now
    for _piece in range(200):
        bandwidth.take(MEBIBYTE, nothing)
        clock.now += 0.06  # reading and writing it
    assert 200 * MEBIBYTE / (clock.now - started) == pytest.approx(10 * MEBIBYTE, rel=0.05)


def test_a_long_pause_is_not_made_up_for_by_a_burst() -> None:
    clock = Clock()
    bandwidth = limited(clock, MEBIBYTE)
    clock.now += 3600
    started = clock.now
    for _piece in range(20):
        bandwidth.take(MEBIBYTE, nothing)
    assert clock.now - started == pytest.approx(20, rel=0.05)


@pytest.mark.parametrize("piece", [64 * 1024, 2 * MEBIBYTE])
def test_after_a_pause_no_second_takes_more_than_its_share_and_a_buffer(piece: int) -> None:
    clock = Clock()
    rate = 10 * MEBIBYTE
    bandwidth = limited(clock, rate)
    for _pause in range(3):
        clock.now += 10
        started, taken = clock.now, 0
        while clock.now < started + 1:
            bandwidth.take(piece, nothing)
            taken += piece
        assert taken <= 1.05 * rate + piece


def test_a_wait_for_bandwidth_looks_often_whether_it_is_still_wanted() -> None:
    clock = Clock()
    asked: list[float] = []
    limited(clock, 1000).take(10_000, lambda: asked.append(clock.now))
    assert len(asked) >= 40
    assert clock.longest_sleep <= 0.25


def test_a_bandwidth_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one byte"):
        Bandwidth(0)


def test_all_streams_share_the_limit(tmp_path: Path) -> None:
    sources = [writer.Datafile(number=n).fill(600).write(tmp_path / f"{n}.dbf") for n in range(1, 5)]
    total = sum(path.stat().st_size for path in sources)
    target = tmp_path / "copies"
    target.mkdir()
    rate = total * 2
    started = time.monotonic()
    copy_many(
        [request_for(path, target / path.name) for path in sources],
        StreamSettings(4, buffer_size_bytes=64 * 1024),
        IoContext(bandwidth=Bandwidth(rate)),
    )
    # Faster than allowed is what must not be; how much slower depends on who else is on this machine.
    assert total / (time.monotonic() - started) <= rate * 1.05


# --- cancellation


@pytest.mark.parametrize("streams", [1, 3])
def test_a_copy_that_waits_for_bandwidth_is_cancelled_within_a_second(tmp_path: Path, streams: int) -> None:
    source = writer.Datafile().fill(1000).write(tmp_path / "users01.dbf")
    stop, asked = threading.Event(), []

    def cancelled() -> bool:
        if stop.is_set() and not asked:
            asked.append(time.monotonic())
        return stop.is_set()

    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Cancelled):
        copy_many(
            [request_for(source, tmp_path / f"copy{number}.dbf") for number in range(streams)],
            StreamSettings(streams),
            IoContext(cancelled=cancelled, bandwidth=Bandwidth(1000)),
        )
    assert time.monotonic() - asked[0] < 1
    assert [path.name for path in tmp_path.iterdir()] == ["users01.dbf"]


# --- priority


class Observed:
    """A file task that notes what the kernel says of the threads that work on it."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look = look
        self.seen: list[object] = []

    def begin(self) -> int:
        return 1

    def do(self, _unit: int, ring: BufferRing) -> None:
        with ring:
            self.seen.append(self._look())
            for _turn in range(4):
                ring.next()
                ring.later(lambda: self.seen.append(self._look()))

    def end(self) -> None:
        pass

    def abandon(self) -> None:
        pass


def nice_of_this_thread() -> int:
    fields = Path("/proc/thread-self/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return int(fields[16])


def io_class_of_this_thread() -> str:
    shown = subprocess.run(
        ["ionice", "-p", str(threading.get_native_id())], capture_output=True, text=True, check=True
    )
    return shown.stdout.strip()


def observed(priority: Priority, look: Callable[[], object]) -> list[object]:
    task = Observed(look)
    with Streams(StreamSettings(2, priority=priority)) as streams:
        streams.submit(task).result(30)
    return task.seen


def test_reading_and_writing_threads_are_nice_and_nobody_else_is() -> None:
    before = nice_of_this_thread()
    assert set(observed(Priority(nice=min(19, before + 7)), nice_of_this_thread)) == {min(19, before + 7)}
    assert nice_of_this_thread() == before


@pytest.mark.skipif(
    shutil.which("ionice") is None, reason="ionice, which tells the I/O class, is not installed"
)
@pytest.mark.parametrize(
    ("io_class", "shown"), [("best_effort", "best-effort: prio 7"), ("idle", "idle")], ids=["last", "idle"]
)
def test_reading_and_writing_threads_have_the_io_class(io_class: str, shown: str) -> None:
    before = io_class_of_this_thread()
    assert set(observed(Priority(io_class=io_class), io_class_of_this_thread)) == {shown}
    assert io_class_of_this_thread() == before


def test_a_priority_that_the_system_refuses_is_an_error_before_anything_is_copied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_io_class: int, _level: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(priority_module, "set_io_priority", refuse)
    with pytest.raises(PreconditionError, match="Operation not permitted"):
        Streams(StreamSettings(2, priority=Priority(io_class="idle")))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("stream-")]
