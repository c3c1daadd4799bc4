# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The 12c password verifier: proving a password to each other without sending it.

A server keeps only PBKDF2 of the password. Both sides contribute half a session key, exchanged under
that; the password then travels under a key derived from both halves. Hashes and key sizes: Oracle
Database Security Guide, "12C password version" (PBKDF2 with SHA-512), and what thin clients do.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from oracle_simulator.net.backend import Verifier

VERIFIER_12C = 0x4815
"""The verifier type, told to the client in the flags of AUTH_VFR_DATA."""

_SPEEDY_KEY_LABEL = b"AUTH_PBKDF2_SPEEDY_KEY"
_SESSION_KEY_ROUNDS = 3
_ZERO_IV = bytes(16)


def make_verifier(password: str, *, rounds: int = 4096, salt: bytes | None = None) -> Verifier:
    """The verifier of ``password``; fewer ``rounds`` make connecting cheaper (and guessing, too)."""
    chosen = secrets.token_bytes(16) if salt is None else salt
    return Verifier(chosen, _password_key(password.encode(), chosen, rounds), rounds)


def is_password(verifier: Verifier, password: str) -> bool:
    """Whether the verifier is this password's."""
    return hmac.compare_digest(
        _password_key(password.encode(), verifier.salt, verifier.rounds), verifier.pw_key
    )


def unknown_user_verifier() -> Verifier:
    """A verifier that no password satisfies, so that an unknown name looks like a wrong password."""
    return Verifier(secrets.token_bytes(16), secrets.token_bytes(64))


def _password_key(password: bytes, salt: bytes, rounds: int) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password, salt + _SPEEDY_KEY_LABEL, rounds, 64)


def _encrypt(key: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(_ZERO_IV)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def _decrypt(key: bytes, data: bytes) -> bytes:
    decryptor = Cipher(algorithms.AES(key), modes.CBC(_ZERO_IV)).decryptor()
    return decryptor.update(data) + decryptor.finalize()


def _hex(data: bytes) -> str:
    return data.hex().upper()


class Challenge:
    """One logon in progress: what the server has asked, and the judgement of the client's answer."""

    def __init__(
        self, verifier: Verifier, server_half: bytes | None = None, session_salt: bytes | None = None
    ) -> None:
        self._verifier = verifier
        self._server_half = server_half or secrets.token_bytes(32)
        self._session_salt = session_salt or secrets.token_bytes(16)
        self._key = bytes(32)
        self._password_hash = hashlib.sha512(verifier.pw_key + verifier.salt).digest()[:32]

    def entries(self) -> list[tuple[str, str, int]]:
        """Key, value and flags of each entry of the server's first answer."""
        return [
            ("AUTH_SESSKEY", _hex(_encrypt(self._password_hash, self._server_half)), 0),
            ("AUTH_VFR_DATA", _hex(self._verifier.salt), VERIFIER_12C),
            ("AUTH_PBKDF2_CSK_SALT", _hex(self._session_salt), 0),
            ("AUTH_PBKDF2_VGEN_COUNT", str(self._verifier.rounds), 0),
            ("AUTH_PBKDF2_SDER_COUNT", str(_SESSION_KEY_ROUNDS), 0),
        ]

    def decrypt(self, password: str) -> str | None:
        """A password that came under the session key of :meth:`accept`, None if it was another key.
        ValueError for what is not hexadecimal or not whole blocks."""
        plain = _decrypt(self._key, bytes.fromhex(password))
        padding = plain[-1] if plain else 0
        if not 1 <= padding <= 16 or plain[-padding:] != bytes((padding,)) * padding:
            return None
        try:
            return plain[16:-padding].decode()
        except UnicodeDecodeError:
            return None

    def accept(self, session_key: str, password: str) -> str | None:
        """AUTH_SVR_RESPONSE for the client's AUTH_SESSKEY and AUTH_PASSWORD, None if the password is
        wrong. ValueError for what is not hexadecimal or not whole blocks."""
        client_half = _decrypt(self._password_hash, bytes.fromhex(session_key))[:32]
        key = hashlib.pbkdf2_hmac(
            "sha512",
            _hex(client_half + self._server_half).encode(),
            self._session_salt,
            _SESSION_KEY_ROUNDS,
            32,
        )
        self._key = key
        offered = self.decrypt(password)
        if offered is None or not is_password(self._verifier, offered):
            return None
        return _hex(_encrypt(key, secrets.token_bytes(16) + b"SERVER_TO_CLIENT" + b"\x10" * 16))
