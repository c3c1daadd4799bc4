# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery: the conversation, and what it brings back."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode, datafiles
from oracle_simulator.instance.cache.changes import BlockChange, wait_durable, write_changes
from oracle_simulator.instance.cache.checkpoint import checkpoint_now
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.headers import inspect_headers
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.redo_record import Format, Put

from .conftest import FIRST_BLOCK, WAIT, Lab, codes_of


def hot_copy(lab: Lab, tablespace: str = "USERS") -> Path:
    """A copy in backup mode, with changes before, during and after."""
    lab.fill(20, "before")
    backup_mode.begin_tablespace(lab.instance, tablespace)
    lab.fill(20, "during")
    copy = lab.copy(lab.file(tablespace))
    lab.fill(20, "during too")
    backup_mode.end_tablespace(lab.instance, tablespace)
    return copy


def whole_copy(lab: Lab) -> dict[int, Path]:
    """Hot copies of all files, in backup mode, with changes going on."""
    backup_mode.begin_database(lab.instance)
    copies = {}
    for record in lab.all_files:
        lab.fill(3, f"while file {record.file_number} is copied")
        copies[record.file_number] = lab.copy(record)
    backup_mode.end_database(lab.instance)
    return copies


def restore_all(lab: Lab, copies: dict[int, Path]) -> None:
    for record in lab.all_files:
        lab.restore(record, copies[record.file_number])


def archived(lab: Lab) -> list[Path]:
    return sorted(Path(log.name) for log in lab.instance.control.archived_logs if log.name)


def needing(lab: Lab) -> list[DatafileRecord]:
    return [facts.record for facts in inspect_headers(lab.instance) if facts.needs_recovery]


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


def test_an_offline_file_cannot_be_read(lab: Lab) -> None:
    record = lab.file()
    datafiles.offline(lab.instance, [record])
    with lab.instance.latch:
        assert codes_of(lambda: lab.instance.cache.get(record.file_number, FIRST_BLOCK)) == (376, 1110)


def test_a_copy_without_backup_mode_is_fuzzy_until_complete_recovery(lab: Lab) -> None:
    lab.fill(10, "before")
    copies = {record.file_number: lab.copy(record) for record in lab.all_files}
    lab.fill(10, "after")
    lab.archive_current()
    lab.fill(10, "last")
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    session = RecoverySession(lab.instance, RecoverySpec(until_cancel=True))
    assert codes_of(session.start) == (279, 289, 280)
    codes_of(session.continue_default)
    assert codes_of(session.cancel) == (1547, 1194, 1110)
    lab.recover_with_archives(RecoverySession(lab.instance, RecoverySpec()))
    lab.instance.open()
    lab.assert_contents()


def test_a_fractured_copy_without_backup_mode_is_stuck(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"old")
    checkpoint_now(lab.instance)
    lab.put((file, FIRST_BLOCK, 0), b"new" * 1000)
    lab.instance.faults.hold_between_pieces(file)
    assert lab.instance.faults.wait_until_held(WAIT)
    copy = lab.copy(lab.file())
    lab.instance.faults.release()
    lab.put((file, FIRST_BLOCK, 0), b"newer")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    codes = codes_of(RecoverySession(lab.instance, RecoverySpec()).start)
    assert codes[0] == 283 and 10562 in codes and 10564 in codes and 1110 in codes


def test_a_fractured_copy_in_backup_mode_is_repaired_by_the_image(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"old")
    backup_mode.begin_tablespace(lab.instance, "USERS")
    lab.put((file, FIRST_BLOCK, 0), b"new" * 1000)
    lab.instance.faults.hold_between_pieces(file)
    assert lab.instance.faults.wait_until_held(WAIT)
    copy = lab.copy(lab.file())
    lab.instance.faults.release()
    lab.put((file, FIRST_BLOCK, 0), b"newer")
    backup_mode.end_tablespace(lab.instance, "USERS")
    lab.instance.shutdown()
    lab.mount()
    lab.restore(lab.file(), copy)
    RecoverySession(lab.instance, RecoverySpec()).start()
    lab.instance.open()
    lab.assert_contents()


def test_incomplete_recovery_needs_the_end_backup_redo(lab: Lab) -> None:
    copies = whole_copy(lab)
    end = lab.instance.clock.current()
    lab.fill(5, "after")
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    early = RecoverySession(lab.instance, RecoverySpec(until_scn=end - 20, automatic=True))
    assert codes_of(early.start) == (1547, 1195, 1110)
    assert codes_of(lambda: lab.instance.open(resetlogs=True)) == (1195, 1110)


def test_until_change_is_exclusive(lab: Lab) -> None:
    copies = whole_copy(lab)
    lab.fill(5, "wanted")
    file = lab.file().file_number
    kept = lab.put((file, FIRST_BLOCK, 0), b"the last one")
    lost = lab.put((file, FIRST_BLOCK, 0), b"one too many")
    lab.fill(5, "unwanted")
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    RecoverySession(lab.instance, RecoverySpec(until_scn=lost, automatic=True)).start()
    assert codes_of(lab.instance.open) == (1589,)
    lab.instance.open(resetlogs=True)
    lab.assert_contents(before_scn=lost)
    assert kept < lost
    assert lab.instance.control.database.resetlogs_scn == lost + 1


def test_until_time_stops_before_the_time(lab: Lab) -> None:
    copies = whole_copy(lab)
    scn = lab.fill(5, "wanted")
    end = lab.instance.startup_time
    assert end is not None
    # All commits are older than a time in the future: the recovery runs to the end of redo.
    lab.instance.shutdown()
    lab.mount()
    restore_all(lab, copies)
    late = RecoverySpec(until_time=end + timedelta(hours=1), automatic=True)
    RecoverySession(lab.instance, late).start()
    lab.instance.open(resetlogs=True)
    lab.assert_contents(before_scn=scn + 1)
    lab.instance.shutdown()
    lab.mount()
    early = RecoverySpec(until_time=end - timedelta(hours=1))
    codes = codes_of(RecoverySession(lab.instance, early).start)
    assert codes == (1547, 1152, 1110)


def test_a_file_not_restored_is_too_new(lab: Lab) -> None:
    copies = whole_copy(lab)
    scn = lab.fill(5, "wanted")
    lab.fill(5, "unwanted")
    lab.archive_current()
    lab.instance.shutdown()
    lab.mount()
    for record in lab.all_files:
        if record.file_number != 1:
            lab.restore(record, copies[record.file_number])
    session = RecoverySession(lab.instance, RecoverySpec(until_scn=scn, automatic=True))
    assert codes_of(session.start) == (1547, 1152, 1110)


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


def test_missing_file_is_named(lab: Lab) -> None:
    record = lab.file()
    lab.crash()
    lab.mount()
    Path(record.path).unlink()
    assert codes_of(RecoverySession(lab.instance, RecoverySpec()).start) == (283, 1157, 1110)


def test_a_file_of_another_database_is_refused(lab: Lab, tmp_path: Path) -> None:
    record = lab.file()
    path = record.path
    lab.instance.shutdown()
    with Datafile.open(path) as datafile:
        datafile.update_header(dbid=4711)
    assert codes_of(lab.open) == (1122, 1110, 1206)


def test_recovery_of_a_lost_file_from_its_creation_redo(lab: Lab) -> None:
    record = lab.file()
    lab.instance.shutdown()
    lab.mount()
    assert codes_of(lambda: datafiles.create_datafile(lab.instance, lab.all_files[0])) == (1180,)
    Path(record.path).unlink()
    record = lab.file()
    record.creation_scn = 0
    assert codes_of(lambda: datafiles.create_datafile(lab.instance, record)) == (1181, 1110)


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
