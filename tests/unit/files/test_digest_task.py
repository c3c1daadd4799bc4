# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are compared with digests by any number of streams, and no further than the first difference."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    Cancelled,
    PreconditionError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files import digest_task
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.bandwidth import Bandwidth
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.digest_task import (
    DigestResult,
    DigestTask,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import FileKind
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import FileExpectations
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import (
    StreamSettings,
    run_all,
    run_alone,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import (
    VerifyTask,
    find_problems,
)

from unit.files.oracle_file_writer import Datafile

CHUNK = 64 * 1024
SIZE = 5 * CHUNK + 1000
NUMBERS_OF_STREAMS = (1, 2, 5)


class CountingLayer(OsFileLayer):
    """Knows how many bytes were read."""

    def __init__(self) -> None:
        self.bytes_read = 0

    def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
        count = super().read_into(descriptor, buffer, offset)
        self.bytes_read += count
        return count


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest_task, "CHUNK_SIZE_BYTES", CHUNK)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"".join(bytes([number % 251]) * 100 for number in range(SIZE // 100 + 1))[:SIZE])
    return path


def digests_of(content: bytes, chunk: int = CHUNK) -> tuple[str, list[str]]:
    """By the definition alone."""
    chunks = [hashlib.sha256(content[start : start + chunk]) for start in range(0, len(content), chunk)]
    whole = hashlib.sha256(b"".join(one.digest() for one in chunks))
    return whole.hexdigest(), [one.hexdigest() for one in chunks]


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def compared(task: DigestTask, streams: int = 1) -> DigestResult:
    (result,) = run_all([task], StreamSettings(streams, CHUNK), threading.Event())
    return result


@pytest.mark.parametrize("streams", NUMBERS_OF_STREAMS)
@pytest.mark.parametrize("known", [0, 3, 6])
def test_a_file_of_the_digest_is_intact_however_many_chunks_are_known(
    path: Path, streams: int, known: int
) -> None:
    digest, chunks = digests_of(path.read_bytes())
    assert compared(DigestTask(str(path), digest, CHUNK, chunks[:known]), streams).intact


@pytest.mark.parametrize("streams", NUMBERS_OF_STREAMS)
@pytest.mark.parametrize("offset", [0, 3 * CHUNK, SIZE - 1])
@pytest.mark.parametrize("known", [0, 6])
def test_a_changed_byte_anywhere_is_found(path: Path, streams: int, offset: int, known: int) -> None:
    digest, chunks = digests_of(path.read_bytes())
    flip(path, offset)
    (problem,) = compared(DigestTask(str(path), digest, CHUNK, chunks[:known]), streams).problems
    assert str(path) in problem


def test_known_chunks_alone_make_no_file_intact(path: Path) -> None:
    _digest, chunks = digests_of(path.read_bytes())
    assert not compared(DigestTask(str(path), "0" * 64, CHUNK, chunks)).intact


@pytest.mark.parametrize(("known", "read"), [(6, 2 * CHUNK), (0, SIZE)], ids=["chunks known", "unknown"])
def test_what_follows_the_first_chunk_that_differs_is_not_read(path: Path, known: int, read: int) -> None:
    digest, chunks = digests_of(path.read_bytes())
    flip(path, CHUNK + 5)
    files = CountingLayer()
    assert not compared(DigestTask(str(path), digest, CHUNK, chunks[:known], IoContext(files=files))).intact
    assert files.bytes_read == read


@pytest.mark.parametrize("chunk", [1000, CHUNK // 2, CHUNK * 2])
def test_chunks_of_another_size_are_compared_too(path: Path, chunk: int) -> None:
    digest, chunks = digests_of(path.read_bytes(), chunk)
    assert compared(DigestTask(str(path), digest, chunk, chunks), 3).intact
    flip(path, SIZE - 1)
    assert not compared(DigestTask(str(path), digest, chunk, chunks), 3).intact


@pytest.mark.parametrize("chunk", [CHUNK, 1000])
def test_an_empty_file_has_a_digest(tmp_path: Path, chunk: int) -> None:
    (tmp_path / "empty").touch()
    assert compared(DigestTask(str(tmp_path / "empty"), digests_of(b"")[0], chunk)).intact


def test_what_cannot_be_read_is_an_error_and_nothing_stays_open(path: Path, tmp_path: Path) -> None:
    before = list(Path("/proc/self/fd").iterdir())
    with pytest.raises(BackupError, match=r"Failed to read .*missing: .*ENOENT"):
        run_alone(DigestTask(str(tmp_path / "missing"), ""))
    with pytest.raises(PreconditionError, match="not a regular file"):
        run_alone(DigestTask(str(tmp_path), ""))
    with pytest.raises(Cancelled, match=str(path)):
        run_alone(DigestTask(str(path), "", context=IoContext(cancelled=lambda: True)))
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)


def test_a_file_that_becomes_shorter_meanwhile_is_an_error(path: Path) -> None:
    class Shrinking(OsFileLayer):
        def read_into(self, descriptor: int, buffer: memoryview, offset: int) -> int:
            os.truncate(path, CHUNK)
            return super().read_into(descriptor, buffer, offset)

    with pytest.raises(VerificationError, match=f"the file ends at {CHUNK}"):
        compared(DigestTask(str(path), "", context=IoContext(files=Shrinking())))


def test_reading_counts_against_the_limit_and_is_told(path: Path) -> None:
    taken: list[int] = []
    told: list[int] = []

    class Limit(Bandwidth):
        def take(self, count: int, _meanwhile: object) -> None:
            taken.append(count)

    context = IoContext(bandwidth=Limit(1), progress=told.append)
    assert compared(DigestTask(str(path), digests_of(path.read_bytes())[0], CHUNK, context=context), 3).intact
    assert (sum(taken), sum(told)) == (SIZE, SIZE)


@pytest.mark.parametrize("streams", NUMBERS_OF_STREAMS)
def test_the_problems_of_many_files_come_in_their_order(path: Path, tmp_path: Path, streams: int) -> None:
    digest, _chunks = digests_of(path.read_bytes())
    datafile = Datafile(number=7).fill(20).write(tmp_path / "datafile")
    expected = FileExpectations(FileKind.DATAFILE, file_number=8)
    tasks = [
        DigestTask(str(tmp_path / "missing"), digest),
        DigestTask(str(path), digest, CHUNK),
        VerifyTask(str(datafile), expected),
        DigestTask(str(path), "0" * 64, CHUNK),
        VerifyTask(str(tmp_path / "gone"), expected),
        VerifyTask(str(datafile), FileExpectations(FileKind.DATAFILE, file_number=7)),
    ]
    found = find_problems(tasks, StreamSettings(streams), threading.Event())
    assert [len(problems) for problems in found] == [1, 0, 1, 1, 1, 0]
    for problems, words in zip(
        (found[0], found[2], found[3], found[4]),
        ("missing: No such file", "file_number 8", f"has digest {digest}, not", "gone: No such file"),
        strict=True,
    ):
        assert words in problems[0]
