# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every type of the wire, there and back: nulls and extremes, as binds, in rows and in DESCRIBE."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import oracledb
import pytest

from oracle_simulator.testing import SimulatedDatabase

from .python_client import connection, cursor, shared, table

__all__ = ["connection", "cursor", "shared"]

NINES = int("9" * 38)
UTC = dt.UTC
VALUES: list[tuple[str, Any, list[Any]]] = [
    ("NUMBER(38)", oracledb.DB_TYPE_NUMBER, [0, 1, -1, NINES, -NINES, 10**37, 2**63, -(2**63) - 1]),
    (
        "NUMBER",
        oracledb.DB_TYPE_NUMBER,
        [
            Decimal("0.1"),
            Decimal("-0.00001"),
            Decimal("1E125"),
            Decimal("-9.9E125"),
            Decimal("1E-130"),
            Decimal("-1E-130"),
            Decimal("3.1415926535897932384626433832795028841"),
            Decimal("-12345678901234567890.123456789012345678"),
        ],
    ),
    ("NUMBER(9,2)", oracledb.DB_TYPE_NUMBER, [Decimal("9999999.99"), Decimal("-0.01"), 5]),
    ("FLOAT", oracledb.DB_TYPE_NUMBER, [Decimal("1.5"), -(10**30)]),
    ("BINARY_DOUBLE", oracledb.DB_TYPE_BINARY_DOUBLE, [0.1, -1.7976931348623157e308, 5e-300, float("inf")]),
    ("BINARY_FLOAT", oracledb.DB_TYPE_BINARY_FLOAT, [0.5, -1.5, 3.0000000054977558e38]),
    (
        "VARCHAR2(4000)",
        oracledb.DB_TYPE_VARCHAR,
        ["x", "Grüße, Ωμέγα, 日本語, 🙂", "y" * 4000, " lead and trail "],
    ),
    ("NVARCHAR2(2000)", oracledb.DB_TYPE_NVARCHAR, ["Ωμέγα 日本語", "n" * 2000, "🙂"]),
    ("CHAR(5)", oracledb.DB_TYPE_CHAR, ["exact"]),
    ("RAW(2000)", oracledb.DB_TYPE_RAW, [b"\0", bytes(range(256)), b"\xff" * 2000]),
    (
        "DATE",
        oracledb.DB_TYPE_DATE,
        [
            dt.datetime(1, 1, 1),
            dt.datetime(1969, 12, 31, 23, 59, 59),
            dt.datetime(1900, 2, 28),
            dt.datetime(2024, 2, 29, 1, 2, 3),
            dt.datetime(9999, 12, 31, 23, 59, 59),
        ],
    ),
    (
        "TIMESTAMP(6)",
        oracledb.DB_TYPE_TIMESTAMP,
        [dt.datetime(1582, 1, 1, 0, 0, 0, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999)],
    ),
    (
        "INTERVAL DAY(9) TO SECOND",
        oracledb.DB_TYPE_INTERVAL_DS,
        [dt.timedelta(3, 4, 5), -dt.timedelta(99999, 1)],
    ),
    (
        "INTERVAL YEAR(4) TO MONTH",
        oracledb.DB_TYPE_INTERVAL_YM,
        [oracledb.IntervalYM(5, 3), oracledb.IntervalYM(-9, -11)],
    ),
    ("LONG", oracledb.DB_TYPE_LONG, ["l" * 100_000]),
    ("LONG RAW", oracledb.DB_TYPE_LONG_RAW, [b"\x07" * 100_000]),
]


@pytest.mark.parametrize(("column", "db_type", "values"), VALUES, ids=[each[0] for each in VALUES])
def test_values_come_back_as_they_went(
    cursor: oracledb.Cursor, column: str, db_type: Any, values: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracledb.defaults, "fetch_decimals", True)
    with table(cursor, f"id NUMBER(9) PRIMARY KEY, v {column}"):
        for number, value in enumerate([None, *values]):
            cursor.setinputsizes(None, db_type)
            cursor.execute("INSERT INTO conf_t VALUES (:1, :2)", [number, value])
        cursor.connection.commit()
        cursor.execute("SELECT v FROM conf_t ORDER BY id")
        assert cursor.description[0][1] is db_type
        fetched = [value for (value,) in cursor]
        assert fetched == [None, *values]


def test_numbers_are_exact_in_order_comparison_and_arithmetic(
    cursor: oracledb.Cursor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oracledb.defaults, "fetch_decimals", True)
    numbers: list[Any] = [
        NINES,
        -NINES,
        NINES - 1,
        1,
        0,
        Decimal("0.1"),
        Decimal("-0.3"),
        Decimal("1E-130"),
        -(2**64),
        Decimal("1E125"),
    ]
    with table(cursor, "n NUMBER"):
        cursor.executemany("INSERT INTO conf_t VALUES (:1)", [(number,) for number in numbers])
        found = [value for (value,) in cursor.execute("SELECT n FROM conf_t ORDER BY n")]
        assert found == sorted(numbers)
        for bound in numbers:
            cursor.execute("SELECT COUNT(*) FROM conf_t WHERE n < :1", [bound])
            assert cursor.fetchone() == (sum(number < bound for number in numbers),)
        cursor.execute("SELECT MIN(n), MAX(n) FROM conf_t")
        assert cursor.fetchone() == (min(numbers), max(numbers))
        cursor.execute("SELECT SUM(n) FROM conf_t WHERE n IN (:1, :2)", [NINES - 1, 1])
        assert cursor.fetchone() == (NINES,)
    cursor.execute("SELECT :1 + 1, 0.1 + 0.2, :2 * 3, 1 / 4 FROM dual", [2**63 - 1, Decimal("0.7")])
    assert cursor.fetchone() == (2**63, Decimal("0.3"), Decimal("2.1"), Decimal("0.25"))


def test_moments_with_time_zones_keep_their_offset_and_compare_as_moments(cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER, z TIMESTAMP WITH TIME ZONE"):
        cursor.execute("INSERT INTO conf_t VALUES (1, TIMESTAMP '2020-05-06 07:08:09.5 +05:30')")
        cursor.execute("INSERT INTO conf_t VALUES (2, TIMESTAMP '2020-05-06 03:00:00 +00:00')")
        cursor.execute(
            "SELECT id, z, TO_CHAR(z, 'HH24:MI TZR'), EXTRACT(TIMEZONE_HOUR FROM z) FROM conf_t ORDER BY z"
        )
        assert cursor.fetchall() == [
            (1, dt.datetime(2020, 5, 6, 7, 8, 9, 500000), "07:08 +05:30", 5),
            (2, dt.datetime(2020, 5, 6, 3), "03:00 +00:00", 0),
        ]


def test_local_time_zones_are_those_of_the_session(cursor: oracledb.Cursor) -> None:
    with table(cursor, "l TIMESTAMP WITH LOCAL TIME ZONE"):
        cursor.execute("ALTER SESSION SET TIME_ZONE = '+02:00'")
        cursor.execute("INSERT INTO conf_t VALUES (TIMESTAMP '2020-01-01 12:00:00')")
        assert cursor.execute("SELECT l FROM conf_t").fetchone() == (dt.datetime(2020, 1, 1, 12),)
        cursor.connection.commit()
        cursor.execute("ALTER SESSION SET TIME_ZONE = '-03:00'")
        assert cursor.execute("SELECT l FROM conf_t").fetchone() == (dt.datetime(2020, 1, 1, 7),)


def test_a_string_of_32767_bytes_goes_through_plsql(cursor: oracledb.Cursor) -> None:
    long = "ä" + "z" * 32765
    out = cursor.var(str, 32767)
    cursor.execute("BEGIN :o := :i; END;", o=out, i=long)
    assert out.getvalue() == long


def test_lobs_are_written_read_trimmed_and_survive_a_crash(tmp_path: Any, shared: SimulatedDatabase) -> None:
    text, data = "Ω" * 300_000, bytes(range(256)) * 20_000
    with shared.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE lobs (id NUMBER PRIMARY KEY, c CLOB, b BLOB, n NCLOB)")
        cursor.execute("INSERT INTO lobs VALUES (1, EMPTY_CLOB(), EMPTY_BLOB(), :1)", ["日本" * 10])
        cursor.setinputsizes(oracledb.DB_TYPE_CLOB, oracledb.DB_TYPE_BLOB)
        cursor.execute("INSERT INTO lobs VALUES (2, :1, :2, NULL)", [text, data])
        connection.commit()
        cursor.execute("SELECT c, b, n FROM lobs WHERE id = 1 FOR UPDATE")
        clob, blob, nclob = cursor.fetchone()
        assert (clob.size(), blob.size(), nclob.read()) == (0, 0, "日本" * 10)
        clob.write("hello world")
        clob.write("W", 7)
        blob.write(data[:1000])
        blob.trim(10)
        connection.commit()
        with pytest.raises(oracledb.DatabaseError, match="ORA-22920"):
            clob.write("too late")
    shared.crash()
    shared.start()
    with shared.connect("APP") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, c, b FROM lobs ORDER BY id")
        found = [(number, c.read(), b.read()) for number, c, b in cursor]
        assert found == [(1, "hello World", data[:10]), (2, text, data)]
        cursor.execute(
            "SELECT DBMS_LOB.GETLENGTH(c), DBMS_LOB.SUBSTR(c, 5, 7), LENGTH(n) FROM lobs WHERE id = 1"
        )
        assert cursor.fetchone() == (11, "World", 20)
        with pytest.raises(oracledb.DatabaseError, match="ORA-00932"):
            cursor.execute("SELECT id FROM lobs WHERE c = 'x'")
        cursor.execute("DROP TABLE lobs")


def test_rowids_lead_to_their_rows(cursor: oracledb.Cursor) -> None:
    with table(cursor, "id NUMBER"):
        cursor.executemany("INSERT INTO conf_t VALUES (:1)", [(number,) for number in range(100)])
        cursor.connection.commit()
        rowids = cursor.execute("SELECT id, ROWID FROM conf_t").fetchall()
        assert len({rowid for _number, rowid in rowids}) == 100
        for number, rowid in rowids[::10]:
            assert cursor.execute("SELECT id FROM conf_t WHERE ROWID = :1", [rowid]).fetchone() == (number,)
        cursor.execute("UPDATE conf_t SET id = 1000 WHERE id = 5")
        assert cursor.lastrowid == dict(rowids)[5]
