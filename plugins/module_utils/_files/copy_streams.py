# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several copies at once, on threads: large reads, writes and hashes run outside the interpreter lock.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import Cancelled

Request = TypeVar("Request")
Result = TypeVar("Result")
CopyOne = Callable[[Request, Callable[[int], None], Callable[[], bool]], Result]
"""Copies one request: (request, progress, cancelled) -> result."""


def copy_in_streams(
    requests: Sequence[Request],
    streams: int,
    copy_one: CopyOne[Request, Result],
    *,
    size_of: Callable[[Request], int],
    progress: Callable[[int], None],
    finished: Callable[[Result], None],
    cancelled: Callable[[], bool],
) -> list[Result]:
    """Run ``copy_one`` for every request, largest first, at most ``streams`` at once.

    Returns the results in the order of the requests. ``progress`` and ``finished`` are called by one thread
    at a time. The first failure stops the others and is raised once all threads have ended. Raises ValueError
    for ``streams`` below 1.
    """
    if streams < 1:
        raise ValueError("at least one stream is needed")
    stop = threading.Event()
    callbacks = threading.Lock()

    def stopped() -> bool:
        return stop.is_set() or cancelled()

    def add_progress(count: int) -> None:
        with callbacks:
            progress(count)

    def run(request: Request) -> Result:
        if stopped():
            raise Cancelled("The copy was stopped before it began.")
        try:
            result = copy_one(request, add_progress, stopped)
            with callbacks:
                finished(result)
        except BaseException:
            # Here, not in the waiting thread: this stream would begin its next file before that one wakes.
            stop.set()
            raise
        return result

    # Largest first: a large file begun last would keep one stream busy while the others idle.
    order = sorted(range(len(requests)), key=lambda index: size_of(requests[index]), reverse=True)
    with ThreadPoolExecutor(max_workers=streams, thread_name_prefix="copy") as pool:
        futures = {index: pool.submit(run, requests[index]) for index in order}
        try:
            wait(futures.values())
        except BaseException:
            # An interrupt of the waiting thread must not wait for whole files.
            stop.set()
            raise
    _raise_first_failure(list(futures.values()))
    return [futures[index].result() for index in range(len(requests))]


def _raise_first_failure(futures: Sequence[Future[Result]]) -> None:
    """Raise what went wrong; a stream that merely stopped because another failed is not it."""
    failures = [failure for failure in (future.exception() for future in futures) if failure is not None]
    causes = [failure for failure in failures if not isinstance(failure, Cancelled)]
    for failure in causes or failures:
        raise failure
