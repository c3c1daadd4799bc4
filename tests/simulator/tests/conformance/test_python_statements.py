# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements of python-oracledb: fetches, binds, arrays, blocks, errors, transactions."""

from __future__ import annotations

import datetime as dt

import oracledb
import pytest

from oracle_simulator.testing import SimulatedDatabase

from .python_client import connection, cursor, shared, table

__all__ = ["connection", "cursor", "shared"]


@pytest.mark.parametrize(
    ("user", "password", "service", "expected"),
    [
        ("APP", "wrong", "CONF", "ORA-01017"),
        ("NOBODY", "x", "CONF", "ORA-01017"),
        ("APP", None, "NOWHERE", "DPY-6001"),
        ("SYS", None, "CONF", "ORA-28009"),
    ],
)
def test_refused(
    shared: SimulatedDatabase, user: str, password: str | None, service: str, expected: str
) -> None:
    secret = password or shared.passwords[user]
    with pytest.raises(oracledb.DatabaseError, match=expected):
        oracledb.connect(user=user, password=secret, dsn=f"127.0.0.1:{shared.port}/{service}")


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (oracledb.AUTH_MODE_SYSDBA, "SYS"),
        (oracledb.AUTH_MODE_SYSBKP, "SYSBACKUP"),
        (oracledb.AUTH_MODE_SYSOPER, "PUBLIC"),
    ],
)
def test_admin_modes(shared: SimulatedDatabase, mode: int, expected: str) -> None:
    with shared.connect("SYS", mode) as administrator, administrator.cursor() as cursor:
        assert cursor.execute("SELECT user FROM dual").fetchone() == (expected,)


def test_rows_come_in_many_round_trips(cursor: oracledb.Cursor) -> None:
    cursor.arraysize, cursor.prefetchrows = 7, 3
    cursor.execute("SELECT LEVEL, RPAD('x', 200, 'x') FROM dual CONNECT BY LEVEL <= 1000")
    assert [number for number, _text in cursor] == list(range(1, 1001))
    assert cursor.rowcount == 1000


def test_binds_by_name_by_position_and_twice(cursor: oracledb.Cursor) -> None:
    cursor.execute("SELECT :b || :a || :b FROM dual", a="A", b="B")
    assert cursor.fetchone() == ("BAB",)
    cursor.execute("SELECT :1 - :2 FROM dual", [5, 3])
    assert cursor.fetchone() == (2,)
    with pytest.raises(oracledb.DatabaseError, match=r"DPY-4010|ORA-01008"):
        cursor.execute("SELECT :1 + :2 FROM dual", {"1": 5})


def test_executemany_tells_counts_and_errors_of_single_rows(cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER(3) PRIMARY KEY, t VARCHAR2(5)"):
        rows = [(1, "a"), (2, "b"), (2, "again"), (1000, "large"), (3, "toolong"), (4, "d")]
        cursor.executemany(
            "INSERT INTO conf_t VALUES (:1, :2)", rows, batcherrors=True, arraydmlrowcounts=True
        )
        assert cursor.getarraydmlrowcounts() == [1, 1, 0, 0, 0, 1]
        assert [(error.offset, error.code) for error in cursor.getbatcherrors()] == [
            (2, 1),
            (3, 1438),
            (4, 12899),
        ]
        with pytest.raises(oracledb.IntegrityError, match="ORA-00001"):
            cursor.executemany("INSERT INTO conf_t VALUES (:1, 'x')", [(7,), (8,), (7,), (9,)])
        assert cursor.rowcount == 2
        ids = cursor.var(int, arraysize=2)
        cursor.executemany(
            "UPDATE conf_t SET t = 'z' WHERE id > :1 RETURNING id + 100 INTO :2", [(6, ids), (3, ids)]
        )
        assert sorted(ids.getvalue(0)) == [107, 108]
        assert sorted(ids.getvalue(1)) == [104, 107, 108]


def test_scrolling(connection: oracledb.Connection) -> None:
    with connection.cursor(scrollable=True) as cursor:
        cursor.execute("SELECT LEVEL FROM dual CONNECT BY LEVEL <= 300")
        cursor.scroll(mode="last")
        assert cursor.fetchone() == (300,)
        cursor.scroll(-299)
        assert cursor.fetchmany(2) == [(1,), (2,)]


def test_errors_have_code_and_place(cursor: oracledb.Cursor) -> None:
    for statement, code, offset in (
        ("SELECT wrong FROM dual", 904, 7),
        ("SELECT 1 FROM no_such_table", 942, 14),
        ("SELEC 1 FROM dual", 900, 0),
        ("BEGIN missing := 5; END;", 6550, 6),
        ("SELECT 1/0 FROM dual", 1476, 0),
    ):
        with pytest.raises(oracledb.DatabaseError) as caught:
            cursor.execute(statement)
        error = caught.value.args[0]
        assert (error.code, error.offset, error.full_code) == (code, offset, f"ORA-{code:05d}")


BLOCK = """
DECLARE
  total NUMBER := 0;
  CURSOR many IS SELECT id, name FROM conf_t ORDER BY id;
  shown VARCHAR2(4000);
BEGIN
  FOR i IN 1 .. :count LOOP
    INSERT INTO conf_t VALUES (i, 'name ' || i);
    total := total + SQL%ROWCOUNT;
  END LOOP;
  FOR r IN many LOOP
    EXIT WHEN r.id > 3;
    shown := shown || CASE WHEN shown IS NOT NULL THEN ', ' END || r.name;
  END LOOP;
  BEGIN
    SELECT name INTO shown FROM conf_t WHERE id = -1;
  EXCEPTION
    WHEN NO_DATA_FOUND THEN shown := shown || ' (' || SQLCODE || ')';
  END;
  :total := total;
  :shown := shown;
  :doubled := :doubled * 2;
END;
"""


def test_a_block_with_binds_in_and_out(cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER, name VARCHAR2(20)"):
        total, shown, doubled = cursor.var(int), cursor.var(str, 200), cursor.var(float)
        for round_number in (1, 2):
            doubled.setvalue(0, 1.25 * round_number)
            cursor.execute(BLOCK, count=5, total=total, shown=shown, doubled=doubled)
            assert total.getvalue() == 5
            assert shown.getvalue().endswith(" (100)")
            assert doubled.getvalue() == 2.5 * round_number
        assert cursor.execute("SELECT COUNT(*) FROM conf_t").fetchone() == (10,)


def test_a_block_that_fails_leaves_nothing_and_says_where(cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER"):
        with pytest.raises(oracledb.DatabaseError) as caught:
            cursor.execute(
                "BEGIN\n  INSERT INTO conf_t VALUES (1);\n  RAISE_APPLICATION_ERROR(-20123, 'mine');\nEND;"
            )
        assert caught.value.args[0].code == 20123
        assert "ORA-20123: mine\nORA-06512: at line 3" in str(caught.value)
        assert cursor.execute("SELECT COUNT(*) FROM conf_t").fetchone() == (0,)


def test_stored_units_are_called(cursor: oracledb.Cursor) -> None:
    cursor.execute(
        "CREATE OR REPLACE PACKAGE conf_p AS\n"
        "  TYPE numbers IS TABLE OF NUMBER INDEX BY BINARY_INTEGER;\n"
        "  calls NUMBER := 0;\n"
        "  FUNCTION total(list numbers) RETURN NUMBER;\n"
        "  PROCEDURE double(list IN OUT numbers, how_many OUT NUMBER);\nEND;"
    )
    cursor.execute(
        "CREATE OR REPLACE PACKAGE BODY conf_p AS\n"
        "  FUNCTION total(list numbers) RETURN NUMBER IS s NUMBER := 0;\n"
        "  BEGIN calls := calls + 1; FOR i IN 1 .. list.COUNT LOOP s := s + list(i); END LOOP; RETURN s; END;\n"
        "  PROCEDURE double(list IN OUT numbers, how_many OUT NUMBER) IS\n"
        "  BEGIN FOR i IN 1 .. list.COUNT LOOP list(i) := list(i) * 2; END LOOP; how_many := list.COUNT; END;\nEND;"
    )
    numbers = cursor.arrayvar(oracledb.NUMBER, [1, 2.5, 3], 10)
    assert cursor.callfunc("conf_p.total", float, [numbers]) == 6.5
    cursor.callproc("conf_p.double", [numbers, cursor.var(int)])
    assert numbers.getvalue() == [2, 5, 6]
    cursor.execute(
        "CREATE OR REPLACE PROCEDURE conf_open(c OUT SYS_REFCURSOR) AS\n"
        "BEGIN OPEN c FOR SELECT 7 FROM dual; END;"
    )
    opened = cursor.var(oracledb.DB_TYPE_CURSOR)
    cursor.callproc("conf_open", [opened])
    assert opened.getvalue().fetchall() == [(7,)]
    cursor.execute("CREATE OR REPLACE PROCEDURE conf_bad AS BEGIN this is wrong; END;")
    assert cursor.warning is not None and cursor.warning.full_code == "DPY-7000"
    for kind, name in (("PACKAGE", "conf_p"), ("PROCEDURE", "conf_open"), ("PROCEDURE", "conf_bad")):
        cursor.execute(f"DROP {kind} {name}")
    with pytest.raises(oracledb.DatabaseError, match="PLS-00201"):
        cursor.callproc("conf_open", [opened])


def test_output_lines(cursor: oracledb.Cursor) -> None:
    cursor.callproc("dbms_output.enable")
    cursor.execute("BEGIN FOR i IN 1 .. 3 LOOP DBMS_OUTPUT.PUT_LINE('line ' || i); END LOOP; END;")
    lines, count = cursor.arrayvar(str, 10), cursor.var(int)
    count.setvalue(0, 10)
    cursor.callproc("dbms_output.get_lines", [lines, count])
    assert (lines.getvalue(), count.getvalue()) == (["line 1", "line 2", "line 3"], 3)


def test_sessions_see_each_other_s_commits_only(shared: SimulatedDatabase, cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER PRIMARY KEY"), shared.connect("APP") as other, other.cursor() as reader:
        cursor.execute("INSERT INTO conf_t VALUES (1)")
        assert cursor.connection.transaction_in_progress
        assert reader.execute("SELECT COUNT(*) FROM conf_t").fetchone() == (0,)
        cursor.connection.commit()
        assert not cursor.connection.transaction_in_progress
        assert reader.execute("SELECT COUNT(*) FROM conf_t").fetchone() == (1,)
        cursor.execute("DELETE FROM conf_t")
        cursor.connection.rollback()
        assert cursor.execute("SELECT COUNT(*) FROM conf_t").fetchone() == (1,)


def test_a_statement_is_executed_again_after_its_table_changed(cursor: oracledb.Cursor) -> None:
    with table(cursor, "a NUMBER"):
        cursor.execute("INSERT INTO conf_t VALUES (1)")
        query = "SELECT * FROM conf_t"
        assert cursor.execute(query).fetchall() == [(1,)]
        cursor.execute("DROP TABLE conf_t")
        cursor.execute("CREATE TABLE conf_t (b VARCHAR2(10), c DATE)")
        cursor.execute("INSERT INTO conf_t VALUES ('two', NULL)")
        assert cursor.execute(query).fetchall() == [("two", None)]
        assert [column[0] for column in cursor.description] == ["B", "C"]
        cursor.execute("ALTER TABLE conf_t ADD d NUMBER DEFAULT 7")
        cursor.execute("UPDATE conf_t SET c = DATE '2020-02-29'")
        assert cursor.execute(query).fetchall() == [("two", dt.datetime(2020, 2, 29), 7)]


def test_a_nested_transaction_of_its_own(cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER"):
        cursor.execute(
            "CREATE OR REPLACE PROCEDURE conf_log(n NUMBER) AS PRAGMA AUTONOMOUS_TRANSACTION;\n"
            "BEGIN INSERT INTO conf_t VALUES (n); COMMIT; END;"
        )
        cursor.execute("BEGIN INSERT INTO conf_t VALUES (1); conf_log(2); END;")
        cursor.connection.rollback()
        assert cursor.execute("SELECT id FROM conf_t").fetchall() == [(2,)]
        cursor.execute("DROP PROCEDURE conf_log")


def test_views_show_what_their_query_finds(shared: SimulatedDatabase, cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER, t VARCHAR2(10)"):
        cursor.executemany("INSERT INTO conf_t VALUES (:1, :2)", [(1, "one"), (2, "two"), (3, "three")])
        cursor.execute(
            "CREATE OR REPLACE VIEW conf_v (number_, name) AS SELECT id, UPPER(t) FROM conf_t WHERE id > 1"
        )
        cursor.execute(
            "SELECT v.name, t.t FROM conf_v v JOIN conf_t t ON t.id = v.number_ ORDER BY v.number_"
        )
        assert cursor.fetchall() == [("TWO", "two"), ("THREE", "three")]
        with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            cursor.execute("CREATE VIEW conf_w AS SELECT * FROM nowhere")
        with shared.connect("HOTBACKUP") as other, pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            other.cursor().execute("SELECT * FROM app.conf_v")
        cursor.execute("DROP VIEW conf_v")
        with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            cursor.execute("SELECT * FROM conf_v")
