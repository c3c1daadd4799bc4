# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A laboratory for the physics: a tiny database, an instance on it, and what must be in its blocks.

No dictionary and no SQL: tests change slots of blocks of tablespace USERS directly, and the laboratory
keeps a ledger of every commit, to compare with what the blocks say after whatever happened to them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    RedoThreadDefinition,
    TablespaceDefinition,
)
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.cache.changes import BlockChange, wait_durable, write_changes
from oracle_simulator.instance.control_file.control import DatafileRecord
from oracle_simulator.instance.faults import Faults
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.redo import redo_switch
from oracle_simulator.storage.redo_record import Format, Put

MIB = 1 << 20
WAIT = 20.0
FIRST_BLOCK = 130

Place = tuple[int, int, int]
"""(file number, block, slot)."""


@dataclass(frozen=True)
class Entry:
    """One committed change."""

    scn: int
    place: Place
    data: bytes


@dataclass
class Lab:
    """One database, at most one running instance of it."""

    home: Home
    copies: Path
    readings: Readings = field(default_factory=Readings)
    ledger: list[Entry] = field(default_factory=list)
    running: Instance | None = None

    # ------------------------------------------------------------ the instance

    @property
    def instance(self) -> Instance:
        assert self.running is not None
        return self.running

    def nomount(self) -> Instance:
        self.down()
        parameters = Parameters.read(self.home.parameter_file)
        self.running = Instance(self.home, parameters, faults=Faults(), readings=self.readings)
        self.running.startup()
        return self.running

    def mount(self) -> Instance:
        self.nomount().mount()
        return self.instance

    def open(self) -> Instance:
        self.mount().open()
        return self.instance

    def crash(self) -> None:
        """What SIGKILL leaves: nothing is written any more."""
        self.instance.abandon()

    def down(self) -> None:
        if self.running is not None:
            self.running.abandon()

    # ------------------------------------------------------------ files

    def file(self, tablespace: str = "USERS") -> DatafileRecord:
        control = self.instance.control
        found = control.tablespace_named(tablespace)
        assert found is not None
        return control.files_of(found)[0]

    @property
    def all_files(self) -> list[DatafileRecord]:
        return list(self.instance.control.datafiles)

    def copy(self, record: DatafileRecord, label: str = "") -> Path:
        """Copy a datafile as an operating system would."""
        target = self.copies / f"{record.file_number}{label}.dbf"
        shutil.copyfile(record.path, target)
        return target

    def restore(self, record: DatafileRecord, copy: Path) -> None:
        """Put a copy where the datafile is, as a new file."""
        # Copied beside the old file and renamed, so that it has another inode, as a careful restore does.
        beside = Path(record.path + ".restored")
        shutil.copyfile(copy, beside)
        beside.replace(record.path)

    # ------------------------------------------------------------ changes

    def put(self, place: Place, data: bytes, durable: bool = True) -> int:
        """Commit one slot; the block is formatted when it is new."""
        file, block, slot = place
        instance = self.instance
        with instance.latch:
            changes = [BlockChange(file, block, Put(slot, data))]
            if instance.cache.get(file, block).block.type == 0:
                changes.insert(0, BlockChange(file, block, Format(6, 77)))
            commit = write_changes(instance, changes)
        if durable:
            wait_durable(instance, commit.position)
        self.ledger.append(Entry(commit.scn, place, data))
        return commit.scn

    def fill(self, count: int, label: str, tablespace: str = "USERS") -> int:
        """``count`` commits over a few blocks; returns the last SCN."""
        file = self.file(tablespace).file_number
        scn = 0
        for number in range(count):
            place = (file, FIRST_BLOCK + number % 7, number % 23)
            scn = self.put(place, f"{label} {number}".encode() * 3)
        return scn

    def grow_redo(self, size: int) -> None:
        """About ``size`` bytes of redo."""
        file = self.file().file_number
        for number in range(-(-size // 4096)):
            self.put((file, 190, 0), bytes([number % 251]) * 4096)

    def archive_current(self) -> int:
        return redo_switch.archive_log_current(self.instance)

    # ------------------------------------------------------------ proof

    def assert_contents(self, before_scn: int | None = None, tablespace: str = "USERS") -> None:
        """Every block holds exactly the commits with an SCN below ``before_scn`` (None: all)."""
        file = self.file(tablespace).file_number
        expected: dict[Place, bytes] = {}
        touched: set[Place] = set()
        for entry in self.ledger:
            if entry.place[0] != file:
                continue
            touched.add(entry.place)
            if before_scn is None or entry.scn < before_scn:
                expected[entry.place] = entry.data
        found = {}
        for place in touched:
            with self.instance.latch:
                data = self.instance.cache.get(place[0], place[1]).block.slots.get(place[2])
            if data is not None:
                found[place] = data
        assert found == expected

    def recover_with_archives(self, session: object) -> None:
        """Answer every request with CONTINUE DEFAULT until recovery is complete."""
        from oracle_simulator.instance.recovery.media_recovery import RecoverySession

        assert isinstance(session, RecoverySession)
        call = session.start
        while True:
            try:
                call()
            except OracleError as exc:
                if exc.code != 279 or 308 in exc.codes:
                    raise
                call = session.continue_default
            else:
                return


def codes_of(action: Callable[[], object]) -> tuple[int, ...]:
    """The error stack of an action; empty when it succeeds."""
    try:
        action()
    except OracleError as exc:
        return exc.codes
    return ()


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    """An open database with tablespaces USERS and APP and 1 MiB redo logs."""
    home = Home(tmp_path / "home", "LAB")
    small = (FileDefinition(2 * MIB),)
    definition = DatabaseDefinition(
        name="LAB",
        tablespaces=(
            TablespaceDefinition("SYSTEM", small),
            TablespaceDefinition("SYSAUX", small),
            TablespaceDefinition("UNDOTBS1", small, contents="UNDO"),
            TablespaceDefinition("TEMP", small, contents="TEMPORARY"),
            TablespaceDefinition("USERS", small),
            TablespaceDefinition("APP", 2 * small),
            TablespaceDefinition("OLD", small, read_only=True),
        ),
        redo_threads=(RedoThreadDefinition(size_bytes=MIB),),
        verifier_rounds=1,
    )
    create_database(home, definition)
    copies = tmp_path / "copies"
    copies.mkdir()
    laboratory = Lab(home, copies)
    laboratory.open()
    yield laboratory
    laboratory.down()
