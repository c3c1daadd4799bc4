# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tablespaces and their files, and every state they may be in; crashes in between."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from oracle_simulator.data import new_files, tablespace_state, tablespaces
from oracle_simulator.data.locks import Owner
from oracle_simulator.instance import backup_mode
from oracle_simulator.storage.datafile import Datafile, DatafileHeader

from .shop import MIB, Background, Shop, refused, wait_until_waiting

ME = Owner("dba")


def create(shop: Shop, name: str = "NEW", **options: object) -> str:
    spec = shop.new_file(f"{name.lower()}01.dbf")
    tablespaces.create_tablespace(shop.dictionary, name, [spec], **options)  # type: ignore[arg-type]  # as given
    return str(spec.path)


def file_names(shop: Shop) -> list[str]:
    return [Path(file.path).name for file in shop.instance.control.datafiles]


def header_of(path: str) -> DatafileHeader:
    with Datafile.open(path, writable=False) as datafile:
        return datafile.read_header()


def read_only(shop: Shop, name: str) -> None:
    tablespace_state.make_read_only(shop.transactions, name, ME)


def offline(shop: Shop, name: str, mode: str = "NORMAL") -> None:
    tablespace_state.take_offline(shop.transactions, name, ME, mode)


@pytest.mark.parametrize("crash", [True, False])
def test_a_new_tablespace_is_there_after_opening_again(shop: Shop, crash: bool) -> None:
    path = create(shop)
    shop.create_table(tablespace="NEW")
    shop.insert([1, "x", 0])
    shop.reopen(crash)
    assert shop.contents() == [[1, "x", 0]]
    record = tablespaces.find_datafile(shop.dictionary, path)
    assert record.file_number == 9
    header = header_of(path)
    assert (header.tablespace_name, header.file_number, header.creation_scn) == (
        "NEW",
        9,
        record.creation_scn,
    )
    assert shop.dictionary.find_tablespace("NEW").number == record.tablespace_number


def test_a_new_bigfile_tablespace_survives_a_crash(shop: Shop) -> None:
    create(shop, "HUGE", bigfile=True)
    shop.create_table(tablespace="HUGE")
    shop.insert(*[[n, "x" * 500, 0] for n in range(300)])
    shop.reopen()
    assert len(shop.rows()) == 300


def test_a_new_temporary_tablespace_has_a_tempfile(shop: Shop) -> None:
    path = create(shop, "TEMP2", contents="TEMPORARY")
    shop.reopen(crash=False)
    assert [file.path for file in shop.instance.control.tempfiles][-1] == path
    assert shop.dictionary.find_tablespace("TEMP2").contents == "TEMPORARY"
    tablespaces.drop_tempfile(shop.dictionary, path, including_datafiles=True)
    assert not Path(path).exists()


def test_an_added_file_takes_extents_and_survives(shop: Shop) -> None:
    tablespaces.add_files(shop.dictionary, "DATA", [shop.new_file("data03.dbf")])
    shop.create_table(keys=())
    shop.insert(*[[n, "x" * 1500, 0] for n in range(500)])
    shop.reopen()
    assert len(shop.rows()) == 500
    files = {extent.file_number for extent in shop.dictionary.segment(shop.table()).extents}
    assert files == {5, 6, 9}


def test_the_lowest_free_file_number_is_used_again_with_another_creation_scn(shop: Shop) -> None:
    first = create(shop)
    old = tablespaces.find_datafile(shop.dictionary, first)
    tablespaces.drop_tablespace(shop.dictionary, "NEW", and_datafiles=True)
    second = create(shop, "NEWER")
    new = tablespaces.find_datafile(shop.dictionary, second)
    assert new.file_number == old.file_number
    assert new.creation_scn > old.creation_scn
    assert shop.dictionary.find_tablespace("NEWER").number > 0
    shop.reopen()
    assert header_of(second).creation_scn == new.creation_scn


@pytest.mark.parametrize("and_datafiles", [True, False])
@pytest.mark.parametrize("crash", [True, False])
def test_a_dropped_tablespace_is_gone_with_its_tables(shop: Shop, crash: bool, and_datafiles: bool) -> None:
    path = create(shop)
    shop.create_table(tablespace="NEW")
    shop.insert(*[[n, "x" * 500, 0] for n in range(200)])
    refused(1549, lambda: tablespaces.drop_tablespace(shop.dictionary, "NEW"))
    tablespaces.drop_tablespace(shop.dictionary, "NEW", including_contents=True, and_datafiles=and_datafiles)
    assert Path(path).exists() != and_datafiles
    shop.reopen(crash)
    assert shop.dictionary.tables() == []
    assert "new01.dbf" not in file_names(shop)
    refused(959, lambda: shop.dictionary.find_tablespace("NEW"))


def test_an_empty_datafile_can_be_dropped(shop: Shop) -> None:
    spec = shop.new_file("data03.dbf")
    tablespaces.add_files(shop.dictionary, "DATA", [spec])
    tablespaces.drop_datafile(shop.dictionary, "DATA", str(spec.path))
    shop.reopen()
    assert "data03.dbf" not in file_names(shop)
    refused(3263, lambda: tablespaces.drop_datafile(shop.dictionary, "DATA", 5))
    shop.create_table(keys=())
    shop.insert(*[[n, "x" * 1500, 0] for n in range(100)])
    refused(3262, lambda: tablespaces.drop_datafile(shop.dictionary, "DATA", 6))


Act = Callable[[Shop], object]


@pytest.mark.parametrize(
    ("act", "codes"),
    [
        (lambda s: create(s, "DATA"), (1543,)),
        (lambda s: create(s, "X", block_size=4096), (29339,)),
        (
            lambda s: tablespaces.create_tablespace(
                s.dictionary, "X", [s.new_file("a.dbf"), s.new_file("b.dbf")], bigfile=True
            ),
            (32774,),
        ),
        (
            lambda s: tablespaces.create_tablespace(s.dictionary, "X", [s.new_file("a.dbf", 100_000)]),
            (3214,),
        ),
        (lambda s: tablespaces.add_files(s.dictionary, "NOPE", [s.new_file("a.dbf")]), (959,)),
        (lambda s: tablespaces.add_files(s.dictionary, "BIG", [s.new_file("a.dbf")]), (32771,)),
        (lambda s: tablespaces.add_files(s.dictionary, "TEMP", [s.new_file("a.dbf")]), (3217,)),
        (lambda s: tablespaces.add_files(s.dictionary, "DATA", [s.new_file("data01.dbf")]), (1537,)),
        (lambda s: tablespaces.add_files(s.dictionary, "DATA", [s.new_file("no/where.dbf")]), (1119, 27040)),
        (lambda s: tablespaces.drop_tablespace(s.dictionary, "SYSTEM"), (1550,)),
        (lambda s: tablespaces.drop_tablespace(s.dictionary, "USERS"), (12919,)),
        (lambda s: tablespaces.drop_tablespace(s.dictionary, "TEMP"), (12906,)),
        (lambda s: tablespaces.drop_tablespace(s.dictionary, "UNDOTBS1"), (30013,)),
        (lambda s: read_only(s, "SYSTEM"), (1643,)),
        (lambda s: read_only(s, "UNDOTBS1"), (30021,)),
        (lambda s: read_only(s, "TEMP"), (3217,)),
        (lambda s: read_only(s, "OLD"), (1644,)),
        (lambda s: tablespace_state.make_read_write(s.dictionary, "DATA"), (1646,)),
        (lambda s: offline(s, "SYSTEM"), (1541,)),
        (lambda s: offline(s, "UNDOTBS1"), (30042,)),
        (lambda s: tablespace_state.bring_online(s.dictionary, "DATA"), (1540,)),
        (lambda s: tablespaces.drop_tempfile(s.dictionary, 99), (1516,)),
    ],
)
def test_what_is_refused(shop: Shop, act: Act, codes: tuple[int, ...]) -> None:
    before = file_names(shop)
    assert refused(codes[0], lambda: act(shop)).codes == codes
    assert file_names(shop) == before


def test_a_file_in_the_way_is_left_alone(shop: Shop) -> None:
    precious = shop.home.datafile_folder / "new01.dbf"
    precious.write_bytes(b"precious")
    error = refused(1119, lambda: create(shop))
    assert error.codes == (1119, 27038)
    assert precious.read_bytes() == b"precious"
    spec = shop.new_file("new01.dbf", reuse=True)
    tablespaces.create_tablespace(shop.dictionary, "NEW", [spec])
    assert precious.stat().st_size == 2 * MIB + 8192


def test_when_the_second_file_cannot_be_made_the_first_goes_too(shop: Shop) -> None:
    (shop.home.datafile_folder / "b.dbf").write_bytes(b"precious")
    specs = [shop.new_file("a.dbf"), shop.new_file("b.dbf")]
    refused(1119, lambda: tablespaces.create_tablespace(shop.dictionary, "NEW", specs))
    assert not (shop.home.datafile_folder / "a.dbf").exists()


def test_a_crash_before_the_redo_leaves_no_tablespace(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(Exception):
        pass

    def die(*_arguments: object) -> None:
        shop.crash()
        raise Killed

    # The control file knows the file by now, the redo does not.
    monkeypatch.setattr(tablespaces, "make_change", die)
    monkeypatch.setattr(tablespaces, "release_files", lambda *_: None)
    monkeypatch.setattr(tablespaces, "_forget_datafiles", lambda *_: None)
    monkeypatch.setattr(tablespaces, "discard_files", lambda *_: None)
    with pytest.raises(Killed):
        create(shop)
    monkeypatch.undo()
    shop.open()
    assert "new01.dbf" not in file_names(shop)
    refused(959, lambda: shop.dictionary.find_tablespace("NEW"))
    (shop.home.datafile_folder / "new01.dbf").unlink()
    create(shop)


def test_a_crash_after_the_redo_keeps_the_tablespace(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    genuine = shop.instance.save_control
    saves: list[int] = []

    def save_once() -> None:
        saves.append(1)
        if len(saves) > 1:
            raise KeyboardInterrupt
        genuine()

    monkeypatch.setattr(shop.instance, "save_control", save_once)
    with pytest.raises(KeyboardInterrupt):
        create(shop)
    shop.reopen()
    assert "new01.dbf" in file_names(shop)
    shop.create_table(tablespace="NEW")
    shop.insert([1, "x", 0])


def test_read_only_stops_changes_and_closes_the_header(shop: Shop) -> None:
    shop.create_table()
    shop.insert(*[[n, "x" * 100, 0] for n in range(100)])
    read_only(shop, "DATA")
    error = refused(372, lambda: shop.begin().insert(shop.table(), [101, "y", 0]))
    assert error.codes == (372, 1110)
    refused(1647, lambda: shop.create_table("U"))
    for record in shop.instance.control.datafiles:
        if record.tablespace_number == 5:
            header = header_of(record.path)
            assert not header.fuzzy
            assert header.checkpoint.scn == record.stop_scn
            assert record.enabled == "READ ONLY"
    assert len(shop.rows()) == 100
    shop.reopen()
    assert len(shop.rows()) == 100
    refused(372, lambda: shop.begin().insert(shop.table(), [101, "y", 0]))
    tablespace_state.make_read_write(shop.dictionary, "DATA")
    shop.insert([101, "y", 0])
    shop.reopen()
    assert len(shop.rows()) == 101


def test_a_copy_of_a_read_only_file_never_needs_recovery(shop: Shop) -> None:
    shop.create_table()
    shop.insert([1, "x", 0])
    read_only(shop, "DATA")
    paths = [file.path for file in shop.instance.control.datafiles if file.tablespace_number == 5]
    copies = [shutil.copyfile(path, path + ".copy") for path in paths]
    shop.create_table("OTHER", "USERS")
    shop.insert(*[[n, "x" * 100, 0] for n in range(100)], name="OTHER")
    shop.instance.shutdown("immediate")
    for path, copy in zip(paths, copies, strict=True):
        Path(copy).replace(path)
    shop.open()
    assert shop.contents() == [[1, "x", 0]]


def test_read_only_waits_for_transactions(shop: Shop) -> None:
    shop.create_table()
    writer = shop.begin()
    writer.insert(shop.table(), [1, "x", 0])
    waiting = Background(lambda: read_only(shop, "DATA"))
    wait_until_waiting(shop)
    assert waiting.running
    writer.commit()
    waiting.finish()
    assert shop.contents() == [[1, "x", 0]]


@pytest.mark.parametrize("crash", [True, False])
def test_offline_and_online_again(shop: Shop, crash: bool) -> None:
    shop.create_table()
    shop.insert(*[[n, "x" * 100, 0] for n in range(100)])
    offline(shop, "DATA")
    error = refused(376, shop.rows)
    assert error.codes == (376, 1110)
    refused(1542, lambda: shop.create_table("U"))
    shop.reopen(crash)
    refused(376, shop.rows)
    tablespace_state.bring_online(shop.dictionary, "DATA")
    shop.insert([100, "y", 0])
    shop.reopen()
    assert len(shop.rows()) == 101


def test_offline_immediate_needs_recovery(shop: Shop) -> None:
    shop.create_table()
    shop.insert(*[[n, "x" * 100, 0] for n in range(100)])
    offline(shop, "DATA", "IMMEDIATE")
    error = refused(1113, lambda: tablespace_state.bring_online(shop.dictionary, "DATA"))
    assert error.codes == (1113, 1110)


def test_a_missing_offline_file_cannot_come_online(shop: Shop) -> None:
    offline(shop, "DATA")
    record = shop.instance.control.datafile(6)
    assert record is not None
    Path(record.path).rename(record.path + ".away")
    assert refused(1157, lambda: tablespace_state.bring_online(shop.dictionary, "DATA")).codes == (1157, 1110)
    Path(record.path + ".away").rename(record.path)
    tablespace_state.bring_online(shop.dictionary, "DATA")


@pytest.mark.parametrize(
    "act",
    [
        lambda shop: read_only(shop, "DATA"),
        lambda shop: offline(shop, "DATA"),
        lambda shop: tablespaces.drop_tablespace(shop.dictionary, "DATA"),
    ],
)
def test_nothing_stops_writes_to_a_file_in_backup_mode(shop: Shop, act: Act) -> None:
    backup_mode.begin_tablespace(shop.instance, "DATA")
    assert refused(1150, lambda: act(shop)).codes == (1150, 1110)
    backup_mode.end_tablespace(shop.instance, "DATA")
    act(shop)


def test_a_file_grows_in_backup_mode_and_its_header_stays_frozen(shop: Shop) -> None:
    shop.create_table(tablespace="USERS", keys=())
    backup_mode.begin_tablespace(shop.instance, "USERS")
    record = shop.instance.control.datafile(4)
    assert record is not None
    frozen = header_of(record.path)
    shop.insert(*[[n, "x" * 1700, 0] for n in range(600)])
    header = header_of(record.path)
    assert header.blocks > frozen.blocks
    assert header.in_backup
    assert header.checkpoint == frozen.checkpoint
    backup_mode.end_tablespace(shop.instance, "USERS")
    shop.reopen()
    assert len(shop.rows()) == 600


def test_a_file_only_the_dictionary_knows_comes_in_as_missing(shop: Shop) -> None:
    create(shop)
    with shop.instance.latch:
        record = tablespaces.find_datafile(shop.dictionary, 9)
        shop.instance.control.datafiles.remove(record)
    shop.reopen(crash=False)
    assert "MISSING00009" in file_names(shop)


def test_number_files_counts_what_other_files_have(shop: Shop) -> None:
    with shop.instance.latch:
        files = new_files.number_files(
            shop.instance, [shop.new_file("x.dbf"), shop.new_file("y.dbf")], 5, "DATA", False, False, 8192
        )
    assert [file.file_number for file in files] == [9, 10]
    assert files[0].creation.scn < files[1].creation.scn
