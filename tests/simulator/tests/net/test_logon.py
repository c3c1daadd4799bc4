# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connecting with the real driver: services, users, privileges, refusals."""

from __future__ import annotations

import oracledb
import pytest

from oracle_simulator.errors import OracleError
from oracle_simulator.net.backend import AdminMode
from oracle_simulator.net.listener import Listener

from .toy_backend import PASSWORD, SERVICE, Connect, ToyDatabase


def error_of(caught: pytest.ExceptionInfo[oracledb.Error]) -> oracledb.exceptions._Error:
    return caught.value.args[0]


def test_a_session_knows_who_and_where_it_is(connect: Connect, database: ToyDatabase) -> None:
    connection = connect()
    session = database.sessions[0]
    assert connection.version == "19.22.0.0.0"
    assert (connection.db_name, connection.service_name, connection.instance_name) == (
        "TOYDB",
        SERVICE,
        "toy",
    )
    assert (session.user, session.mode) == ("SCOTT", AdminMode.NORMAL)
    assert session.client.program and session.client.machine and session.client.os_user
    assert session.client.process_id.isdigit()
    assert session.client.driver.startswith("python-oracledb")
    assert session.client.address.startswith("127.0.0.1:")
    assert database.executions[0].sql.startswith("ALTER SESSION SET TIME_ZONE")


@pytest.mark.parametrize(
    ("driver_mode", "mode"),
    [
        (oracledb.AUTH_MODE_SYSDBA, AdminMode.SYSDBA),
        (oracledb.AUTH_MODE_SYSOPER, AdminMode.SYSOPER),
        (oracledb.AUTH_MODE_SYSBKP, AdminMode.SYSBACKUP),
    ],
)
def test_administrators_get_the_privilege_they_ask_for(
    connect: Connect, database: ToyDatabase, driver_mode: int, mode: AdminMode
) -> None:
    connect(user="sys", mode=driver_mode)
    assert (database.sessions[0].user, database.sessions[0].mode) == ("SYS", mode)


def test_an_unknown_privilege_is_refused(connect: Connect) -> None:
    with pytest.raises(oracledb.DatabaseError) as caught:
        connect(user="sys", mode=oracledb.AUTH_MODE_SYSASM)
    assert error_of(caught).full_code == "ORA-01031"


def test_a_quoted_user_keeps_its_case(connect: Connect, database: ToyDatabase) -> None:
    connect(user='"Mixed"')
    assert database.sessions[0].user == "Mixed"


@pytest.mark.parametrize(
    "wrong",
    [
        {"password": "lion"},
        {"user": "nobody"},
        {"user": "scott", "mode": oracledb.AUTH_MODE_SYSDBA},
        {"user": '"scott"'},
    ],
)
def test_wrong_credentials_are_refused(
    connect: Connect, database: ToyDatabase, wrong: dict[str, object]
) -> None:
    with pytest.raises(oracledb.DatabaseError) as caught:
        connect(**wrong)
    assert error_of(caught).full_code == "ORA-01017"
    assert database.sessions == []


@pytest.mark.parametrize("code", [1033, 1034, 1035, 28000, 28009])
def test_an_instance_may_refuse_the_session(connect: Connect, database: ToyDatabase, code: int) -> None:
    database.open_error = OracleError(code, "not now", (27101, "shared memory realm does not exist"))
    with pytest.raises(oracledb.DatabaseError) as caught:
        connect()
    assert error_of(caught).full_code == f"ORA-{code:05d}"
    assert "ORA-27101" in error_of(caught).message
    database.open_error = None
    connect()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ({"service_name": "nowhere"}, "ORA-12514"),
        ({"service_name": None, "sid": "NOWHERE"}, "ORA-12505"),
    ],
)
def test_unknown_services_and_sids_are_refused(
    connect: Connect, address: dict[str, object], expected: str
) -> None:
    with pytest.raises(oracledb.OperationalError) as caught:
        connect(**address)
    assert error_of(caught).full_code == "DPY-6005"
    assert expected in error_of(caught).message


def test_other_refusals_carry_their_number(connect: Connect, database: ToyDatabase) -> None:
    database.refuse_with = 12528
    with pytest.raises(oracledb.OperationalError, match="12528"):
        connect()


def test_a_sid_is_as_good_as_a_service(connect: Connect) -> None:
    assert connect(service_name=None, sid="toy").is_healthy()


def test_long_connect_descriptors_come_outside_of_the_connect_packet(
    listener: Listener, database: ToyDatabase
) -> None:
    address = f"(ADDRESS=(PROTOCOL=TCP)(HOST=127.0.0.1)(PORT={listener.port}))"
    padding = "(FAILOVER=off)" * 30
    dsn = f"(DESCRIPTION={padding}{address}(CONNECT_DATA=(SERVICE_NAME={SERVICE})))"
    with oracledb.connect(user="scott", password=PASSWORD, dsn=dsn) as connection:
        assert connection.is_healthy()
    dsn = dsn.replace(SERVICE, "x" * 300)
    with pytest.raises(oracledb.OperationalError, match="12514"):
        oracledb.connect(user="scott", password=PASSWORD, dsn=dsn)


@pytest.mark.parametrize("sdu", [512, 2000, 32767])
def test_every_packet_size_works(connect: Connect, sdu: int) -> None:
    cursor = connect(sdu=sdu).cursor()
    text = "äöü" * 5000
    cursor.execute("select :1 from dual", [text])
    assert cursor.fetchall() == [(text,)]


def test_closing_closes_the_session(connect: Connect, database: ToyDatabase) -> None:
    connect().close()
    assert database.sessions[0].closed.wait(10)
