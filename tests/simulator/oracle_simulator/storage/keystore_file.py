# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a keystore: ``ewallet.p12``, opened by a password, and ``cwallet.sso``, which opens by itself.

Only the names are Oracle's; inside is JSON of our own. Whoever can read an auto-login keystore has the keys.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

PASSWORD_FILE = "ewallet.p12"
AUTO_LOGIN_FILE = "cwallet.sso"

_SALT_BYTES, _NONCE_BYTES = 16, 12
_COST = 1 << 12


class WrongKeystorePassword(ValueError):
    """The password does not open the keystore."""


def write_password_keystore(path: Path, keys: Mapping[str, bytes], password: str) -> None:
    """Write master keys by id, newest last, encrypted with a key made from the password."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    plain = json.dumps({name: key.hex() for name, key in keys.items()}).encode()
    sealed = AESGCM(_derived(password, salt)).encrypt(nonce, plain, None)
    _write(path, {"salt": salt.hex(), "nonce": nonce.hex(), "keys": sealed.hex()})


def read_password_keystore(path: Path, password: str) -> dict[str, bytes]:
    """The master keys. Raises OSError, WrongKeystorePassword."""
    content = json.loads(path.read_text(encoding="utf-8"))
    salt, nonce, sealed = (bytes.fromhex(content[name]) for name in ("salt", "nonce", "keys"))
    try:
        plain = AESGCM(_derived(password, salt)).decrypt(nonce, sealed, None)
    except InvalidTag as exc:
        raise WrongKeystorePassword(str(path)) from exc
    return {name: bytes.fromhex(key) for name, key in json.loads(plain).items()}


def write_auto_login_keystore(path: Path, keys: Mapping[str, bytes], host: str | None = None) -> None:
    """Write master keys for everybody; ``host`` is the only machine on which a local one opens."""
    _write(path, {"host": host, "keys": {name: key.hex() for name, key in keys.items()}})


def read_auto_login_keystore(path: Path, host: str) -> dict[str, bytes] | None:
    """The master keys, None on another machine than a local keystore's. Raises OSError."""
    content = json.loads(path.read_text(encoding="utf-8"))
    if content["host"] not in (None, host):
        return None
    return {name: bytes.fromhex(key) for name, key in content["keys"].items()}


def _derived(password: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=_COST, r=8, p=1).derive(password.encode())


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump(content, stream)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
