# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gateway: Python values out, our exceptions out, statements on record."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    ConnectionLost,
    OracleRefused,
    PreconditionError,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.quoting import (
    quote_identifier,
    quote_literal,
)

from unit.oracle.fake_database import DriverError, FakeConnection, driver_error, ora


def gateway_on(connection: FakeConnection) -> Gateway:
    return Gateway(connection, DriverError, target="ORCL", sleep=lambda _seconds: None)


def refusing(error: DriverError) -> Gateway:
    def react(_statement: str) -> None:
        raise error

    return gateway_on(FakeConnection({}, react))


def test_rows_have_lower_case_keys_and_whole_numbers() -> None:
    rows = [{"scn": 4.0, "big": Decimal(2**60), "share": 0.5, "name": "x"}]
    connection = FakeConnection({"v$x": rows})
    found = gateway_on(connection).query("SELECT scn, big, share, name FROM v$x")
    assert found == [{"scn": 4, "big": 2**60, "share": 0.5, "name": "x"}]
    assert isinstance(found[0]["scn"], int)


def test_query_repeats_while_the_control_file_changes() -> None:
    connection = FakeConnection({"v$x": [{"n": 1}]})
    connection.query_errors = [ora(235), ora(235)]
    assert gateway_on(connection).query("SELECT n FROM v$x") == [{"n": 1}]


def test_query_gives_up_when_the_control_file_never_settles() -> None:
    connection = FakeConnection({"v$x": []})
    connection.query_errors = [ora(235)] * 20
    with pytest.raises(OracleRefused):
        gateway_on(connection).query("SELECT n FROM v$x")
    assert len(connection.queried) == 5


def test_statements_are_recorded_also_when_they_are_refused() -> None:
    gateway = refusing(ora(1123, "cannot start online backup; media recovery not enabled"))
    with pytest.raises(OracleRefused):
        gateway.execute("ALTER DATABASE BEGIN BACKUP")
    assert gateway.statements == ["ALTER DATABASE BEGIN BACKUP"]


def test_refusal_carries_all_codes_of_the_stack_and_no_help_address() -> None:
    text = (
        "ORA-01146: cannot start online backup - file 4 is already in backup\n"
        "ORA-01110: data file 4: '/u01/users01.dbf'\n"
        "Help: https://docs.oracle.com/error-help/db/ora-01146/"
    )
    with pytest.raises(OracleRefused) as caught:
        refusing(driver_error(text, 1146)).execute("ALTER DATABASE BEGIN BACKUP")
    error = caught.value.oracle_error
    assert error is not None
    assert (error.code, error.codes) == (1146, (1146, 1110))
    assert "Help:" not in str(caught.value)
    assert error.message.endswith("'/u01/users01.dbf'")


@pytest.mark.parametrize(
    "error",
    [
        driver_error("DPY-4011: the database or network closed the connection", full_code="DPY-4011"),
        ora(3113, "end-of-file on communication channel"),
        driver_error("DPY-4011: closed\nORA-00028: your session has been killed", 28, "DPY-4011"),
    ],
    ids=["driver", "end of file", "killed"],
)
def test_lost_session_is_told_from_a_refusal(error: DriverError) -> None:
    with pytest.raises(ConnectionLost):
        refusing(error).execute("ALTER SYSTEM CHECKPOINT")


def test_call_time_out_says_that_the_outcome_is_unknown() -> None:
    error = driver_error("DPY-4024: call timeout of 5 ms exceeded", full_code="DPY-4024")
    with pytest.raises(WaitTimeout, match="must be read"):
        refusing(error).execute("ALTER SYSTEM ARCHIVE LOG CURRENT")


def test_call_timeout_holds_inside_the_block_only() -> None:
    connection = FakeConnection({})
    connection.call_timeout = 300_000
    gateway = gateway_on(connection)
    with gateway.call_timeout(1.5):
        gateway.execute("A")
    gateway.execute("B")
    assert connection.timeouts == [1500, 300_000]


def test_container_is_left_again_also_after_a_failure() -> None:
    connection = FakeConnection({})
    gateway = gateway_on(connection)
    with pytest.raises(ZeroDivisionError), gateway.in_container("PDB1"):
        _ignored = 1 / 0
    assert connection.executed == [
        'ALTER SESSION SET CONTAINER = "PDB1"',
        'ALTER SESSION SET CONTAINER = "CDB$ROOT"',
    ]
    assert gateway.statements == []


def test_leaving_the_block_closes_the_session() -> None:
    connection = FakeConnection({})
    with gateway_on(connection):
        assert not connection.closed
    assert connection.closed


def test_names_and_literals_are_quoted() -> None:
    assert quote_identifier("Weird name;--") == '"Weird name;--"'
    assert quote_literal("/u01/o'brien.ctl") == "'/u01/o''brien.ctl'"


@pytest.mark.parametrize("name", ["", 'a"b', "a\0b", "x" * 129])
def test_names_that_cannot_be_are_refused(name: str) -> None:
    with pytest.raises(PreconditionError):
        quote_identifier(name)


def test_literals_with_control_characters_are_refused() -> None:
    with pytest.raises(PreconditionError):
        quote_literal("a\nb")
