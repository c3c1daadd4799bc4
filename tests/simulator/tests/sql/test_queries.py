# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SELECT: Oracle's meaning of expressions, names and result types, on tables and on DUAL."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from oracle_simulator.net.backend import DataType

from .conftest import Bench, Client

EXPRESSIONS: list[tuple[str, Any]] = [
    ("1 / 4", Decimal("0.25")),
    ("0.1 + 0.2", Decimal("0.3")),
    ("'a' || NULL || 1", "a1"),
    ("NVL('', 'empty is null')", "empty is null"),
    ("NVL2(NULL, 1, 2)", 2),
    ("DECODE(NULL, 1, 'one', NULL, 'null', 'other')", "null"),
    ("CASE WHEN 2 > 1 THEN 'yes' END", "yes"),
    ("SUBSTR('hello', -3, 2)", "ll"),
    ("SUBSTR('hello', 0, 2)", "he"),
    ("INSTR('banana', 'a', 1, 2)", 4),
    ("LPAD('7', 3, '0')", "007"),
    ("TRIM('  x ')", "x"),
    ("REPLACE('abc', 'b')", "ac"),
    ("TO_CHAR(1234.5, 'FM9,999.00')", "1,234.50"),
    ("TO_CHAR(0.5)", ".5"),
    ("TO_CHAR(DATE '2024-02-29', 'DD-MON-YYYY')", "29-FEB-2024"),
    ("TO_NUMBER('1e3')", 1000),
    ("TO_DATE('2024-02-29 13:14:15', 'YYYY-MM-DD HH24:MI:SS')", datetime(2024, 2, 29, 13, 14, 15)),
    ("DATE '2024-03-01' - 1", datetime(2024, 2, 29)),
    ("DATE '2024-03-01' - DATE '2024-02-28'", 2),
    ("DATE '2024-03-01' + 1/24", datetime(2024, 3, 1, 1)),
    ("DATE '2024-03-01' + INTERVAL '90' MINUTE", datetime(2024, 3, 1, 1, 30)),
    ("TRUNC(TO_DATE('2024-03-05 10:00', 'YYYY-MM-DD HH24:MI'), 'MM')", datetime(2024, 3, 1)),
    ("ADD_MONTHS(DATE '2024-01-31', 1)", datetime(2024, 2, 29)),
    ("ROUND(2.345, 2)", Decimal("2.35")),
    ("TRUNC(-2.7)", -2),
    ("MOD(7, 3)", 1),
    ("GREATEST(1, 3, 2)", 3),
    ("9295429630892703743", 9295429630892703743),
    ("USER", "APP"),
    ("SYS_CONTEXT('USERENV', 'DB_NAME')", "LAB"),
]


@pytest.mark.parametrize(("expression", "expected"), EXPRESSIONS, ids=[e for e, _ignored in EXPRESSIONS])
def test_expression_has_oracles_value(shared: Client, expression: str, expected: Any) -> None:
    value = shared.value(f"SELECT {expression} FROM dual")
    assert value == expected
    assert type(value) is type(expected)


QUERIES: list[tuple[str, list[tuple[Any, ...]]]] = [
    ("SELECT id FROM t WHERE name LIKE 't%' ORDER BY id DESC", [(3,), (2,)]),
    ("SELECT id FROM t WHERE id = '2'", [(2,)]),
    ("SELECT COUNT(*), SUM(amount), MIN(name) FROM t", [(3, Decimal("0.5"), "one")]),
    (
        "SELECT t.id FROM t WHERE made = TO_DATE('31-01-2024 12:30:15', 'DD-MM-YYYY HH24:MI:SS') AND id < 2",
        [(1,)],
    ),
    ("SELECT id FROM t WHERE ROWNUM <= 2 ORDER BY id", [(1,), (2,)]),
    ("SELECT id FROM t ORDER BY id OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", [(2,)]),
    ("SELECT a.id, b.name FROM t a JOIN t b ON b.id = a.id + 1 ORDER BY 1", [(1, "two"), (2, "three")]),
    ("SELECT a.id FROM t a, t b WHERE a.id = b.id(+) AND b.id IS NOT NULL AND a.id > 2", [(3,)]),
    ("SELECT id FROM t WHERE id IN (SELECT MAX(id) FROM t)", [(3,)]),
    ("WITH q AS (SELECT id n FROM t) SELECT SUM(n) FROM q", [(6,)]),
    ("SELECT id FROM t WHERE id > 2 UNION SELECT 9 FROM dual ORDER BY 1", [(3,), (9,)]),
    ("SELECT id FROM t MINUS SELECT 2 FROM dual", [(1,), (3,)]),
    ("SELECT LISTAGG(name, '-') WITHIN GROUP (ORDER BY id DESC) FROM t", [("three-two-one",)]),
    ("SELECT LEVEL * 2 FROM dual CONNECT BY LEVEL <= 3", [(2,), (4,), (6,)]),
    ("SELECT * FROM (SELECT id, name FROM t WHERE id < 3) v WHERE v.name = 'two'", [(2, "two")]),
    (
        "SELECT name FROM t WHERE EXISTS (SELECT NULL FROM t u WHERE u.id > t.id) ORDER BY name",
        [("one",), ("two",)],
    ),
    (
        "SELECT name FROM t ORDER BY CASE WHEN id = 2 THEN NULL ELSE name END",
        [("one",), ("three",), ("two",)],
    ),
]


@pytest.mark.parametrize(("text", "expected"), QUERIES, ids=[q for q, _ignored in QUERIES])
def test_query_gives(shared: Client, text: str, expected: list[tuple[Any, ...]]) -> None:
    assert shared.rows(text) == expected


REFUSED = [
    ("SELECT nope FROM t", 904, 7),
    ("SELECT t.nope FROM t", 904, 9),
    ("SELECT id FROM t, t u", 918, 7),
    ("SELECT * FROM nowhere", 942, 14),
    ("SELECT id FROM t WHERE", 936, None),
    ("SELECT 1", 923, None),
    ("SELECT (1 FROM dual", 907, None),
    ("SELECT foo(1) FROM dual", 904, None),
    ("SELECT SUBSTR('a') FROM dual", 938, None),
    ("SELECT 1/0 FROM dual", 1476, None),
    ("SELECT TO_NUMBER('x') FROM dual", 1722, None),
    ("SELECT TO_DATE('2024-13-01', 'YYYY-MM-DD') FROM dual", 1843, None),
    ("SELECT id FROM t UNION SELECT 1, 2 FROM dual", 1789, None),
    ("SELECT * FROM t AS OF SCN 5", None, None),
]


@pytest.mark.parametrize(
    ("text", "code", "offset"), REFUSED, ids=[text for text, _ignored, _ignored in REFUSED]
)
def test_wrong_query_raises_oracles_error(
    shared: Client, text: str, code: int | None, offset: int | None
) -> None:
    error = shared.refused(text)
    assert code is None or error.code == code
    assert offset is None or error.offset == offset


def test_columns_are_described_with_oracles_types(shared: Client) -> None:
    columns = shared.session.describe(
        "SELECT id, name, amount, made, COUNT(*) FROM t GROUP BY id, name, amount, made"
    )
    assert [(c.name, c.type) for c in columns] == [
        ("ID", DataType.NUMBER),
        ("NAME", DataType.VARCHAR2),
        ("AMOUNT", DataType.NUMBER),
        ("MADE", DataType.DATE),
        ("COUNT(*)", DataType.NUMBER),
    ]
    assert (columns[0].precision, columns[0].scale) == (10, 0)
    assert columns[1].size == 20
    assert (columns[2].precision, columns[2].scale) == (8, 2)


def test_binds_are_taken_in_order_of_appearance_also_a_name_used_twice(shared: Client) -> None:
    assert shared.rows("SELECT id FROM t WHERE id = :n OR id = :m OR id = :n ORDER BY id", 1, 2, 1) == [
        (1,),
        (2,),
    ]


def test_a_bound_date_compares_with_a_date_column(shared: Client) -> None:
    assert shared.value("SELECT COUNT(*) FROM t WHERE made <= :1", datetime(2024, 1, 31, 12, 30, 15)) == 3
    assert shared.value("SELECT COUNT(*) FROM t WHERE made < :1", datetime(2024, 1, 31, 12, 30, 15)) == 0


def test_a_missing_bind_is_ora_01008(shared: Client) -> None:
    assert shared.refused("SELECT id FROM t WHERE id = :1").code == 1008


def test_dates_without_mask_follow_nls_date_format(bench: Bench) -> None:
    client = bench.connect()
    client.run("ALTER SESSION SET NLS_DATE_FORMAT='YYYY/MM/DD'")
    assert client.value("SELECT TO_CHAR(DATE '2024-05-06') FROM dual") == "2024/05/06"
    assert client.value("SELECT TO_DATE('2024/05/07') FROM dual") == datetime(2024, 5, 7)


def test_sysdate_is_now_to_the_second(shared: Client) -> None:
    value = shared.value("SELECT SYSDATE FROM dual")
    assert abs(value - datetime.now()) < timedelta(seconds=5)
    assert value.microsecond == 0


def test_a_column_in_a_char_type_compares_blank_padded(bench: Bench) -> None:
    client = bench.connect()
    client.run("CREATE TABLE c (code CHAR(5))")
    client.run("INSERT INTO c VALUES ('ab')")
    assert client.rows("SELECT code FROM c WHERE code = 'ab'") == [("ab   ",)]
