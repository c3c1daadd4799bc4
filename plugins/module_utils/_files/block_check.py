# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical checks of Oracle blocks, the ones dbv makes without looking inside a block's body.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_checker import (
    SOUND,
    BlockChecker,
    Verdict,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
    ALL_ZERO,
    BAD_CHECKSUM,
    BAD_HEADER,
    FRACTURED,
    MISPLACED,
    SOFT_CORRUPT,
    BlockCounts,
    BlockFault,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import xor_words
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.redo_check import RedoChecker

__all__ = [
    "BlockChecker",
    "BlockCounts",
    "BlockFault",
    "ControlFileChecker",
    "DatafileChecker",
    "RedoChecker",
]

_CHECKSUM_STORED = 0x04
_MARKED_CORRUPT = 0xFF
_CONTROL_BLOCK = 0x15
# From 12.2 on, bytes 2 and 3 of a block header belong to the SCN; before, they are always 0.
_EIGHT_BYTE_SCN = 0x0C200000
_BLOCK_NUMBER_BITS = 22


class _CacheBlockChecker(BlockChecker):
    """Blocks with the 20-byte cache header and the tail: those of datafiles and control files."""

    def _judge_envelope(self, number: int, block: memoryview, header_rule: str, place_rule: str) -> Verdict:
        """Judge in dbv's order. The two rules are what the caller found broken; empty means kept."""
        order = ">" if self._big_endian else "<"
        kind, fmt, spare1, spare2, rdba, base, wrap, seq, flg, stored, spare3 = struct.unpack_from(
            order + "BBBBIIHBBHH", block
        )
        (tail,) = struct.unpack_from(order + "I", block, self.block_size - 4)
        # Zero before 12.2, where these two bytes are the spare ones.
        (third,) = struct.unpack_from(order + "H", block, 2)
        residual = xor_words(block, self._big_endian)
        right_tail = (base & 0xFFFF) << 16 | kind << 8 | seq
        has_checksum = bool(flg & _CHECKSUM_STORED)
        # A block without checksum holds 0 in its place. Where it does not, and the block would be sound but
        # for the flag, the flag is what was lost.
        flag_alone = struct.unpack(order + "H", bytes((0, _CHECKSUM_STORED)))[0]
        lost_flag = not has_checksum and stored != 0 and residual == flag_alone
        if header_rule:
            found, expected = BAD_HEADER, header_rule
        elif place_rule:
            found, expected = MISPLACED, place_rule
        elif tail != right_tail:
            found, expected = FRACTURED, f"tail 0x{right_tail:08x}"
        elif (has_checksum and residual) or lost_flag:
            found, expected = BAD_CHECKSUM, f"check value 0x{stored ^ residual:04x}"
        elif seq == _MARKED_CORRUPT:
            found, expected = SOFT_CORRUPT, "a block not marked corrupt by the database"
        elif kind and has_checksum:
            return SOUND
        else:
            return Verdict(empty=kind == 0, without_checksum=not has_checksum)
        return Verdict(
            fault=BlockFault(
                file=self.file,
                block=number,
                offset=number * self.block_size,
                kind=found,
                expected=expected,
                type=kind,
                format=fmt,
                rdba=rdba,
                last_change_scn=third << 48 | wrap << 32 | base,
                seq=seq,
                flg=flg,
                spare1=spare1,
                spare2=spare2,
                spare3=spare3,
                consistency_value_in_tail=tail,
                check_value_in_block_header=stored,
                computed_block_checksum=residual,
            )
        )

    def _all_zero(self, number: int) -> Verdict:
        offset = number * self.block_size
        expected = "a block that is not all zero"
        return Verdict(
            fault=BlockFault(file=self.file, block=number, offset=offset, kind=ALL_ZERO, expected=expected)
        )

    def _is_consistent(self, raw: Any, words: Any, xor: Any) -> Any:
        """Return which blocks have a right tail, a right checksum or rightly none, and no corruption mark."""
        np = self._numpy
        seq = raw[:, 14].astype(np.uint32)
        tail = (words[:, 2] & 0xFFFF) << 16 | raw[:, 0].astype(np.uint32) << 8 | seq
        has_checksum = (raw[:, 15] & _CHECKSUM_STORED) != 0
        no_check_value = (raw[:, 16] | raw[:, 17]) == 0
        checked = np.where(has_checksum, xor == 0, no_check_value)
        return (words[:, -1] == tail) & checked & (seq != _MARKED_CORRUPT)

    def _settle(self, raw: Any, sound: Any) -> list[int]:
        """Count the sound blocks; return the indexes of the others."""
        np = self._numpy
        self.counts.empty += int(np.count_nonzero(sound & (raw[:, 0] == 0)))
        self.counts.without_checksum += int(np.count_nonzero(sound & ((raw[:, 15] & _CHECKSUM_STORED) == 0)))
        return [int(index) for index in np.flatnonzero(~sound)]


class DatafileChecker(_CacheBlockChecker):
    """Checks a datafile or tempfile. ``compatibility`` is the header's: 0x0c200000 for 12.2."""

    def __init__(
        self,
        block_size: int,
        relative_file_number: int,
        bigfile: bool,
        compatibility: int,
        accelerator: str = "auto",
        file: str = "",
        big_endian: bool = False,
    ) -> None:
        super().__init__(block_size, accelerator, file, big_endian)
        # A bigfile's blocks carry no file number: all 32 bits are the block number.
        self._file_part = 0 if bigfile else relative_file_number << _BLOCK_NUMBER_BITS
        self._spare_must_be_zero = compatibility < _EIGHT_BYTE_SCN

    def _judge(self, number: int, block: memoryview) -> Verdict:
        if block[1] == 0 and block == self._zeros:
            return self._all_zero(number)
        header_rule = place_rule = ""
        if block[1] not in self._formats:
            header_rule = f"format 0x{self._formats[0]:02x}"
        elif self._spare_must_be_zero and (block[2] or block[3]):
            header_rule = "spare bytes 0"
        (rdba,) = struct.unpack_from(">I" if self._big_endian else "<I", block, 4)
        expected = self._file_part | number
        # A block never used since the file was created may lack the file number.
        if rdba != expected and not (block[0] == 0 and rdba == number):
            place_rule = f"rdba 0x{expected:08x}"
        return self._judge_envelope(number, block, header_rule, place_rule)

    def _sift(self, first_block: int, data: memoryview) -> list[int]:
        np = self._numpy
        raw, words, xor = self._views(data)
        number = np.arange(first_block, first_block + len(raw), dtype=np.uint32)
        rdba = words[:, 1]
        in_place = (rdba == (number | np.uint32(self._file_part))) | ((raw[:, 0] == 0) & (rdba == number))
        sound = in_place & self._has_valid_format(raw) & self._is_consistent(raw, words, xor)
        if self._spare_must_be_zero:
            sound &= (raw[:, 2] | raw[:, 3]) == 0
        return self._settle(raw, sound)


class ControlFileChecker(_CacheBlockChecker):
    """Checks a control file.

    Its blocks have the cache header, tail and checksum; how its records use the address field is not
    documented, so the address is not checked, and a block of zeros is an unused one.
    """

    def __init__(
        self, block_size: int, accelerator: str = "auto", file: str = "", big_endian: bool = False
    ) -> None:
        super().__init__(block_size, accelerator, file, big_endian)

    def _judge(self, number: int, block: memoryview) -> Verdict:
        if block[1] == 0 and block == self._zeros:
            return Verdict(empty=True)
        header_rule = ""
        if block[0] != _CONTROL_BLOCK or block[1] not in self._formats:
            header_rule = f"type 0x{_CONTROL_BLOCK:02x} and format 0x{self._formats[0]:02x}"
        return self._judge_envelope(number, block, header_rule, "")

    def _sift(self, first_block: int, data: memoryview) -> list[int]:
        raw, words, xor = self._views(data)
        sound = (raw[:, 0] == _CONTROL_BLOCK) & self._has_valid_format(raw)
        return self._settle(raw, sound & self._is_consistent(raw, words, xor))
