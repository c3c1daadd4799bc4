# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: what was acknowledged is there, a torn end is not, other damage is told."""

from __future__ import annotations

import errno
import json
import multiprocessing
import stat
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    VerificationError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.journal import Journal, read_journal
from hypothesis import given, settings
from hypothesis import strategies as st

from unit.files.faulty_files import READING, EndingLayer, FailingLayer, ShortLayer, WatchedLayer

NOON = datetime(2026, 3, 1, 13, 0, 0, 42, tzinfo=timezone(timedelta(hours=1)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


def events(path: Path) -> list[object]:
    return [entry["event"] for entry in read_journal(path)]


def test_entries_come_back_in_order_with_their_time_in_utc(path: Path) -> None:
    with Journal.open(path, clock=lambda: NOON) as journal:
        journal.append("window_opened", tablespace="USERS", files={"4": 2**60 + 1})
        journal.append("window_closed", tablespace="Üß€")
    first, second = read_journal(path)
    assert first == {
        "at": "2026-03-01T12:00:00.000042Z",
        "event": "window_opened",
        "tablespace": "USERS",
        "files": {"4": 2**60 + 1},
    }
    assert second["tablespace"] == "Üß€"


def test_the_file_is_private_and_one_object_per_line(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append("a", text="two\nlines")
        journal.append("b")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["a", "b"]


def test_a_new_journal_is_empty_and_a_missing_one_is_an_error(path: Path) -> None:
    with pytest.raises(BackupError, match="No such file"):
        read_journal(path)
    Journal.open(path).close()
    assert read_journal(path) == []


def test_an_entry_is_on_disk_when_append_returns(path: Path) -> None:
    files = WatchedLayer()
    with Journal.open(path, files=files) as journal:
        files.calls.clear()
        journal.append("a")
        assert [name for name in files.calls if name not in READING] == ["append", "flush"]


def test_a_torn_line_is_cut_by_what_the_whole_file_says_however_short_the_reads(path: Path) -> None:
    with Journal.open(path) as journal:
        for number in range(50):
            journal.append("line", number=number)
    with path.open("ab") as file:
        file.write(b'{"at":"2026')
    Journal.open(path, files=ShortLayer()).close()
    assert [entry["number"] for entry in read_journal(path)] == list(range(50))
    assert path.read_bytes().endswith(b"\n")


def test_a_journal_that_ends_before_its_size_is_not_cut(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append("a")
    content = path.read_bytes()
    with pytest.raises(BackupError, match="it ends at 10"):
        Journal.open(path, files=EndingLayer(10))
    assert path.read_bytes() == content


def test_reserved_and_unstorable_fields_are_programming_errors(path: Path) -> None:
    with Journal.open(path) as journal:
        with pytest.raises(ValueError, match="at"):
            journal.append("a", at="now")
        with pytest.raises(ValueError, match="JSON"):
            journal.append("a", ratio=float("nan"))
        with pytest.raises(TypeError):
            journal.append("a", when=NOON)
    assert read_journal(path) == []


@settings(max_examples=40)
@given(kept=st.integers(0, 200))
def test_a_journal_cut_anywhere_keeps_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, kept: int
) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.jsonl"
    with Journal.open(path, clock=lambda: NOON) as journal:
        for name in ("first", "second", "third"):
            journal.append(name)
    content = path.read_bytes()[:kept]
    path.write_bytes(content)
    whole = content.count(b"\n")
    assert events(path) == ["first", "second", "third"][:whole]
    with Journal.open(path) as journal:
        journal.append("later")
    assert events(path) == [*["first", "second", "third"][:whole], "later"]
    assert path.read_bytes().count(b"\n") == whole + 1


@pytest.mark.parametrize("tail", [b"\0" * 30, b'{"at":"2026', b'{"at"\0\0\0\0\n', b"\0\n"])
def test_what_a_crash_leaves_at_the_end_is_dropped(path: Path, tail: bytes) -> None:
    with Journal.open(path) as journal:
        journal.append("a")
    with path.open("ab") as file:
        file.write(tail)
    assert events(path) == ["a"]
    with Journal.open(path) as journal:
        journal.append("b")
    assert events(path) == ["a", "b"]


def test_a_line_torn_by_another_process_meanwhile_does_not_swallow_the_next(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append("a")
        with path.open("ab") as other:
            other.write(b'{"at":"2026-03-01T12:00:00Z","eve')
        journal.append("b")
    assert events(path) == ["a", "b"]


@pytest.mark.parametrize(
    "damage", [b"garbage\n", b"[1]\n", b'{"at":"x"}\n', b'{"event":"x"}\n', b"\n", b"\0\0\n", b"\xff\xfe\n"]
)
def test_damage_before_the_last_line_is_told_with_its_line(path: Path, damage: bytes) -> None:
    with Journal.open(path) as journal:
        journal.append("a")
    path.write_bytes(path.read_bytes() + damage + b'{"at":"x","event":"c"}\n')
    with pytest.raises(VerificationError, match="line 2"):
        read_journal(path)


def test_a_damaged_but_complete_last_line_is_not_taken_for_a_torn_one(path: Path) -> None:
    with Journal.open(path) as journal:
        journal.append("a")
    content = bytearray(path.read_bytes())
    content[0] ^= 0x20
    path.write_bytes(content)
    with pytest.raises(VerificationError, match="line 1"):
        read_journal(path)


@pytest.mark.parametrize("failing", ["second append", "flush"])
@pytest.mark.parametrize("failure", [errno.ENOSPC, KeyboardInterrupt], ids=["full disk", "interrupt"])
def test_a_line_that_could_not_be_stored_leaves_nothing(
    path: Path, failing: str, failure: int | type[BaseException]
) -> None:
    class SlowFailing(FailingLayer):
        """The first append takes half the line."""

        def append(self, descriptor: int, data: memoryview) -> int:
            taking = "second append" if "append" in self.calls else "append"
            return self._call(taking, ShortLayer().append, descriptor, data)

    Journal.open(path).close()
    files = SlowFailing(failing, failure)
    with Journal.open(path, files=files) as journal:
        with pytest.raises(BackupError if failure == errno.ENOSPC else KeyboardInterrupt):
            journal.append("a")
        assert files.failed == failing
        assert path.read_bytes() == b""
        journal.append("b")
    assert events(path) == ["b"]


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "victim")
    with pytest.raises(BackupError):
        Journal.open(path)
    assert not (tmp_path / "victim").exists()


def test_threads_of_one_process_share_a_journal(path: Path) -> None:
    with Journal.open(path) as journal:

        def append_twenty() -> None:
            for _number in range(20):
                journal.append("x", text="y" * 3000)

        threads = [threading.Thread(target=append_twenty) for _number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(read_journal(path)) == 80


def append_many(path: str, writer: int) -> None:
    with Journal.open(path) as journal:
        for number in range(25):
            journal.append("x", writer=writer, number=number, text="y" * 5000)


def test_processes_append_to_one_journal_without_mixing_lines(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=append_many, args=(str(path), writer)) for writer in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0, 0]
    entries = read_journal(path)
    for writer in range(3):
        assert [entry["number"] for entry in entries if entry["writer"] == writer] == list(range(25))
