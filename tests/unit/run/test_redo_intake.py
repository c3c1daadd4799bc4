# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many logs come into the redo store at once; what happens to one of them is no other's business."""

from __future__ import annotations

import errno
import itertools
import os
import threading
from functools import partial
from pathlib import Path

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import BackupError, Cancelled
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.tuning import CopyTuning
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_layer import OsFileLayer
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._run import redo_intake
from ansible_collections.hotbackup.oracle.plugins.module_utils._run.redo_intake import (
    RedoNotes,
    store_logs,
)

from unit.run.small_set import archived, key, make_copied_set, write_log

SCNS = (1900, 2000, 2100, 2200, 2300, 2400, 2500)
SEQUENCES = tuple(range(7, 13))
DAMAGED_BYTE = 5 * 512 + 40
NUMBERS_OF_STREAMS = (1, 2, 5)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """Bad blocks are read again at once."""
    monkeypatch.setattr(redo_intake, "IoContext", partial(IoContext, pause=lambda _seconds: None))


@pytest.fixture
def layout(make_host):
    return make_host({"A": 1}).layout.database


@pytest.fixture
def destinations(tmp_path):
    """Two archive destinations with the same six logs."""
    return [tmp_path / "first", tmp_path / "second"]


@pytest.fixture
def required(destinations):
    ranges = dict(zip(SEQUENCES, itertools.pairwise(SCNS), strict=True))
    return {
        key(sequence): [
            archived(write_log(folder, sequence, *scns), sequence, *scns, dest_id=number)
            for number, folder in enumerate(destinations, start=1)
        ]
        for sequence, scns in ranges.items()
    }


def damage(path):
    content = bytearray(path.read_bytes())
    content[DAMAGED_BYTE] ^= 1
    path.write_bytes(content)


def damage_copies(required, sequence):
    for copy in required[key(sequence)]:
        damage(Path(copy.path))


def stored_names(layout):
    return sorted(path.name for path in layout.redo_folder.rglob("*") if path.is_file())


def is_whole(layout, required, sequence):
    return layout.redo_path(*key(sequence)).read_bytes() == Path(required[key(sequence)][0].path).read_bytes()


def fail_reading(monkeypatch, path):
    """The disk below this file does not give its blocks."""
    read, broken = OsFileLayer.read_into, path.stat()

    def read_into(self, descriptor, buffer, offset):
        if os.path.samestat(os.fstat(descriptor), broken):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(self, descriptor, buffer, offset)

    monkeypatch.setattr(OsFileLayer, "read_into", read_into)


@pytest.mark.parametrize("streams", NUMBERS_OF_STREAMS)
def test_all_are_stored_and_told_of_in_whatever_order_and_returned_in_that_asked_for(
    layout, required, streams
):
    told = []
    stored = store_logs(layout, required, CopyTuning(streams=streams), told.append)
    assert [log.sequence for log in stored] == list(SEQUENCES)
    assert sorted(log.sequence for log in told) == list(SEQUENCES)
    assert all(is_whole(layout, required, sequence) for sequence in SEQUENCES)
    assert stored_names(layout) == sorted(f"{sequence}.arc" for sequence in SEQUENCES)
    again = store_logs(layout, required, CopyTuning(streams=streams))
    assert [(log.changed, log.digest) for log in again] == [(False, log.digest) for log in stored]


@pytest.mark.parametrize("streams", NUMBERS_OF_STREAMS)
def test_one_damaged_log_is_named_and_the_others_are_kept(layout, required, destinations, streams):
    damage_copies(required, 9)
    told = []
    with pytest.raises(BackupError) as caught:
        store_logs(layout, required, CopyTuning(streams=streams), told.append)
    assert caught.value.message.startswith("Redo thread 1 sequence 9 cannot be kept: destination 1: ")
    assert "; destination 2: " in caught.value.message
    assert caught.value.message.count("cannot be kept") == 1
    others = [sequence for sequence in SEQUENCES if sequence != 9]
    assert sorted(log.sequence for log in told) == others
    assert stored_names(layout) == sorted(f"{sequence}.arc" for sequence in others)
    damage(destinations[1] / "1_9.arc")
    stored = store_logs(layout, required, CopyTuning(streams=streams))
    assert [log.sequence for log in stored if log.changed] == [9]


@pytest.mark.parametrize("streams", NUMBERS_OF_STREAMS)
def test_all_lost_logs_are_named_in_their_order(layout, required, streams):
    for sequence in (11, 8):
        damage_copies(required, sequence)
    required[key(9)] = []
    with pytest.raises(BackupError) as caught:
        store_logs(layout, required, CopyTuning(streams=streams))
    lost = caught.value.details["lost_logs"]
    assert [(log["thread"], log["sequence"], len(log["reasons"])) for log in lost] == [
        (1, 8, 2),
        (1, 9, 0),
        (1, 11, 2),
    ]
    places = [caught.value.message.index(f"sequence {sequence} cannot be kept") for sequence in (8, 9, 11)]
    assert places == sorted(places)
    assert "sequence 9 cannot be kept: the control file knows no copy of it any more." in caught.value.message


def test_the_third_destination_serves_when_the_second_cannot_be_read(
    layout, required, destinations, tmp_path, monkeypatch
):
    damage(destinations[0] / "1_8.arc")
    fail_reading(monkeypatch, destinations[1] / "1_8.arc")
    with pytest.raises(BackupError, match=r"destination 1: .*bad redo blocks; destination 2: .*EIO"):
        store_logs(layout, required, CopyTuning())
    assert "8.arc" not in " ".join(stored_names(layout)), "not even a part of it"
    good = write_log(tmp_path / "third", 8, 2000, 2100)
    required[key(8)].append(archived(good, 8, 2000, 2100, dest_id=3))
    store_logs(layout, required, CopyTuning())
    assert layout.redo_path(*key(8)).read_bytes() == good.read_bytes()
    assert stored_names(layout) == sorted(f"{sequence}.arc" for sequence in SEQUENCES)


def test_a_stored_log_that_cannot_be_read_is_kept_aside_and_replaced(layout, required, monkeypatch):
    store_logs(layout, required, CopyTuning())
    path = layout.redo_path(*key(10))
    fail_reading(monkeypatch, path)
    stored = store_logs(layout, required, CopyTuning())
    assert [log.sequence for log in stored if log.changed] == [10]
    assert path.with_name("10.arc.damaged1").exists()
    assert is_whole(layout, required, 10)


def test_a_damaged_stored_log_that_another_run_sets_aside_first_is_replaced(layout, required, monkeypatch):
    store_logs(layout, required, CopyTuning())
    path = layout.redo_path(*key(10))
    path.write_bytes(b"damaged")
    move_aside = redo_intake.move_aside

    def taken_away(source, aside):
        path.rename(path.with_name("10.arc.damaged1"))
        move_aside(source, aside)

    monkeypatch.setattr(redo_intake, "move_aside", taken_away)
    stored = store_logs(layout, required, CopyTuning())
    assert [log.sequence for log in stored if log.changed] == [10]
    assert is_whole(layout, required, 10)


def test_a_damaged_stored_log_keeps_its_name_while_nothing_sound_can_take_it(layout, required):
    store_logs(layout, required, CopyTuning())
    damage_copies(required, 10)
    path = layout.redo_path(*key(10))
    path.write_bytes(b"damaged")
    with pytest.raises(BackupError, match=r"in the store: .*; destination 1: .*; destination 2: "):
        store_logs(layout, required, CopyTuning())
    assert path.read_bytes() == b"damaged"
    assert stored_names(layout) == sorted(f"{sequence}.arc" for sequence in SEQUENCES)


def test_an_error_in_the_middle_leaves_no_part_of_a_log_and_the_rest_can_be_continued(
    layout, required, destinations, monkeypatch
):
    stop = threading.Event()
    read = OsFileLayer.read_into
    begun = threading.Event()

    def read_into(self, descriptor, buffer, offset):
        """The second log has been begun, and goes on only when the error has happened."""
        if os.path.samestat(os.fstat(descriptor), (destinations[0] / "1_8.arc").stat()):
            begun.set()
            assert stop.wait(30)
        return read(self, descriptor, buffer, offset)

    def full_disk(log):
        assert begun.wait(30)
        raise BackupError("Failed to append to the journal: no space left.")

    with monkeypatch.context() as patch:
        patch.setattr(redo_intake, "Event", lambda: stop)
        patch.setattr(OsFileLayer, "read_into", read_into)
        with pytest.raises(BackupError, match="no space left"):
            store_logs(layout, required, CopyTuning(streams=2), full_disk)
    assert stored_names(layout) == ["7.arc"]
    assert is_whole(layout, required, 7)
    stored = store_logs(layout, required, CopyTuning(streams=2))
    assert [log.sequence for log in stored if log.changed] == list(SEQUENCES[1:])


def test_logs_are_not_lost_because_the_work_was_stopped(layout, required, monkeypatch):
    store_logs(layout, {key(7): required[key(7)]}, CopyTuning())
    stop = threading.Event()
    stop.set()
    monkeypatch.setattr(redo_intake, "Event", lambda: stop)
    with pytest.raises(Cancelled):
        store_logs(layout, required, CopyTuning())
    assert stored_names(layout) == ["7.arc"]


def test_what_is_read_and_what_is_copied_heeds_one_limit(layout, required, monkeypatch):
    taken = []

    class Limit:
        def take(self, count, meanwhile):
            taken.append(count)

    monkeypatch.setattr(redo_intake, "bandwidth", lambda tuning: Limit())
    first = store_logs(layout, required, CopyTuning())
    assert sum(taken) == sum(log.size_bytes for log in first)
    taken.clear()
    store_logs(layout, required, CopyTuning())
    assert sum(taken) == sum(log.size_bytes for log in first)


def test_a_log_is_noted_once_while_its_digest_is_the_same(make_host, required):
    host = make_host({"A": 1})
    make_copied_set(host)
    for _attempt in range(2):
        notes = RedoNotes(host.layout.journal_path, host.state)
        store_logs(host.layout.database, required, CopyTuning(), notes.note)
    noted = [record for record in host.records if record["event"] == "redo_copied"]
    assert sorted(record["sequence"] for record in noted) == list(SEQUENCES)
    assert sorted(host.state.redo) == sorted(required)
