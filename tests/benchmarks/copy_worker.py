# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The copy engine in a process of its own, so that its memory and processor time can be told from others'.

Reads one JSON object a line: ``{"do": "copy" | "verify" | "hash" | "check", "files": [...], "target": folder,
"streams": n, "accelerator": "auto" | "none", "max_bytes_per_second": n, "compression": {"level": n, "threads": n}}``.
Answers each with ``{"seconds", "cpu_seconds", "bytes", "peak_bytes", "idle_bytes"}``, memory being resident bytes at
the highest and before the first order, and a copy also with ``stored_bytes``, what the copies have on disk.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.compression import (
    SUFFIXES,
    ZSTD,
    Compression,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.bandwidth import Bandwidth
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import BUFFER_SIZE_BYTES
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.checksum import load_accelerator
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.copy_engine import (
    CopyRequest,
    copy_many,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_headers import (
    FileKind,
    read_datafile_header,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.file_identity import (
    FileExpectations,
    checker_for,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import IoContext
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.streams import StreamSettings, run_all
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.verification import VerifyTask

CHUNK_BYTES = 64 << 20
BUFFER_BYTES = 4 << 20


def copy(order: dict[str, Any]) -> dict[str, int]:
    """Copy as the product does: block check, digest, compression if asked for, flush, final name."""
    compression = Compression(ZSTD, **order["compression"]) if order.get("compression") else Compression()
    results = copy_many(
        [
            CopyRequest(
                str(path),
                f"{order['target']}/{Path(path).name}{SUFFIXES[compression.name]}",
                FileKind.DATAFILE,
                compression=compression,
            )
            for path in order["files"]
        ],
        StreamSettings(order["streams"]),
        IoContext(
            accelerator=order.get("accelerator", "auto"),
            bandwidth=Bandwidth(order["max_bytes_per_second"]) if "max_bytes_per_second" in order else None,
        ),
    )
    faults = sum(result.fault_count for result in results)
    if faults:
        raise RuntimeError(f"{faults} faulty blocks in files that are sound")
    return {
        "bytes": sum(result.size_bytes for result in results),
        "stored_bytes": sum(result.stored_size_bytes for result in results),
    }


def verify(order: dict[str, Any]) -> dict[str, int]:
    """Read back: header, block check, digest."""
    expected = FileExpectations(FileKind.DATAFILE)
    tasks = [VerifyTask(path, expected) for path in order["files"]]
    results = run_all(tasks, StreamSettings(order["streams"]), Event())
    problems = [problem for result in results for problem in result.problems]
    if problems:
        raise RuntimeError(problems[0])
    return {"bytes": sum(result.size_bytes for result in results)}


def hash_alone(order: dict[str, Any]) -> dict[str, int]:
    """The same digest over the same files with as many threads, and nothing else."""
    ranges = [
        (path, start) for path in order["files"] for start in range(0, Path(path).stat().st_size, CHUNK_BYTES)
    ]
    with ThreadPoolExecutor(order["streams"]) as pool:
        return {"bytes": sum(pool.map(lambda place: _hash_chunk(*place), ranges))}


def _hash_chunk(path: str, start: int) -> int:
    digest = hashlib.sha256()
    buffer = memoryview(mmap.mmap(-1, BUFFER_BYTES))
    total = 0
    descriptor = os.open(path, os.O_RDONLY)
    try:
        while total < CHUNK_BYTES:
            count = os.preadv(descriptor, [buffer], start + total)
            if not count:
                break
            digest.update(buffer[:count])
            total += count
    finally:
        os.close(descriptor)
    return total


def check_alone(order: dict[str, Any]) -> dict[str, int]:
    """The block check of as many bytes and nothing else: of one buffer, over and over, as it is when just read."""
    total = sum(Path(path).stat().st_size for path in order["files"])
    path = order["files"][0]
    checker = checker_for(read_datafile_header(path), path, order.get("accelerator", "auto"))
    # from the middle, where there are data blocks as in most of a file
    start = Path(path).stat().st_size // 2 // BUFFER_SIZE_BYTES * BUFFER_SIZE_BYTES
    with open(path, "rb") as file:
        file.seek(start)
        piece = memoryview(file.read(BUFFER_SIZE_BYTES))
    for _piece in range(total // len(piece)):
        checker.check(start // checker.block_size, piece)
    return {"bytes": total}


ORDERS = {"copy": copy, "verify": verify, "hash": hash_alone, "check": check_alone}


def _memory(field: str) -> int:
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) << 10
    raise ValueError(f"the kernel reports no {field}")


def main() -> None:
    """Answer orders until the input ends."""
    load_accelerator("auto")  # an idle engine has loaded what it will use
    idle = _memory("VmRSS")
    for line in sys.stdin:
        order = json.loads(line)
        start, cpu = time.monotonic(), time.process_time()
        done = ORDERS[order["do"]](order)
        answer = {
            "seconds": time.monotonic() - start,
            "cpu_seconds": time.process_time() - cpu,
            **done,
            "peak_bytes": _memory("VmHWM"),
            "idle_bytes": idle,
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
