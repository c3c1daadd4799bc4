# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keystore ("wallet") of transparent data encryption, and what is out of reach while it is closed.

A new instance finds it closed, unless there is an auto-login keystore (Advanced Security Guide, Managing the
Keystore and the Master Encryption Key). Closed means ORA-28365 for whoever reads, changes or recovers blocks of
an encrypted tablespace; copying its files needs no key.
"""

from __future__ import annotations

import hashlib
import hmac
import platform
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.messages import os_lines
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.storage.block_cipher import BlockCipher
from oracle_simulator.storage.keystore_file import (
    AUTO_LOGIN_FILE,
    PASSWORD_FILE,
    WrongKeystorePassword,
    read_auto_login_keystore,
    read_password_keystore,
    write_auto_login_keystore,
    write_password_keystore,
)
from oracle_simulator.storage.slotted import SlottedBlock

if TYPE_CHECKING:
    from oracle_simulator.instance.control_file.control import DatafileRecord
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.instance.open_files import OpenFile

_KEY_BYTES = 32


def keystore_folder(home: Home, parameters: Parameters) -> Path:
    """Where the keystore is: WALLET_ROOT/tde, else admin/SID/wallet in the home."""
    root = parameters.get("wallet_root")
    return Path(root) / "tde" if root else home.root / "admin" / home.sid / "wallet"


def new_master_key() -> tuple[str, bytes]:
    """A master key and its identifier, 32 hexadecimal digits."""
    return secrets.token_hex(16), secrets.token_bytes(_KEY_BYTES)


class Keystore:
    """The master keys an instance has, by identifier. Use :attr:`keys` and :meth:`close` under the latch."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._keys: dict[str, bytes] | None = None
        self._ciphers: dict[tuple[str, int, int], BlockCipher] = {}
        self.wallet_type = "UNKNOWN"

    # ------------------------------------------------------------ state

    @property
    def folder(self) -> Path:
        """Where the keystore is."""
        return keystore_folder(self._instance.home, self._instance.parameters)

    @property
    def status(self) -> str:
        """``V$ENCRYPTION_WALLET.STATUS``."""
        if self._keys is None:
            self._open_by_itself()
        if self._keys is not None:
            return "OPEN" if self._keys else "OPEN_NO_MASTER_KEY"
        there = any((self.folder / name).exists() for name in (PASSWORD_FILE, AUTO_LOGIN_FILE))
        return "CLOSED" if there else "NOT_AVAILABLE"

    @property
    def current_key(self) -> str:
        """The identifier of the key for new tablespaces. Raises ORA-28365, ORA-28374 when there is none."""
        keys = self._open_keys()
        if not keys:
            raise OracleError(28374, "typed master key not found in wallet")
        return list(keys)[-1]

    def require_key(self, record: DatafileRecord) -> None:
        """Raises ORA-28365 or ORA-28362 when blocks of the file are out of reach."""
        if record.encryption_key:
            self._cipher(record)

    # ------------------------------------------------------------ blocks

    def seal(self, file: OpenFile, block_number: int, block: SlottedBlock) -> bytes:
        """A block as it goes to its file. Raises ORA-28365."""
        sealed = block.to_bytes(file.rdba(block_number), file.block_size)
        return self._cipher(file.record).encrypt_block(sealed) if file.record.encryption_key else sealed

    def unseal(self, file: OpenFile, stored: bytes) -> SlottedBlock:
        """A sound block from its file. Raises BodyCorrupt, ORA-28365."""
        if file.record.encryption_key:
            stored = self._cipher(file.record).decrypt_block(stored)
        return SlottedBlock.from_bytes(stored)

    def cipher(self, record: DatafileRecord) -> BlockCipher | None:
        """What the redo of a file goes through, None for a plain one. Raises ORA-28365."""
        return self._cipher(record) if record.encryption_key else None

    def _cipher(self, record: DatafileRecord) -> BlockCipher:
        keys = self._open_keys()
        master = keys.get(record.encryption_key)
        if master is None:
            raise OracleError(28362, "master key not found")
        place = (record.encryption_key, record.tablespace_number, record.con_id)
        cipher = self._ciphers.get(place)
        if cipher is None:
            label = f"tablespace {record.tablespace_number} of {record.con_id}".encode()
            cipher = BlockCipher(hmac.new(master, label, hashlib.sha256).digest())
            self._ciphers[place] = cipher
        return cipher

    def _open_keys(self) -> dict[str, bytes]:
        keys = self._keys
        if keys is None:
            keys = self._open_by_itself()
        if keys is None:
            raise OracleError(28365, "wallet is not open")
        return keys

    def _open_by_itself(self) -> dict[str, bytes] | None:
        path = self.folder / AUTO_LOGIN_FILE
        if not path.exists():
            return None
        keys = read_auto_login_keystore(path, platform.node())
        if keys is not None:
            self._keys, self.wallet_type = keys, "AUTOLOGIN"
        return keys

    # ------------------------------------------------------------ ADMINISTER KEY MANAGEMENT

    def create(self, password: str, folder: Path | None = None) -> None:
        """CREATE KEYSTORE. Raises ORA-46630 when there is one."""
        path = (folder or self.folder) / PASSWORD_FILE
        if path.exists():
            raise OracleError(46630, "keystore cannot be created at the specified location")
        try:
            write_password_keystore(path, {}, password)
        except OSError as exc:
            raise OracleError(28362, "cannot write keystore", *os_lines(exc)) from exc

    def create_auto_login(self, password: str, folder: Path | None = None, *, local: bool = False) -> None:
        """CREATE [LOCAL] AUTO_LOGIN KEYSTORE FROM KEYSTORE. Raises ORA-28367, ORA-28353."""
        place = folder or self.folder
        keys = self._read(password, place)
        write_auto_login_keystore(place / AUTO_LOGIN_FILE, keys, platform.node() if local else None)

    def open(self, password: str) -> None:
        """SET KEYSTORE OPEN. Raises ORA-28354 (open), ORA-28367 (none there), ORA-28353 (wrong password)."""
        with self._instance.latch:
            if self._keys is None:
                self._open_by_itself()
            if self._keys is not None:
                raise OracleError(28354, "Encryption wallet, auto login wallet, or HSM is already open")
            keys = self._read(password, self.folder)
            self._keys, self.wallet_type = keys, "PASSWORD"

    def close(self) -> None:
        """SET KEYSTORE CLOSE: what is in the cache of encrypted files is written first. Without the latch.

        An auto-login keystore opens again when it is next needed. Raises ORA-28365 when it is closed.
        """
        instance = self._instance
        if self._keys is None:
            raise OracleError(28365, "wallet is not open")
        numbers: frozenset[int] = frozenset()
        if instance.is_open:
            records = instance.control.datafiles
            numbers = frozenset(record.file_number for record in records if record.encryption_key)
        while numbers:
            instance.database_writer.write_until(instance.redo.appended_position, numbers)
            with instance.latch:
                if instance.cache.low_position(numbers) is None:
                    for number in numbers:
                        instance.cache.forget_file(number)
                    self._forget()
                    return
        with instance.latch:
            self._forget()

    def set_key(self, password: str, *, force: bool = False) -> str:
        """SET KEY: a new master key for new tablespaces; the old ones stay, for what they encrypted.

        ``force`` opens the keystore for this statement. Raises ORA-28417 (no password keystore open),
        ORA-28353, ORA-28367. Returns the identifier.
        """
        with self._instance.latch:
            if self.wallet_type != "PASSWORD" and not force:
                raise OracleError(28417, "password-based keystore is not open")
            folder = self.folder
            keys = self._read(password, folder)
            name, key = new_master_key()
            keys[name] = key
            write_password_keystore(folder / PASSWORD_FILE, keys, password)
            if (folder / AUTO_LOGIN_FILE).exists():
                write_auto_login_keystore(folder / AUTO_LOGIN_FILE, keys)
            if self._keys is not None:
                self._keys = keys
            return name

    def _read(self, password: str, folder: Path) -> dict[str, bytes]:
        try:
            return read_password_keystore(folder / PASSWORD_FILE, password)
        except WrongKeystorePassword as exc:
            raise OracleError(28353, "failed to open wallet") from exc
        except OSError as exc:
            raise OracleError(28367, "wallet does not exist") from exc

    def _forget(self) -> None:
        self._keys, self.wallet_type = None, "UNKNOWN"
        self._ciphers.clear()
