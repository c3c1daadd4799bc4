# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hot copies taken under load, with a database writer that never rests, restore to exactly what was committed."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import backup_mode
from oracle_simulator.instance.cache.changes import BlockChange, wait_durable, wait_for_space, write_changes
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.recovery.media_recovery import RecoverySession, RecoverySpec
from oracle_simulator.storage.redo_record import Format, Put

from .conftest import Lab, codes_of

WINDOWS = 10
WRITERS = 3


@dataclass
class Written:
    """All values of one slot in order of commit; the first ``acknowledged`` of them were acknowledged."""

    values: list[bytes] = field(default_factory=list)
    acknowledged: int = 0


class Writer(threading.Thread):
    """Commits to random blocks, in slots of its own, until the instance goes down."""

    def __init__(self, instance: Instance, file_number: int, number: int, seed: int) -> None:
        super().__init__(daemon=True)
        self.written: dict[tuple[int, int], Written] = {}
        self.unexpected: OracleError | None = None
        self._instance = instance
        self._file = file_number
        self._number = number
        self._random = random.Random(seed * 100 + number)

    def run(self) -> None:
        try:
            while True:
                self._commit()
        except OracleError as exc:
            if exc.code not in (1092, 1109, 1507):
                self.unexpected = exc

    def _commit(self) -> None:
        instance = self._instance
        block, slot = self._random.randrange(130, 230), self._number * 10 + self._random.randrange(10)
        written = self.written.setdefault((block, slot), Written())
        value = f"{self._number}.{len(written.values)} ".encode() * self._random.randrange(1, 40)
        with instance.latch:
            wait_for_space(instance)
            changes = [BlockChange(self._file, block, Put(slot, value))]
            if instance.cache.get(self._file, block).block.type == 0:
                changes.insert(0, BlockChange(self._file, block, Format(6, 1)))
            commit = write_changes(instance, changes)
            written.values.append(value)
        wait_durable(instance, commit.position)
        written.acknowledged = len(written.values)


@pytest.mark.parametrize("seed", range(3))
def test_a_hot_copy_under_load_restores_every_acknowledged_commit(lab: Lab, seed: int) -> None:
    instance, record = lab.instance, lab.file()
    instance.database_writer.trickle_seconds = 0.005
    writers = [Writer(instance, record.file_number, number, seed) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    choose = random.Random(seed)
    copies = []
    for window in range(WINDOWS):
        backup_mode.begin_tablespace(instance, "USERS")
        copies.append(lab.copy(record, f"-{window}"))
        backup_mode.end_tablespace(instance, "USERS")
        if choose.random() < 0.5:
            lab.archive_current()
    lab.crash()
    for writer in writers:
        writer.join()
        assert writer.unexpected is None
    lab.mount()
    lab.restore(lab.file(), choose.choice(copies))
    assert codes_of(lab.instance.open) == (1113, 1110)
    RecoverySession(lab.instance, RecoverySpec(automatic=True)).start()
    lab.instance.open()
    assert sum(written.acknowledged for writer in writers for written in writer.written.values()) > 10
    for writer in writers:
        for (block, slot), written in writer.written.items():
            with lab.instance.latch:
                found = lab.instance.cache.get(record.file_number, block).block.slots.get(slot)
            possible = written.values[max(written.acknowledged - 1, 0) :]
            assert found in possible or (found is None and not written.acknowledged)
