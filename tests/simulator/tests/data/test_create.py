# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CREATE DATABASE: what lies on disk, and that an instance accepts it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import DatabaseDefinition, FileDefinition, TablespaceDefinition
from oracle_simulator.data.filled_files import FILLER_OBJECT_ID
from oracle_simulator.data.space import FileSpace
from oracle_simulator.instance.archiving.archive_destinations import configured_destinations
from oracle_simulator.instance.control_file.control import ControlState
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.storage.block import examine
from oracle_simulator.storage.control_file import read_control_file
from oracle_simulator.storage.datafile import Datafile, HeaderStatus
from oracle_simulator.storage.password_file import read_password_file
from oracle_simulator.storage.redo_log import read_log_header, read_records

from ..storage.independent import walk_datafile
from .conftest import definition
from .shop import MIB, Shop, refused


@pytest.fixture
def control(home: Home) -> ControlState:
    create_database(home, definition())
    return ControlState.from_dict(read_control_file(home.control_files[0]))


def test_every_block_of_every_datafile_is_sound_and_in_its_place(control: ControlState) -> None:
    assert len(control.datafiles) == 8
    for record in control.datafiles:
        with Datafile.open(record.path) as datafile:
            header = datafile.read_header()
            assert (header.blocks, datafile.blocks) == (record.blocks, record.blocks)
            for number in range(1, record.blocks + 1):
                assert examine(datafile.read_block(number), header.rdba(number)) is None


def test_headers_are_those_of_a_cleanly_closed_database(control: ControlState) -> None:
    for record in control.datafiles:
        with Datafile.open(record.path) as datafile:
            header = datafile.read_header()
        assert not header.fuzzy
        assert header.checkpoint == record.checkpoint == control.database.checkpoint
        assert record.stop_scn == header.checkpoint.scn
        assert (header.dbid, header.db_name, header.file_number) == (4711, "SHOP", record.file_number)
        assert bool(header.status & HeaderStatus.ROOT_DBA) == (record.file_number == 1)


def test_the_bigfile_has_its_relative_number(control: ControlState) -> None:
    big = control.tablespace_named("BIG")
    assert big is not None
    (record,) = control.files_of(big)
    assert record.relative_file_number == 1024
    with Datafile.open(record.path) as datafile:
        assert datafile.read_header().bigfile


def test_redo_groups_are_there_and_empty(control: ControlState) -> None:
    current, *others = control.redo_groups
    header = read_log_header(current.members[0])
    assert (header.sequence, header.current, header.dbid) == (1, True, 4711)
    assert list(read_records(current.members[0])) == []
    assert all(Path(group.members[0]).stat().st_size == (8192 + 1) * 512 for group in (current, *others))


def test_both_control_files_are_equal(home: Home, control: ControlState) -> None:
    first, second = home.control_files
    assert first.read_bytes() == second.read_bytes()


def test_parameters_and_password_file_are_there(home: Home, control: ControlState) -> None:
    parameters = Parameters.read(home.parameter_file)
    assert parameters.db_name == "SHOP"
    assert parameters.control_files == home.control_files
    assert configured_destinations(parameters)[0].location == str(home.archive_folder)
    (sys,) = read_password_file(home.password_file)
    assert (sys.user, sys.privileges) == ("SYS", {"SYSDBA", "SYSOPER", "SYSBACKUP"})


def test_the_dictionary_is_what_was_defined(shop: Shop) -> None:
    names = [row.name for row in shop.dictionary.tablespaces()]
    assert names == ["SYSTEM", "SYSAUX", "UNDOTBS1", "TEMP", "USERS", "DATA", "BIG", "OLD"]
    assert shop.dictionary.find_tablespace("OLD").status == "READ ONLY"
    assert [row.file_number for row in shop.dictionary.files()] == list(range(1, 9))
    user = shop.dictionary.find_user("APP")
    assert user is not None
    assert (user.default_tablespace, user.temporary_tablespace) == ("DATA", "TEMP")
    assert shop.dictionary.properties()["DEFAULT_TEMP_TABLESPACE"] == "TEMP"
    assert shop.dictionary.tables() == []


def test_two_databases_have_different_dbids(tmp_path: Path) -> None:
    small = replace(definition(), dbid=None)
    dbids = {create_database(Home(tmp_path / name, "SHOP"), small) for name in ("a", "b")}
    assert len(dbids) == 2


def test_an_existing_file_is_not_overwritten(home: Home) -> None:
    home.datafile_folder.mkdir(parents=True)
    precious = home.datafile_folder / "data02.dbf"
    precious.write_bytes(b"precious")
    error = refused(1501, lambda: create_database(home, definition()))
    assert error.codes == (1501, 1119, 27038)
    assert str(precious) in error.message
    assert precious.read_bytes() == b"precious"


def test_a_file_too_small_is_refused(home: Home) -> None:
    tiny = DatabaseDefinition("SHOP", tablespaces=(TablespaceDefinition("T", (FileDefinition(MIB // 4),)),))
    refused(3214, lambda: create_database(home, tiny))


@pytest.mark.parametrize("name", ["", "lower", "TOOLONGNAME", "A-B"])
def test_an_impossible_name_is_refused(home: Home, name: str) -> None:
    refused(2236, lambda: create_database(home, replace(definition(), name=name)))


@pytest.mark.parametrize("block_size", [2048, 4096, 16384])
def test_other_block_sizes_work(home: Home, block_size: int) -> None:
    big = (FileDefinition(6 * MIB),)
    spaces = tuple(replace(tablespace, files=big) for tablespace in definition().tablespaces)
    parameters = {"db_cache_size": "4194304"}
    create_database(
        home, replace(definition(), tablespaces=spaces, block_size=block_size, parameters=parameters)
    )
    shop = Shop(home)
    shop.open()
    shop.create_table()
    shop.insert(*[[n, "x" * 100, n] for n in range(500)])
    shop.reopen()
    assert len(shop.rows()) == 500
    shop.crash()


def test_a_filled_tablespace_is_full_and_the_database_goes_on(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", "LAB")
    full = TablespaceDefinition("FULL", (FileDefinition(3 * MIB, fill_bytes=3 * MIB),))
    half = TablespaceDefinition("HALF", (FileDefinition(4 * MIB, fill_bytes=2 * MIB),))
    create_database(home, DatabaseDefinition("LAB", tablespaces=(full, half), verifier_rounds=1))
    instance = Instance(home, Parameters.read(home.parameter_file))
    instance.startup()
    instance.mount()
    instance.open()
    with instance.latch:
        free = {
            name: FileSpace(instance, file.file_number).free_units
            for name in ("FULL", "HALF")
            for file in instance.control.datafiles
            if Path(file.path).name.startswith(name.lower())
        }
        assert instance.cache.get(6, 200).block.object_id == FILLER_OBJECT_ID
    instance.shutdown()
    assert free == {"FULL": 0, "HALF": (4 * MIB // 8192 - 127) // 8 - 2 * MIB // 65536}
    for name in ("full01.dbf", "half01.dbf"):
        walk_datafile(home.datafile_folder / name)
