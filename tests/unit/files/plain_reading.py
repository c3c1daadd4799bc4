# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second reading of the rules for Oracle blocks: byte by byte, a whole file at once, with no thought of speed.

It shares nothing with what it is compared with, neither code nor tables; it has no notion of pieces, columns or
accelerators. What it returns is compared field by field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FORMATS = {
    512: (0x22, 0x02),
    1024: (0x42, 0x02, 0x22),
    2048: (0x62, 0x02),
    4096: (0x82, 0x02),
    8192: (0xA2, 0x02),
    16384: (0xC2, 0x02),
    32768: (0xE2, 0x02),
}
NO_FIELDS: dict[str, int | None] = dict.fromkeys(
    (
        "type",
        "format",
        "rdba",
        "last_change_scn",
        "seq",
        "flg",
        "spare1",
        "spare2",
        "spare3",
        "consistency_value_in_tail",
        "check_value_in_block_header",
        "computed_block_checksum",
    )
)


@dataclass
class Reading:
    """What is wrong with a file: one dictionary of fields per fault, ordered by block, and the counters."""

    faults: list[dict[str, Any]] = field(default_factory=list)
    examined: int = 0
    empty: int = 0
    without_checksum: int = 0
    influx: int = 0
    corrupt: int = 0
    soft_corrupt: int = 0

    def blame(self, number: int, size: int, kind: str, fields: dict[str, int]) -> None:
        self.faults.append({"block": number, "offset": number * size, "kind": kind, **NO_FIELDS, **fields})
        if kind == "soft_corrupt":
            self.soft_corrupt += 1
        else:
            self.corrupt += 1
        if kind == "fractured":
            self.influx += 1

    @property
    def counts(self) -> dict[str, int]:
        return {name: value for name, value in vars(self).items() if name != "faults"}


def number_at(block: bytes, offset: int, length: int, big_endian: bool) -> int:
    value = 0
    for index in range(length):
        byte = block[offset + index]
        value = value * 256 + byte if big_endian else value + byte * 256**index
    return value


def xor_of_words(block: bytes, big_endian: bool) -> int:
    even = odd = 0
    for offset in range(0, len(block), 2):
        even ^= block[offset]
        odd ^= block[offset + 1]
    return even * 256 + odd if big_endian else odd * 256 + even


def blocks_of(data: bytes, size: int) -> list[bytes]:
    return [data[start : start + size] for start in range(0, len(data), size)]


def read_datafile(
    data: bytes, size: int, relative: int, bigfile: bool, compatibility: int, big_endian: bool
) -> Reading:
    reading = Reading()
    for number, block in enumerate(blocks_of(data, size)):
        if number == 0:
            read_block_zero(reading, block, size, big_endian)
            continue
        reading.examined += 1
        if not any(block):
            reading.blame(number, size, "all_zero", {})
            continue
        rdba = number_at(block, 4, 4, big_endian)
        wanted = number if bigfile else relative * 4194304 + number
        new_scn = compatibility >= 0x0C200000
        bad_header = block[1] not in FORMATS[size] or (not new_scn and (block[2] != 0 or block[3] != 0))
        misplaced = rdba != wanted and not (block[0] == 0 and rdba == number)
        read_envelope(reading, number, block, big_endian, bad_header, misplaced, new_scn)
    return reading


def read_control_file(data: bytes, size: int, big_endian: bool) -> Reading:
    reading = Reading()
    for number, block in enumerate(blocks_of(data, size)):
        if number == 0:
            read_block_zero(reading, block, size, big_endian)
            continue
        reading.examined += 1
        if not any(block):
            reading.empty += 1
            continue
        bad_header = block[0] != 0x15 or block[1] not in FORMATS[size]
        read_envelope(reading, number, block, big_endian, bad_header, False, True)
    return reading


def read_envelope(
    reading: Reading,
    number: int,
    block: bytes,
    big_endian: bool,
    bad_header: bool,
    misplaced: bool,
    new_scn: bool,
) -> None:
    base = number_at(block, 8, 4, big_endian)
    scn = number_at(block, 12, 2, big_endian) * 2**32 + base
    if new_scn:
        scn += number_at(block, 2, 2, big_endian) * 2**48
    seq, flg = block[14], block[15]
    stored = number_at(block, 16, 2, big_endian)
    tail = number_at(block, len(block) - 4, 4, big_endian)
    residual = xor_of_words(block, big_endian)
    with_flag = block[:15] + bytes([flg | 4]) + block[16:]
    checked = flg & 4 != 0
    lost_flag = not checked and stored != 0 and xor_of_words(with_flag, big_endian) == 0
    fields = {
        "type": block[0],
        "format": block[1],
        "rdba": number_at(block, 4, 4, big_endian),
        "last_change_scn": scn,
        "seq": seq,
        "flg": flg,
        "spare1": block[2],
        "spare2": block[3],
        "spare3": number_at(block, 18, 2, big_endian),
        "consistency_value_in_tail": tail,
        "check_value_in_block_header": stored,
        "computed_block_checksum": residual,
    }
    if bad_header:
        reading.blame(number, len(block), "bad_header", fields)
    elif misplaced:
        reading.blame(number, len(block), "misplaced", fields)
    elif tail != base % 65536 * 65536 + block[0] * 256 + seq:
        reading.blame(number, len(block), "fractured", fields)
    elif (checked and residual != 0) or lost_flag:
        reading.blame(number, len(block), "bad_checksum", fields)
    elif seq == 255:
        reading.blame(number, len(block), "soft_corrupt", fields)
    else:
        reading.empty += block[0] == 0
        reading.without_checksum += not checked


def read_block_zero(reading: Reading, block: bytes, size: int, big_endian: bool) -> None:
    magic = "7a7b7c7d" if big_endian else "7d7c7b7a"
    residual = xor_of_words(block, big_endian)
    fields = {
        "type": block[0],
        "format": block[1],
        "check_value_in_block_header": number_at(block, 16, 2, big_endian),
        "computed_block_checksum": residual,
    }
    if not any(block):
        reading.blame(0, size, "all_zero", {})
    elif (
        block[0] != 0
        or block[1] not in FORMATS[size]
        or number_at(block, 20, 4, big_endian) != size
        or block[28:32].hex() != magic
    ):
        reading.blame(0, size, "bad_header", fields)
    elif residual != 0:
        reading.blame(0, size, "bad_checksum", fields)


def read_log(data: bytes, size: int, sequence: int, next_available: int | None, big_endian: bool) -> Reading:
    """``next_available`` is None for a current log: the first block of another sequence is its end."""
    reading = Reading()
    blocks = blocks_of(data, size)
    end = len(blocks) if next_available is None else min(next_available, len(blocks))
    if next_available is None:
        for number in range(2, len(blocks)):
            if number_at(blocks[number], 8, 4, big_endian) != sequence:
                end = number
                break
    read_block_zero(reading, blocks[0], size, big_endian)
    unproved: list[tuple[int, dict[str, int]]] = []
    proved = False
    for number in range(1, end):
        block = blocks[number]
        reading.examined += 1
        stored = number_at(block, 14, 2, big_endian)
        residual = xor_of_words(block, big_endian)
        fields = {
            "type": block[0],
            "format": block[1],
            "rdba": number_at(block, 4, 4, big_endian),
            "seq": number_at(block, 8, 4, big_endian),
            "check_value_in_block_header": stored,
            "computed_block_checksum": residual,
        }
        if block[0] != 1 or block[1] not in FORMATS[size] or block[2] != 0 or block[3] != 0:
            reading.blame(number, size, "bad_header", fields)
        elif fields["rdba"] != number or fields["seq"] != sequence:
            reading.blame(number, size, "misplaced", fields)
        elif residual != 0 and stored != 0:
            reading.blame(number, size, "bad_checksum", fields)
        elif residual != 0:
            unproved.append((number, fields))
        elif stored != 0:
            proved = True
    # A log written without checksums has 0 in the field of every block.
    for number, fields in unproved:
        if proved:
            reading.blame(number, size, "bad_checksum", fields)
        else:
            reading.without_checksum += 1
    reading.faults.sort(key=lambda fault: fault["block"])
    return reading
