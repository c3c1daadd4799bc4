# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the wire needs of a database: the seam between ``net`` and everything behind it.

``net`` knows packets and messages and nothing of instances; whoever implements these protocols knows
nothing of packets. Values cross the seam as Python values: ``str``, ``int``, ``Decimal``, ``float``
(BINARY_DOUBLE), ``bytes``, ``datetime`` (DATE and TIMESTAMP), ``timedelta``, ``IntervalYM``, ``bool`` and
``None``; a list for a PL/SQL array, a :class:`Result` with columns for a REF CURSOR, and text or bytes for a LOB
(``StoredLob`` for one that can be written).
"""

from __future__ import annotations

import enum
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from oracle_simulator.errors import OracleError


class DataType(enum.IntEnum):
    """Oracle's external data type numbers as they travel on the wire."""

    VARCHAR2 = 1
    NUMBER = 2
    LONG = 8
    ROWID = 11
    DATE = 12
    RAW = 23
    LONG_RAW = 24
    CHAR = 96
    BINARY_FLOAT = 100
    BINARY_DOUBLE = 101
    CLOB = 112
    BLOB = 113
    TIMESTAMP = 180
    TIMESTAMP_TZ = 181
    CURSOR = 102
    INTERVAL_YM = 182
    INTERVAL_DS = 183
    UROWID = 208
    TIMESTAMP_LTZ = 231
    BOOLEAN = 252


class AdminMode(enum.Enum):
    """The privilege a client asks for at logon."""

    NORMAL = "normal"
    SYSDBA = "sysdba"
    SYSOPER = "sysoper"
    SYSBACKUP = "sysbackup"


@dataclass(frozen=True)
class Column:
    """One column of a result. ``size`` is in bytes for text and RAW (for NCHAR and NVARCHAR2, which are
    ``national``, two for each character); precision 0 with scale -127 is an unconstrained NUMBER."""

    name: str
    type: DataType
    size: int = 0
    precision: int = 0
    scale: int = 0
    nullable: bool = True
    national: bool = False


@dataclass(frozen=True)
class StoredLob:
    """A LOB of a table's row: what is in it, and where it is, for :meth:`Session.write_lob`."""

    content: str | bytes
    origin: Hashable


@dataclass(frozen=True)
class Bind:
    """Type and declared size of one bind variable, in order of appearance."""

    type: DataType
    size: int = 0
    is_array: bool = False
    national: bool = False


@dataclass(frozen=True)
class BatchError:
    """The error of one row of array DML, by the row's number from 0."""

    row: int
    error: OracleError


@dataclass
class Result:
    """What one execution gave.

    A query has ``columns`` and ``rows`` (an iterator, consumed as the client fetches). DML has
    ``row_count``; array DML also has ``row_counts``, one for each row of binds, and ``batch_errors`` if errors
    were to be collected. A PL/SQL block with binds may set ``out_values``: bind position (from 0) to value, or
    to one value for each row of binds when there are several.
    ``last_rowid`` is the 18 characters of the last row changed. ``has_errors``: created with compilation errors.
    """

    columns: Sequence[Column] | None = None
    rows: Iterator[Sequence[Any]] = field(default_factory=lambda: iter(()))
    row_count: int = 0
    out_values: dict[int, Any] = field(default_factory=dict)
    current_schema: str | None = None
    row_counts: Sequence[int] = ()
    batch_errors: Sequence[BatchError] = ()
    last_rowid: str | None = None
    has_errors: bool = False
    implicit_results: Sequence[Result] = ()


@dataclass(frozen=True)
class Verifier:
    """A 12c password verifier: all that a server keeps of a password.

    ``pw_key`` is PBKDF2 of the password (64 bytes), ``salt`` its 16 bytes of salt, ``rounds`` the
    PBKDF2 count announced to the client.
    """

    salt: bytes
    pw_key: bytes
    rounds: int = 4096


@dataclass(frozen=True)
class ClientInfo:
    """Who is at the other end, as the client itself says. ``service_name`` or ``sid`` is what it
    asked to be connected to, ``server`` by which kind of server process (DEDICATED or SHARED)."""

    program: str = ""
    machine: str = ""
    os_user: str = ""
    terminal: str = ""
    process_id: str = ""
    driver: str = ""
    address: str = ""
    service_name: str = ""
    sid: str = ""
    server: str = "DEDICATED"


@dataclass
class SessionStatistics:
    """What a session has done since its logon; the wire counts, V$SESSTAT shows it."""

    round_trips: int = 0
    parses: int = 0
    executions: int = 0
    commits: int = 0
    rollbacks: int = 0
    open_cursors: int = 0


class Session(Protocol):
    """One database session. Calls come one at a time from one thread, except :meth:`cancel`."""

    session_id: int
    serial: int
    statistics: SessionStatistics

    @property
    def in_transaction(self) -> bool:
        """Whether uncommitted changes exist."""

    def execute(
        self,
        sql: str,
        binds: Sequence[Bind],
        rows: Sequence[Sequence[Any]],
        *,
        collect_errors: bool = False,
    ) -> Result:
        """Run one statement. ``rows`` holds one list of bind values per execution (array DML has many;
        empty when there are no binds). ``collect_errors``: array DML goes on behind a row that fails. Raises
        ``OracleError``."""

    def describe(self, sql: str) -> Sequence[Column]:
        """Columns of a query without running it. Raises ``OracleError``."""

    def commit(self) -> None: ...

    def ping(self) -> None:
        """Raises ``OracleError`` when the session was killed or the instance is down."""

    def rollback(self) -> None: ...

    def set_attributes(self, attributes: dict[str, str]) -> None:
        """End-to-end attributes that changed: ``client_identifier``, ``module``, ``action``,
        ``client_info``, ``db_operation``."""

    def set_current_schema(self, name: str) -> None:
        """Raises ORA-01435 for a user that does not exist."""

    def set_context(self, namespace: str, values: dict[str, str], clear: bool) -> None:
        """Attributes of an application context; ``clear`` forgets the others. Raises ORA-28267."""

    def change_password(self, user: str, old: str, new: str) -> None:
        """Raises ORA-28008 when ``old`` is wrong, ORA-01031 for another user's password; whoever may ALTER
        USER need not know the old one."""

    def write_lob(self, origin: Hashable, content: str | bytes) -> None:
        """New content for a LOB of a row. Raises ORA-22920 when the session has not locked the row."""

    def cancel(self) -> None:
        """Interrupt the running statement, from another thread: it raises ORA-01013. A no-op when idle."""

    def close(self) -> None:
        """The client has gone: roll back and forget the session. Never raises for a dead instance."""


class Backend(Protocol):
    """A database as its listener sees it."""

    def refusal(self, service_name: str | None, sid: str | None) -> int | None:
        """TNS error number to refuse a CONNECT with (12514 unknown service, 12505 unknown SID, ...), or
        None to accept."""

    def has_dispatchers(self) -> bool:
        """Whether clients may ask for a shared server."""

    def verifier(self, user: str, mode: AdminMode, client: ClientInfo) -> Verifier | None:
        """The verifier to check ``user`` against (the password file for admin modes), None if there is
        none: the client is then led through the same exchange and refused with ORA-01017."""

    def open_session(self, user: str, mode: AdminMode, client: ClientInfo) -> Session:
        """After the password was proved. Raises ``OracleError`` (1033, 1034, 1035, 28000, ...)."""

    def session_parameters(self) -> dict[str, str]:
        """Optional AUTH_* entries of the logon answer: AUTH_SC_DBUNIQUE_NAME, AUTH_SC_SERVICE_NAME,
        AUTH_INSTANCENAME, AUTH_DBNAME, AUTH_SC_DB_DOMAIN ..."""

    def version(self) -> tuple[int, int, int, int, int]:
        """For example (19, 22, 0, 0, 0)."""
