# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements through the real driver: binds, rows, re-execution, errors, transactions."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import oracledb
import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import BatchError, Bind, Column, DataType, Result

from .toy_backend import Connect, ToyDatabase, ToySession, failing, rows_of

NUMBER = Column("N", DataType.NUMBER, 22, 0, -127)
TEXT = Column("T", DataType.VARCHAR2, 100)


@pytest.fixture
def cursor(connection: oracledb.Connection) -> oracledb.Cursor:
    return connection.cursor()


def test_every_type_reaches_the_client(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    columns = [
        Column("V", DataType.VARCHAR2, 20, nullable=False),
        Column("C", DataType.CHAR, 4),
        Column("I", DataType.NUMBER, 22, 10, 0),
        NUMBER,
        Column("DT", DataType.DATE),
        Column("TS", DataType.TIMESTAMP, scale=6),
        Column("R", DataType.RAW, 16),
        Column("BF", DataType.BINARY_FLOAT),
        Column("BD", DataType.BINARY_DOUBLE),
        Column("DS", DataType.INTERVAL_DS),
        Column("B", DataType.BOOLEAN),
        Column("RID", DataType.ROWID),
        Column("L", DataType.LONG),
        Column("LR", DataType.LONG_RAW),
    ]
    row = (
        "Grüße", "ab  ", -42, Decimal("2.5"), datetime(2024, 2, 29, 1, 2, 3),
        datetime(2024, 2, 29, 1, 2, 3, 456789), b"\x00\xff", 0.5, -1e300, timedelta(days=-2, hours=3), True,
        "AAAS+2AABAAAK/5AAF", "l" * 70_000, b"\x01" * 70_000,
    )  # fmt: skip
    nulls = ("x",) + (None,) * (len(row) - 1)
    database.answers["select * from everything"] = rows_of(columns, row, nulls, row)
    cursor.execute("select * from everything")
    assert cursor.fetchall() == [row, nulls, row]
    assert [item.name for item in cursor.description] == [column.name for column in columns]
    assert cursor.description[0].null_ok is False
    assert cursor.description[0].internal_size == 20
    assert cursor.description[2][4:6] == (10, 0)


def test_empty_text_is_null(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    database.answers["select t from x"] = rows_of([TEXT], ("",))
    assert cursor.execute("select t from x").fetchall() == [(None,)]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 99, 100, 101, 1234])
@pytest.mark.parametrize("array_size", [1, 100])
def test_rows_arrive_whole_over_any_number_of_round_trips(
    cursor: oracledb.Cursor, database: ToyDatabase, count: int, array_size: int
) -> None:
    expected = [(number, "x" * (number % 300)) for number in range(count)]
    handler = rows_of([NUMBER, Column("T", DataType.VARCHAR2, 300)], *expected)
    database.answers["select n, t from big"] = handler
    cursor.arraysize = array_size
    for _ignored in range(2):
        cursor.execute("select n, t from big")
        assert [(number, text or "") for number, text in cursor.fetchall()] == expected


@pytest.mark.parametrize("prefetch", [0, 1, 1000])
def test_any_prefetch_is_respected(cursor: oracledb.Cursor, database: ToyDatabase, prefetch: int) -> None:
    database.answers["select n from t"] = rows_of([NUMBER], *([number] for number in range(10)))
    cursor.prefetchrows = prefetch
    for _ignored in range(3):
        assert len(cursor.execute("select n from t").fetchall()) == 10


def test_text_longer_than_its_column_arrives(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    database.answers["select t from x"] = rows_of([TEXT], ("ä" * 100_000,))
    assert cursor.execute("select t from x").fetchone() == ("ä" * 100_000,)


def test_binds_arrive_as_what_they_are(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    values: list[Any] = [
        "text", 12, Decimal("1.25"), -7, None, b"raw", datetime(2020, 1, 2, 3, 4, 5), "Ω" * 2000,
    ]  # fmt: skip
    database.answers["begin p(:1, :2, :3, :4, :5, :6, :7, :8); end;"] = lambda *_: Result()
    cursor.execute("begin p(:1, :2, :3, :4, :5, :6, :7, :8); end;", values)
    execution = database.executions[-1]
    assert execution.rows == [values]
    assert execution.binds[0] == Bind(DataType.VARCHAR2, execution.binds[0].size)
    assert [bind.type for bind in execution.binds[1:4]] == [DataType.NUMBER] * 3
    assert execution.binds[5].type == DataType.RAW


def test_declared_types_arrive(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, 678900)
    values: dict[str, Any] = {
        "a": moment, "b": 1.5, "c": 2.25, "d": timedelta(days=1, seconds=5), "e": "ß", "g": "line",
    }  # fmt: skip
    types = {
        "a": oracledb.DB_TYPE_TIMESTAMP, "b": oracledb.DB_TYPE_BINARY_DOUBLE,
        "c": oracledb.DB_TYPE_BINARY_FLOAT, "d": oracledb.DB_TYPE_INTERVAL_DS,
        "e": oracledb.DB_TYPE_NVARCHAR, "g": oracledb.DB_TYPE_LONG,
    }  # fmt: skip
    sql = "begin p(:a, :b, :c, :d, :e, :g); end;"
    database.answers[sql] = lambda *_: Result()
    cursor.setinputsizes(**types)
    cursor.execute(sql, values)
    assert database.executions[-1].rows == [list(values.values())]


def test_names_bind_in_order_of_appearance(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    database.answers["select :b, :a, :b from t"] = rows_of([NUMBER], (1,))
    cursor.execute("select :b, :a, :b from t", a=1, b="two")
    assert database.executions[-1].rows == [["two", 1, "two"]]


def test_long_binds_keep_their_place_in_sql(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    cursor.execute("create table t (a, b, c)")
    values = ["x" * 100_000, 5, "y" * 40_000]
    cursor.execute("insert into t values (:1, :2, :3)", values)
    assert database.executions[-1].rows == [values]
    cursor.executemany("insert into t values (:1, :2, :3)", [values, ["a", 6, None]])
    assert database.executions[-1].rows == [values, ["a", 6, None]]


@pytest.mark.parametrize("rows", [1, 2, 70, 5000])
def test_executemany_is_one_execution(cursor: oracledb.Cursor, database: ToyDatabase, rows: int) -> None:
    cursor.execute("create table t (n, t, d)")
    values = [(number, f"row {number}" + "." * 90, None) for number in range(rows)]
    for repeat in (1, 2):
        cursor.executemany("insert into t values (:n, :t, :d)", values)
        assert cursor.rowcount == rows
        assert database.executions[-1].rows == [list(row) for row in values]
        assert len([item for item in database.executions if item.sql.startswith("insert")]) == repeat


def test_executemany_splits_anywhere(connect: Any, database: ToyDatabase) -> None:
    cursor = connect(sdu=512).cursor()
    cursor.execute("create table t (n, t)")
    values = [(number, "v" * (number % 400)) for number in range(1, 900)]
    cursor.executemany("insert into t values (:1, :2)", values)
    assert [tuple(value or "" for value in row) for row in database.executions[-1].rows] == values


def test_repeated_statements_are_re_executed(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    cursor.execute("create table t (n)")
    for number in range(5):
        cursor.execute("insert into t values (:1)", [number])
        assert cursor.rowcount == 1
    cursor.execute("insert into t values (:1)", ["text now"])
    for number in range(3):
        assert cursor.execute("select n from t where n = :1", [number]).fetchall() == [(number,)]
    assert cursor.execute("select n from t where n = :1", ["text now"]).fetchall() == [("text now",)]


def test_columns_that_change_are_described_again(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    database.answers["select * from t"] = rows_of([NUMBER], (1,))
    assert cursor.execute("select * from t").fetchall() == [(1,)]
    database.answers["select * from t"] = rows_of([TEXT, NUMBER], ("one", 1))
    assert cursor.execute("select * from t").fetchall() == [("one", 1)]


def test_more_statements_than_the_cache_holds(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    for _ignored in range(2):
        for number in range(400):
            assert cursor.execute(f"select {number} from dual").fetchall() == [(number,)]


def test_too_many_open_cursors_are_refused(connection: oracledb.Connection) -> None:
    cursors = []
    with pytest.raises(oracledb.DatabaseError, match="ORA-01000"):
        for number in range(400):
            cursors.append(connection.cursor())
            cursors[-1].execute(f"select {number} from dual")


def test_output_variables_are_set_again_and_again(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "begin :a := :b + 1; :c := 'text'; end;"

    def block(_session: ToySession, _binds: Any, rows: Any) -> Result:
        return Result(out_values={0: rows[0][1] + 1, 2: f"after {rows[0][1]}"})

    database.answers[sql] = block
    a, c = cursor.var(int), cursor.var(str, 100)
    for number in range(3):
        cursor.execute(sql, a=a, b=number, c=c)
        assert (a.getvalue(), c.getvalue()) == (number + 1, f"after {number}")


def test_output_variables_may_be_null_arrays_and_lobs(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "begin p(:1, :2, :3); end;"
    database.answers[sql] = lambda *_: Result(out_values={0: None, 1: ["x", "y"], 2: "clob " * 20_000})
    null, array, clob = cursor.var(int), cursor.arrayvar(str, 5, 10), cursor.var(oracledb.DB_TYPE_CLOB)
    cursor.execute(sql, [null, array, clob])
    assert null.getvalue() is None
    assert array.getvalue() == ["x", "y"]
    assert clob.getvalue().read() == "clob " * 20_000


def test_array_binds_arrive_as_lists(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "begin p(:1); end;"
    database.answers[sql] = lambda *_: Result()
    cursor.execute(sql, [cursor.arrayvar(int, [1, 2, None, 4])])
    assert database.executions[-1].rows == [[[1, 2, None, 4]]]
    assert database.executions[-1].binds[0].is_array


def test_dml_returning_fills_its_variables(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "update t set a = :a where b = :b returning id, note into :id, :note"
    database.answers[sql] = lambda *_: Result(row_count=2, out_values={2: [7, 8], 3: ["seven", None]})
    for _ignored in range(2):
        ids, notes = cursor.var(int), cursor.var(str)
        cursor.execute(sql, a=1, b=2, id=ids, note=notes)
        assert cursor.rowcount == 2
        assert (ids.getvalue(), notes.getvalue()) == ([7, 8], ["seven", None])
        assert database.executions[-1].rows == [[1, 2, None, None]]


def test_dml_with_nothing_but_returned_values(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "insert into t values (seq.nextval) returning id into :id"
    database.answers[sql] = lambda *_: Result(row_count=1, out_values={0: [99]})
    for _ignored in range(2):
        number = cursor.var(int)
        cursor.execute(sql, id=number)
        assert number.getvalue() == [99]


def test_an_error_has_its_code_offset_and_whole_stack(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "alter database open"
    database.answers[sql] = failing(
        OracleError(1113, "file 4 needs media recovery", (1110, "data file 4: '/u01/x.dbf'"), offset=6)
    )
    with pytest.raises(oracledb.DatabaseError) as caught:
        cursor.execute(sql)
    error = caught.value.args[0]
    assert (error.code, error.full_code, error.offset) == (1113, "ORA-01113", 6)
    assert error.message.splitlines()[:2] == [
        "ORA-01113: file 4 needs media recovery",
        "ORA-01110: data file 4: '/u01/x.dbf'",
    ]


def test_errors_leave_the_connection_usable(cursor: oracledb.Cursor) -> None:
    for _ignored in range(3):
        with pytest.raises(oracledb.DatabaseError, match="ORA-00942"):
            cursor.execute("select * from missing")
        assert cursor.execute("select 1 from dual").fetchall() == [(1,)]


def test_an_error_in_a_known_cursor_leaves_it_usable(cursor: oracledb.Cursor) -> None:
    cursor.execute("create table t (n primary key)")
    for number in (1, 2):
        cursor.execute("insert into t values (:1)", [number])
        with pytest.raises(oracledb.IntegrityError, match="ORA-00001"):
            cursor.execute("insert into t values (:1)", [number])
    assert cursor.execute("select count(*) from t").fetchone() == (2,)


def test_an_error_while_fetching_ends_the_fetch(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    def rows() -> Any:
        for number in range(150):
            yield (number,)
        raise OracleError(1555, "snapshot too old")

    database.answers["select n from t"] = lambda *_: Result([NUMBER], rows())
    cursor.arraysize = 100
    cursor.execute("select n from t")
    with pytest.raises(oracledb.DatabaseError, match="ORA-01555"):
        cursor.fetchall()
    assert cursor.execute("select 1 from dual").fetchall() == [(1,)]


def test_a_bug_behind_the_wire_is_an_internal_error(
    connect: Connect, database: ToyDatabase, server_log: list[str]
) -> None:
    """The driver itself gives up a connection that reports ORA-00600."""
    database.answers["select 1 from bug"] = lambda *_: Result([NUMBER], iter([("not a number",)]))
    with pytest.raises(oracledb.DatabaseError) as caught:
        connect().cursor().execute("select 1 from bug")
    assert caught.value.args[0].code == 600
    assert any("Traceback" in line for line in server_log)
    assert connect().cursor().execute("select 1 from dual").fetchall() == [(1,)]


def test_an_unknown_statement_of_the_other_end_is_refused_politely(connection: oracledb.Connection) -> None:
    xid = connection.xid(1, "global", "branch")
    with pytest.raises(oracledb.DatabaseError, match="ORA-03001"):
        connection.tpc_begin(xid)
    assert connection.cursor().execute("select 1 from dual").fetchone() == (1,)


def test_errors_of_single_rows_are_collected(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    sql = "insert into t values (:1)"
    failed = BatchError(1, OracleError(1, "unique constraint (SCOTT.T_PK) violated"))
    answer = Result(row_count=2, row_counts=[1, 0, 1], batch_errors=[failed] * 300)
    database.answers[sql] = lambda *_arguments: answer
    cursor.executemany(sql, [(1,), (1,), (2,)], batcherrors=True, arraydmlrowcounts=True)
    assert cursor.rowcount == 2
    assert cursor.getarraydmlrowcounts() == [1, 0, 1]
    errors = cursor.getbatcherrors()
    assert len(errors) == 300
    assert (errors[0].code, errors[0].offset, errors[0].full_code) == (1, 1, "ORA-00001")
    assert "SCOTT.T_PK" in errors[-1].message


def test_a_scrollable_cursor_goes_back_and_forth(
    connection: oracledb.Connection, database: ToyDatabase
) -> None:
    sql = "select n from numbers"
    column = Column("N", DataType.NUMBER, 22, 10, 0)
    database.answers[sql] = rows_of([column], *[(number,) for number in range(1, 51)])
    cursor = connection.cursor(scrollable=True)
    cursor.arraysize = cursor.prefetchrows = 5
    cursor.execute(sql)
    assert cursor.fetchmany(12)[-1] == (12,)
    cursor.scroll(mode="first")
    assert cursor.fetchone() == (1,)
    cursor.scroll(mode="last")
    assert cursor.fetchone() == (50,)
    cursor.scroll(-30)
    assert cursor.fetchone() == (20,)
    cursor.scroll(33, mode="absolute")
    assert [value for (value,) in cursor] == list(range(33, 51))
    with pytest.raises(oracledb.ProgrammingError, match="DPY-2063"):
        cursor.scroll(51, mode="absolute")


def test_a_ref_cursor_is_fetched_from(connection: oracledb.Connection, database: ToyDatabase) -> None:
    columns = [Column("N", DataType.NUMBER, 22, 10, 0), Column("C", DataType.CLOB)]
    rows = [(number, f"text {number}") for number in range(250)]
    sql = "begin open :1 for select n, c from t; end;"
    database.answers[sql] = lambda *_arguments: Result(out_values={0: Result(columns, iter(rows))})
    cursor = connection.cursor()
    result = cursor.var(oracledb.DB_TYPE_CURSOR)
    for _ignored in range(2):
        cursor.execute(sql, [result])
        assert [(number, lob.read()) for number, lob in result.getvalue()] == rows


def test_the_transaction_flag_follows_the_session(connection: oracledb.Connection) -> None:
    cursor = connection.cursor()
    cursor.execute("create table t (n primary key)")
    assert not connection.transaction_in_progress
    cursor.execute("insert into t values (1)")
    assert connection.transaction_in_progress
    with pytest.raises(oracledb.IntegrityError):
        cursor.execute("insert into t values (1)")
    assert connection.transaction_in_progress
    cursor.execute("select n from t")
    assert connection.transaction_in_progress
    connection.rollback()
    assert not connection.transaction_in_progress
    cursor.execute("insert into t values (1)")
    connection.commit()
    assert not connection.transaction_in_progress


def test_autocommit_commits_first_and_repeated_executions(
    connection: oracledb.Connection, database: ToyDatabase
) -> None:
    cursor = connection.cursor()
    cursor.execute("create table t (n)")
    connection.autocommit = True
    for number in range(3):
        cursor.execute("insert into t values (:1)", [number])
        assert not connection.transaction_in_progress
    assert database.sessions[0].log.count("commit") == 3


def test_parsing_describes_without_running(cursor: oracledb.Cursor, database: ToyDatabase) -> None:
    database.answers["select n, t from x"] = rows_of([NUMBER, TEXT])
    cursor.parse("select n, t from x")
    assert [item.name for item in cursor.description] == ["N", "T"]
    cursor.parse("insert into x values (:1)")
    assert not [item for item in database.executions if item.sql.startswith("insert")]


def test_the_current_schema_travels_both_ways(connection: oracledb.Connection, database: ToyDatabase) -> None:
    cursor = connection.cursor()
    connection.current_schema = "HR"
    connection.ping()
    cursor.execute("select 1 from dual")
    assert database.sessions[0].schema == "HR"
    database.answers["alter session set current_schema=OE"] = lambda *_: Result(current_schema="OE")
    cursor.execute("alter session set current_schema=OE")
    assert connection.current_schema == "OE"


def test_end_to_end_attributes_reach_the_session(
    connection: oracledb.Connection, database: ToyDatabase
) -> None:
    connection.module = "hotbackup.oracle"
    connection.action = "20260101T000000Z"
    connection.ping()
    connection.cursor().execute("select 1 from dual")
    session = database.sessions[0]
    assert session.attributes == {"module": "hotbackup.oracle", "action": "20260101T000000Z"}
    connection.client_identifier, connection.clientinfo, connection.action = "id", "info", None
    connection.ping()
    connection.cursor().execute("select 1 from dual")
    assert session.attributes["client_identifier"] == "id"
    assert session.attributes["client_info"] == "info"
    assert session.attributes["action"] == ""


def test_numbers_may_be_fetched_as_text(connection: oracledb.Connection, database: ToyDatabase) -> None:
    database.answers["select n from t"] = rows_of([NUMBER], (Decimal("0.5"),), (10**30,), (None,))
    cursor = connection.cursor()
    cursor.outputtypehandler = lambda cursor, metadata: cursor.var(str, 100, arraysize=cursor.arraysize)
    assert cursor.execute("select n from t").fetchall() == [("0.5",), (str(10**30),), (None,)]
