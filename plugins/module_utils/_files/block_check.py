# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Physical checks of Oracle blocks, the ones dbv makes without looking inside a block's body.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import struct
from array import array

from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_checker import (
    BlockChecker,
    Verdict,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_columns import (
    BlockColumns,
    outside,
    unequal,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.block_fault import (
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
_WITH_CHECKSUM = bytes(flags for flags in range(256) if flags & _CHECKSUM_STORED)
_MARKED_CORRUPT = 0xFF
_NOT_MARKED_CORRUPT = bytes(range(_MARKED_CORRUPT))
_NEVER_USED = 0x00
_CONTROL_BLOCK = 0x15
# From 12.2 on, bytes 2 and 3 of a block header belong to the SCN; before, they are always 0.
_EIGHT_BYTE_SCN = 0x0C200000
_BLOCK_NUMBER_BITS = 22
# Which header byte each of the last four bytes of a block repeats: the tail is the u4 (low half of the SCN
# base) << 16 | type << 8 | seq.
_TAIL_LITTLE = (14, 0, 8, 9)
_TAIL_BIG = (10, 11, 0, 14)


class _CacheBlockChecker(BlockChecker):
    """Blocks with the 20-byte cache header and the tail: those of datafiles and control files."""

    # Bytes 2 and 3 of the header are the third part of the SCN.
    _eight_byte_scn = True

    def __init__(self, block_size: int, accelerator: str, file: str, big_endian: bool) -> None:
        super().__init__(block_size, accelerator, file, big_endian)
        self._header = struct.Struct(self._order + "BBBBIIHBBHH")
        self._repeated_in_tail = _TAIL_BIG if big_endian else _TAIL_LITTLE

    def _judge_envelope(self, number: int, block: memoryview, header_rule: str, place_rule: str) -> Verdict:
        """Judge in dbv's order. The two rules are what the caller found broken; empty means kept."""
        order = self._order
        kind, fmt, spare1, spare2, rdba, base, wrap, seq, flg, stored, spare3 = self._header.unpack_from(
            block
        )
        (tail,) = struct.unpack_from(order + "I", block, self.block_size - 4)
        (third,) = struct.unpack_from(order + "H", block, 2) if self._eight_byte_scn else (0,)
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
        elif lost_flag:
            found, expected = BAD_CHECKSUM, f"flg 0x{flg | _CHECKSUM_STORED:02x}"
        elif has_checksum and residual:
            found, expected = BAD_CHECKSUM, f"check value 0x{stored ^ residual:04x}"
        elif seq == _MARKED_CORRUPT:
            found, expected = SOFT_CORRUPT, "a block not marked corrupt by the database"
        else:
            return Verdict(empty=kind == _NEVER_USED, without_checksum=not has_checksum)
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

    def _sift(self, first_block: int, columns: BlockColumns) -> list[int]:
        types, flags = columns.bytes_at(0), columns.bytes_at(15)
        unsummed = outside(flags, _WITH_CHECKSUM)
        doubtful = self._breaking_own_rules(first_block, types, columns)
        doubtful.update(outside(columns.bytes_at(1), self._formats))
        doubtful.update(outside(columns.bytes_at(14), _NOT_MARKED_CORRUPT))
        for place, repeated in enumerate(self._repeated_in_tail, self.block_size - 4):
            doubtful.update(unequal(columns.bytes_at(place), columns.bytes_at(repeated)))
        doubtful.update(set(self._sweep.failing(columns.data)).difference(unsummed))
        if unsummed:
            # A check value although there is no checksum: to be looked at.
            stored = {*outside(columns.bytes_at(16), b"\0"), *outside(columns.bytes_at(17), b"\0")}
            doubtful.update(stored.intersection(unsummed))
        self.counts.without_checksum += len(set(unsummed) - doubtful)
        self.counts.empty += types.count(_NEVER_USED) - sum(types[index] == _NEVER_USED for index in doubtful)
        return sorted(doubtful)

    def _breaking_own_rules(self, first_block: int, types: bytes, columns: BlockColumns) -> set[int]:
        """Return the indexes of the blocks that break a rule this kind of file has for itself."""
        raise NotImplementedError


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
        self._eight_byte_scn = compatibility >= _EIGHT_BYTE_SCN

    def _judge(self, number: int, block: memoryview) -> Verdict:
        if self._is_all_zero(block):
            return self._all_zero(number)
        header_rule = place_rule = ""
        if block[1] not in self._formats:
            header_rule = f"format 0x{self._formats[0]:02x}"
        elif not self._eight_byte_scn and (block[2] or block[3]):
            header_rule = "spare bytes 0"
        (rdba,) = struct.unpack_from(self._order + "I", block, 4)
        expected = self._file_part + number
        # A block never used since the file was created may lack the file number.
        if rdba != expected and not (block[0] == _NEVER_USED and rdba == number):
            place_rule = f"rdba 0x{expected:08x}"
        return self._judge_envelope(number, block, header_rule, place_rule)

    def _breaking_own_rules(self, first_block: int, types: bytes, columns: BlockColumns) -> set[int]:
        addresses = columns.u4_at(4)
        first = self._file_part + first_block
        # A block never used since the file was created may lack the file number.
        doubtful = {
            index
            for index in unequal(addresses, array("I", range(first, first + columns.count)))
            if types[index] != _NEVER_USED or addresses[index] != first_block + index
        }
        if not self._eight_byte_scn:
            doubtful.update(outside(columns.bytes_at(2), b"\0"))
            doubtful.update(outside(columns.bytes_at(3), b"\0"))
        return doubtful


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
        if self._is_all_zero(block):
            return Verdict(empty=True)
        header_rule = ""
        if block[0] != _CONTROL_BLOCK or block[1] not in self._formats:
            header_rule = f"type 0x{_CONTROL_BLOCK:02x} and format 0x{self._formats[0]:02x}"
        return self._judge_envelope(number, block, header_rule, "")

    def _breaking_own_rules(self, _first_block: int, types: bytes, _columns: BlockColumns) -> set[int]:
        return set(outside(types, bytes((_CONTROL_BLOCK,))))
