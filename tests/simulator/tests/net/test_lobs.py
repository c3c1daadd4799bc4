# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Large objects through the real driver, and the place that keeps them."""

from __future__ import annotations

import oracledb
import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Column, DataType, Result
from oracle_simulator.net.lobs import LobStore

from .toy_backend import ToyDatabase, rows_of

SQL = "select id, c, b from lobs where id > :1"
COLUMNS = [
    Column("ID", DataType.NUMBER, 22, 10, 0),
    Column("C", DataType.CLOB),
    Column("B", DataType.BLOB),
]
ROWS = [(1, "Ω" * 50_000, bytes(range(256)) * 400), (2, None, None), (3, "short", b"\x00")]


@pytest.fixture
def cursor(connection: oracledb.Connection, database: ToyDatabase) -> oracledb.Cursor:
    database.answers[SQL] = rows_of(COLUMNS, *ROWS)
    return connection.cursor()


def test_locators_lead_to_their_content(cursor: oracledb.Cursor) -> None:
    for _ignored in range(2):
        cursor.execute(SQL, [0])
        fetched = cursor.fetchall()
        assert [(number, c and c.read(), b and b.read()) for number, c, b in fetched] == ROWS
    clob = fetched[0][1]
    assert clob.size() == 50_000
    assert clob.read(49_999) == "ΩΩ"
    assert clob.read(2, 3) == "ΩΩΩ"
    assert clob.getchunksize() > 0


def test_values_may_be_fetched_without_locators(
    connection: oracledb.Connection, cursor: oracledb.Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracledb.defaults, "fetch_lobs", False)
    for _ignored in range(3):
        assert cursor.execute(SQL, [0]).fetchall() == ROWS


def test_many_lobs_over_many_fetches(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    rows = [(number, f"text {number}", b"%d" % number) for number in range(350)]
    database.answers[SQL] = rows_of(COLUMNS, *rows)
    cursor.arraysize = 50
    cursor.execute(SQL, [0])
    assert [(number, c.read(), b.read()) for number, c, b in cursor] == rows


def test_temporary_lobs_can_be_bound(
    connection: oracledb.Connection, cursor: oracledb.Cursor, database: ToyDatabase
) -> None:
    sql = "begin p(:1, :2); end;"
    database.answers[sql] = lambda *_: Result()
    clob, blob = connection.createlob(oracledb.DB_TYPE_CLOB), connection.createlob(oracledb.DB_TYPE_BLOB)
    clob.write("ä" * 40_000)
    clob.write("b", 40_001)
    blob.write(b"\x01\x02\x03")
    blob.trim(2)
    cursor.execute(sql, [clob, blob])
    assert database.executions[-1].rows == [["ä" * 40_000 + "b", b"\x01\x02"]]
    assert [bind.type for bind in database.executions[-1].binds] == [DataType.CLOB, DataType.BLOB]
    del clob, blob
    cursor.execute("select 1 from dual")
    assert cursor.fetchall() == [(1,)]


def test_text_beyond_the_string_limit_reaches_plsql(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "begin p(:1); end;"
    database.answers[sql] = lambda *_: Result()
    cursor.execute(sql, ["x" * 100_000])
    assert database.executions[-1].rows == [["x" * 100_000]]


def test_a_lob_that_is_in_no_row_cannot_be_written(cursor: oracledb.Cursor) -> None:
    cursor.execute(SQL, [0])
    with pytest.raises(oracledb.DatabaseError, match="ORA-22275"):
        cursor.fetchone()[1].write("no")


def test_the_store_forgets_old_fetched_content_but_never_temporary() -> None:
    store = LobStore(keep=10)
    temporary = store.add(b"t" * 100, temporary=True)
    first, second = store.add(b"x" * 8), store.add(b"y" * 8)
    assert store.content(second) == b"y" * 8
    assert store.content(temporary) == b"t" * 100
    with pytest.raises(OracleError, match="ORA-22922"):
        store.content(first)


def test_characters_beyond_the_basic_plane_count_twice() -> None:
    store = LobStore()
    locator = store.add("a\U0001f600b", temporary=True)
    assert store.length(locator) == 4
    assert store.read(locator, 4, 10) == (b"\0b", 1)
    assert store.write(locator, 6, "z".encode("utf-16-be")) == 1
    assert store.content(locator) == "a\U0001f600b z"


def test_the_latest_content_is_kept_however_large() -> None:
    store = LobStore(keep=10)
    assert store.content(store.add("z" * 1000)) == "z" * 1000
