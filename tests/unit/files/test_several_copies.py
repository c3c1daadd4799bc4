# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several files copied at once: their order, and where they stop."""

from __future__ import annotations

import dataclasses
import threading
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    CopyResult,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings, run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import verify_file

from unit.files import oracle_file_writer as writer
from unit.files.plain_copies import backup, no_pause

__all__ = ["backup"]


def requests_for(tmp_path: Path, backup: Path, sizes: list[int]) -> list[CopyRequest]:
    return [
        CopyRequest(
            source=str(writer.Datafile(number=number).fill(size).write(tmp_path / f"{number}.dbf")),
            destination=str(backup / f"{number}.dbf"),
            kind=FileKind.DATAFILE,
            file_number=number,
        )
        for number, size in enumerate(sizes, start=1)
    ]


@pytest.mark.parametrize("streams", [1, 3, 8])
def test_results_come_in_the_order_of_the_requests(tmp_path: Path, backup: Path, streams: int) -> None:
    requests = requests_for(tmp_path, backup, [4, 30, 2, 11])
    counts: list[int] = []
    finished: list[CopyResult] = []
    results = copy_many(
        requests, StreamSettings(streams), IoContext(progress=counts.append), finished=finished.append
    )
    assert [result.source for result in results] == [request.source for request in requests]
    assert sum(counts) == sum(result.size_bytes for result in results)
    assert sorted(result.source for result in finished) == [request.source for request in requests]
    for result in results:
        assert verify_file(result.destination, FileExpectations(FileKind.DATAFILE), result.digest).intact


def test_the_largest_file_is_begun_first(tmp_path: Path, backup: Path) -> None:
    finished: list[str] = []
    copy_many(
        requests_for(tmp_path, backup, [4, 30, 2, 11]),
        finished=lambda result: finished.append(Path(result.source).name),
    )
    assert finished == ["2.dbf", "4.dbf", "1.dbf", "3.dbf"]


class SlowTask:
    """A file task of one unit that fails at once (``size`` 1), or works until it is asked to stop."""

    def __init__(self, size: int, stop: threading.Event) -> None:
        self._size = size
        self._stop = stop
        self.abandoned = False

    def begin(self) -> int:
        return 1

    def do(self, _unit: int, _buffer: memoryview) -> None:
        if self._size == 1:
            raise VerificationError("the small one is bad")
        assert self._stop.wait(30)
        raise Cancelled(f"stopped at size {self._size}")

    def end(self) -> int:
        return self._size

    def abandon(self) -> None:
        self.abandoned = True


def test_the_first_failure_stops_the_others_and_is_the_one_told() -> None:
    stop = threading.Event()
    tasks = [SlowTask(size, stop) for size in (30, 2, 1)]
    with pytest.raises(VerificationError, match="the small one is bad"):
        run_all(tasks, StreamSettings(3), stop)
    assert all(task.abandoned for task in tasks)


def test_files_not_yet_begun_stay_so_after_a_failure(tmp_path: Path, backup: Path) -> None:
    requests = requests_for(tmp_path, backup, [4, 30, 2])
    requests[1] = dataclasses.replace(requests[1], file_number=77)
    with pytest.raises(VerificationError, match="file_number 77"):
        copy_many(requests, StreamSettings(1), IoContext(pause=no_pause))
    assert list(backup.iterdir()) == []


def test_nothing_is_begun_after_cancellation(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(Cancelled):
        copy_many(
            requests_for(tmp_path, backup, [4, 2]), StreamSettings(2), IoContext(cancelled=lambda: True)
        )
    assert list(backup.iterdir()) == []


def test_no_request_is_no_work() -> None:
    assert copy_many([], StreamSettings(3)) == []


def test_no_stream_is_a_programming_error(tmp_path: Path, backup: Path) -> None:
    with pytest.raises(ValueError, match="stream"):
        copy_many(requests_for(tmp_path, backup, [2]), StreamSettings(0))
