# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Encrypted blocks and redo: the envelope stays readable, the rows do not.

Header, tail and checksum are as ever, the checksum over the bytes as they are stored; flag 0x10 says that the body
is encrypted. Only blocks with rows are; headers, bitmaps and never-used blocks are not. The cipher is AES in
counter mode; how Oracle's own looks is not documented.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Iterable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from oracle_simulator.storage.block import FLAG_ENCRYPTED, HEADER_SIZE, TAIL_SIZE, BlockType, fold, type_of
from oracle_simulator.storage.redo_record import BlockOperation, Image, Put

_FLAG_OFFSET = 15
_CHECKSUM = struct.Struct("<H")
_CHECKSUM_OFFSET = 16
_ADDRESS_AND_VERSION = slice(4, 15)
_NONCE_BYTES = 16


class BlockCipher:
    """What one key does to blocks and to what the redo says of them."""

    def __init__(self, key: bytes) -> None:
        self._algorithm = algorithms.AES(key)

    def encrypt_block(self, sealed: bytes) -> bytes:
        """A sealed block as it is stored. Blocks without rows, and corrupt ones, are left as they are."""
        if type_of(sealed) != BlockType.TABLE or sealed[14] == 0xFF:
            return sealed
        return self._turned(sealed, sealed[_FLAG_OFFSET] | FLAG_ENCRYPTED)

    def decrypt_block(self, stored: bytes) -> bytes:
        """The sealed block that was stored."""
        if not stored[_FLAG_OFFSET] & FLAG_ENCRYPTED:
            return stored
        return self._turned(stored, stored[_FLAG_OFFSET] & ~FLAG_ENCRYPTED)

    def encrypt_operations(self, operations: Iterable[BlockOperation]) -> tuple[BlockOperation, ...]:
        """Changes of a block as they stand in the redo."""
        return tuple(self._encrypted(operation) for operation in operations)

    def decrypt_operations(self, operations: Iterable[BlockOperation]) -> tuple[BlockOperation, ...]:
        """The changes that were encrypted."""
        return tuple(self._decrypted(operation) for operation in operations)

    def _encrypted(self, operation: BlockOperation) -> BlockOperation:
        if isinstance(operation, Put):
            nonce = secrets.token_bytes(_NONCE_BYTES)
            return Put(operation.slot, nonce + self._stream(nonce, operation.data))
        return Image(self.encrypt_block(operation.data)) if isinstance(operation, Image) else operation

    def _decrypted(self, operation: BlockOperation) -> BlockOperation:
        if isinstance(operation, Put):
            nonce, data = operation.data[:_NONCE_BYTES], operation.data[_NONCE_BYTES:]
            return Put(operation.slot, self._stream(nonce, data))
        return Image(self.decrypt_block(operation.data)) if isinstance(operation, Image) else operation

    def _turned(self, block: bytes, flags: int) -> bytes:
        buf = bytearray(block)
        nonce = block[_ADDRESS_AND_VERSION].ljust(_NONCE_BYTES, b"\0")
        buf[HEADER_SIZE:-TAIL_SIZE] = self._stream(nonce, block[HEADER_SIZE:-TAIL_SIZE])
        buf[_FLAG_OFFSET] = flags
        _CHECKSUM.pack_into(buf, _CHECKSUM_OFFSET, 0)
        _CHECKSUM.pack_into(buf, _CHECKSUM_OFFSET, fold(buf))
        return bytes(buf)

    def _stream(self, nonce: bytes, data: bytes) -> bytes:
        stream = Cipher(self._algorithm, modes.CTR(nonce)).encryptor()
        return stream.update(data) + stream.finalize()
