# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Row, key and table locks: who holds what, who waits for whom, and deadlocks (ORA-00060)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from oracle_simulator.errors import OracleError

_POLL_SECONDS = 0.1


@dataclass(eq=False)
class Owner:
    """One transaction as the lock manager sees it."""

    name: str
    held: set[Hashable] = field(default_factory=set)
    waits_for: Owner | None = None
    waits_since: float = 0.0


class LockManager:
    """Exclusive locks on anything hashable, held until the end of the transaction.

    ``latch`` is the latch of the instance; every method is called while holding it. ``check_alive`` raises
    when the instance is going down.
    """

    def __init__(self, latch: threading.RLock, check_alive: Callable[[], None]) -> None:
        self._released = threading.Condition(latch)
        self._check_alive = check_alive
        self._owners: dict[Hashable, Owner] = {}
        self._waiters: list[Owner] = []

    def acquire(
        self,
        owner: Owner,
        resource: Hashable,
        cancelled: Callable[[], bool] | None = None,
        timeout: float | None = None,
    ) -> bool:
        """Lock ``resource``; False when ``owner`` had to wait for it, so that what it read may be old.

        Waiting releases the latch. ``timeout`` in seconds, 0 for NOWAIT. Raises ORA-00060 for the one who
        closes a circle of waits, ORA-00054 (NOWAIT) or ORA-30006 when the time is over, ORA-01013 when
        cancelled.
        """
        holder = self._owners.get(resource)
        if holder is None:
            self._owners[resource] = owner
            owner.held.add(resource)
            return True
        if holder is owner:
            return True
        self._wait(owner, lambda: self._owners.get(resource), cancelled, timeout)
        self._owners[resource] = owner
        owner.held.add(resource)
        return False

    def holder(self, resource: Hashable) -> Owner | None:
        """Who has locked ``resource``."""
        return self._owners.get(resource)

    def wait_while(
        self,
        owner: Owner,
        blocker: Callable[[], Owner | None],
        cancelled: Callable[[], bool] | None = None,
        timeout: float | None = None,
    ) -> None:
        """Wait as long as ``blocker`` names another transaction; raises as :meth:`acquire`."""
        if blocker() is not None:
            self._wait(owner, blocker, cancelled, timeout)

    def release(self, owner: Owner, resources: Iterable[Hashable]) -> None:
        """Give back locks taken for a change that was refused."""
        for resource in resources:
            owner.held.discard(resource)
            del self._owners[resource]
        self._released.notify_all()

    def release_all(self, owner: Owner) -> None:
        """The end of a transaction."""
        for resource in owner.held:
            del self._owners[resource]
        owner.held.clear()
        self._released.notify_all()

    def waiting(self) -> list[tuple[Owner, Owner]]:
        """(waiter, holder) pairs, for views."""
        return [(waiter, waiter.waits_for) for waiter in self._waiters if waiter.waits_for is not None]

    def wake(self) -> None:
        """Let all waiters look again (the instance is going down)."""
        self._released.notify_all()

    def _wait(
        self,
        owner: Owner,
        blocker: Callable[[], Owner | None],
        cancelled: Callable[[], bool] | None,
        timeout: float | None,
    ) -> None:
        deadline = None if timeout is None else time.monotonic() + timeout
        owner.waits_since = time.monotonic()
        self._waiters.append(owner)
        try:
            while (holder := blocker()) is not None and holder is not owner:
                if timeout == 0:
                    raise OracleError(
                        54, "resource busy and acquire with NOWAIT specified or timeout expired"
                    )
                self._check_alive()
                if cancelled is not None and cancelled():
                    raise OracleError(1013, "user requested cancel of current operation")
                if deadline is not None and time.monotonic() > deadline:
                    raise OracleError(30006, "resource busy; acquire with WAIT timeout expired")
                owner.waits_for = holder
                if _circle(owner):
                    raise OracleError(60, "deadlock detected while waiting for resource")
                self._released.wait(_POLL_SECONDS)
        finally:
            owner.waits_for = None
            self._waiters.remove(owner)


def _circle(owner: Owner) -> bool:
    other = owner.waits_for
    while other is not None:
        if other is owner:
            return True
        other = other.waits_for
    return False
