# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on files by a fixed number of streams: each has a file of its own while there are enough of them.

A stream is a thread and a buffer. Large reads, writes and hashes run outside the interpreter lock, so streams
keep disk and processors busy together. A stream without a file of its own takes units (fixed ranges) of the
file with the most left to do: one large file is worked on by all of them.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import enum
import mmap
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import Any, Protocol, TypeVar

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import Cancelled

BUFFER_SIZE_BYTES = 4 * 1024 * 1024

Value = TypeVar("Value")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
_Step = Callable[[memoryview], Any]


class FileTask(Protocol[Result_co]):
    """One file's work in units. ``do`` may run in several threads at once; the others run alone, in order.

    After anything has raised, ``abandon`` is called instead of what would follow, once no unit runs any more.
    """

    def begin(self) -> int:
        """Prepare; return the number of units."""

    def do(self, unit: int, buffer: memoryview) -> None:
        """Do one unit; ``buffer`` belongs to the stream and holds nothing of worth."""

    def end(self) -> Result_co:
        """All units are done: conclude."""

    def abandon(self) -> None:
        """Leave nothing behind. Does not raise."""


def new_buffer() -> memoryview:
    """A buffer for one stream, page-aligned as direct I/O demands."""
    return memoryview(mmap.mmap(-1, BUFFER_SIZE_BYTES))


def run_alone(task: FileTask[Result]) -> Result:
    """Do a whole task in the calling thread."""
    try:
        units = task.begin()
        buffer = new_buffer()
        for unit in range(units):
            task.do(unit, buffer)
        return task.end()
    except BaseException:
        task.abandon()
        raise


class _Phase(enum.Enum):
    BEGINNING = enum.auto()
    WORKING = enum.auto()
    ENDING = enum.auto()
    ABANDONING = enum.auto()
    OVER = enum.auto()


class _Job:
    """A task under way. ``steps`` are those of its phase that no stream has taken yet; guarded by the lock."""

    def __init__(self, task: FileTask[Any]) -> None:
        self.future: Future[Any] = Future()
        self.steps: deque[_Step] = deque([lambda _buffer: task.begin()])
        self.running = 0
        self._task = task
        self._phase = _Phase.BEGINNING
        self._outcome: Any = None
        self._failure: BaseException | None = None

    @property
    def over(self) -> bool:
        return self._phase is _Phase.OVER

    def step_done(self, step: Future[Any]) -> None:
        """Take a step's outcome; go to the next phase when it was the last one of this."""
        self.running -= 1
        failure = step.exception()
        if failure is None:
            self._outcome = step.result()
        else:
            self._failure = self._failure or failure
            self.steps.clear()
        if not self.steps and not self.running:
            self._advance()

    def _advance(self) -> None:
        task = self._task
        if self._phase is _Phase.ABANDONING:
            self._phase = _Phase.OVER
        elif self._failure is not None:
            self._phase = _Phase.ABANDONING
            self.steps.append(lambda _buffer: task.abandon())
        elif self._phase is _Phase.ENDING:
            self._phase = _Phase.OVER
        elif self._phase is _Phase.BEGINNING and self._outcome:
            self._phase = _Phase.WORKING
            self.steps.extend(partial(task.do, unit) for unit in range(self._outcome))
        else:
            self._phase = _Phase.ENDING
            self.steps.append(lambda _buffer: task.end())

    def tell(self) -> None:
        """Tell whoever waits how it went."""
        if self._failure is None:
            self.future.set_result(self._outcome)
        else:
            self.future.set_exception(self._failure)


class Streams:
    """``count`` streams. A context manager: leaving it waits for everything that was submitted.

    Raises ValueError for a count below 1.
    """

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError("at least one stream is needed")
        self._pool = ThreadPoolExecutor(max_workers=count, thread_name_prefix="stream")
        self._lock = threading.Lock()
        self._idle = [new_buffer() for _stream in range(count)]
        self._waiting: deque[_Job] = deque()
        self._active: list[_Job] = []

    def __enter__(self) -> Streams:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def submit(self, task: FileTask[Result]) -> Future[Result]:
        """Queue a task; tasks are begun in the order of submission."""
        job = _Job(task)
        with self._lock:
            self._waiting.append(job)
        self._employ(None)
        return job.future

    def hungry(self) -> bool:
        """Whether a stream has nothing to do and nothing is left that it could take."""
        with self._lock:
            return bool(self._idle) and not self._waiting and not any(job.steps for job in self._active)

    def close(self) -> None:
        """Return when everything submitted is done and the threads have ended."""
        with self._lock:
            futures = [job.future for job in (*self._waiting, *self._active)]
        wait(futures)
        self._pool.shutdown(wait=True)

    def _employ(self, own: _Job | None) -> None:
        """Give every idle stream a step; ``own`` is the job that the stream set free just now has worked on."""
        while True:
            with self._lock:
                job = self._choose(own) if self._idle else None
                if job is None:
                    return
                buffer, step = self._idle.pop(), job.steps.popleft()
                job.running += 1
            # Outside the lock: a step that is over already is looked at in this very call.
            self._pool.submit(step, buffer).add_done_callback(partial(self._step_over, job, buffer))

    def _choose(self, own: _Job | None) -> _Job | None:
        """The stream's own file, else one that nobody has begun, else help where most is left."""
        if own is not None and own.steps:
            return own
        if self._waiting:
            self._active.append(self._waiting.popleft())
            return self._active[-1]
        return max((job for job in self._active if job.steps), key=lambda job: len(job.steps), default=None)

    def _step_over(self, job: _Job, buffer: memoryview, step: Future[Any]) -> None:
        with self._lock:
            job.step_done(step)
            over = job.over
            if over:
                self._active.remove(job)
        # Before the stream gets other work: a failure may be a reason not to begin it.
        if over:
            job.tell()
        with self._lock:
            self._idle.append(buffer)
        self._employ(job)


def run_all(tasks: Sequence[FileTask[Result]], streams: int, stop: threading.Event) -> list[Result]:
    """Do all tasks; return their results in order.

    The first failure sets ``stop``, which the tasks heed, and is raised once all threads have ended; tasks
    that merely stopped because of it are not it. Raises ValueError for ``streams`` below 1.
    """

    def stop_after_failure(future: Future[Result]) -> None:
        if future.exception() is not None:
            stop.set()

    with Streams(streams) as pool:
        futures = []
        for task in tasks:
            future = pool.submit(task)
            future.add_done_callback(stop_after_failure)
            futures.append(future)
        try:
            wait(futures)
        except BaseException:
            # An interrupt of the waiting thread must not wait for whole files.
            stop.set()
            raise
    _raise_first_failure(futures)
    return [future.result() for future in futures]


def one_at_a_time(
    lock: threading.Lock, callback: Callable[[Value], None] | None
) -> Callable[[Value], None] | None:
    """``callback``, never called by two threads at once."""
    if callback is None:
        return None
    called: Callable[[Value], None] = callback

    def guarded(value: Value) -> None:
        with lock:
            called(value)

    return guarded


def _raise_first_failure(futures: Sequence[Future[Result]]) -> None:
    failures = [failure for failure in (future.exception() for future in futures) if failure is not None]
    causes = [failure for failure in failures if not isinstance(failure, Cancelled)]
    for failure in causes or failures:
        raise failure
