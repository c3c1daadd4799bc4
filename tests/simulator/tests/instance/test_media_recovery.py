# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery: the conversation, and what it brings back."""

from __future__ import annotations

import threading

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import datafiles
from oracle_simulator.instance.cache.changes import BlockChange, wait_durable, write_changes
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.redo_record import Format, Put

from .conftest import FIRST_BLOCK, WAIT, Lab, codes_of
from .copies import archived, hot_copy, needing


def test_a_restored_hot_copy_is_recovered_through_archives_and_online_logs(lab: Lab) -> None:
    copy = hot_copy(lab)
    for round_number in range(4):
        lab.fill(20, f"round {round_number}")
        lab.archive_current()
    lab.fill(20, "in the current log")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    assert codes_of(lab.instance.open) == (1113, 1110)
    assert needing(lab) == [lab.file()]
    session = RecoverySession(lab.instance, RecoverySpec())
    assert codes_of(session.start) == (279, 289, 280)
    lab_codes = codes_of(session.continue_default)
    assert lab_codes in ((), (279, 289, 280, 278))
    while session.active:
        codes_of(session.continue_default)
    lab.instance.open()
    lab.assert_contents()


def test_automatic_recovery_finds_the_logs_itself(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(4):
        lab.fill(10, "more")
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    lab.assert_contents()


def test_recovery_after_a_crash_gives_every_commit(lab: Lab) -> None:
    copy = hot_copy(lab)
    lab.archive_current()
    lab.fill(30, "unarchived")
    lab.crash()
    lab.mount()
    lab.restore(lab.file(), copy)
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    lab.assert_contents()


def test_nothing_to_recover_is_264(lab: Lab) -> None:
    lab.instance.shutdown()
    lab.mount()
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (283, 264)
    assert lab.instance.media_recovery is None


def test_recovering_twice_is_264(lab: Lab) -> None:
    lab.fill(5, "x")
    lab.crash()
    lab.mount()
    RecoverySession(lab.instance, RecoverySpec()).start()
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (283, 264)
    lab.instance.open()
    lab.assert_contents()


def test_the_request_names_change_thread_sequence_and_a_file(lab: Lab) -> None:
    copy = hot_copy(lab)
    sequence = lab.instance.control.thread.sequence
    with Datafile.open(copy, writable=False) as datafile:
        scn = datafile.read_header().checkpoint.scn
    for _round in range(4):
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    session = RecoverySession(lab.instance, RecoverySpec())
    with pytest.raises(OracleError) as caught:
        session.start()
    lines = caught.value.lines
    assert lines[0].startswith(f"ORA-00279: change {scn} generated at ")
    assert lines[0].endswith(" needed for thread 1")
    assert lines[1] == f"ORA-00289: suggestion : {archived(lab)[0]}"
    assert lines[2] == f"ORA-00280: change {scn} for thread 1 is in sequence #{sequence}"


def test_logs_may_be_given_by_name(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(4):
        lab.fill(5, "more")
        lab.archive_current()
    logs = archived(lab)
    lab.instance.shutdown()
    lab.mount()
    moved = [log.rename(lab.copies / log.name) for log in logs]
    lab.restore(lab.file(), copy)
    session = RecoverySession(lab.instance, RecoverySpec())
    assert codes_of(session.start) == (279, 289, 280)
    assert codes_of(lambda: session.logfile(lab.copies / "nonsense")) == (308, 27037)
    assert codes_of(lambda: session.logfile(moved[1])) == (310, 334)
    assert session.active
    assert codes_of(lambda: session.logfile(moved[0])) == (279, 289, 280, 278)
    assert codes_of(lambda: session.logfile(moved[1])) == ()
    lab.instance.open()
    lab.assert_contents()


def test_a_wrong_log_may_end_the_session(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(4):
        lab.archive_current()
    lab.instance.shutdown()
    lab.readings = Readings(wrong_log_ends_recovery=True)
    lab.mount()
    lab.restore(lab.file(), copy)
    session = RecoverySession(lab.instance, RecoverySpec())
    codes_of(session.start)
    assert codes_of(lambda: session.logfile(archived(lab)[1])) == (310, 334)
    assert codes_of(session.continue_default) == (1112,)


def test_automatic_recovery_stops_at_a_missing_log_and_can_go_on(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(5):
        lab.fill(5, "more")
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    hole = archived(lab)[1]
    hidden = hole.rename(lab.copies / "hidden")
    session = RecoverySession(lab.instance, RecoverySpec(automatic=True))
    with pytest.raises(OracleError) as caught:
        session.start()
    assert caught.value.codes == (279, 289, 280, 278, 308, 27037)
    assert str(hole) in caught.value.lines[3]
    assert codes_of(session.continue_default) == (279, 289, 280, 278, 308, 27037)
    session.logfile(hidden)
    lab.instance.open()
    lab.assert_contents()


def test_a_lost_log_cannot_be_passed(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(5):
        lab.fill(5, "more")
        lab.archive_current()
    logs = archived(lab)
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    logs[1].unlink()
    session = RecoverySession(lab.instance, RecoverySpec(automatic=True))
    assert 308 in codes_of(session.start)
    assert codes_of(lambda: session.logfile(logs[2])) == (310, 334)
    assert codes_of(session.cancel) == ()
    assert codes_of(session.cancel) == (1112,)
    assert codes_of(lab.instance.open) == (1113, 1110)


def test_a_damaged_or_cut_log_is_refused(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(4):
        lab.fill(5, "more")
        lab.archive_current()
    log = archived(lab)[0]
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    whole = log.read_bytes()
    log.write_bytes(whole[:-1024])
    session = RecoverySession(lab.instance, RecoverySpec())
    codes_of(session.start)
    assert codes_of(session.continue_default) == (332, 334)
    log.write_bytes(whole[:3000] + b"\xff" + whole[3001:])
    assert codes_of(session.continue_default) == (283, 353, 334)
    assert not session.active
    log.write_bytes(whole)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec()))
    lab.instance.open()
    lab.assert_contents()


def test_a_broken_off_recovery_resumes_where_it_was(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(5):
        lab.fill(5, "more")
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    session = RecoverySession(lab.instance, RecoverySpec())
    codes_of(session.start)
    codes_of(session.continue_default)
    lab.crash()
    lab.mount()
    archived(lab)[0].unlink()
    assert codes_of(lab.instance.open) == (1113, 1110)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec()))
    lab.instance.open()
    lab.assert_contents()


def test_a_datafile_is_recovered_while_the_database_is_open(lab: Lab) -> None:
    copy = hot_copy(lab)
    lab.archive_current()
    lab.fill(10, "later")
    record = lab.file()
    one = RecoverySpec(file_numbers=(record.file_number,), automatic=True)
    assert codes_of(RecoverySession(lab.instance, one).start) == (283, 1124, 1110)
    datafiles.offline(lab.instance, [record])
    assert record.status == "RECOVER"
    lab.restore(record, copy)
    assert codes_of(lambda: datafiles.online(lab.instance, [record])) == (1113, 1110)
    app = lab.file("APP").file_number
    lab.put((app, FIRST_BLOCK, 0), b"others go on")
    RecoverySession(lab.instance, one).start()
    datafiles.online(lab.instance, [record])
    lab.assert_contents()
    lab.put((record.file_number, FIRST_BLOCK, 1), b"and so does it")
    lab.crash()
    lab.open()
    lab.assert_contents()
    lab.assert_contents(tablespace="APP")


def test_only_one_recovery_at_a_time(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(4):
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    session = RecoverySession(lab.instance, RecoverySpec())
    codes_of(session.start)
    assert codes_of(session.start) == (275,)
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (1153,)
    assert codes_of(session.continue_) == (279, 289, 280)
    session.close()
    assert codes_of(session.cancel) == (1112,)


def test_recovery_killed_while_it_writes_is_simply_repeated(lab: Lab) -> None:
    copy = hot_copy(lab)
    for _round in range(4):
        lab.fill(20, "more")
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    record = lab.file()
    lab.restore(record, copy)
    lab.instance.faults.hold_between_pieces(record.file_number)
    session = RecoverySession(lab.instance, RecoverySpec(automatic=True))
    codes: list[tuple[int, ...]] = []
    recovering = threading.Thread(target=lambda: codes.append(codes_of(session.start)))
    recovering.start()
    assert lab.instance.faults.wait_until_held(WAIT)
    lab.instance.terminate()
    recovering.join()
    assert codes == [(1092,)]
    lab.crash()
    lab.mount()
    assert codes_of(lab.instance.open) == (1113, 1110)
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    lab.assert_contents()


def test_a_transaction_in_parts_across_logs_survives_a_broken_off_recovery(lab: Lab) -> None:
    file = lab.file().file_number
    copy = hot_copy(lab)
    lab.grow_redo(700_000)
    changes: list[BlockChange] = []
    for block in range(191, 250):
        changes += [BlockChange(file, block, Format(6, 1)), BlockChange(file, block, Put(0, bytes(8000)))]
    sequence = lab.instance.control.thread.sequence
    with lab.instance.latch:
        commit = write_changes(lab.instance, changes)
    wait_durable(lab.instance, commit.position)
    assert lab.instance.control.thread.sequence == sequence + 1
    for _round in range(5):
        lab.fill(3, "more")
        lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    # A new session for every log: each must resume exactly where the one before it stopped.
    for _round in range(20):
        session = RecoverySession(lab.instance, RecoverySpec())
        if codes_of(session.start) in ((), (283, 264)):
            break
        if codes_of(session.continue_default) == ():
            break
        session.close()
    lab.instance.open()
    lab.assert_contents()
    with lab.instance.latch:
        sizes = {len(lab.instance.cache.get(file, block).block.slots[0]) for block in range(191, 250)}
    assert sizes == {8000}
