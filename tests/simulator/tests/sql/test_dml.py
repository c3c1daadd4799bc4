# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DML within one session: what is changed, what is refused, what a failed statement leaves behind."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import Bind, DataType

from .conftest import Bench, Client


def test_own_changes_are_seen_before_commit_and_gone_after_rollback(app: Client) -> None:
    app.run("UPDATE t SET name = UPPER(name), amount = amount * 2 WHERE id >= :1", 2)
    app.run("DELETE FROM t WHERE id = 1")
    app.run("INSERT INTO t (id, name) VALUES (4, 'four')")
    assert app.rows("SELECT id, name, amount FROM t ORDER BY id") == [
        (2, "TWO", 4),
        (3, "THREE", -6),
        (4, "four", None),
    ]
    app.rollback()
    assert app.rows("SELECT id, name FROM t ORDER BY id") == [(1, "one"), (2, "two"), (3, "three")]


def test_array_insert_counts_its_rows(app: Client) -> None:
    result = app.run_many("INSERT INTO t (id, name) VALUES (:1, :2)", [[n, f"n{n}"] for n in range(10, 1010)])
    assert result.row_count == 1000
    app.commit()
    assert app.value("SELECT COUNT(*) FROM t") == 1003
    assert app.value("SELECT name FROM t WHERE id = :1", 777) == "n777"


def test_each_execution_of_an_array_update_sees_the_one_before(app: Client) -> None:
    app.run_many("UPDATE t SET amount = amount + :1 WHERE id = :2", [[1, 1], [1, 1], [5, 1]])
    assert app.value("SELECT amount FROM t WHERE id = 1") == Decimal("8.5")


def test_an_array_insert_keeps_the_rows_before_the_bad_one(app: Client) -> None:
    with pytest.raises(OracleError) as caught:
        app.run_many("INSERT INTO t (id, name) VALUES (:1, :2)", [[7, "a"], [1, "taken"], [8, "b"]])
    assert caught.value.code == 1
    assert app.rows("SELECT id FROM t WHERE id > 3") == [(7,)]


def test_a_statement_is_all_or_nothing(app: Client) -> None:
    assert app.refused("INSERT INTO t (id) SELECT id + 2 FROM t").code == 1
    assert app.refused("UPDATE t SET amount = 1000000 * id").code == 1438
    assert app.rows("SELECT id, amount FROM t ORDER BY id") == [(1, Decimal("1.5")), (2, 2), (3, -3)]
    app.commit()
    assert app.value("SELECT COUNT(*) FROM t") == 3


def test_insert_select_takes_defaults_for_the_other_columns(bench: Bench) -> None:
    client = bench.connect()
    client.run("CREATE TABLE d (id NUMBER, note VARCHAR2(10) DEFAULT 'none', at DATE DEFAULT SYSDATE)")
    client.run("INSERT INTO d (id) SELECT LEVEL FROM dual CONNECT BY LEVEL <= 3")
    client.run("INSERT INTO d VALUES (4, DEFAULT, NULL)")
    assert client.rows("SELECT id, note FROM d ORDER BY id") == [(n, "none") for n in (1, 2, 3, 4)]
    assert client.value("SELECT COUNT(at) FROM d") == 3


def test_returning_gives_values_back(app: Client) -> None:
    binds = [Bind(DataType.NUMBER, 22), Bind(DataType.VARCHAR2, 20), Bind(DataType.NUMBER, 22)]
    result = app.session.execute(
        "INSERT INTO t (id, name) VALUES (:1, 'x') RETURNING name, id INTO :2, :3", binds, [[9, None, None]]
    )
    assert result.out_values == {1: ["x"], 2: [9]}
    result = app.session.execute("UPDATE t SET amount = 7 RETURNING id INTO :1", binds[:1], [[None]])
    assert sorted(result.out_values[0]) == [1, 2, 3, 9]


def test_savepoints(app: Client) -> None:
    app.run("INSERT INTO t (id) VALUES (4)")
    app.run("SAVEPOINT here")
    app.run("DELETE FROM t")
    app.run("ROLLBACK TO here")
    assert app.value("SELECT COUNT(*) FROM t") == 4
    assert app.refused("ROLLBACK TO elsewhere").code == 1086
    app.commit()
    assert app.value("SELECT COUNT(*) FROM t") == 4


REFUSED = [
    ("INSERT INTO t (id) VALUES (1)", 1),
    ("INSERT INTO t (id) VALUES (NULL)", 1400),
    ("UPDATE t SET id = NULL WHERE id = 1", 1407),
    ("INSERT INTO t (id, name) VALUES (5, RPAD('x', 21, 'x'))", 12899),
    ("INSERT INTO t (id, amount) VALUES (5, 1234567.5)", 1438),
    ("INSERT INTO t (id) VALUES ('abc')", 1722),
    ("INSERT INTO t (id, nope) VALUES (5, 5)", 904),
    ("INSERT INTO t (id, name) VALUES (5)", 947),
    ("INSERT INTO t (id) VALUES (5, 6)", 913),
    ("INSERT INTO nowhere VALUES (1)", 942),
    ("UPDATE t SET nope = 1", 904),
    ("UPDATE t SET name = nope", 904),
    ("DELETE FROM nowhere", 942),
    ("MERGE INTO t USING dual ON (1=1) WHEN MATCHED THEN UPDATE SET name = 'x'", 3001),
]


@pytest.mark.parametrize(("text", "code"), REFUSED, ids=[text for text, _ignored in REFUSED])
def test_wrong_dml_raises_oracles_error_and_changes_nothing(app: Client, text: str, code: int) -> None:
    assert app.refused(text).code == code
    assert app.rows("SELECT id, name FROM t ORDER BY id") == [(1, "one"), (2, "two"), (3, "three")]


def test_values_come_back_in_the_columns_type(bench: Bench) -> None:
    client = bench.connect()
    client.run("CREATE TABLE v (n NUMBER, s NUMBER(6,2), d DATE, r RAW(10), f BINARY_DOUBLE, ts TIMESTAMP)")
    at = datetime(2024, 5, 6, 7, 8, 9, 123456)
    client.run("INSERT INTO v VALUES (:1, :2, :3, :4, :5, :6)", 10**30, 1.005, at, b"\x01\x02", 0.1, at)
    client.commit()
    (row,) = client.rows("SELECT n, s, d, r, f, ts FROM v")
    assert row == (10**30, Decimal("1.01"), at.replace(microsecond=0), b"\x01\x02", 0.1, at)
    assert isinstance(row[4], float)


def test_an_empty_text_is_null(app: Client) -> None:
    app.run("UPDATE t SET name = :1 WHERE id = 1", "")
    assert app.rows("SELECT id FROM t WHERE name IS NULL") == [(1,)]


def test_ddl_commits_what_was_open(app: Client) -> None:
    app.run("INSERT INTO t (id) VALUES (4)")
    app.run("CREATE TABLE other_table (id NUMBER)")
    app.rollback()
    assert app.value("SELECT COUNT(*) FROM t") == 4


def test_truncate_and_drop(app: Client) -> None:
    app.run("TRUNCATE TABLE t")
    assert app.rows("SELECT * FROM t") == []
    app.run("INSERT INTO t (id) VALUES (1)")
    app.commit()
    app.run("DROP TABLE t PURGE")
    assert app.refused("SELECT * FROM t").code == 942


def test_create_table_as_select(app: Client) -> None:
    app.run("CREATE TABLE copy_of_t AS SELECT id, name, made FROM t WHERE id > 1")
    assert app.rows("SELECT id, name FROM copy_of_t ORDER BY id") == [(2, "two"), (3, "three")]
    assert (
        app.value(
            "SELECT data_type FROM user_tab_columns WHERE table_name = 'COPY_OF_T' AND column_name = 'MADE'"
        )
        == "DATE"
    )


def test_everything_committed_is_there_after_a_restart(bench: Bench, app: Client) -> None:
    app.run("UPDATE t SET name = 'kept' WHERE id = 2")
    app.commit()
    app.run("UPDATE t SET name = 'lost' WHERE id = 3")
    bench.restart()
    assert bench.connect().rows("SELECT id, name FROM t ORDER BY id") == [
        (1, "one"),
        (2, "kept"),
        (3, "three"),
    ]


def test_tablespace_that_cannot_be_written_or_read(bench: Bench) -> None:
    client, sys = bench.connect(), bench.sys
    client.run("CREATE TABLE d (id NUMBER PRIMARY KEY) TABLESPACE data")
    client.run("INSERT INTO d VALUES (1)")
    client.commit()
    sys.run("ALTER TABLESPACE data READ ONLY")
    assert client.refused("INSERT INTO d VALUES (2)").codes == (372, 1110)
    assert client.rows("SELECT id FROM d") == [(1,)]
    sys.run("ALTER TABLESPACE data READ WRITE")
    sys.run("ALTER TABLESPACE data OFFLINE")
    assert client.refused("SELECT id FROM d").codes == (376, 1110)
    sys.run("ALTER TABLESPACE data ONLINE")
    client.run("INSERT INTO d VALUES (2)")
    client.commit()
    assert client.rows("SELECT id FROM d ORDER BY id") == [(1,), (2,)]
