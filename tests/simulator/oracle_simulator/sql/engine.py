# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database as its listener sees it: logons, sessions, and orderly ends."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.dictionary_check import reconcile
from oracle_simulator.data.transaction import Transactions
from oracle_simulator.errors import OracleError
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.messages import datafile_line
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.net.backend import AdminMode, ClientInfo, Verifier
from oracle_simulator.sql.mirror import Mirror
from oracle_simulator.sql.password_users import administrative_users
from oracle_simulator.sql.privileges import Privileges
from oracle_simulator.sql.session import DatabaseSession
from oracle_simulator.sql.session_registry import SessionRecord, SessionRegistry

_ADMIN_USERS = {AdminMode.SYSDBA: "SYS", AdminMode.SYSBACKUP: "SYSBACKUP", AdminMode.SYSOPER: "PUBLIC"}


@dataclass(frozen=True, eq=False)
class OpenData:
    """What lives from one open of the database to its close."""

    dictionary: Dictionary
    transactions: Transactions
    mirror: Mirror


class Database:
    """Implements ``net.backend.Backend`` over an instance in any state."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.sessions = SessionRegistry()
        self.open_data: OpenData | None = None
        self.generation = 0
        instance.dictionary_check = self._read_dictionary

    def _read_dictionary(self) -> None:
        """The last step of opening: what the SYSTEM tablespace says exists."""
        dictionary = Dictionary(self.instance)
        dictionary.load()
        reconcile(dictionary)
        transactions = Transactions(self.instance, dictionary)
        mirror = Mirror(self.instance, dictionary, transactions)
        self.open_data = OpenData(dictionary, transactions, mirror)
        self.changed()

    def changed(self) -> None:
        """Plans made so far may be wrong: names or privileges have changed."""
        self.generation += 1

    # ------------------------------------------------------------ connecting

    def refusal(self, service_name: str | None, sid: str | None) -> int | None:
        """The service is registered statically, so it is known in every state of the instance."""
        if service_name is None and sid is None:
            return 12504
        if sid is not None and service_name is None:
            known = self.instance.home.sid.upper() == sid.upper()
            return None if known and not self.instance.terminated.is_set() else 12505
        known = (service_name or "").upper() in self._services()
        return None if known and not self.instance.terminated.is_set() else 12514

    def _services(self) -> set[str]:
        parameters = self.instance.parameters
        names = {parameters.db_unique_name, parameters.db_name, self.instance.home.sid}
        names.update(parameters.values("service_names"))
        domain = parameters.get("db_domain")
        if domain:
            names |= {f"{name}.{domain}" for name in names}
        return {name.upper() for name in names if name}

    def verifier(self, user: str, mode: AdminMode) -> Verifier | None:
        """Raises ORA-01034 or ORA-01033: an ordinary user's password is in a database that is not open."""
        if mode is not AdminMode.NORMAL or user == "SYS":
            entry = administrative_users(self.instance.home).get(user)
            return None if entry is None else Verifier(entry.salt, entry.pw_key, entry.rounds)
        data = self._require_open_for_users()
        row = data.dictionary.find_user(user)
        return None if row is None else Verifier(row.salt, row.pw_key, row.rounds)

    def _require_open_for_users(self) -> OpenData:
        state = self.instance.state
        if self.instance.terminated.is_set() or state is InstanceState.SHUTDOWN:
            raise OracleError(1034, "ORACLE not available")
        if state is InstanceState.CLOSING:
            raise OracleError(1089, "immediate shutdown or close in progress - no operations are permitted")
        if not self.instance.is_open or self.open_data is None:
            raise OracleError(1033, "ORACLE initialization or shutdown in progress")
        return self.open_data

    def open_session(self, user: str, mode: AdminMode, client: ClientInfo) -> DatabaseSession:
        """Raises ORA-00257, 01017, 01031, 01033, 01034, 01035, 01045, 28000, 28009."""
        if self.instance.terminated.is_set():
            raise OracleError(1034, "ORACLE not available")
        if mode is AdminMode.NORMAL:
            self._admit(user)
        else:
            if client.address:  # else the operating system has proved who it is
                self._admit_administrator(user, mode)
            user = _ADMIN_USERS[mode]
        return DatabaseSession(self, self.sessions.add(user, mode, client))

    def _admit_administrator(self, user: str, mode: AdminMode) -> None:
        entry = administrative_users(self.instance.home).get(user)
        if entry is None:
            raise OracleError(1017, "invalid username/password; logon denied")
        if mode.value.upper() not in entry.privileges:
            raise OracleError(1031, "insufficient privileges")

    def _admit(self, user: str) -> None:
        if user == "SYS":
            raise OracleError(28009, "connection as SYS should be as SYSDBA or SYSOPER")
        data = self._require_open_for_users()
        row = data.dictionary.find_user(user)
        if row is None:
            raise OracleError(1017, "invalid username/password; logon denied")
        if row.locked:
            raise OracleError(28000, "The account is locked.")
        privileges = Privileges(user, AdminMode.NORMAL)
        if not privileges.has(data.dictionary, "CREATE SESSION"):
            raise OracleError(1045, f"user {user} lacks CREATE SESSION privilege; logon denied")
        if self.sessions.restricted and not privileges.has(data.dictionary, "RESTRICTED SESSION"):
            raise OracleError(1035, "ORACLE only available to users with RESTRICTED SESSION privilege")
        if self.instance.archiver.stuck:
            raise OracleError(257, "Archiver error. Connect AS SYSDBA only until resolved.")

    def session_parameters(self) -> dict[str, str]:
        parameters = self.instance.parameters
        return {
            "AUTH_SC_DBUNIQUE_NAME": parameters.db_unique_name,
            "AUTH_SC_SERVICE_NAME": parameters.db_unique_name,
            "AUTH_SC_INSTANCE_NAME": self.instance.home.sid,
            "AUTH_INSTANCENAME": self.instance.home.sid,
            "AUTH_DBNAME": parameters.db_name,
            "AUTH_SC_DB_DOMAIN": parameters.get("db_domain"),
        }

    def version(self) -> tuple[int, int, int, int, int]:
        return self.instance.version

    # ------------------------------------------------------------ shutting down

    def shutdown(self, mode: str = "immediate") -> None:
        """SHUTDOWN NORMAL, TRANSACTIONAL, IMMEDIATE or ABORT.

        Raises ORA-01149 with ORA-01110 when a file is in backup mode (not with abort), ORA-01154 when an
        open, close or mount is under way; the instance and its sessions then go on.
        """
        if mode != "abort":
            self._refuse_in_backup()
            self._let_sessions_end(mode)
        self.instance.shutdown("abort" if mode == "abort" else "immediate")
        data, self.open_data = self.open_data, None
        if data is not None:
            data.mirror.close()

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
            data = self.open_data
            if data is not None:
                self.instance.wait_for(lambda: not data.transactions.active())
        error = OracleError(1089, "immediate shutdown or close in progress - no operations are permitted")
        for record in self.sessions.records():
            if _from_the_network(record):
                self.sessions.kill(record, error)


def _from_the_network(record: SessionRecord) -> bool:
    """Sessions of the host's own administrator do not stand in the way of a shutdown: it is theirs."""
    return bool(record.client.address)
