# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database as its listener sees it: logons, sessions, and orderly ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oracle_simulator.errors import OracleError
from oracle_simulator.instance import cluster
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.net.backend import AdminMode, ClientInfo, Verifier
from oracle_simulator.sql.ddl.password_users import administrative_users
from oracle_simulator.sql.ddl.pluggable_databases import OpenContainers, OpenData
from oracle_simulator.sql.ddl.privileges import Privileges
from oracle_simulator.sql.services import Service, find_service, registered_services
from oracle_simulator.sql.session import DatabaseSession
from oracle_simulator.sql.session_registry import SessionRecord, SessionRegistry

_ADMIN_USERS = {AdminMode.SYSDBA: "SYS", AdminMode.SYSBACKUP: "SYSBACKUP", AdminMode.SYSOPER: "PUBLIC"}
_STUCK = "Archiver error. Connect AS SYSDBA only until resolved."
_STUCK_BEFORE_12_2 = "archiver error. Connect internal only, until freed."


class Database:
    """Implements ``net.backend.Backend`` over an instance in any state."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.sessions = SessionRegistry(instance.wall_clock)
        self.containers = OpenContainers(instance, self.changed)
        self.generation = 0
        instance.dictionary_check = self.containers.read_root
        self.register_services: Callable[[], bool] = lambda: False
        self.cut_connection: Callable[[int], None] = lambda sid: None
        instance.after_open = self.containers.open_saved

    def changed(self) -> None:
        """Plans made so far may be wrong: names or privileges have changed."""
        self.generation += 1

    def container_name(self, con_id: int) -> str:
        """CDB$ROOT, PDB$SEED or the name of a pluggable database; of a database that is no CDB its own."""
        record = self.instance.control.container(con_id) if self.instance.mounted else None
        return record.name if record is not None else self.instance.parameters.db_name

    # ------------------------------------------------------------ connecting

    def registration(self) -> dict[str, Any]:
        """What a listener is told of this instance."""
        instance = self.instance
        status = "READY" if instance.mounted else "BLOCKED"
        return {
            "instance": instance.home.sid,
            "services": sorted(registered_services(instance)),
            "status": "RESTRICTED" if self.sessions.restricted else status,
            "handoff": str(instance.home.handoff_socket),
        }

    def refusal(self, service_name: str | None, sid: str | None) -> int | None:
        """The service is registered statically, so it is known in every state of the instance."""
        if service_name is None and sid is None:
            return 12504
        if self._service(service_name, sid) is not None:
            return None
        return 12514 if service_name is not None else 12505

    def has_dispatchers(self) -> bool:
        """The parameter ``dispatchers``; what they lead to are sessions like all others, but for recovery."""
        return bool(self.instance.parameters.get("dispatchers"))

    def _service(self, service_name: str | None, sid: str | None = None) -> Service | None:
        if self.instance.terminated.is_set():
            return None
        return find_service(self.instance, service_name, sid)

    def _service_of(self, client: ClientInfo) -> Service:
        """The service a client is connected to; that of the database for those that came without one."""
        name = client.service_name or (None if client.sid else self.instance.parameters.db_name)
        return self._service(name, client.sid or None) or Service("")

    def _container(self, client: ClientInfo) -> int:
        return self._service_of(client).con_id

    def verifier(self, user: str, mode: AdminMode, client: ClientInfo | None = None) -> Verifier | None:
        """Raises ORA-01034 or ORA-01033: an ordinary user's password is in a database that is not open."""
        if mode is not AdminMode.NORMAL or user == "SYS":
            entry = administrative_users(self.instance.home).get(user)
            return None if entry is None else Verifier(entry.salt, entry.pw_key, entry.rounds)
        data = self._require_open_for_users(self._container(client or ClientInfo()))
        row = data.dictionary.find_user(user)
        return None if row is None else Verifier(row.salt, row.pw_key, row.rounds)

    def _require_open_for_users(self, con_id: int) -> OpenData:
        state = self.instance.state
        if self.instance.terminated.is_set() or state is InstanceState.SHUTDOWN:
            raise OracleError(1034, "ORACLE not available")
        if self.instance.shutdown_pending in ("normal", "transactional"):
            raise OracleError(1090, "shutdown in progress - connection is not permitted")
        if state is InstanceState.CLOSING or self.instance.shutdown_pending:
            raise OracleError(1089, "immediate shutdown or close in progress - no operations are permitted")
        data = self.containers.get(con_id)
        if not self.instance.is_open or data is None:
            raise OracleError(1033, "ORACLE initialization or shutdown in progress")
        return data

    def open_session(self, user: str, mode: AdminMode, client: ClientInfo) -> DatabaseSession:
        """Raises ORA-00257, 01017, 01031, 01033, 01034, 01035, 01045, 28000, 28009."""
        if self.instance.terminated.is_set():
            raise OracleError(1034, "ORACLE not available")
        con_id = self._container(client)
        if mode is AdminMode.NORMAL:
            self._admit(user, con_id)
        else:
            if client.address:  # else the operating system has proved who it is
                self._admit_administrator(user, mode)
            user = _ADMIN_USERS[mode]
        number = self._service_of(client).instance_number
        return DatabaseSession(self, self.sessions.add(user, mode, client, con_id, number))

    def _admit_administrator(self, user: str, mode: AdminMode) -> None:
        entry = administrative_users(self.instance.home).get(user)
        if entry is None:
            raise OracleError(1017, "invalid username/password; logon denied")
        if mode.value.upper() not in entry.privileges:
            raise OracleError(1031, "insufficient privileges")

    def _admit(self, user: str, con_id: int) -> None:
        if user == "SYS":
            raise OracleError(28009, "connection as SYS should be as SYSDBA or SYSOPER")
        data = self._require_open_for_users(con_id)
        row = data.dictionary.find_user(user)
        if row is None:
            raise OracleError(1017, "invalid username/password; logon denied")
        if row.locked:
            raise OracleError(28000, "The account is locked.")
        privileges = Privileges(user, AdminMode.NORMAL)
        if not privileges.has(data.dictionary, "CREATE SESSION"):
            raise OracleError(1045, f"user {user} lacks CREATE SESSION privilege; logon denied")
        if self._restricted(con_id) and not privileges.has(data.dictionary, "RESTRICTED SESSION"):
            raise OracleError(1035, "ORACLE only available to users with RESTRICTED SESSION privilege")
        if self.instance.archiver.stuck:
            raise OracleError(257, _STUCK if self.instance.version >= (12, 2) else _STUCK_BEFORE_12_2)

    def _restricted(self, con_id: int) -> bool:
        mode = self.instance.container_modes.get(con_id)
        return self.sessions.restricted or (mode is not None and mode.restricted)

    def session_parameters(self) -> dict[str, str]:
        parameters = self.instance.parameters
        return {
            "AUTH_SC_DBUNIQUE_NAME": parameters.db_unique_name,
            "AUTH_SC_REAL_DBUNIQUE_NAME": parameters.db_unique_name,
            "AUTH_SC_SERVICE_NAME": parameters.db_unique_name,
            "AUTH_SC_INSTANCE_NAME": self.instance.home.sid,
            "AUTH_INSTANCENAME": self.instance.home.sid,
            "AUTH_DBNAME": parameters.db_name,
            "AUTH_SC_DB_DOMAIN": parameters.get("db_domain"),
        }

    def version(self) -> tuple[int, int, int, int, int]:
        return self.instance.version

    # ------------------------------------------------------------ several instances

    def start_instance(self, number: int) -> None:
        """Raises as :func:`cluster.start_instance`."""
        cluster.start_instance(self.instance, number)
        self.register_services()

    def stop_instance(self, number: int) -> None:
        """SHUTDOWN IMMEDIATE of one instance: of the database, with the last one. Raises as :meth:`shutdown`
        and :func:`cluster.stop_instance`."""
        if cluster.running_instances(self.instance) == [number]:
            self.shutdown()
            return
        text = "immediate shutdown or close in progress - no operations are permitted"
        self._end_sessions(number, OracleError(1089, text))
        cluster.stop_instance(self.instance, number)
        self.register_services()

    def kill_instance(self, number: int) -> None:
        """One instance dies with its sessions. Raises as :func:`cluster.kill_instance`."""
        self._end_sessions(number, OracleError(3113, "end-of-file on communication channel"))
        cluster.kill_instance(self.instance, number)
        self.register_services()

    def _end_sessions(self, number: int, error: OracleError) -> None:
        for record in self.sessions.records():
            if record.instance_number == number:
                self.sessions.kill(record, error)

    # ------------------------------------------------------------ shutting down

    def close_database(self, asking: SessionRecord) -> None:
        """ALTER DATABASE CLOSE. Raises ORA-01093 while others than ``asking`` are connected, and as
        :meth:`Instance.close`."""
        if any(record is not asking for record in self.sessions.records()):
            raise OracleError(1093, "ALTER DATABASE CLOSE only permitted with no sessions connected")
        self.instance.close()
        self.containers.close_all()

    def shutdown(self, mode: str = "immediate") -> None:
        """SHUTDOWN NORMAL, TRANSACTIONAL, IMMEDIATE or ABORT.

        Raises ORA-01149 with ORA-01110 when a file is in backup mode (not with abort), ORA-01154 when an
        open, close or mount is under way; the instance and its sessions then go on.
        """
        if mode != "abort":
            self.instance.refuse_when_busy()
            self._refuse_in_backup()
            self.instance.shutdown_pending = mode
        try:
            if mode != "abort":
                self._let_sessions_end(mode)
            self.instance.shutdown("abort" if mode == "abort" else "immediate")
        finally:
            self.instance.shutdown_pending = None
        self.containers.close_all()

    def _refuse_in_backup(self) -> None:
        if not self.instance.is_open:
            return
        with self.instance.latch:
            active = [file for file in self.instance.control.datafiles if file.in_backup]
        if active:
            text = f"cannot shutdown - file {active[0].file_number} has online backup set"
            raise OracleError(1149, text, datafile_line(active[0]))

    def _let_sessions_end(self, mode: str) -> None:
        gone = self.instance.terminated.is_set
        if mode == "normal":
            self.sessions.wait_until_gone(_from_the_network, gone)
        elif mode == "transactional":
            every = self.containers.all()
            self.instance.wait_for(lambda: not any(data.transactions.active() for data in every))
        error = OracleError(1089, "immediate shutdown or close in progress - no operations are permitted")
        for record in self.sessions.records():
            if _from_the_network(record):
                self.sessions.kill(record, error)


def _from_the_network(record: SessionRecord) -> bool:
    """Sessions of the host's own administrator do not stand in the way of a shutdown: it is theirs."""
    return bool(record.client.address)
