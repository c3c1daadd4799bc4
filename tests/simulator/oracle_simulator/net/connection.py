# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client's connection: the conversation, from CONNECT to the end.

Two threads per connection. The reader puts DATA and markers into the inbox, so that a break is seen
while a statement runs; the worker takes them out, runs the calls, and is the only one that sends.
A dead client does not end its running statement: a server process looks at its socket only between
calls, and neither does Oracle's.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable

from oracle_simulator.errors import OracleError
from oracle_simulator.net import messages
from oracle_simulator.net.backend import Backend, ClientInfo, Session
from oracle_simulator.net.calls import Calls
from oracle_simulator.net.cursors import CursorTable
from oracle_simulator.net.inbox import Inbox
from oracle_simulator.net.logon import Logon
from oracle_simulator.net.packets import (
    END_OF_FILE,
    MAX_SDU,
    MIN_CLIENT_VERSION,
    Channel,
    MarkerKind,
    PacketType,
    accept_body,
    receive_connect,
    refuse_body,
)
from oracle_simulator.net.requests import (
    MESSAGE_DATA_TYPES,
    MESSAGE_PROTOCOL,
    Authenticate,
    Request,
    SimpleCall,
    read_request,
    skip_data_types,
    skip_protocol,
)
from oracle_simulator.net.wire import ProtocolError, Reader

CONNECT_TIMEOUT_S = 60.0
"""How long a client may take until it is logged on, all in all (Net Services Reference,
SQLNET.INBOUND_CONNECT_TIMEOUT; 60 seconds is its default)."""

MAX_FAILED_LOGONS = 3
"""Wrong passwords on one connection, then it is cut (Database Reference, SEC_MAX_FAILED_LOGIN_ATTEMPTS)."""

_MAX_BEFORE_LOGON = 256 * 1024
"""Bytes that a client may need to say who it is."""

EXPIRE_TIME_S = 60.0
"""Seconds between the end of a client and that of what it has left running (SQLNET.EXPIRE_TIME is in minutes)."""

_REPEAT_CANCEL_S = 0.05
_TNS_VERSION_MISMATCH = 12618
_NO_HANDLER = 12520
_NATIVE_ENCRYPTION = b"\xde\xad\xbe\xef"
_CANCELLED = OracleError(1013, "user requested cancel of current operation")


_ENDS = (ProtocolError, ValueError, IndexError, ArithmeticError, struct.error, OSError)
"""What a client can do to its own connection: garbage, and going away."""


class _Closed(Exception):
    """The client has gone."""


class _Interrupted(Exception):
    """A break: whatever is under way is void. ``reset`` if the client's reset marker came already;
    ``error`` is what the client is told in the end."""

    def __init__(self, reset: bool = False, error: OracleError = _CANCELLED) -> None:
        super().__init__()
        self.reset = reset
        self.error = error


class Connection:
    """``run`` is the worker thread's life; ``close`` may be called from any thread. A client that is not
    logged on after ``connect_timeout`` seconds is cut off. ``handed_over``: a listener has had its CONNECT and
    found the service; the client is asked to send it again."""

    def __init__(
        self,
        sock: socket.socket,
        address: str,
        backend: Backend,
        log: Callable[[str], None],
        connect_timeout: float = CONNECT_TIMEOUT_S,
        handed_over: bool = False,
        expire_time: float = EXPIRE_TIME_S,
    ) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._channel = Channel(sock, time.monotonic() + connect_timeout)
        self._address = address
        self._backend = backend
        self._handed_over = handed_over
        self._expire_time = expire_time
        self._over = threading.Event()
        self._log_line = log
        self._inbox = Inbox()
        self._requests = Reader(refill=self._more)
        self._cursors = CursorTable()
        self._logon: Logon | None = None
        self._failed_logons = 0
        self._session: Session | None = None
        self._calls: Calls | None = None
        self._before_logon = 0
        self._state = threading.Lock()
        self._in_call = False
        self.answering = False
        self._break_seen = False

    @property
    def session_id(self) -> int | None:
        """The session behind this connection, once there is one."""
        session = self._session
        return session.session_id if session else None

    def close(self) -> None:
        """End the connection, in the middle of a call, too: the running statement is cancelled."""
        self._channel.close()
        self._interrupt()

    def refuse(self, code: int) -> None:
        """Say no at once, instead of :meth:`run`."""
        with contextlib.suppress(OSError):
            self._channel.send(PacketType.REFUSE, refuse_body(code))
        self._channel.close()
        self._channel.release()

    def run(self) -> None:
        """Serve the client until it goes; what it does wrong costs it its connection, and nobody else's."""
        reader: threading.Thread | None = None
        try:
            if self._connect():
                reader = threading.Thread(target=self._receive, name=f"net-in {self._address}", daemon=True)
                reader.start()
                self._converse()
        except _Closed:
            pass
        except _ENDS as error:
            self._log_end(error)
        finally:
            self._over.set()
            self._channel.close()
            self._inbox.close()
            if reader is not None:
                reader.join()
            self._channel.release()
            self._end_session()

    def _log(self, text: str) -> None:
        self._log_line(f"{self._address}: {text}")

    def _log_end(self, error: Exception) -> None:
        """What ended the conversation, as an alert log tells it."""
        if isinstance(error, TimeoutError):
            self._log("WARNING: inbound connection timed out (ORA-3136)")
        elif isinstance(error, OSError):
            self._log(f"lost: {error}")
        elif self._logon is None:
            self._log(f"dropped: TNS-12592: TNS:bad packet ({error})")
        else:
            reason = str(error) or type(error).__name__
            self._log(f"dropped: ORA-03137: malformed TTC packet from client rejected: [{reason}]")

    # Before the database

    def _connect(self) -> bool:
        """CONNECT and its answer; False when there will be no conversation."""
        if self._handed_over:
            self._channel.send(PacketType.RESEND, b"")
        request = receive_connect(self._channel)
        if request is None:
            return False
        service_name, sid = request.item("SERVICE_NAME"), request.item("SID")
        refusal = None if self._handed_over else self._backend.refusal(service_name, sid)
        if request.version < MIN_CLIENT_VERSION:
            refusal = _TNS_VERSION_MISMATCH
        server = (request.item("SERVER") or "DEDICATED").upper()
        shared = server == "SHARED" and self._backend.has_dispatchers()
        if refusal is None and server != "DEDICATED" and not shared:
            refusal = _NO_HANDLER  # no pool (DRCP) was started, and by default there are no shared servers
        if refusal is not None:
            self._log(f"refused with TNS-{refusal:05d}: service {service_name!r}, SID {sid!r}")
            self._channel.send(PacketType.REFUSE, refuse_body(refusal))
            return False
        sdu = min(max(request.sdu, 512), MAX_SDU)
        self._channel.send(PacketType.ACCEPT, accept_body(sdu))
        self._channel.accept_sdu(sdu)
        client = ClientInfo(
            program=request.client_item("PROGRAM"),
            machine=request.client_item("HOST"),
            os_user=request.client_item("USER"),
            address=self._address,
            service_name=service_name or "",
            sid=sid or "",
            server=server,
        )
        self._logon = Logon(self._backend, client)
        return True

    # The reader thread

    def _receive(self) -> None:
        try:
            while True:
                while self._break_pending() and not self._channel.readable(_REPEAT_CANCEL_S):
                    # A break can fall between the start of a call and that of its statement, where
                    # cancelling has no effect. The client waits, so nothing else comes meanwhile.
                    self._interrupt()
                packet = self._channel.read()
                if packet is None:
                    return
                if packet.type == PacketType.DATA:
                    if packet.body[1] & END_OF_FILE:
                        return
                    self._inbox.put(packet.body[2:])
                elif packet.type == PacketType.MARKER:
                    self._take_marker(MarkerKind(packet.body[2]))
                else:
                    raise ProtocolError(f"packet type {packet.type}")
        except _ENDS as error:
            self._log_end(error)
        finally:
            self._inbox.end()
            self._outlive_client()

    def _outlive_client(self) -> None:
        """The statement of a client that has gone runs on, as at Oracle, where nobody asks the client meanwhile;
        it may well complete. Only one that never ends is cancelled, when the expiry probe is due."""
        while not self._over.wait(self._expire_time):
            self._interrupt()

    def _take_marker(self, kind: MarkerKind) -> None:
        self._inbox.put(kind)
        if kind is not MarkerKind.RESET:
            with self._state:
                self._break_seen = True
            self._interrupt()

    def _break_pending(self) -> bool:
        return self._break_seen and self._in_call

    def _interrupt(self) -> None:
        with self._state:
            if self._in_call and self._session is not None:
                self._session.cancel()

    # The worker thread

    def _more(self) -> bytes:
        """The next DATA for the request being read."""
        item = self._inbox.take()
        if item is None:
            raise _Closed
        if isinstance(item, MarkerKind):
            raise _Interrupted(reset=item is MarkerKind.RESET)
        if self._session is None:
            self._before_logon += len(item)
            if self._before_logon > _MAX_BEFORE_LOGON:
                raise ProtocolError("too much before a logon")
        return item

    def _converse(self) -> None:
        while True:
            try:
                self._channel.send_data(self._answer())
                self.answering = False
                if self._failed_logons == MAX_FAILED_LOGONS:
                    return
            except _Interrupted as interruption:
                self._answer_break(interruption)

    def _answer_break(self, interruption: _Interrupted) -> None:
        """Break, the client's reset, our reset, the error. What the client sent before its reset marker
        belongs to what it has given up; more breaks before that are the same one."""
        self._requests.discard()
        if not interruption.reset:
            self._channel.send_marker(MarkerKind.BREAK)
            while (item := self._inbox.take()) is not MarkerKind.RESET:
                if item is None:
                    raise _Closed
        with self._state:
            self._break_seen = False
        self._channel.send_marker(MarkerKind.RESET)
        self._channel.send_data(self._error(interruption.error))

    def _answer(self) -> bytes:
        """Read one request whole and answer it."""
        kind = self._requests.peek()
        self.answering = True
        if kind == MESSAGE_PROTOCOL:
            self._requests.skip(1)
            skip_protocol(self._requests)
            self._require_whole_request()
            return messages.protocol_response()
        if kind == MESSAGE_DATA_TYPES:
            self._requests.skip(1)
            skip_data_types(self._requests)
            self._require_whole_request()
            return messages.DATA_TYPES_RESPONSE
        if kind == _NATIVE_ENCRYPTION[0] and self._requests.peek_raw(4) == _NATIVE_ENCRYPTION:
            raise ProtocolError("ORA-12660: encryption or crypto-checksumming parameters incompatible")
        try:
            request = read_request(self._requests, self._cursors)
        except OracleError as error:
            # Nobody knows where the rest of this request ends: the client has to say it, with a reset.
            self._log(f"request not understood: {error.lines[0]}")
            raise _Interrupted(error=error) from error
        self._require_whole_request()
        return self._call(request)

    def _require_whole_request(self) -> None:
        """A client waits for its answer, so nothing may follow a request. If something does, then a length
        in it was wrong, and what was read is not what was meant."""
        if self._requests.at_hand:
            raise ProtocolError(f"{self._requests.at_hand} bytes behind a request")

    def _call(self, request: Request) -> bytes:
        with self._state:
            if self._break_seen:
                raise _Interrupted
            self._in_call = True
        try:
            response = self._perform(request)
        except OracleError as error:
            response = self._error(error)
        finally:
            with self._state:
                self._in_call = False
        if self._break_seen:
            raise _Interrupted
        return response

    def _perform(self, request: Request) -> bytes:
        try:
            if isinstance(request.call, Authenticate) and self._calls is None:
                return self._authenticate(request.call)
            if self._calls is None:
                raise OracleError(1012, "not logged on")
            response = self._calls.perform(request)
        except (OracleError, ProtocolError):
            raise
        except RecursionError as error:  # thousands of parentheses, and the like
            raise OracleError(36, "maximum number of recursive SQL levels (50) exceeded") from error
        except Exception as error:
            self._log(f"internal error\n{traceback.format_exc()}")
            text = f"internal error code, arguments: [{type(error).__name__}], [], [], [], [], [], [], []"
            raise OracleError(600, text) from error
        if request.call is SimpleCall.LOGOFF:
            self._end_session()
        return response

    def _error(self, error: OracleError) -> bytes:
        return messages.end_of_call(self._calls.in_transaction() if self._calls else False, error=error)

    def _authenticate(self, call: Authenticate) -> bytes:
        if self._logon is None:
            raise ProtocolError("logon before CONNECT")
        if call.phase == 1:
            return self._logon.challenge(call)
        try:
            session, response = self._logon.prove(call)
        except OracleError as error:
            self._log(f"logon of {call.user!r} denied: {error.lines[0]}")
            self._failed_logons += 1
            raise
        self._channel.deadline = None
        self._session = session
        self._calls = Calls(session, self._cursors, self._logon)
        return response

    def _end_session(self) -> None:
        """The session's end, whichever way it comes first."""
        session, self._session, self._calls = self._session, None, None
        if session is not None:
            session.close()
