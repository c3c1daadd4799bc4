# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle-managed files: names nobody gave, files that vanish with their tablespace or their entry."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle_simulator.testing import SimulatedDatabase

from .dba import Dba


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """One database whose files all have managed names."""
    folder = tmp_path_factory.mktemp("managed")
    database = SimulatedDatabase(folder / "orcl", spec={"omf": True})
    database.start()
    at_work = Dba(database, folder / "kept")
    yield at_work
    database.destroy()


def files_of(dba: Dba, tablespace: str) -> list[Path]:
    found = dba.query(
        "SELECT d.name FROM v$datafile d JOIN v$tablespace t ON t.ts# = d.ts# "
        f"WHERE t.name = '{tablespace}' ORDER BY d.file#"
    )
    return [Path(name) for (name,) in found]


def test_files_of_a_new_database_have_managed_names(dba: Dba) -> None:
    folder = dba.database.home.root / "oradata" / "ORCL" / "datafile"
    names = [name for (name,) in dba.query("SELECT name FROM v$datafile")]
    assert len(names) == 4
    for name in names:
        assert re.fullmatch(rf"{folder}/o1_mf_[a-z0-9]{{1,8}}_[a-z0-9]{{8}}_\.dbf", name)
        assert Path(name).exists()
    ((tempfile,),) = dba.query("SELECT name FROM v$tempfile")
    assert re.fullmatch(rf"{folder}/o1_mf_temp_[a-z0-9]{{8}}_\.tmp", tempfile)


def test_a_tablespace_without_a_file_clause_comes_and_goes_with_its_files(dba: Dba) -> None:
    dba.execute("CREATE TABLESPACE quite_long_name DATAFILE SIZE 2M")
    dba.execute("ALTER TABLESPACE quite_long_name ADD DATAFILE SIZE 2M AUTOEXTEND OFF")
    files = files_of(dba, "QUITE_LONG_NAME")
    assert [re.sub("_[a-z0-9]{8}_", "_X_", path.name) for path in files] == ["o1_mf_quite_lo_X_.dbf"] * 2
    assert [path.stat().st_size for path in files] == [(2 << 20) + 8192] * 2
    grows = dba.query(
        "SELECT autoextensible FROM dba_data_files WHERE tablespace_name = 'QUITE_LONG_NAME' ORDER BY file_id"
    )
    assert grows == [("YES",), ("NO",)]
    dba.execute("DROP TABLESPACE quite_long_name")
    assert not any(path.exists() for path in files)
    dba.execute("CREATE TABLESPACE kept DATAFILE SIZE 2M")
    (path,) = files_of(dba, "KEPT")
    dba.execute("DROP TABLESPACE kept INCLUDING CONTENTS KEEP DATAFILES")
    assert path.exists()
    path.unlink()


def test_nobody_gives_a_managed_name(dba: Dba) -> None:
    name = dba.database.home.datafile_folder / "o1_mf_mine_abcdefgh_.dbf"
    for statement in (
        f"CREATE TABLESPACE mine DATAFILE '{name}' SIZE 2M",
        f"ALTER TABLESPACE users ADD DATAFILE '{name}' SIZE 2M",
        f"ALTER DATABASE CREATE DATAFILE 4 AS '{name}'",
        f"ALTER DATABASE MOVE DATAFILE 4 TO '{name}'",
    ):
        assert dba.refusal(statement) == (1276,)
    assert not name.exists()


def test_a_managed_file_that_is_still_there_is_deleted_by_its_renaming(dba: Dba) -> None:
    (old,) = files_of(dba, "USERS")
    new = old.with_name("users01.dbf")
    dba.execute("ALTER TABLESPACE users OFFLINE NORMAL")
    shutil.copyfile(old, new)
    dba.execute(f"ALTER DATABASE RENAME FILE '{old}' TO '{new}'")
    assert (old.exists(), new.exists()) == (False, True)
    again = old.with_name("users02.dbf")
    shutil.copyfile(new, again)
    dba.execute(f"ALTER DATABASE RENAME FILE '{new}' TO '{again}'")
    assert new.exists()
    dba.execute("ALTER TABLESPACE users ONLINE")


def test_files_move_to_and_are_made_again_under_managed_names(dba: Dba) -> None:
    (plain,) = files_of(dba, "USERS")
    dba.execute(f"ALTER DATABASE MOVE DATAFILE '{plain}'")
    (managed,) = files_of(dba, "USERS")
    assert re.fullmatch(r"o1_mf_users_[a-z0-9]{8}_\.dbf", managed.name)
    assert not plain.exists()
    dba.execute("CREATE TABLESPACE later DATAFILE SIZE 2M")
    (lost,) = files_of(dba, "LATER")
    dba.crash()
    lost.unlink()
    dba.start_mounted()
    dba.execute(f"ALTER DATABASE CREATE DATAFILE '{lost}' AS NEW")
    dba.recover_database()
    dba.open()
    (found,) = files_of(dba, "LATER")
    assert found != lost
    assert found.exists()


def test_without_a_destination_a_name_must_be_given(dba: Dba) -> None:
    assert dba.refusal("ALTER SYSTEM SET db_create_file_dest = '/nowhere'") == (2097, 1261, 1262)
    dba.execute("ALTER SYSTEM SET db_create_file_dest = ''")
    assert dba.refusal("CREATE TABLESPACE nameless") == (2199,)
    assert dba.refusal("CREATE TABLESPACE nameless DATAFILE SIZE 2M") == (2236,)
    assert dba.refusal("ALTER TABLESPACE users ADD DATAFILE") == (2236,)
