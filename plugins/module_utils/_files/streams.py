# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on files by a fixed number of streams: each has a file of its own while there are enough of them.

A stream is a thread with a ring of buffers. Large reads, writes and hashes run outside the interpreter lock,
so streams keep disk and processors busy together. A stream without a file of its own takes units (fixed
ranges) of the file with the most left to do: one large file is worked on by all of them.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import enum
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Any, Protocol, TypeVar

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import (
    Cancelled,
    PreconditionError,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.buffers import (
    BUFFER_SIZE_BYTES,
    BufferRing,
)
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.io_context import ignore
from ansible_collections.hotbackup.oracle.plugins.module_utils._files.priority import Priority

Value = TypeVar("Value")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)
_Step = Callable[[BufferRing], Any]


@dataclass(frozen=True)
class StreamSettings:
    """How many streams, the size of each of their buffers, and the priority of their threads."""

    count: int = 1
    buffer_size_bytes: int = BUFFER_SIZE_BYTES
    priority: Priority = field(default_factory=Priority)


class FileTask(Protocol[Result_co]):
    """One file's work in units. ``do`` may run in several threads at once; the others run alone, in order.

    After anything has raised, ``abandon`` is called instead of what would follow, once no unit runs any more.
    """

    def begin(self) -> int:
        """Prepare; return the number of units."""

    def do(self, unit: int, ring: BufferRing) -> None:
        """Do one unit with the stream's buffers; nothing is under way in them any more on return."""

    def end(self) -> Result_co:
        """All units are done: conclude."""

    def abandon(self) -> None:
        """Leave nothing behind. Does not raise."""


def run_alone(task: FileTask[Result]) -> Result:
    """Do a whole task in the calling thread (and the one that writes for it)."""
    ring = BufferRing()
    try:
        return run_within(task, ring)
    finally:
        ring.close()


def run_within(task: FileTask[Result], ring: BufferRing) -> Result:
    """Do a whole task with buffers that are there, as a part of another one's unit."""
    try:
        units = task.begin()
        for unit in range(units):
            task.do(unit, ring)
        return task.end()
    except BaseException:
        task.abandon()
        raise


class _Outcome:
    """A ``with`` block's exception, kept instead of raised, or the value that was set in it."""

    value: Any = None
    failure: BaseException | None = None

    def __enter__(self) -> _Outcome:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.failure = failure
        return True


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
        self.steps: deque[_Step] = deque([lambda _ring: task.begin()])
        self._running = 0
        self._task = task
        self._phase = _Phase.BEGINNING
        self._result: Any = None
        self._failure: BaseException | None = None

    @property
    def over(self) -> bool:
        return self._phase is _Phase.OVER

    def take(self) -> _Step:
        self._running += 1
        return self.steps.popleft()

    def step_done(self, outcome: _Outcome) -> None:
        """Note how a step went; go to the next phase when it was the last one of this."""
        self._running -= 1
        if outcome.failure is None:
            self._result = outcome.value
        else:
            self._failure = self._failure or outcome.failure
            self.steps.clear()
        if not self.steps and not self._running:
            self._advance()

    def _advance(self) -> None:
        task = self._task
        if self._phase is _Phase.ABANDONING:
            self._phase = _Phase.OVER
        elif self._failure is not None:
            self._phase = _Phase.ABANDONING
            self.steps.append(lambda _ring: task.abandon())
        elif self._phase is _Phase.ENDING:
            self._phase = _Phase.OVER
        elif self._phase is _Phase.BEGINNING and self._result:
            self._phase = _Phase.WORKING
            self.steps.extend(partial(task.do, unit) for unit in range(self._result))
        else:
            self._phase = _Phase.ENDING
            self.steps.append(lambda _ring: task.end())

    def tell(self) -> None:
        """Tell whoever waits how it went."""
        if self._failure is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._failure)


class Streams:
    """The streams at work. A context manager: leaving it waits for everything that was submitted.

    Raises ValueError for a count below 1 or a buffer size that cannot be, and PreconditionError if the system
    refuses the priority or a thread.
    """

    def __init__(self, settings: StreamSettings) -> None:
        if settings.count < 1:
            raise ValueError("at least one stream is needed")
        self._count = settings.count
        self._priority = settings.priority
        self._changed = threading.Condition()
        self._waiting: deque[_Job] = deque()
        self._active: list[_Job] = []
        self._busy = 0
        self._closing = False
        rings = [
            BufferRing(settings.buffer_size_bytes, prepare=self._priority.apply)
            for _stream in range(self._count)
        ]
        # A thread cannot go back to a higher priority: tried out by one that does nothing else.
        with ThreadPoolExecutor(1) as trial:
            trial.submit(self._priority.apply).result()
        self._threads = [
            threading.Thread(target=self._work, args=(ring,), name=f"stream-{number}")
            for number, ring in enumerate(rings)
        ]
        started = []
        try:
            for thread in self._threads:
                thread.start()
                started.append(thread)
        except RuntimeError as exc:
            # Those that did start would wait for work for ever, and the process for them.
            self._threads = started
            self.close()
            raise PreconditionError(
                f"Failed to start {self._count} streams: {exc}.",
                hint="Use fewer streams, or raise this operating-system user's limit of processes (ulimit -u).",
            ) from exc

    def __enter__(self) -> Streams:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def submit(self, task: FileTask[Result]) -> Future[Result]:
        """Queue a task; tasks are begun in the order of submission."""
        job = _Job(task)
        with self._changed:
            self._waiting.append(job)
            self._changed.notify()
        return job.future

    def hungry(self) -> bool:
        """Whether a stream has nothing to do even when all that is left was taken."""
        with self._changed:
            left = len(self._waiting) + sum(len(job.steps) for job in self._active)
            return self._busy + left < self._count

    def close(self) -> None:
        """Return when everything submitted is done and the threads have ended."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self, ring: BufferRing) -> None:
        """A stream's life: step after step, of its own file while that has any."""
        self._priority.apply()
        own: _Job | None = None
        while (taken := self._take(own)) is not None:
            own, step = taken
            outcome = _Outcome()
            with outcome:
                outcome.value = step(ring)
            self._step_over(own, outcome)
        ring.close()

    def _take(self, own: _Job | None) -> tuple[_Job, _Step] | None:
        """Wait for a step; None when there will be none any more."""
        with self._changed:
            while (job := self._choose(own)) is None:
                if self._closing and not self._active:
                    return None
                self._changed.wait()
            self._busy += 1
            return job, job.take()

    def _choose(self, own: _Job | None) -> _Job | None:
        """The stream's own file, else one that nobody has begun, else help where most is left."""
        if own is not None and own.steps:
            return own
        if self._waiting:
            self._active.append(self._waiting.popleft())
            return self._active[-1]
        return max((job for job in self._active if job.steps), key=lambda job: len(job.steps), default=None)

    def _step_over(self, job: _Job, outcome: _Outcome) -> None:
        with self._changed:
            self._busy -= 1
            job.step_done(outcome)
            if job.over:
                self._active.remove(job)
            # One step is for this stream itself; a file just begun, or the end of all work, concerns the others.
            if len(job.steps) > 1 or self._closing:
                self._changed.notify_all()
        # Before this stream takes other work: a failure may be a reason not to begin it.
        if job.over:
            job.tell()


def run_all(
    tasks: Sequence[FileTask[Result]], settings: StreamSettings, stop: threading.Event
) -> list[Result]:
    """Do all tasks; return their results in order.

    The first failure sets ``stop``, which the tasks heed, and is raised once all threads have ended; tasks
    that merely stopped because of it are not it.
    """

    def stop_after_failure(future: Future[Result]) -> None:
        if future.exception() is not None:
            stop.set()

    futures = run_each(tasks, settings, stop, stop_after_failure)
    _raise_first_failure(futures)
    return [future.result() for future in futures]


def run_each(
    tasks: Sequence[FileTask[Result]],
    settings: StreamSettings,
    stop: threading.Event,
    done: Callable[[Future[Result]], None] = ignore,
) -> list[Future[Result]]:
    """Do all tasks, whatever becomes of the others; return how each went, in order.

    ``done`` is told of each as it ends, by the stream that ended it. ``stop``, which the tasks heed, is set
    when the waiting is interrupted.
    """
    with Streams(settings) as pool:
        futures = []
        try:
            for task in tasks:
                future = pool.submit(task)
                future.add_done_callback(done)
                futures.append(future)
            wait(futures)
        except BaseException:
            # An interrupt of the waiting thread must not wait for whole files.
            stop.set()
            raise
    return futures


def one_at_a_time(lock: threading.Lock, callback: Callable[[Value], None]) -> Callable[[Value], None]:
    """``callback``, never called by two threads at once."""

    def guarded(value: Value) -> None:
        with lock:
            callback(value)

    return guarded


def _raise_first_failure(futures: Sequence[Future[Result]]) -> None:
    failures = [failure for failure in (future.exception() for future in futures) if failure is not None]
    causes = [failure for failure in failures if not isinstance(failure, Cancelled)]
    for failure in causes or failures:
        raise failure
