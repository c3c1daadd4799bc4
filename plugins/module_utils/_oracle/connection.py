# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From connection options to a session.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    BackupError,
    ConnectError,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.driver import load_driver
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import (
    Gateway,
    clean_message,
    oracle_error,
)

SESSION_MODULE = "hotbackup.oracle"
"""V$SESSION.MODULE of all our sessions: by it a DBA, and another of our runs, recognises them."""

_LOGIN_MODES = {
    "normal": "AUTH_MODE_DEFAULT",
    "sysdba": "AUTH_MODE_SYSDBA",
    "sysbackup": "AUTH_MODE_SYSBKP",
    "sysoper": "AUTH_MODE_SYSOPER",
}
# A login can take a while after the network answered; only then is the connection given up as hanging.
_LOGIN_GRACE_SECONDS = 15
_EMPTY_VALUE = (
    "A lookup of an environment variable that is not set gives an empty value: export the variable in the shell or job"
    " that starts ansible-playbook, or give the option its value in another way, such as Ansible Vault."
)
_HINTS = {
    1017: "Check login_user, login_password and login_mode.",
    1031: "The account lacks the privilege that login_mode asks for.",
    1033: "The instance is starting or stopping; only login_mode=sysdba or sysbackup gets in.",
    1034: "No instance is running there.",
    12514: "The listener does not know the service: the instance is down, or login_service is wrong.",
    12505: "The listener does not know the SID: the instance is down, or login_sid is wrong.",
    12528: "The instance is not open; it needs a statically registered service.",
    12541: "No listener answers at that host and port.",
    28000: "The account is locked.",
    257: "The archiver is stuck: free space in the archive destination.",
}


@dataclass(frozen=True)
class ConnectionSettings:
    """How to reach a database. ``call_timeout`` bounds one round trip in seconds, 0 means no bound."""

    user: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str = "127.0.0.1"
    port: int = 1521
    service: str | None = None
    sid: str | None = None
    dsn: str | None = None
    mode: str = "normal"
    driver: str = "thin"
    connect_timeout: int = 30
    call_timeout: int = 300
    oracle_home: str | None = None
    oracle_sid: str | None = None

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> ConnectionSettings:
        """Return the settings of a module's options (the connection spec). Raises PreconditionError."""
        settings = cls(
            oracle_home=params["oracle_home"],
            oracle_sid=params["oracle_sid"],
            **{
                item.name: params[f"login_{item.name}"]
                for item in fields(cls)
                if item.name not in ("oracle_home", "oracle_sid")
            },
        )
        settings.check()
        return settings

    def check(self) -> None:
        """Raise PreconditionError for settings that cannot work, before anything is connected."""
        if self.driver == "thin":
            if not (self.service or self.sid or self.dsn):
                raise PreconditionError(
                    "One of login_service, login_sid and login_dsn is needed, and none has a value.",
                    hint=_EMPTY_VALUE,
                )
            self._require_credentials("login_driver=thin logs in with user and password")
        elif self.user or self.password:
            self._require_credentials("a login with a user needs both user and password")
        elif self.mode == "normal":
            raise PreconditionError(
                "Operating-system authentication needs login_mode sysdba, sysbackup or sysoper.",
                hint="Give login_user and login_password otherwise.",
            )

    def _require_credentials(self, why: str) -> None:
        empty = [f"login_{name}" for name in ("user", "password") if not getattr(self, name)]
        if empty:
            options = f"Option {empty[0]} is" if len(empty) == 1 else f"Options {' and '.join(empty)} are"
            raise PreconditionError(
                f"{options} empty, but {why}. Nothing was connected.",
                hint=f"{_EMPTY_VALUE} Operating-system authentication needs login_driver=thick and neither of them.",
            )

    @property
    def bequeath(self) -> bool:
        """True when the session is made by the local client library, without a listener."""
        return self.driver == "thick" and not (self.service or self.sid or self.dsn)

    @property
    def target(self) -> str:
        """The database and the driver's mode in words, without secrets."""
        if self.dsn:
            # Easy Connect strings may carry user and password before the last @.
            where = self.dsn.rpartition("@")[2]
        elif self.bequeath:
            where = f"the local instance {self.oracle_sid or ''}".strip()
        else:
            where = f"{self.host}:{self.port}/{self.service or self.sid}"
        who = f"{self.user}@" if self.user else ""
        mode = "" if self.mode == "normal" else f" as {self.mode}"
        return f"{who}{where}{mode} ({self.driver} mode)"

    def to_json(self) -> str:
        """Return all settings, the password included: for an inherited pipe, never for a file or a log."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ConnectionSettings:
        """Return the settings of :meth:`to_json`."""
        return cls(**json.loads(text))


def open_connection(settings: ConnectionSettings, *, module: str = SESSION_MODULE, action: str) -> Gateway:
    """Return a new session; ``module`` and ``action`` are what V$SESSION shows of it.

    Raises ConnectError, with Oracle's code if Oracle answered.
    """
    driver = load_driver(settings.driver, settings.oracle_home, settings.oracle_sid)
    arguments = _connect_arguments(settings, getattr(driver, _LOGIN_MODES[settings.mode]))
    connection = _connect_watched(driver, arguments, settings)
    gateway = Gateway(connection, driver.Error, target=settings.target)
    try:
        connection.module = module
        connection.action = action
        connection.call_timeout = settings.call_timeout * 1000
        # Messages are parsed by number and by their English words; dates in statements have one form.
        gateway.configure(
            "ALTER SESSION SET NLS_LANGUAGE = 'AMERICAN' NLS_TERRITORY = 'AMERICA'"
            " NLS_DATE_FORMAT = 'YYYY-MM-DD HH24:MI:SS'"
        )
    except BackupError:
        gateway.close()
        raise
    return gateway


def _connect_arguments(settings: ConnectionSettings, mode: Any) -> dict[str, Any]:
    arguments: dict[str, Any] = {"mode": mode}
    if settings.user:
        arguments.update(user=settings.user, password=settings.password)
    else:
        arguments["externalauth"] = True
    if settings.bequeath:
        return arguments
    # A recovery conversation belongs to one server process (ORA-00281 through a dispatcher).
    arguments.update(tcp_connect_timeout=settings.connect_timeout, retry_count=0, server_type="dedicated")
    if settings.dsn:
        return {**arguments, "dsn": settings.dsn}
    arguments.update(host=settings.host, port=settings.port)
    if settings.service:
        return {**arguments, "service_name": settings.service}
    return {**arguments, "sid": settings.sid}


def _connect_watched(driver: Any, arguments: Mapping[str, Any], settings: ConnectionSettings) -> Any:
    """Connect, but not longer than the time-out: the driver's own bounds the TCP handshake only."""
    answers: queue.Queue[tuple[Any, Exception | None]] = queue.Queue()
    abandoned = threading.Event()

    def connect() -> None:
        try:
            connection = driver.connect(**arguments)
        except (driver.Error, OSError, ValueError, TypeError) as exc:
            answers.put((None, exc))
            return
        if abandoned.is_set():
            connection.close()
        answers.put((connection, None))

    threading.Thread(target=connect, name="connect", daemon=True).start()
    patience = settings.connect_timeout + _LOGIN_GRACE_SECONDS
    try:
        connection, error = answers.get(timeout=patience)
    except queue.Empty:
        abandoned.set()
        raise ConnectError(
            f"Failed to connect to {settings.target}: no answer within {patience} seconds.",
            hint="The listener took the connection but the instance does not answer; see its alert log.",
        ) from None
    if error is None:
        return connection
    raise _refused(error, settings) from error


def _refused(error: Exception, settings: ConnectionSettings) -> ConnectError:
    detail = error.args[0] if error.args else error
    info = oracle_error(clean_message(str(detail)), int(getattr(detail, "code", 0) or 0))
    hint = next((_HINTS[code] for code in (info.code, *info.codes) if code in _HINTS), "")
    if "DPY-3010" in info.message:
        hint = "This release of the database is reached in thick mode only: login_driver=thick."
    return ConnectError(
        f"Failed to connect to {settings.target}: {info.message}",
        hint=hint,
        oracle_error=info if info.codes or info.code else None,
    )
