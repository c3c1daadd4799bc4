# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted tablespaces: nothing readable on disk, nothing in reach while the keystore is closed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import oracledb
import pytest

from oracle_simulator.program.local_socket import LocalError
from oracle_simulator.testing import SMALL, MakeDatabase, SimulatedDatabase

from ..storage.independent import walk_datafile
from .dba import Dba, codes_of

MANAGE = "ADMINISTER KEY MANAGEMENT"
OPEN = f"{MANAGE} SET KEYSTORE OPEN IDENTIFIED BY secret"
CLOSE = f"{MANAGE} SET KEYSTORE CLOSE IDENTIFIED BY secret"


@pytest.fixture(scope="module")
def dba(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dba]:
    """One database; the first test makes its keystore and the tablespace VAULT, open at the end of each test."""
    folder = tmp_path_factory.mktemp("encryption")
    database = SimulatedDatabase(folder / "orcl")
    database.start()
    at_work = Dba(database, folder / "kept")
    yield at_work
    database.destroy()


def wallet(dba: Dba) -> tuple[str, str]:
    ((status, kind),) = dba.query("SELECT status, wallet_type FROM v$encryption_wallet")
    return status, kind


def vault(dba: Dba) -> Path:
    return dba.database.datafile("VAULT")


def run(dba: Dba, *statements: str) -> None:
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()


def refused(dba: Dba, *statements: str) -> tuple[int, ...]:
    """The codes with which a transaction of APP is refused, in any of its statements or at its commit."""
    try:
        run(dba, *statements)
    except oracledb.Error as error:
        return codes_of(error)
    return ()


def names(dba: Dba) -> list[str]:
    with dba.database.connect("APP") as connection, connection.cursor() as cursor:
        return [name for (name,) in cursor.execute("SELECT name FROM people ORDER BY id")]


def test_a_keystore_comes_before_the_first_encrypted_tablespace(dba: Dba) -> None:
    encrypted = "ENCRYPTION USING 'AES256' DEFAULT STORAGE(ENCRYPT)"
    create = f"CREATE TABLESPACE vault DATAFILE '{vault(dba)}' SIZE 2M {encrypted}"
    assert wallet(dba) == ("NOT_AVAILABLE", "UNKNOWN")
    assert dba.refusal(create) == (28365,)
    assert dba.refusal(OPEN) == (28367,)
    dba.execute(f"{MANAGE} CREATE KEYSTORE IDENTIFIED BY secret")
    assert dba.refusal(f"{MANAGE} CREATE KEYSTORE IDENTIFIED BY other") == (46630,)
    assert wallet(dba) == ("CLOSED", "UNKNOWN")
    assert dba.refusal(f"{MANAGE} SET KEYSTORE OPEN IDENTIFIED BY wrong") == (28353,)
    dba.execute(OPEN)
    assert wallet(dba) == ("OPEN_NO_MASTER_KEY", "PASSWORD")
    assert dba.refusal(create) == (28374,)
    assert dba.refusal(f"{MANAGE} SET KEY IDENTIFIED BY secret") == (46631,)
    dba.execute(f"{MANAGE} SET KEY IDENTIFIED BY secret WITH BACKUP USING 'first'")
    assert wallet(dba) == ("OPEN", "PASSWORD")
    dba.execute(create)
    assert dba.query("SELECT tablespace_name FROM dba_tablespaces WHERE encrypted = 'YES'") == [("VAULT",)]
    assert dba.query(
        "SELECT t.name, e.encryptionalg FROM v$encrypted_tablespaces e JOIN v$tablespace t ON t.ts# = e.ts#"
    ) == [("VAULT", "AES256")]


def test_nothing_readable_is_written_anywhere(dba: Dba) -> None:
    run(dba, "CREATE TABLE people (id NUMBER PRIMARY KEY, name VARCHAR2(40)) TABLESPACE vault")
    run(dba, "CREATE TABLE open_people (id NUMBER, name VARCHAR2(40))")
    for table in ("people", "open_people"):
        rows = [f"INSERT INTO {table} VALUES ({n}, '{table} Wilhelmina {n}')" for n in range(30)]
        run(dba, *rows)
    dba.execute("ALTER TABLESPACE vault BEGIN BACKUP")
    run(dba, "UPDATE people SET name = 'people Wilhelmina 5, widowed' WHERE id = 5")
    dba.copy(vault(dba))
    dba.execute("ALTER TABLESPACE vault END BACKUP")
    dba.execute("ALTER SYSTEM ARCHIVE LOG CURRENT")
    dba.execute("ALTER SYSTEM CHECKPOINT")
    home = dba.database.home
    places = [*home.datafile_folder.iterdir(), *home.redo_folder.iterdir(), *home.archive_folder.iterdir()]
    found = {path: path.read_bytes() for path in places if path.is_file()}
    text = b"".join(found.values())
    assert text.count(b"open_people Wilhelmina 5") == text.count(b"people Wilhelmina 5") > 0
    used = walk_datafile(vault(dba))
    tables = [block for block in used.values() if block[0] == 6]
    assert tables
    assert all(block[15] & 0x10 for block in tables)


@pytest.mark.covers("4.1/wallet/ORA-28365-access", "2.7/needs-people/ORA-28365")
def test_a_closed_keystore_keeps_everybody_out(dba: Dba) -> None:
    expected = names(dba)
    dba.execute(CLOSE)
    assert wallet(dba) == ("CLOSED", "UNKNOWN")
    assert dba.refusal(CLOSE) == (28365,)
    for statement in (
        "SELECT * FROM people",
        "INSERT INTO people VALUES (100, 'nobody')",
        "CREATE TABLE more (id NUMBER) TABLESPACE vault",
    ):
        assert refused(dba, statement) == (28365,)
    assert refused(dba, "SELECT * FROM open_people") == ()
    # A backup needs no key.
    dba.execute("ALTER TABLESPACE vault BEGIN BACKUP")
    shutil.copyfile(vault(dba), dba.kept / "closed.dbf")
    dba.execute("ALTER TABLESPACE vault END BACKUP")
    walk_datafile(dba.kept / "closed.dbf")
    dba.execute(OPEN)
    assert dba.refusal(OPEN) == (28354,)
    assert names(dba) == expected


@pytest.mark.covers("4.1/wallet/ORA-28365-recovery")
def test_recovery_waits_for_the_keystore(dba: Dba) -> None:
    run(dba, "INSERT INTO people VALUES (200, 'people Late')")
    expected = names(dba)
    dba.crash()
    shutil.copyfile(dba.kept / "datafiles" / vault(dba).name, vault(dba))
    dba.start_mounted()
    assert wallet(dba)[0] == "CLOSED"
    assert dba.refusal("ALTER DATABASE RECOVER AUTOMATIC DATABASE")[:2] == (283, 28365)
    assert dba.query("SELECT status FROM v$instance") == [("MOUNTED",)]
    dba.execute(OPEN)
    dba.recover_database()
    dba.open()
    assert names(dba) == expected
    run(dba, "INSERT INTO people VALUES (201, 'people Later')")
    dba.crash()
    dba.start_mounted()
    assert dba.refusal("ALTER DATABASE OPEN") == (28365,)
    dba.execute(OPEN)
    dba.open()
    assert names(dba) == [*expected, "people Later"]


def test_a_new_key_leaves_the_old_one_needed(dba: Dba) -> None:
    expected = names(dba)
    folder = dba.database.home.root / "admin" / "ORCL" / "wallet"
    before = (folder / "ewallet.p12").read_bytes()
    dba.execute(f"{MANAGE} SET KEY IDENTIFIED BY secret WITH BACKUP")
    young = dba.database.datafile("YOUNG")
    dba.execute(f"CREATE TABLESPACE young DATAFILE '{young}' SIZE 2M ENCRYPTION ENCRYPT")
    keys = dba.query("SELECT DISTINCT masterkeyid FROM v$encrypted_tablespaces")
    assert len(keys) == 2
    assert names(dba) == expected
    run(dba, "CREATE TABLE youth (id NUMBER) TABLESPACE young", "INSERT INTO youth VALUES (1)")
    dba.execute(CLOSE)
    after = (folder / "ewallet.p12").read_bytes()
    (folder / "ewallet.p12").write_bytes(before)
    dba.execute(OPEN)
    assert names(dba) == expected
    assert refused(dba, "SELECT * FROM youth") == (28362,)
    dba.execute(CLOSE)
    (folder / "ewallet.p12").write_bytes(after)
    dba.execute(OPEN)


def test_an_auto_login_keystore_opens_by_itself(dba: Dba) -> None:
    expected = names(dba)
    dba.execute(f"{MANAGE} CREATE AUTO_LOGIN KEYSTORE FROM KEYSTORE IDENTIFIED BY secret")
    dba.crash()
    dba.database.start()
    assert wallet(dba) == ("OPEN", "AUTOLOGIN")
    assert names(dba) == expected
    assert dba.refusal(f"{MANAGE} SET KEY IDENTIFIED BY secret WITH BACKUP") == (28417,)
    dba.execute(f"{MANAGE} SET KEY FORCE KEYSTORE IDENTIFIED BY secret WITH BACKUP")
    assert names(dba) == expected


@pytest.mark.parametrize("readable", [True, False])
def test_a_spec_makes_it_all_and_both_readings_of_nomount(
    make_database: MakeDatabase, readable: bool
) -> None:
    database = make_database(
        spec={
            "keystore": {"password": "secret"},
            "tablespaces": [*SMALL["tablespaces"], {"name": "VAULT", "size": "2M", "encryption": "AES128"}],
            "readings": {"wallet_view_in_nomount": readable},
        },
        start="nomount",
    )
    query = "SELECT status FROM v$encryption_wallet"
    if readable:
        assert database.sql(query) == [["CLOSED"]]
    else:
        with pytest.raises(LocalError, match="ORA-01507"):
            database.sql(query)
    database.sql("ALTER DATABASE MOUNT", "ALTER DATABASE OPEN")
    with database.connect("APP") as connection, connection.cursor() as cursor:
        with pytest.raises(oracledb.DatabaseError, match="ORA-28365"):
            cursor.execute("CREATE TABLE t (id NUMBER) TABLESPACE vault")
        database.sql(OPEN)
        cursor.execute("CREATE TABLE t (id NUMBER) TABLESPACE vault")
    assert database.sql("SELECT encryptionalg FROM v$encrypted_tablespaces") == [["AES128"]]
