# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else there is to say of copies of one set of files: a line for each, printed by ``make bench-copy``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.copying import GIGABYTE, MEBIBYTE, Engine, fresh_folder
from benchmarks.machine import Spread, Watch

BLOCK_BYTES = 8192
DATA_BLOCK = 0x06
BODY_START, BODY_BYTES = 128, 8000
LIMIT_BYTES_PER_SECOND = 256 * MEBIBYTE


def tell_details(engine: Engine, files: Sequence[str], folder: Path, rounds: int, streams: int) -> None:
    """Measure and print all of them; ``folder`` is for copies."""
    bench = _Bench(engine, list(files), folder, max(3, rounds // 2), streams)
    for tell in (
        bench.tell_verification,
        bench.tell_block_check,
        bench.tell_standard_library,
        bench.tell_bandwidth,
        bench.tell_cold_source,
        bench.tell_cold_verification,
        bench.tell_compression,
    ):
        tell()


def copy_with_cp(files: Sequence[str], target: Path) -> float:
    """Copy with cp and flush; the seconds it took."""
    with Watch() as watch:
        subprocess.run(["cp", "--reflink=never", "--sparse=never", *files, str(target)], check=True)
        copies = [str(target / Path(path).name) for path in files]
        subprocess.run(["sync", *copies, str(target)], check=True)
    return watch.seconds


class _Bench:
    """The files, the engine, and where to copy to."""

    def __init__(self, engine: Engine, files: list[str], folder: Path, rounds: int, streams: int) -> None:
        self._engine = engine
        self._files = files
        self._folder = folder
        self._rounds = rounds
        self._streams = streams

    def _order(self, do: str, **more: object) -> dict[str, float]:
        target = str(fresh_folder(self._folder / "copies")) if do == "copy" else ""
        return self._engine.order(do=do, files=self._files, target=target, streams=self._streams, **more)

    def _repeat(self, measure: Callable[[], float]) -> str:
        return Spread(tuple(measure() for _round in range(self._rounds))).text()

    def tell_verification(self) -> None:
        """Verifying beside hashing alone, in turn."""
        # They differ by so little that a few pairs say nothing.
        pairs = range(max(7, 2 * self._rounds))
        ratios = [self._order("hash")["seconds"] / self._order("verify")["seconds"] for _pair in pairs]
        text = Spread(tuple(ratios)).text()
        hashing = self._repeat(lambda: _cpu(self._order("hash")))
        print(f"verification runs at {text} times the speed of hashing alone", flush=True)
        print(f"reading and hashing alone costs {hashing} cpu s/GB on this machine", flush=True)

    def tell_block_check(self) -> None:
        """The check's own time, as if nothing else ran meanwhile, beside that of a copy."""
        costs = self._repeat(lambda: _cpu(self._order("check")))
        share = self._repeat(lambda: self._order("check")["cpu_seconds"] / self._order("copy")["seconds"])
        print(f"the block check costs {costs} cpu s/GB, {share} of a copy's wall clock", flush=True)

    def tell_standard_library(self) -> None:
        """Without numpy, beside with it."""
        pairs = [
            (self._order("copy", accelerator="none"), self._order("copy")) for _round in range(self._rounds)
        ]
        costs = Spread(tuple(_cpu(plain) for plain, _fast in pairs)).text()
        slower = Spread(tuple(fast["seconds"] / plain["seconds"] for plain, fast in pairs)).text()
        print(
            f"with the standard library alone: {costs} cpu s/GB, {slower} times the speed with accelerators",
            flush=True,
        )

    def tell_bandwidth(self) -> None:
        """What a limit of 256 MiB a second comes to."""

        def measure() -> float:
            found = self._order("copy", max_bytes_per_second=LIMIT_BYTES_PER_SECOND)
            return found["bytes"] / found["seconds"] / LIMIT_BYTES_PER_SECOND

        print(f"with a bandwidth limit: {self._repeat(measure)} of it was used", flush=True)

    def tell_cold_source(self) -> None:
        """Sources that must come from the disk, beside cp; and what each leaves in the page cache."""
        ratios, left = [], {"engine": 0, "cp": 0}
        for _round in range(self._rounds):
            self._forget()
            before = _page_cache_bytes()
            seconds = self._order("copy")["seconds"]
            left["engine"] = max(left["engine"], _page_cache_bytes() - before)
            self._forget()
            target = fresh_folder(self._folder / "copies")
            before = _page_cache_bytes()
            ratios.append(copy_with_cp(self._files, target) / seconds)
            left["cp"] = max(left["cp"], _page_cache_bytes() - before)
        print(
            f"sources not in the page cache: {Spread(tuple(ratios)).text()} times the speed of cp+sync; in the cache "
            f"afterwards: {left['engine'] / MEBIBYTE:.0f} MiB more, after cp {left['cp'] / MEBIBYTE:.0f} MiB more",
            flush=True,
        )

    def tell_cold_verification(self) -> None:
        """As sets are verified, whose files no copy leaves in the page cache; beside hashing what must be read, too."""

        def cold(do: str) -> dict[str, float]:
            self._forget()
            return self._order(do)

        pairs = [(cold("hash"), cold("verify")) for _round in range(self._rounds)]
        ratios = Spread(tuple(alone["seconds"] / found["seconds"] for alone, found in pairs)).text()
        costs = Spread(tuple(_cpu(found) for _alone, found in pairs)).text()
        print(
            f"verification of files not in the page cache runs at {ratios} times the speed of hashing alone, "
            f"{costs} cpu s/GB",
            flush=True,
        )

    def tell_compression(self) -> None:
        """Files whose blocks hold text, as rows do, compressed at two levels; plain copies of them beside."""
        rows = self._folder / "rows"
        rows.mkdir()
        files = [str(rows / Path(path).name) for path in self._files[: self._streams]]
        for original, path in zip(self._files, files, strict=False):
            write_rows(original, path)

        def copy(**more: object) -> dict[str, float]:
            target = str(fresh_folder(self._folder / "copies"))
            return self._engine.order(do="copy", files=files, target=target, streams=self._streams, **more)

        plain = copy()
        for level in (1, 3):
            found = copy(compression={"level": level, "threads": 0})
            print(
                f"zstd level {level}: {found['bytes'] / found['seconds'] / MEBIBYTE:.0f} MiB/s, ratio "
                f"{found['bytes'] / found['stored_bytes']:.1f}, {_cpu(found):.1f} cpu s/GB; plain "
                f"{plain['bytes'] / plain['seconds'] / MEBIBYTE:.0f} MiB/s",
                flush=True,
            )
        shutil.rmtree(rows)

    def _forget(self) -> None:
        for path in self._files:
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)


def write_rows(original: str, path: str) -> None:
    """A copy of a file of 8K blocks in which every data block holds lines of words and numbers."""
    blocks = np.fromfile(original, dtype=np.uint8).reshape(-1, BLOCK_BYTES)
    made = np.random.default_rng(1)
    words = np.frombuffer(
        b"ACTIVE  CLOSED  PENDING SHIPPED INVOICEDCUSTOMERORDER   ", dtype=np.uint8
    ).reshape(-1, 8)
    digits = np.frombuffer(b"0123456789", dtype=np.uint8)
    data = np.flatnonzero(blocks[:, 0] == DATA_BLOCK)
    for some in np.array_split(data, max(1, len(data) // 4096)):
        body = made.choice(digits, (len(some), BODY_BYTES // 16, 16))
        body[:, :, :8] = words[made.integers(0, len(words), body.shape[:2])]
        blocks[some, BODY_START : BODY_START + BODY_BYTES] = body.reshape(len(some), -1)
        blocks[some, 16:18] = 0
        checksum = np.bitwise_xor.reduce(blocks[some].view(np.uint16), axis=1)
        blocks[some, 16:18] = checksum.reshape(-1, 1).view(np.uint8)
    blocks.tofile(path)


def _cpu(answer: dict[str, float]) -> float:
    return answer["cpu_seconds"] / (answer["bytes"] / GIGABYTE)


def _page_cache_bytes() -> int:
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("Cached:"):
            return int(line.split()[1]) << 10
    raise ValueError("the kernel reports no page cache")
