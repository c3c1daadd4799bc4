# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run's access to its database: one session, reopened when it was lost. Private to the collection."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    ConnectionLost,
    WaitTimeout,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.model import (
    BackupStatus,
    Database,
    LiveSession,
    Tablespace,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle import backup_mode, discovery
from ansible_collections.hotbackup.oracle.plugins.module_utils._oracle.gateway import Gateway

Answer = TypeVar("Answer")
# BEGIN BACKUP waits for a checkpoint of the tablespace, which takes minutes on a busy one; a switch that
# needs redo space waits as well. Past this the outcome is read from another session.
_BACKUP_MODE_SECONDS = 1800


class RunDatabase:
    """What a run, a guardian and a seal ask of the database. Not for several threads at once."""

    def __init__(self, connect: Callable[[], Gateway]) -> None:
        self._connect = connect
        self._gateway: Gateway | None = None

    def call(self, function: Callable[[Gateway], Answer]) -> Answer:
        """Return ``function(gateway)``, with a new session if the last one was lost.

        Raises what the function raises; after ConnectionLost and WaitTimeout the session is given up, because
        what it was executing may still go on in the server.
        """
        if self._gateway is None:
            self._gateway = self._connect()
        try:
            return function(self._gateway)
        except (ConnectionLost, WaitTimeout):
            self.close()
            raise

    def read(self, function: Callable[[Gateway], Answer]) -> Answer:
        """As :meth:`call`, for functions that only read: once more when the session was lost, as idle ones
        are.
        """
        try:
            return self.call(function)
        except ConnectionLost:
            return self.call(function)

    def close(self) -> None:
        if self._gateway is not None:
            gateway, self._gateway = self._gateway, None
            gateway.close()

    def discover(self) -> tuple[Database, list[Tablespace]]:
        """Identity, state and structure as of now."""

        def look(gateway: Gateway) -> tuple[Database, list[Tablespace]]:
            database = discovery.read_database(gateway)
            return database, discovery.read_tablespaces(gateway, database)

        return self.read(look)

    def backup_status(self, file_numbers: Collection[int]) -> Mapping[int, BackupStatus]:
        return self.read(lambda gateway: discovery.read_backup_status(gateway, file_numbers))

    def begin_backup(self, tablespace: str, con_id: int, file_numbers: Collection[int]) -> None:
        def begin(gateway: Gateway) -> None:
            with gateway.call_timeout(_BACKUP_MODE_SECONDS):
                backup_mode.begin_backup(gateway, tablespace, con_id, file_numbers)

        self.call(begin)

    def end_backup(self, tablespace: str, con_id: int, file_numbers: Collection[int]) -> None:
        self.call(lambda gateway: backup_mode.end_backup(gateway, tablespace, con_id, file_numbers))

    def current_scn(self) -> int:
        return self.read(discovery.current_scn)

    def startup_times(self) -> tuple[str, ...]:
        return tuple(item.startup_time for item in self.read(discovery.read_instances))

    def live_sessions(self) -> list[LiveSession]:
        """Sessions of runs of ours, on any instance, but for this one."""
        return self.read(discovery.foreign_sessions)

    def run_is_connected(self, set_id: str) -> bool:
        return any(session.action == set_id for session in self.live_sessions())
