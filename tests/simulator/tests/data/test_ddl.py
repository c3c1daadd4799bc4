# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables, indexes, users and grants: what the dictionary says, after a crash too."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oracle_simulator.data import table_ddl, users
from oracle_simulator.data.tables import PRIMARY_KEY, Table, TableColumn, TableKey
from oracle_simulator.net.backend import Verifier

from .shop import COLUMNS, Shop, refused

VERIFIER = Verifier(b"s" * 16, b"k" * 64, 10)


def test_a_table_is_what_was_said_after_a_crash_too(shop: Shop) -> None:
    columns = (
        TableColumn("ID", "NUMBER", precision=10, scale=0),
        TableColumn("WHEN", "TIMESTAMP", scale=6, nullable=False, default="SYSTIMESTAMP"),
        TableColumn("TEXT", "VARCHAR2", 40),
    )
    keys = (TableKey(PRIMARY_KEY, ("ID", "WHEN"), "PK_EVENT"), TableKey("U", ("TEXT",)))
    made = table_ddl.create_table(shop.dictionary, "APP", "EVENT", columns, keys, "USERS")
    shop.reopen()
    again = shop.table("EVENT")
    assert again == made
    assert [column.nullable for column in again.columns] == [False, False, True]
    assert again.columns[1].default == "SYSTIMESTAMP"
    assert again.keys[0] == keys[0]
    assert again.keys[1].name.startswith("SYS_C")
    assert shop.instance.control.tablespace(again.tablespace_number).name == "USERS"  # type: ignore[union-attr]  # there


@pytest.mark.parametrize(
    ("columns", "keys", "tablespace", "code"),
    [
        (COLUMNS, (), "NOWHERE", 959),
        (COLUMNS, (), "OLD", 1647),
        (COLUMNS, (), "TEMP", 2195),
        (COLUMNS, (), "UNDOTBS1", 2195),
        ((*COLUMNS, COLUMNS[0]), (), None, 957),
        (COLUMNS, (TableKey(PRIMARY_KEY, ("NOPE",)),), None, 904),
    ],
)
def test_tables_that_cannot_be(
    shop: Shop,
    columns: tuple[TableColumn, ...],
    keys: tuple[TableKey, ...],
    tablespace: str | None,
    code: int,
) -> None:
    refused(code, lambda: table_ddl.create_table(shop.dictionary, "APP", "X", columns, keys, tablespace))
    assert shop.dictionary.tables() == []


def test_a_name_is_used_once(shop: Shop) -> None:
    shop.create_table()
    refused(955, shop.create_table)
    table_ddl.create_table(shop.dictionary, "OTHER", "T", COLUMNS)
    assert [table.qualified_name for table in shop.dictionary.tables()] == ["APP.T", "OTHER.T"]


def test_a_dropped_table_is_gone_and_its_name_free(shop: Shop) -> None:
    shop.create_table()
    shop.insert([1, "old", 0])
    table_ddl.drop_table(shop.dictionary, "APP", "T")
    refused(942, shop.table)
    refused(942, lambda: table_ddl.drop_table(shop.dictionary, "APP", "T"))
    shop.reopen()
    shop.create_table()
    assert shop.rows() == {}


def test_who_holds_a_dropped_table_hears_that_it_is_gone(shop: Shop) -> None:
    table = shop.create_table()
    gone: list[Table] = []
    shop.dictionary.on_table_gone.append(gone.append)
    table_ddl.drop_table(shop.dictionary, "APP", "T")
    assert gone == [table]
    refused(8103, lambda: shop.dictionary.heap(table))
    refused(8103, lambda: shop.begin().insert(table, [1, "x", 0]))


def test_truncating_empties_a_table_and_keeps_everything_else(shop: Shop) -> None:
    before = shop.create_table()
    shop.insert(*[[n, "x" * 500, 0] for n in range(200)])
    table_ddl.truncate_table(shop.dictionary, "APP", "T")
    after = shop.table()
    assert shop.rows() == {}
    assert (after.object_id, after.columns, after.keys) == (before.object_id, before.columns, before.keys)
    assert after.data_object_id != before.data_object_id
    shop.insert([5, "new", 0])
    shop.reopen()
    assert shop.contents() == [[5, "new", 0]]


@pytest.mark.parametrize(
    "act",
    [
        lambda shop: table_ddl.drop_table(shop.dictionary, "APP", "T"),
        lambda shop: table_ddl.truncate_table(shop.dictionary, "APP", "T"),
        lambda shop: table_ddl.create_index(shop.dictionary, "I", "APP", "T", ["NAME"]),
        lambda shop: users.drop_user(shop.dictionary, "APP", cascade=True),
    ],
)
def test_a_table_in_use_is_busy(shop: Shop, act: Callable[[Shop], None]) -> None:
    shop.create_table()
    transaction = shop.begin()
    transaction.insert(shop.table(), [1, "x", 0])
    refused(54, lambda: act(shop))
    transaction.commit()
    act(shop)


def test_a_unique_index_is_enforced(shop: Shop) -> None:
    shop.create_table(keys=())
    shop.insert([1, "a", 0], [2, "b", 0])
    table_ddl.create_index(shop.dictionary, "I_NAME", "APP", "T", ["NAME"], unique=True)
    refused(1, lambda: shop.begin().insert(shop.table(), [3, "a", 0]))
    refused(955, lambda: table_ddl.create_index(shop.dictionary, "I_NAME", "APP", "T", ["ID"]))
    refused(904, lambda: table_ddl.create_index(shop.dictionary, "I2", "APP", "T", ["NOPE"]))
    shop.insert([3, "c", 0])
    shop.reopen()
    refused(1, lambda: shop.begin().insert(shop.table(), [4, "c", 0]))


def test_a_unique_index_on_duplicates_is_refused(shop: Shop) -> None:
    shop.create_table(keys=())
    shop.insert([1, "a", 0], [2, "a", 0])
    refused(
        1452,
        lambda: table_ddl.create_index(shop.dictionary, "I", "APP", "T", ["NAME"], unique=True),
    )


def test_users_come_change_and_go(shop: Shop) -> None:
    users.create_user(shop.dictionary, "ANNA", VERIFIER, default_tablespace="USERS")
    users.alter_user(shop.dictionary, "ANNA", Verifier(b"t" * 16, b"l" * 64, 5), locked=True)
    shop.reopen()
    anna = shop.dictionary.find_user("ANNA")
    assert anna is not None
    assert (anna.salt, anna.rounds, anna.locked, anna.default_tablespace) == (b"t" * 16, 5, True, "USERS")
    users.drop_user(shop.dictionary, "ANNA")
    shop.reopen()
    assert shop.dictionary.find_user("ANNA") is None


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda d: users.create_user(d, "APP", VERIFIER), 1920),
        (lambda d: users.create_user(d, "SYS", VERIFIER), 1920),
        (lambda d: users.create_user(d, "NEW", VERIFIER, "NOWHERE"), 959),
        (lambda d: users.alter_user(d, "NOBODY", VERIFIER), 1918),
        (lambda d: users.drop_user(d, "NOBODY"), 1918),
        (lambda d: users.grant(d, ["DBA"], ["NOBODY"]), 1917),
        (lambda d: users.revoke(d, ["DBA"], ["APP"]), 1952),
    ],
)
def test_what_cannot_be_done_with_users(shop: Shop, act: Callable[[object], None], code: int) -> None:
    refused(code, lambda: act(shop.dictionary))


def test_a_user_with_tables_only_goes_with_cascade(shop: Shop) -> None:
    shop.create_table()
    refused(1922, lambda: users.drop_user(shop.dictionary, "APP"))
    users.drop_user(shop.dictionary, "APP", cascade=True)
    shop.reopen()
    assert shop.dictionary.tables() == []


def test_grants_are_kept_once_and_taken_back(shop: Shop) -> None:
    users.grant(shop.dictionary, ["DBA"], ["APP"])
    users.grant(shop.dictionary, ["DBA"], ["APP"])
    users.grant(shop.dictionary, ["SELECT"], ["APP"], ("SYS", "V_$BACKUP"))
    shop.reopen()
    granted = [(row.privilege, row.object) for row in shop.dictionary.privileges_of("APP")]
    assert granted.count(("DBA", None)) == 1
    assert ("SELECT", "V_$BACKUP") in granted
    users.revoke(shop.dictionary, ["DBA"], ["APP"])
    assert "DBA" not in [row.privilege for row in shop.dictionary.privileges_of("APP")]


def test_the_dictionary_grows_beyond_its_first_extents(shop: Shop) -> None:
    for number in range(60):
        columns = [TableColumn(f"A_RATHER_LONG_COLUMN_NAME_{n}", "VARCHAR2", 100) for n in range(30)]
        table_ddl.create_table(shop.dictionary, "APP", f"T{number}", columns, (), "BIG")
    shop.reopen()
    assert len(shop.dictionary.tables("APP")) == 60
    assert all(len(table.columns) == 30 for table in shop.dictionary.tables("APP"))


def test_a_read_only_database_can_be_read_and_not_changed(shop: Shop) -> None:
    shop.create_table()
    shop.insert([1, "x", 0])
    shop.instance.shutdown("immediate")
    shop.open(read_only=True)
    assert shop.contents() == [[1, "x", 0]]
    refused(16000, lambda: shop.begin().insert(shop.table(), [2, "y", 0]))
    refused(16000, lambda: shop.create_table("U"))
