# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connection settings, and what becomes of a driver that fails, hangs or is missing."""

from __future__ import annotations

import sys
import threading
import types
from typing import Any

import pytest
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    ConnectError,
    OracleRefused,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle import connection as subject
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.connection import (
    ConnectionSettings,
    open_connection,
)

from unit.oracle.fake_database import DriverError, FakeConnection, ora

SECRET = "tiger-4711"
SETTINGS = ConnectionSettings(user="backup_operator", password=SECRET, service="ORCL")


class FakeDriver(types.ModuleType):
    """An oracledb of which the tests see every call."""

    Error = DriverError
    AUTH_MODE_DEFAULT, AUTH_MODE_SYSDBA, AUTH_MODE_SYSBKP, AUTH_MODE_SYSOPER = 0, 2, 131072, 4

    def __init__(self, version: str = "2.0.0") -> None:
        super().__init__("oracledb")
        self.__version__ = version
        self.calls: list[dict[str, Any]] = []
        self.client_calls: list[dict[str, Any]] = []
        self.connection = FakeConnection({})
        self.error: Exception | None = None
        self.thin = True

    def connect(self, **arguments: Any) -> FakeConnection:
        self.calls.append(arguments)
        if self.error is not None:
            raise self.error
        return self.connection

    def init_oracle_client(self, **arguments: Any) -> None:
        self.client_calls.append(arguments)
        self.thin = False

    def is_thin_mode(self) -> bool:
        return self.thin


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> FakeDriver:
    fake = FakeDriver()
    monkeypatch.setitem(sys.modules, "oracledb", fake)
    return fake


def test_session_can_be_recognised_and_has_known_settings(driver: FakeDriver) -> None:
    gateway = open_connection(SETTINGS, action="20261121T221500Z")
    assert (driver.connection.module, driver.connection.action) == ("hotbackup.oracle", "20261121T221500Z")
    assert driver.connection.call_timeout == 300_000
    assert "NLS_LANGUAGE = 'AMERICAN'" in driver.connection.executed[0]
    assert gateway.statements == []
    assert driver.calls[0]["service_name"] == "ORCL"
    assert driver.calls[0]["server_type"] == "dedicated"


@pytest.mark.parametrize(
    ("mode", "constant"), [("normal", 0), ("sysdba", 2), ("sysbackup", 131072), ("sysoper", 4)]
)
def test_login_mode_is_passed_on(driver: FakeDriver, mode: str, constant: int) -> None:
    open_connection(ConnectionSettings(user="u", password="p", sid="ORCL", mode=mode), action="x")
    assert driver.calls[0]["mode"] == constant
    assert driver.calls[0]["sid"] == "ORCL"


def test_descriptor_replaces_host_and_port(driver: FakeDriver) -> None:
    open_connection(ConnectionSettings(user="u", password="p", dsn="db/ORCL"), action="x")
    assert driver.calls[0]["dsn"] == "db/ORCL"
    assert "host" not in driver.calls[0]


def test_local_login_uses_thick_mode_and_the_home(
    driver: FakeDriver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORACLE_SID", raising=False)
    monkeypatch.setenv("ORACLE_HOME", "/elsewhere")
    settings = ConnectionSettings(driver="thick", mode="sysdba", oracle_home="/u01/home", oracle_sid="ORCL")
    settings.check()
    open_connection(settings, action="x")
    assert len(driver.client_calls) == 1
    assert driver.calls == [{"mode": 2, "externalauth": True}]
    import os

    assert (os.environ["ORACLE_HOME"], os.environ["ORACLE_SID"]) == ("/u01/home", "ORCL")


def test_thin_mode_in_a_thick_process_is_refused(driver: FakeDriver) -> None:
    driver.thin = False
    with pytest.raises(ConnectError, match="Thin mode"):
        open_connection(SETTINGS, action="x")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ConnectionSettings(user="u", password=SECRET), "login_service, login_sid and login_dsn"),
        (ConnectionSettings(user="u", password=SECRET, service=""), "none has a value"),
        (ConnectionSettings(service="s"), "^Options login_user and login_password are empty"),
        (
            ConnectionSettings(service="s", user="", password=""),
            "^Options login_user and login_password are empty",
        ),
        (ConnectionSettings(service="s", user="u", password=""), "^Option login_password is empty, but"),
        (ConnectionSettings(service="s", user="", password=SECRET), "^Option login_user is empty, but"),
        (ConnectionSettings(driver="thick"), "login_mode"),
        (ConnectionSettings(driver="thick", user="u", service="s"), "^Option login_password is empty, but"),
        (
            ConnectionSettings(driver="thick", mode="sysdba", user="", password=SECRET),
            "^Option login_user is empty",
        ),
    ],
    ids=[
        "no service",
        "empty service",
        "no user",
        "both empty",
        "empty password",
        "empty user",
        "local login without privilege",
        "no password",
        "a password without a user is no local login",
    ],
)
def test_settings_that_cannot_work_are_refused_before_connecting(
    settings: ConnectionSettings, message: str
) -> None:
    with pytest.raises(PreconditionError, match=message) as caught:
        settings.check()
    assert SECRET not in str(caught.value)


def test_an_empty_password_is_explained_by_where_it_comes_from() -> None:
    with pytest.raises(PreconditionError) as caught:
        ConnectionSettings(user="u", password="", service="s").check()
    assert "environment variable that is not set gives an empty value: export" in caught.value.hint


def test_settings_travel_as_json() -> None:
    assert ConnectionSettings.from_json(SETTINGS.to_json()) == SETTINGS


def test_password_is_in_no_text_made_of_the_settings(driver: FakeDriver) -> None:
    driver.error = ora(1017, "invalid username/password; logon denied")
    with pytest.raises(ConnectError) as caught:
        open_connection(SETTINGS, action="x")
    assert SECRET not in f"{SETTINGS!r} {SETTINGS.target} {caught.value}"
    dsn = ConnectionSettings(dsn=f"scott/{SECRET}@db/ORCL", user="u", password="p")
    assert SECRET not in dsn.target


@pytest.mark.parametrize(
    ("code", "hint"),
    [(1017, "login_password"), (12514, "login_service"), (12541, "listener"), (1033, "sysbackup")],
)
def test_refused_login_says_where_and_what_to_do(driver: FakeDriver, code: int, hint: str) -> None:
    driver.error = ora(code)
    with pytest.raises(ConnectError) as caught:
        open_connection(SETTINGS, action="x")
    assert "backup_operator@127.0.0.1:1521/ORCL (thin mode)" in str(caught.value)
    assert hint in caught.value.hint
    assert caught.value.oracle_error is not None and caught.value.oracle_error.code == code


def test_session_whose_settings_are_refused_is_closed(driver: FakeDriver) -> None:
    def react(_statement: str) -> None:
        raise ora(1031)

    driver.connection.react = react
    with pytest.raises(OracleRefused):
        open_connection(SETTINGS, action="x")
    assert driver.connection.closed


def test_login_that_hangs_is_given_up(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch) -> None:
    release, ended = threading.Event(), threading.Event()

    def hang(**_arguments: Any) -> FakeConnection:
        release.wait(30)
        return driver.connection

    monkeypatch.setattr(driver.connection, "close", ended.set)
    monkeypatch.setattr(driver, "connect", hang)
    monkeypatch.setattr(subject, "_LOGIN_GRACE_SECONDS", 0.01)
    settings = ConnectionSettings(user="u", password="p", service="s", connect_timeout=0)
    with pytest.raises(ConnectError, match="no answer"):
        open_connection(settings, action="x")
    release.set()
    assert ended.wait(30), "a session that comes too late must be closed"


def test_missing_driver_is_named_with_its_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oracledb", None)
    with pytest.raises(ConnectError) as caught:
        open_connection(SETTINGS, action="x")
    assert sys.executable in str(caught.value) and "found: none" in str(caught.value)
    assert "ansible_python_interpreter" in caught.value.hint


def test_old_driver_is_named_with_its_version(driver: FakeDriver) -> None:
    driver.__version__ = "1.4.2"
    with pytest.raises(ConnectError, match=r"found: 1\.4\.2"):
        open_connection(SETTINGS, action="x")
