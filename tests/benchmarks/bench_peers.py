# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the copy engine compares with other tools on equal bytes: ``make bench-peers``.

Every peer is measured beside the engine, one right after the other and in turn which comes first; rounds go
through all peers, so that a busy moment of the machine does not fall on one of them. Figures are medians over
the pairs in which others left the machine alone. Nothing is asserted about speed; the last line is for programs.

A round before the others is not counted: in it every copy is checked. Nothing is ever installed: a peer that is
not there takes no part.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.copying import MEBIBYTE, Engine, fresh_folder, workloads
from benchmarks.machine import Watch
from benchmarks.pairs import SUMMARY_HEAD, Measurement, Pair, last_line, summary
from benchmarks.peers import AnsibleCopy, Cp, Peer, PeerAbsent, Restic, Rsync, check_copies
from benchmarks.pgbackrest import backed_up_cluster

ENGINE_BESIDES = (
    "check of every block, SHA-256 of every byte, header read again at the end; fsync of each file; one process, "
    "{streams} threads; its process runs already, those of the others are started"
)


class Bench:
    """Measures peers and the engine in one folder; ``files`` is what the engine copies."""

    def __init__(self, engine: Engine, files: Sequence[str], folder: Path, streams: int) -> None:
        self._engine = engine
        self._files = list(files)
        self._folder = folder
        self._streams = streams

    def pair(self, peer: Peer, engine_first: bool, check: bool = False) -> Pair:
        """Both copies; ``check`` has them compared with their sources, too."""
        if engine_first:
            by_engine = self._measure_engine(check)
            return Pair(self._measure_peer(peer, check), by_engine)
        by_peer = self._measure_peer(peer, check)
        return Pair(by_peer, self._measure_engine(check))

    def _measure_peer(self, peer: Peer, check: bool) -> Measurement:
        target = fresh_folder(self._folder)
        peer.prepare(target)
        _warm(peer.sources())
        with Watch(*peer.pids) as watch:
            peer.copy(target)
        if check:
            peer.check(target)
        return Measurement(watch.seconds, peer.bytes_copied(target), watch.cpu_seconds, watch.foreign_share)

    def _measure_engine(self, check: bool) -> Measurement:
        target = fresh_folder(self._folder)
        _warm(self._files)
        with Watch(self._engine.pid) as watch:
            found = self._engine.order(
                do="copy", files=self._files, target=str(target), streams=self._streams
            )
        if check:
            check_copies(self._files, target)
        return Measurement(found["seconds"], found["bytes"], found["cpu_seconds"], watch.foreign_share)


def _warm(files: Iterable[str]) -> None:
    """Have the files in the page cache (who copied last may have dropped them) and nothing waiting to be written."""
    buffer = bytearray(4 * MEBIBYTE)
    for path in files:
        with open(path, "rb", buffering=0) as file:
            while file.readinto(buffer):
                pass
    os.sync()


def assemble(
    files: Sequence[str], folder: Path, stack: contextlib.ExitStack
) -> tuple[dict[str, Peer], dict[str, str]]:
    """(the peers that this machine has, why the others take no part), each by name."""
    size_bytes = sum(Path(path).stat().st_size for path in files)
    cluster = backed_up_cluster(folder / "postgres", folder / "copies", size_bytes, len(files))
    candidates: dict[str, Callable[[], Peer]] = {
        "cp": lambda: Cp(files),
        "rsync": lambda: Rsync(files),
        "ansible-copy": lambda: AnsibleCopy(files),
        "restic": lambda: Restic(files, "off"),
        "restic-compressed": lambda: Restic(files, "auto"),
        "pgbackrest": lambda: stack.enter_context(cluster),
    }
    peers, absent = {}, {}
    for name, candidate in candidates.items():
        try:
            peers[name] = candidate()
        except PeerAbsent as reason:
            absent[name] = str(reason)
    return peers, absent


def measure(bench: Bench, peers: Mapping[str, Peer], rounds: int) -> dict[str, list[Pair]]:
    """All rounds, told pair by pair."""
    for peer in peers.values():
        bench.pair(peer, engine_first=False, check=True)
    print("every copy was checked once and is right; rounds:", flush=True)
    results: dict[str, list[Pair]] = {name: [] for name in peers}
    for number in range(rounds):
        for place, (name, peer) in enumerate(peers.items()):
            pair = bench.pair(peer, engine_first=bool((number + place) % 2))
            results[name].append(pair)
            print(
                f"round {number + 1}: {name:17} {pair.peer.text()}; engine {pair.engine.text()}; "
                f"{pair.speed_ratio:4.2f}x",
                flush=True,
            )
    return results


def _tell_peers(peers: Mapping[str, Peer], absent: Mapping[str, str], streams: int) -> None:
    print(
        "cpu s: the tool, its children and its server; not the kernel's threads that write back what it left them"
    )
    print("what each does besides copying:")
    print(f"  {'engine':17} {ENGINE_BESIDES.format(streams=streams)}")
    for name, peer in peers.items():
        print(f"  {name:17} {peer.besides} [{peer.version}]")
    for name, reason in absent.items():
        print(f"  {name:17} TAKES NO PART: {reason}")


def main(arguments: list[str]) -> int:
    """Measure the engine beside every peer of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--streams", type=int, default=4, help="of the engine")
    parser.add_argument("--scale", type=float, default=1.0, help="1: 8 files of 256 MiB")
    parser.add_argument("--folder", type=Path, help="where to work; its file system is what is measured")
    chosen = parser.parse_args(arguments)
    # a server must not outlive us, whoever ends us
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    folder = Path(tempfile.mkdtemp(prefix="bench-peers-", dir=chosen.folder)).resolve()
    folder.chmod(0o755)  # the server may have a user of its own
    (workload,) = (workload for workload in workloads(chosen.scale) if workload.name == "set")
    try:
        with contextlib.ExitStack() as stack:
            files = workload.make(folder / workload.name)
            peers, absent = assemble(files, folder, stack)
            engine = stack.enter_context(Engine())
            print(
                f"in {folder}, {workload.count} files of {workload.size_bytes // MEBIBYTE} MiB, sources read into the "
                f"page cache before every measurement, a new folder to copy to, {os.cpu_count()} processors"
            )
            _tell_peers(peers, absent, chosen.streams)
            bench = Bench(engine, files, folder / "copies", chosen.streams)
            results = measure(bench, peers, chosen.rounds)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(SUMMARY_HEAD, *summary(results), sep="\n")
    print(last_line(results, list(absent), chosen.rounds))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
