# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging on: names, privileges and the proof of the password."""

from __future__ import annotations

from oracle_simulator.errors import OracleError
from oracle_simulator.net import messages
from oracle_simulator.net.backend import AdminMode, Backend, ClientInfo, Session
from oracle_simulator.net.cursors import MAX_OPEN_CURSORS
from oracle_simulator.net.requests import Authenticate
from oracle_simulator.net.verifier import Challenge, unknown_user_verifier
from oracle_simulator.net.wire import ProtocolError

_ADMIN_MODES = {
    0x20: AdminMode.SYSDBA,
    0x40: AdminMode.SYSOPER,
    0x1000000: AdminMode.SYSBACKUP,
}
_OTHER_ADMIN_MODES = 0x400000 | 0x2000000 | 0x4000000 | 0x8000000  # SYSASM, SYSDG, SYSKM, SYSRAC


class Logon:
    """The two calls that turn a connection into a session. ``client`` is what CONNECT already told."""

    def __init__(self, backend: Backend, client: ClientInfo) -> None:
        self._backend = backend
        self._client = client
        self._challenge: Challenge | None = None
        self._proved: Challenge | None = None
        self._is_known = False
        self._asked: Authenticate | None = None

    def challenge(self, call: Authenticate) -> bytes:
        """The answer to phase one: the same for users that do not exist."""
        verifier = self._backend.verifier(user_name(call.user), admin_mode(call.mode), self._client)
        self._is_known = verifier is not None
        self._challenge = Challenge(verifier or unknown_user_verifier())
        self._asked = call
        return messages.parameters(self._challenge.entries()) + messages.status(False)

    def prove(self, call: Authenticate) -> tuple[Session, bytes]:
        """The session and the answer to phase two. ORA-01017 for a wrong name or password, and whatever
        the instance has against a session."""
        if self._challenge is None or self._asked is None:
            raise ProtocolError("phase two of a logon without phase one")
        challenge, asked = self._challenge, self._asked
        self._challenge = None
        if "PROXY_CLIENT_NAME" in call.entries:
            raise OracleError(3001, "unimplemented feature: proxy users")
        user, mode = user_name(asked.user), admin_mode(asked.mode)
        try:
            proof = challenge.accept(
                call.entries.get("AUTH_SESSKEY", ""), call.entries.get("AUTH_PASSWORD", "")
            )
        except ValueError as error:
            raise ProtocolError(f"malformed keys at logon: {error}") from None
        if (user_name(call.user), admin_mode(call.mode)) != (user, mode) or not self._is_known or not proof:
            raise OracleError(1017, "invalid username/password; logon denied")
        session = self._backend.open_session(user, mode, self._client_info(asked, call))
        self._proved = challenge
        try:
            self._prepare(session, call)
        except (OracleError, ProtocolError):
            session.close()
            raise
        return session, messages.parameters(self._entries(session, proof)) + messages.status(False)

    def _prepare(self, session: Session, call: Authenticate) -> None:
        """What a client may want of its session from the beginning. Where it can't be had, there is none."""
        if "AUTH_NEWPASSWORD" in call.entries:
            self.change_password(session, call)
        if statement := call.entries.get("AUTH_ALTER_SESSION"):
            session.execute(statement, [], [])
        for namespace, attribute, value in call.context:
            session.set_context(namespace, {attribute: value}, clear=False)

    def change_password(self, session: Session, call: Authenticate) -> bytes:
        """A new password for ``call.user``: the answer."""
        if self._proved is None or call.phase != 2:
            raise ProtocolError("a logon within a session")
        try:
            old, new = (
                self._proved.decrypt(call.entries.get(key, ""))
                for key in ("AUTH_PASSWORD", "AUTH_NEWPASSWORD")
            )
        except ValueError as error:
            raise ProtocolError(f"malformed keys in a change of password: {error}") from None
        if not new:
            raise OracleError(988, "missing or invalid password(s)")
        session.change_password(user_name(call.user), old or "", new)
        return messages.parameters([]) + messages.status(session.in_transaction)

    def _client_info(self, first: Authenticate, second: Authenticate) -> ClientInfo:
        told, known = first.entries, self._client
        return ClientInfo(
            program=told.get("AUTH_PROGRAM_NM") or known.program,
            machine=told.get("AUTH_MACHINE") or known.machine,
            os_user=told.get("AUTH_SID") or known.os_user,
            terminal=told.get("AUTH_TERMINAL", ""),
            process_id=told.get("AUTH_PID", ""),
            driver=second.entries.get("SESSION_CLIENT_DRIVER_NAME", ""),
            address=known.address,
            service_name=known.service_name,
            sid=known.sid,
            server=known.server,
        )

    def _entries(self, session: Session, proof: str) -> list[tuple[str, str, int]]:
        entries = {
            "AUTH_SVR_RESPONSE": proof,
            "AUTH_VERSION_NO": str(version_number(self._backend.version())),
            "AUTH_SESSION_ID": str(session.session_id),
            "AUTH_SERIAL_NUM": str(session.serial & 0xFFFF),
            "AUTH_MAX_OPEN_CURSORS": str(MAX_OPEN_CURSORS),
            "AUTH_MAX_IDEN_LENGTH": "128",
            **self._backend.session_parameters(),
        }
        return [(key, value, 0) for key, value in entries.items()]


def user_name(typed: str) -> str:
    """The user's name as the dictionary has it: upper case unless quoted."""
    if len(typed) > 2 and typed[0] == typed[-1] == '"':
        return typed[1:-1]
    return typed.upper()


def admin_mode(bits: int) -> AdminMode:
    """ORA-01031 for privileges that belong to other kinds of instances."""
    for bit, mode in _ADMIN_MODES.items():
        if bits & bit:
            return mode
    if bits & _OTHER_ADMIN_MODES:
        raise OracleError(1031, "insufficient privileges")
    return AdminMode.NORMAL


def version_number(version: tuple[int, int, int, int, int]) -> int:
    """The layout that clients expect since 18c."""
    major, minor, third, fourth, fifth = version
    return major << 24 | minor << 16 | third << 12 | fourth << 4 | fifth
