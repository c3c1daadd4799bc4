# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One session: the frame around every statement (state, kill, cancel, transaction) and its settings."""

from __future__ import annotations

import contextlib
import platform
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from datetime import tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from oracle_simulator.data.transaction import Transaction
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.container import NON_CDB, ROOT
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import interrupted, not_mounted, not_open, terminated
from oracle_simulator.instance.redo.thread_states import instance_name
from oracle_simulator.net.backend import AdminMode, Bind, Column, Result
from oracle_simulator.sql.ddl.password_change import require_change
from oracle_simulator.sql.ddl.privileges import Privileges
from oracle_simulator.sql.dispatch import dispatch
from oracle_simulator.sql.lob_columns import write_lob
from oracle_simulator.sql.parser.parse import parse
from oracle_simulator.sql.parser.statements import Query, UserStatement
from oracle_simulator.sql.plsql.output import OutputBuffer
from oracle_simulator.sql.plsql.scopes import Scope
from oracle_simulator.sql.query.engine_connection import EngineConnection
from oracle_simulator.sql.query.mirror import Overlay
from oracle_simulator.sql.query.queries import describe_query
from oracle_simulator.sql.query.time_zones import time_zone
from oracle_simulator.sql.session_registry import SessionRecord, SessionRegistry

if TYPE_CHECKING:
    from oracle_simulator.sql.engine import Database, OpenData

_PLANS_KEPT = 500
CLIENT_CONTEXT = "CLIENTCONTEXT"
"""The application context that is open to clients (SQL Reference, SYS_CONTEXT)."""
_ATTRIBUTES = ("module", "action", "client_info", "client_identifier")
T = TypeVar("T")


class DatabaseSession:
    """A session. All calls come from one thread, except :meth:`cancel` and what ``record`` offers others."""

    def __init__(self, database: Database, record: SessionRecord) -> None:
        self.database = database
        self.record = record
        self.session_id = record.sid
        self.serial = record.serial
        self.statistics = record.statistics
        self.privileges = Privileges(record.user, record.mode)
        self._overlay = Overlay(record.sid)
        self.savepoints: dict[str, int] = {}
        self.output = OutputBuffer()
        self.implicit_results: list[Result] = []
        self.ended_transactions = 0
        self.packages: dict[tuple[str, str, str], tuple[str, Scope]] = {}
        self.context: dict[str, str] = {}
        self.now = database.instance.wall_clock.now()
        self._transaction: Transaction | None = None
        self._data: OpenData | None = None
        self._plans: dict[Any, Any] = {}
        self._plans_generation = -1
        self._cancelled = False
        self._told_of_its_end = False
        self._running: EngineConnection | None = None
        self._running_lock = threading.Lock()
        self._in_call = threading.Lock()
        record.interrupt = self._interrupt
        record.abandon = self._abandon
        record.blocker = self._blocker
        record.in_transaction = lambda: self.in_transaction

    # ------------------------------------------------------------ surroundings

    @property
    def instance(self) -> Instance:
        return self.database.instance

    @property
    def registry(self) -> SessionRegistry:
        return self.database.sessions

    @property
    def user(self) -> str:
        return self.record.user

    @property
    def schema(self) -> str:
        return self.record.schema

    @property
    def date_format(self) -> str:
        return self.record.date_format

    @property
    def timestamp_format(self) -> str:
        return self.record.timestamp_format

    @property
    def con_id(self) -> int:
        """The current container. A session that came before the control file was mounted is in the root."""
        return self.record.con_id or (self.instance.control.root_id if self.instance.mounted else NON_CDB)

    @property
    def timestamp_tz_format(self) -> str:
        return self.record.timestamp_tz_format

    @property
    def zone(self) -> tzinfo:
        return time_zone(self.record.time_zone)

    @property
    def scope(self) -> int | None:
        """The container whose files statements about "the database" mean; None for all, in the root."""
        return self.con_id if self.con_id > ROOT else None

    @property
    def open_data(self) -> OpenData | None:
        """What is only there while the current container is open."""
        return self.database.containers.get(self.con_id) if self.instance.is_open else None

    @property
    def overlay(self) -> Overlay:
        """The session's uncommitted rows in the current container."""
        return self._overlay if self._data is self.open_data else Overlay(self.session_id)

    def require_open(self) -> OpenData:
        """Raises ORA-01507 or ORA-01109."""
        data = self.open_data
        if data is None:
            if self.instance.terminated.is_set():
                raise terminated()
            raise not_open() if self.instance.mounted else not_mounted()
        return data

    @cached_property
    def own_engine(self) -> EngineConnection:
        """For queries that read no table of a user."""
        return EngineConnection()

    @property
    def transaction(self) -> Transaction:
        """The session's transaction; a new one after the container was changed, or opened anew.

        Raises ORA-65023 when there is one in another container that was not ended.
        """
        data = self.require_open()
        if self._transaction is None or self._data is not data:
            if self._data_lives and self.in_transaction:
                name = self.database.container_name(self._data.con_id if self._data else NON_CDB)
                raise OracleError(65023, f"active transaction exists in container {name}")
            self._forget_overlay()
            self._data = data
            self._transaction = data.transactions.begin(str(self.session_id))
            self._overlay = Overlay(self.session_id)
        return self._transaction

    @property
    def _data_lives(self) -> bool:
        """Whether the container the session last worked in is still as open as it was then."""
        return self._data is not None and self._data is self.database.containers.get(self._data.con_id)

    def _forget_overlay(self) -> None:
        if self._data is not None and self._data_lives:
            with self._data.mirror.lock:
                self._overlay.forget(self._data.mirror.engine)

    @property
    def in_transaction(self) -> bool:
        return self._transaction is not None and self._transaction.active

    def cached(self, key: Any, make: Callable[[], T]) -> T:
        """A plan made before for ``key``, unless something it depends on has changed since."""
        if self._plans_generation != self.database.generation or len(self._plans) > _PLANS_KEPT:
            self._plans.clear()
            self._plans_generation = self.database.generation
        overlay = self.overlay
        full_key = (key, self.con_id, self.schema, self.privileges.user, overlay.level, overlay.tables)
        found: T | None = self._plans.get(full_key)
        if found is None:
            found = self._plans[full_key] = make()
        return found

    # ------------------------------------------------------------ the calls of a client

    def execute(
        self,
        sql: str,
        binds: Sequence[Bind],
        rows: Sequence[Sequence[Any]],
        *,
        collect_errors: bool = False,
    ) -> Result:
        with self._call():
            return dispatch(self, parse(sql), sql, binds, rows, collect_errors)

    def describe(self, sql: str) -> Sequence[Column]:
        with self._call():
            statement = parse(sql)
            return describe_query(self, sql) if isinstance(statement, Query) else []

    def ping(self) -> None:
        with self._call():
            """Being let in is the answer."""

    def commit(self) -> None:
        with self._call():
            self.end_transaction(commit=True)

    def rollback(self) -> None:
        with self._call():
            self.end_transaction(commit=False)

    def set_attributes(self, attributes: dict[str, str]) -> None:
        for name in _ATTRIBUTES:
            if name in attributes:
                setattr(self.record, name, attributes[name])

    def set_current_schema(self, name: str) -> None:
        data = self.open_data
        for known in (name, name.upper()):
            if known == "SYS" or (data is not None and data.dictionary.find_user(known) is not None):
                self.record.schema = known
                return
        raise OracleError(1435, "user does not exist")

    def set_context(self, namespace: str, values: dict[str, str], clear: bool) -> None:
        """Only CLIENTCONTEXT: every other namespace would need a CREATE CONTEXT."""
        if namespace.upper() != CLIENT_CONTEXT:
            raise OracleError(28267, "invalid NameSpace Value")
        if not values and not clear:
            raise OracleError(1031, "insufficient privileges")
        if clear:
            self.context.clear()
        self.context.update((name.upper(), value) for name, value in values.items())

    def context_value(self, namespace: str, name: str) -> str | None:
        return self.context.get(name) if namespace == CLIENT_CONTEXT else None

    def change_password(self, user: str, old: str, new: str) -> None:
        with self._call():
            require_change(self, user, old)
            dispatch(self, UserStatement(user, create=False, password=new), "ALTER USER", (), ())

    def run(self, sql: str, binds: Sequence[Bind], rows: Sequence[Sequence[Any]]) -> Result:
        """A statement within a call that is running: one of a PL/SQL block."""
        return dispatch(self, parse(sql), sql, binds, rows)

    @contextlib.contextmanager
    def as_owner(self, owner: str) -> Iterator[None]:
        """Names and rights of the owner of a view or program unit (PL/SQL Language Reference, "Definer's
        Rights")."""
        outer = (self.record.schema, self.privileges)
        self.record.schema = owner
        if owner != self.user:
            self.privileges = Privileges(owner, AdminMode.SYSDBA if owner == "SYS" else AdminMode.NORMAL)
        try:
            yield
        finally:
            self.record.schema, self.privileges = outer

    @contextlib.contextmanager
    def autonomous_transaction(self) -> Iterator[None]:
        """Another transaction for the block: PRAGMA AUTONOMOUS_TRANSACTION. What it leaves open is rolled back,
        with ORA-06519."""
        data = self.require_open()
        outer = (self._transaction, self._data, self._overlay, self.savepoints)
        self._transaction, self._data = data.transactions.begin(str(self.session_id)), data
        self._overlay, self.savepoints = self._overlay.beside(), {}
        try:
            yield
            if self.in_transaction:
                raise OracleError(6519, "active autonomous transaction detected and rolled back")
        finally:
            self.end_transaction(commit=False)
            self._forget_overlay()
            self._transaction, self._data, self._overlay, self.savepoints = outer

    def write_lob(self, origin: Hashable, content: str | bytes) -> None:
        with self._call():
            write_lob(self, origin, content)

    def cancel(self) -> None:
        if self.record.in_call:
            self._cancelled = True
            self._interrupt()

    def close(self) -> None:
        with contextlib.suppress(OracleError):
            if self.record.recovery is not None:
                self.record.recovery.close()
                self.record.recovery = None
        with contextlib.suppress(OracleError):
            self.end_transaction(commit=False)
        self._forget_overlay()
        if "own_engine" in self.__dict__:
            self.own_engine.close()
        self.registry.remove(self.record)

    # ------------------------------------------------------------ the frame

    @contextlib.contextmanager
    def _call(self) -> Iterator[None]:
        if self._told_of_its_end:
            raise OracleError(1012, "not logged on")
        try:
            with self._in_call:
                self._check_alive()
                self._cancelled = False
                self.now = self.instance.wall_clock.now()
                self.record.last_call = time.monotonic()
                self.record.in_call = True
                try:
                    with self.instance.redo.on_behalf_of(self.record.instance_number):
                        yield
                except OracleError as error:
                    # Whatever a killed session was doing, it learns that it was killed; whoever made the
                    # instance end learns why.
                    if error.code != 1092 or self.record.killed is not None:
                        self._check_alive()
                    raise
                finally:
                    self.record.in_call = False
                    self.record.last_call = time.monotonic()
        except OracleError as error:
            self._told_of_its_end = error is self.record.killed
            raise
        finally:
            if self.record.killed is not None:
                self._abandon()

    def _abandon(self) -> None:
        """Killed: give up the transaction at once, unless a running call is just about to."""
        if self._in_call.acquire(blocking=False):
            try:
                with contextlib.suppress(OracleError):
                    self.end_transaction(commit=False)
            finally:
                self._in_call.release()

    def _check_alive(self) -> None:
        if self.record.killed is not None:
            raise self.record.killed
        if self.record.leaving and not self.in_transaction and not self.record.in_call:
            raise OracleError(3113, "end-of-file on communication channel")
        if self.instance.terminated.is_set():
            raise OracleError(3113, "end-of-file on communication channel")

    def is_cancelled(self) -> bool:
        """Asked by everything that waits on behalf of this session."""
        return self._cancelled or self.record.killed is not None

    @contextlib.contextmanager
    def interruptible(self, engine: EngineConnection) -> Iterator[None]:
        """While the block runs, a cancel interrupts this engine."""
        with self._running_lock:
            if self.is_cancelled():
                raise interrupted()
            self._running = engine
        try:
            yield
        finally:
            with self._running_lock:
                self._running = None

    def _interrupt(self) -> None:
        with self._running_lock:
            if self._running is not None:
                self._running.interrupt()

    def _blocker(self) -> int | None:
        owner = self._transaction.owner.waits_for if self._transaction is not None else None
        return int(owner.name) if owner is not None and owner.name.isdigit() else None

    def end_transaction(self, commit: bool) -> None:
        """COMMIT or ROLLBACK. A transaction of a container that was closed since is gone already."""
        self.ended_transactions += 1
        transaction = self._transaction
        if transaction is None or not self._data_lives:
            self._transaction = None
            return
        try:
            if commit:
                transaction.commit(self.is_cancelled)
            else:
                transaction.rollback()
        finally:
            self.savepoints.clear()
            self._overlay.end()

    # ------------------------------------------------------------ SYS_CONTEXT('USERENV')

    def _database_name(self) -> str:
        """In a pluggable database its own name."""
        inside = self.con_id > ROOT
        return self.database.container_name(self.con_id) if inside else self.instance.parameters.db_name

    def user_environment(self, name: str) -> str | None:
        instance, record = self.instance, self.record
        values: dict[str, Callable[[], Any]] = {
            "SESSION_USER": lambda: record.user,
            "CURRENT_USER": lambda: record.user,
            "CURRENT_SCHEMA": lambda: record.schema,
            "SESSION_USERID": lambda: 0,
            "SID": lambda: record.sid,
            "SESSIONID": lambda: record.sid,
            "INSTANCE": lambda: record.instance_number,
            "INSTANCE_NAME": lambda: instance_name(instance.home.sid, record.instance_number),
            "DB_NAME": self._database_name,
            "DB_UNIQUE_NAME": lambda: instance.parameters.db_unique_name,
            "DB_DOMAIN": lambda: instance.parameters.get("db_domain"),
            "DATABASE_ROLE": lambda: "PRIMARY",
            "SERVICE_NAME": lambda: record.service_name,
            "SERVER_HOST": platform.node,
            "HOST": lambda: record.machine,
            "OS_USER": lambda: record.os_user,
            "TERMINAL": lambda: record.terminal,
            "IP_ADDRESS": lambda: record.client.address.split(":")[0],
            "MODULE": lambda: record.module,
            "ACTION": lambda: record.action,
            "CLIENT_INFO": lambda: record.client_info,
            "CLIENT_IDENTIFIER": lambda: record.client_identifier,
            "CLIENT_PROGRAM_NAME": lambda: record.client.program,
            "ISDBA": lambda: "TRUE" if record.mode.value == "sysdba" else "FALSE",
            "CON_ID": lambda: self.con_id,
            "CON_NAME": lambda: self.database.container_name(self.con_id),
            "CDB_NAME": lambda: instance.parameters.db_name if self.con_id != NON_CDB else None,
            "CURRENT_EDITION_NAME": lambda: "ORA$BASE",
            "LANGUAGE": lambda: "AMERICAN_AMERICA.AL32UTF8",
            "NLS_DATE_FORMAT": lambda: record.date_format,
            "TIME_ZONE": lambda: record.time_zone,
            "AUTHENTICATION_METHOD": lambda: "PASSWORD",
            "PROXY_USER": lambda: None,
            "CLOUD_SERVICE": lambda: None,
        }
        if name not in values:
            raise OracleError(2003, "invalid USERENV parameter")
        value = values[name]()
        return None if value in (None, "") else str(value)
