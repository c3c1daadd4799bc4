# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After a crash, opening gives exactly the durable commits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from oracle_simulator.instance.cache.changes import BlockChange, write_changes
from oracle_simulator.instance.headers import inspect_headers
from oracle_simulator.storage.block import examine
from oracle_simulator.storage.datafile import Datafile
from oracle_simulator.storage.redo_log import RedoLogFile, pack_records
from oracle_simulator.storage.redo_record import BlockVector, Format, Put, RecordFlag, RedoRecord

from .conftest import FIRST_BLOCK, WAIT, Lab, codes_of


def test_commits_survive_a_crash(lab: Lab) -> None:
    lab.fill(50, "before")
    lab.crash()
    lab.open()
    lab.assert_contents()


def test_commits_survive_several_crashes_and_log_switches(lab: Lab) -> None:
    for life in range(4):
        lab.fill(30, f"life {life}")
        lab.archive_current()
        lab.fill(30, f"life {life} more")
        lab.crash()
        lab.open()
    lab.assert_contents()


def test_clean_shutdown_sets_stop_scns_and_clears_the_fuzzy_bit(lab: Lab) -> None:
    lab.fill(10, "row")
    lab.instance.shutdown("immediate")
    lab.mount()
    for facts in inspect_headers(lab.instance):
        assert facts.header is not None and not facts.header.fuzzy
        assert facts.record.stop_scn == facts.header.checkpoint.scn
    sequence = lab.instance.control.thread.sequence
    lab.instance.open()
    assert lab.instance.control.thread.sequence == sequence
    lab.assert_contents()


def test_an_open_database_marks_its_files_fuzzy(lab: Lab) -> None:
    facts = {facts.file_number: facts for facts in inspect_headers(lab.instance)}
    assert facts[lab.file().file_number].fuzzy
    assert not facts[lab.file("OLD").file_number].fuzzy


def test_redo_goes_on_in_a_new_log_after_a_crash(lab: Lab) -> None:
    before = lab.instance.control.thread.sequence
    lab.crash()
    lab.open()
    assert lab.instance.control.thread.sequence == before + 1


def test_a_block_torn_by_the_crash_is_completed(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"old")
    lab.instance.shutdown()
    lab.open()
    lab.put((file, FIRST_BLOCK, 0), b"new" * 1000)
    lab.instance.faults.hold_between_pieces(file)
    assert lab.instance.faults.wait_until_held(WAIT) == (file, FIRST_BLOCK)
    path = lab.file().path
    lab.crash()
    with Datafile.open(path) as datafile:
        assert examine(datafile.read_block(FIRST_BLOCK)) is not None
    lab.open()
    lab.assert_contents()


def test_a_torn_block_of_a_restored_file_is_left_alone(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"old")
    lab.instance.shutdown()
    lab.open()
    lab.put((file, FIRST_BLOCK, 0), b"new" * 1000)
    lab.instance.faults.hold_between_pieces(file)
    lab.instance.faults.wait_until_held(WAIT)
    record = lab.file()
    copy = lab.copy(record)
    lab.crash()
    lab.restore(record, copy)
    assert codes_of(lab.open) == (1172, 1151)


def test_parts_of_a_transaction_without_its_commit_record_are_void(lab: Lab) -> None:
    file = lab.file().file_number
    lab.put((file, FIRST_BLOCK, 0), b"kept")
    group = lab.instance.control.current_group
    with lab.instance.latch:
        end = lab.instance.redo.next_address()
        scn = lab.instance.clock.next()
        version = lab.instance.cache.get(file, FIRST_BLOCK).block.version
    lab.crash()
    vector = BlockVector(file, FIRST_BLOCK, version, 1, (Put(0, b"half a transaction"),))
    moment = group.first_time
    assert moment is not None
    record = RedoRecord(scn, moment, (vector,), RecordFlag.PART, 4711)
    packed = pack_records([record.encode()], end.block, end.sequence)
    log = RedoLogFile.open(group.members[0])
    log.write_blocks(end.block, packed.data)
    log.close()
    lab.open()
    lab.assert_contents()
    lab.put((file, FIRST_BLOCK, 1), b"life goes on")
    lab.crash()
    lab.open()
    lab.assert_contents()


def test_a_transaction_of_many_parts_is_whole_or_absent(lab: Lab) -> None:
    file = lab.file().file_number
    lab.instance.database_writer.trickle_seconds = 0.01
    changes: list[BlockChange] = []
    for block in range(FIRST_BLOCK, FIRST_BLOCK + 100):
        changes += [BlockChange(file, block, Format(6, 1)), BlockChange(file, block, Put(0, bytes(7000)))]
    with lab.instance.latch:
        commit = write_changes(lab.instance, changes)
    lab.instance.redo.wait_durable(commit.position)
    lab.crash()
    lab.open()
    with lab.instance.latch:
        sizes = {len(lab.instance.cache.get(file, block).block.slots[0]) for block in range(130, 230)}
    assert sizes == {7000}


def test_a_transaction_larger_than_half_the_redo_is_refused(lab: Lab) -> None:
    file = lab.file().file_number
    changes: list[BlockChange] = []
    for block in range(FIRST_BLOCK, 250):
        changes += [BlockChange(file, block, Format(6, 1)), BlockChange(file, block, Put(0, bytes(8000)))]
    with lab.instance.latch:
        assert codes_of(lambda: write_changes(lab.instance, changes * 1)) == ()
        lab.instance.control.redo_groups[0].size_bytes = 1 << 16
        lab.instance.control.redo_groups[1].size_bytes = 1 << 16
        lab.instance.control.redo_groups[2].size_bytes = 1 << 16
        again = [BlockChange(file, block, Put(0, bytes(8000))) for block in range(FIRST_BLOCK, 250)]
        assert codes_of(lambda: write_changes(lab.instance, again)) == (30036,)
        for group in lab.instance.control.redo_groups:
            group.size_bytes = 1 << 20


def test_missing_datafile_is_named_at_open(lab: Lab) -> None:
    record = lab.file()
    lab.crash()
    Path(record.path).unlink()
    assert codes_of(lab.open) == (1157, 1110)
    facts = {facts.file_number: facts for facts in inspect_headers(lab.instance)}
    assert facts[record.file_number].error == "FILE NOT FOUND"


def test_missing_online_log_is_named_at_open(lab: Lab) -> None:
    member = lab.instance.control.current_group.members[0]
    lab.crash()
    Path(member).unlink()
    assert codes_of(lab.open) == (313, 312, 27037)


def test_a_second_instance_cannot_mount(lab: Lab) -> None:
    other = Lab(lab.home, lab.copies)
    assert codes_of(other.mount) == (1102,)


def test_background_threads_end_with_the_instance(lab: Lab) -> None:
    lab.fill(5, "row")
    lab.crash()
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {"LGWR", "DBW0", "CKPT", "ARC0"}


_WORKLOAD = """
import sys, threading
from pathlib import Path
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.cache.changes import BlockChange, write_changes, wait_durable, wait_for_space
from oracle_simulator.storage.redo_record import Format, Put

home = Home(Path(sys.argv[1]), "LAB")
instance = Instance(home, Parameters.read(home.parameter_file))
instance.startup(); instance.mount(); instance.open()
instance.database_writer.trickle_seconds = 0.02
file = int(sys.argv[2])
ledger = open(sys.argv[3], "a", buffering=1)

def work(worker):
    number = 0
    block = 140 + worker
    while True:
        number += 1
        data = f"{worker}:{number}".encode()
        with instance.latch:
            wait_for_space(instance)
            changes = [BlockChange(file, block, Put(number % 40, data * 20))]
            if instance.cache.get(file, block).block.type == 0:
                changes.insert(0, BlockChange(file, block, Format(6, 1)))
            commit = write_changes(instance, changes)
        wait_durable(instance, commit.position)
        ledger.write(f"{worker} {number}\\n")

for worker in range(3):
    threading.Thread(target=work, args=(worker,), daemon=True).start()
print("running", flush=True)
threading.Event().wait()
"""


@pytest.mark.parametrize("round_number", range(3))
def test_sigkill_loses_no_acknowledged_commit(lab: Lab, tmp_path: Path, round_number: int) -> None:
    file = lab.file().file_number
    lab.instance.shutdown()
    ledger = tmp_path / "ledger"
    ledger.touch()
    # Bytes of ledger at which to kill: not a time, so that a slow machine tests the same.
    limit = random.Random(round_number).randrange(200, 6000)
    child = subprocess.Popen(
        [sys.executable, "-c", _WORKLOAD, str(lab.home.root), str(file), str(ledger)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"running\n"
    while child.poll() is None and ledger.stat().st_size < limit:
        threading.Event().wait(0.005)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    last = {}
    for line in ledger.read_text().splitlines()[:-1]:
        worker, number = map(int, line.split())
        last[worker] = number
    lab.open()
    for worker, number in last.items():
        with lab.instance.latch:
            slots = lab.instance.cache.get(file, 140 + worker).block.slots
        newest = max(int(data[: len(data) // 20].split(b":")[1]) for data in slots.values())
        assert newest >= number
        # Whole and in order: the newest 40 numbers, each in its slot.
        for back in range(min(40, newest)):
            value = newest - back
            assert slots[value % 40] == f"{worker}:{value}".encode() * 20
