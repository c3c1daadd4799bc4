# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open containers of a database: what lives from the opening of each to its close."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oracle_simulator.data import container_changes
from oracle_simulator.data.container_check import reconcile_containers
from oracle_simulator.data.dictionary import Dictionary
from oracle_simulator.data.dictionary_check import reconcile
from oracle_simulator.data.transaction import Transactions
from oracle_simulator.errors import OracleError
from oracle_simulator.instance import pluggable
from oracle_simulator.instance.container import SEED, ContainerMode, ContainerRecord
from oracle_simulator.instance.datafiles import release_file
from oracle_simulator.instance.state import InstanceState
from oracle_simulator.sql.query.mirror import Mirror

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance


@dataclass(frozen=True, eq=False)
class OpenData:
    """What lives from one open of a container (or of a database that is none) to its close."""

    dictionary: Dictionary
    transactions: Transactions
    mirror: Mirror

    @property
    def con_id(self) -> int:
        return self.dictionary.con_id


class OpenContainers:
    """All open containers by id. ``changed`` is called when names mean something else than before."""

    def __init__(self, instance: Instance, changed: Callable[[], None]) -> None:
        self._instance = instance
        self._changed = changed
        self._open: dict[int, OpenData] = {}
        self._administration = threading.RLock()

    # ------------------------------------------------------------ what is open

    @property
    def root(self) -> OpenData | None:
        """The root, or the whole database when it is no CDB; None until the database is open."""
        return next(iter(self._open.values()), None)

    def get(self, con_id: int) -> OpenData | None:
        """An open container."""
        return self._open.get(con_id)

    def all(self) -> list[OpenData]:
        """All open containers in order of their ids."""
        return [data for _con_id, data in sorted(self._open.items())]

    # ------------------------------------------------------------ the database as a whole

    def read_root(self) -> None:
        """The last step of opening the database: what the SYSTEM tablespaces of root and seed say exists."""
        self._open.clear()
        root = self._read(self._instance.control.root_id, None)
        self._open[root.con_id] = root
        if self._instance.control.containers:
            reconcile_containers(root.dictionary)
            self._open[SEED] = self._read(SEED, root.dictionary)
        self._changed()

    def open_saved(self) -> None:
        """The database is open: open what SAVE STATE has kept. One that will not is told in the alert log."""
        root = self.root
        for row in list(root.dictionary.container_rows) if root is not None else []:
            record = self._instance.control.container(row.con_id)
            if record is None or not row.saved_mode or not record.pluggable:
                continue
            read_only = row.saved_mode == "READ ONLY" or self._instance.state is not InstanceState.OPEN
            try:
                self.open(record, ContainerMode(read_only, row.saved_restricted))
            except OracleError as problem:
                self._instance.log.error(problem, f"Pluggable database {record.name} not opened")

    def close_all(self) -> None:
        """The database is closed: nothing of it is there any more."""
        every, self._open = self._open, {}
        for data in every.values():
            data.mirror.close()

    # ------------------------------------------------------------ one pluggable database

    def open(self, record: ContainerRecord, mode: ContainerMode) -> None:
        """ALTER PLUGGABLE DATABASE OPEN.

        Raises ORA-65019 (open already), ORA-65054 (read write in a CDB open read only), ORA-65085 (read only
        before it was ever open read write), and as ``pluggable.open_files``.
        """
        instance = self._instance
        with self._administration:
            if record.con_id in self._open:
                raise OracleError(65019, f"pluggable database {record.name} already open")
            if not mode.read_only and instance.state is InstanceState.OPEN_READ_ONLY:
                raise OracleError(65054, "Cannot open a pluggable database in the desired mode.")
            if mode.read_only and not record.ever_opened:
                raise OracleError(65085, "cannot open pluggable database in read-only mode")
            root = self.root
            assert root is not None  # the caller has seen that the CDB is open
            with instance.checkpointer.headers:
                pluggable.open_files(instance, record.con_id, mode)
                data = self._read_or_release(record.con_id, root.dictionary)
                if not mode.read_only:
                    pluggable.begin_writing(instance, record.con_id)
            with instance.latch:
                instance.container_modes[record.con_id] = mode
                self._open[record.con_id] = data
            if not mode.read_only and not record.ever_opened:
                container_changes.note_opened(root.dictionary, record)
            self._changed()
        instance.log.write(f"Pluggable database {record.name} opened {mode.open_mode.lower()}")

    def close(self, record: ContainerRecord, abort: bool) -> None:
        """ALTER PLUGGABLE DATABASE CLOSE, its sessions gone. Raises ORA-65020 (closed already), and as
        ``pluggable.close_files``."""
        instance = self._instance
        with self._administration:
            if record.con_id not in self._open:
                raise OracleError(65020, f"pluggable database {record.name} already closed")
            if abort:
                pluggable.abandon_files(instance, record.con_id)
            else:
                pluggable.close_files(instance, record.con_id)
            data = self._open.pop(record.con_id)
            data.mirror.close()
            self._changed()
        instance.log.write(f"Pluggable database {record.name} closed")

    def _read_or_release(self, con_id: int, root: Dictionary) -> OpenData:
        complete = False
        try:
            data = self._read(con_id, root)
            complete = True
        finally:
            if not complete:
                for file in self._instance.files:
                    if file.record.con_id == con_id:
                        release_file(self._instance, file.record.file_number)
        return data

    def _read(self, con_id: int, root: Dictionary | None) -> OpenData:
        instance = self._instance
        dictionary = Dictionary(instance, con_id, root)
        dictionary.load()
        reconcile(dictionary)
        transactions = Transactions(instance, dictionary)
        return OpenData(dictionary, transactions, Mirror(instance, dictionary, transactions))
