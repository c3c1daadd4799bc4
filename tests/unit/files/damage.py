# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of every kind, and everything that storage and software do to them.

Drawn from a generator that hypothesis seeds, so that rare forms are as frequent as common ones.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from random import Random

from unit.files import oracle_file_writer as writer

SECTOR = 512
OLD, NEW = 0x0B200400, 0x13000000
# No drawn file is larger than about this: the second reading goes through it byte by byte.
_MOST_BYTES = 40 * 1024
FORMS = ("used", "used", "never used", "empty", "unchecked", "before 10g", "nologging", "marked corrupt")
_ACCIDENTS = (
    "bit",
    "twin bits",
    "torn",
    "torn in half",
    "zero sector",
    "header field",
    "header field",
    "swap",
    "misplace",
    "zero",
    "garbage",
)


@dataclass(frozen=True)
class Sample:
    """A file as it should be, an earlier image of the same length, and where its blocks keep their checksum."""

    image: writer.Datafile | writer.RedoLog | writer.ControlFile
    data: bytes
    earlier: bytes
    checksum_at: int

    @property
    def block_size(self) -> int:
        return self.image.block_size

    @property
    def block_count(self) -> int:
        return len(self.data) // self.block_size


def draw_sample(random: Random) -> Sample:
    return random.choice((draw_datafile, draw_datafile, draw_log, draw_control_file))(random)


def draw_datafile(random: Random, sizes: tuple[int, ...] = (2048, 4096, 8192, 16384, 32768)) -> Sample:
    size = random.choice(sizes)
    image = writer.Datafile(
        block_size=size,
        relative=random.choice((1, 4, 1023)),
        bigfile=random.random() < 0.3,
        big_endian=random.random() < 0.4,
        compatibility=random.choice((OLD, NEW)),
    )
    earlier = dataclasses.replace(image, checkpoint_scn=image.checkpoint_scn - 1, bodies=[])
    for number in range(2, max(3, min(10, _MOST_BYTES // size))):
        image.bodies.append(data_block(random, image, number, random.choice(FORMS)))
        earlier.bodies.append(data_block(random, image, number, "used"))
    return Sample(image, image.to_bytes(), earlier.to_bytes(), 16)


def data_block(random: Random, image: writer.Datafile, number: int, form: str) -> bytes:
    """A sound block of one of FORMS, its body random."""
    rdba = image.rdba(number)
    if form in ("never used", "empty"):
        file_part = rdba - number if form == "empty" else 0
        return writer.never_used_block(image.block_size, number, file_part, image.big_endian)
    return writer.cache_block(
        image.block_size,
        kind=random.choice((0x06, 0x02, 0x20, 0x7E)),
        rdba=rdba,
        scn=random.getrandbits(48),
        seq={"nologging": 0, "marked corrupt": 0xFF}.get(form, random.randint(1, 254)),
        body=random.randbytes(image.block_size - 24),
        flags=random.choice((0x00, 0x02)) if form == "unchecked" else random.choice((0x04, 0x06, 0x16)),
        fmt=0x02 if form == "before 10g" else None,
        big_endian=image.big_endian,
    )


def draw_log(random: Random) -> Sample:
    written = random.randint(2, 14)
    image = writer.RedoLog(
        block_size=random.choice((512, 512, 1024, 4096)),
        blocks_written=written,
        blocks_allocated=written - 1 + random.choice((0, 0, 3)),
        current=random.random() < 0.3,
        checksums=random.random() < 0.7,
        big_endian=random.random() < 0.4,
    )
    # The log that was in the same file before.
    earlier = dataclasses.replace(image, sequence=image.sequence - 3, checksums=True)
    return Sample(image, image.to_bytes(), earlier.to_bytes(), 14)


def draw_control_file(random: Random) -> Sample:
    image = writer.ControlFile(block_size=random.choice((2048, 8192)), big_endian=random.random() < 0.4)
    earlier = dataclasses.replace(image, scn=77)
    return Sample(image, image.to_bytes(), earlier.to_bytes(), 16)


def draw_damaged(random: Random, sample: Sample, most: int = 5) -> bytes:
    """The sample's bytes after up to ``most`` accidents; what they hit may be sound all the same."""
    data = bytearray(sample.data)
    size = sample.block_size
    for _accident in range(random.randint(0, most)):
        number = random.randrange(sample.block_count)
        _hurt(random, data, sample, number * size)
        if random.random() < 0.3:
            # As software does it that knows no better: wrong content under a right checksum.
            block = bytearray(data[number * size : (number + 1) * size])
            at = sample.checksum_at if number else 16
            data[number * size : (number + 1) * size] = writer.store_checksum(block, at)
    return bytes(data)


def _hurt(random: Random, data: bytearray, sample: Sample, start: int) -> None:
    """One accident in the block that begins at ``start``."""
    size = sample.block_size
    end = start + size
    sector = start + random.randrange(size // SECTOR) * SECTOR
    other = random.randrange(sample.block_count) * size
    accident = random.choice(_ACCIDENTS)
    if accident == "bit":
        data[random.randrange(start, end)] ^= 1 << random.randrange(8)
    elif accident == "twin bits":
        for word in random.sample(range(size // 2), 2):
            data[start + word * 2] ^= 0x10
    elif accident == "torn":
        data[sector : sector + SECTOR] = sample.earlier[sector : sector + SECTOR]
    elif accident == "torn in half":
        data[start + size // 2 : end] = sample.earlier[start + size // 2 : end]
    elif accident == "zero sector":
        data[sector : sector + SECTOR] = bytes(SECTOR)
    elif accident == "header field":
        place = random.choice((*range(20), size - 4, size - 3, size - 2, size - 1))
        data[start + place] = random.choice((0, 1, 2, 4, 6, 0x15, 0xFE, 0xFF))
    elif accident == "swap":
        mine = data[start:end]
        data[start:end] = data[other : other + size]
        data[other : other + size] = mine
    elif accident == "misplace":
        data[start:end] = data[other : other + size]
    elif accident == "zero":
        data[start:end] = bytes(size)
    else:
        data[start:end] = random.randbytes(size)
