# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Media recovery that ends before the end of redo."""

from __future__ import annotations

from datetime import timedelta

from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec

from .conftest import FIRST_BLOCK, Lab, codes_of
from .copies import restore_all, whole_copy


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
