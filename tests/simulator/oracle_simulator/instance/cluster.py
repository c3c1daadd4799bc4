# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a database with several redo threads: how one joins, leaves in order, or dies.

They share one process and one buffer cache, so the death of an instance loses no change here that its log
buffer still had: its redo is written first, as after a death a moment later. What is lost are its
transactions. A survivor then does instance recovery (Real Application Clusters Administration and
Deployment Guide): the dead thread's redo must be readable and everything up to its end gets into the files
before the thread is closed. Files in backup mode stay in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.messages import terminated
from oracle_simulator.instance.recovery.crash_recovery import redo_since_checkpoint
from oracle_simulator.instance.redo.thread_states import (
    instance_name,
    open_thread,
    thread_closed,
    threads_to_open,
)
from oracle_simulator.storage.datafile_header import Checkpoint
from oracle_simulator.storage.log_header import RedoCorrupt

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.storage.redo_log import RedoAddress


def running_instances(instance: Instance) -> list[int]:
    """The numbers of the instances that are up. Until the database is open there is one."""
    with instance.latch:
        if instance.redo.writers:
            return [writer.redo_thread for writer in instance.redo.writers]
        return threads_to_open(instance)[:1] if instance.mounted else [1]


def start_instance(instance: Instance, number: int) -> None:
    """Another instance opens the database and with it its redo thread.

    Raises ORA-01617 for a thread that does not exist, ORA-01618 when it is not enabled, ORA-01619 when it is
    open already, ORA-01109, ORA-00313.
    """
    with instance.redo.administration, instance.latch:
        instance.require_open_read_write()
        record = next((record for record in instance.control.threads if record.thread == number), None)
        if record is None:
            raise OracleError(1617, f"cannot mount: {number} is not a valid thread number")
        if record.enabled == "DISABLED":
            raise OracleError(1618, f"redo thread {number} is not enabled - cannot mount")
        if record.status == "OPEN":
            raise OracleError(1619, f"thread {number} is mounted by another instance")
        open_thread(instance, number)
    instance.save_control()


def stop_instance(instance: Instance, number: int) -> None:
    """An instance that is not the last one shuts down in order. Its sessions are the caller's business.

    Raises ORA-01109 when it does not run.
    """
    end = _stop_writing(instance, number)
    _close(instance, number, end)
    instance.log.write(f"Instance {instance_name(instance.home.sid, number)} shut down")


def kill_instance(instance: Instance, number: int) -> None:
    """An instance dies; when it was the last one the database is down, as after a crash of the process.

    Returns when the survivors have recovered its redo. Raises ORA-01109 when it does not run, ORA-01092 when
    its redo cannot be read: then the survivors go down too.
    """
    name = instance_name(instance.home.sid, number)
    if running_instances(instance) == [number]:
        instance.abandon(f"Instance {name} terminated by USER")
        return
    end = _stop_writing(instance, number)
    instance.log.write(
        f"Reconfiguration: instance {name} is gone", "Beginning instance recovery of 1 threads"
    )
    try:
        blocks = sum(1 for _entry in redo_since_checkpoint(instance, number))
    except (OracleError, RedoCorrupt, OSError) as exc:
        error = exc if isinstance(exc, OracleError) else OracleError(353, str(exc))
        instance.log.error(error, f"Instance recovery of thread {number} failed")
        instance.terminate("SMON")
        raise terminated() from exc
    _close(instance, number, end)
    instance.log.write(f"Completed instance recovery of thread {number}: {blocks} redo records")


def _stop_writing(instance: Instance, number: int) -> RedoAddress:
    with instance.latch:
        if instance.redo.find_writer(number) is None:
            raise OracleError(1109, "database not open")
    return instance.redo.stop_writer(number)


def _close(instance: Instance, number: int, end: RedoAddress) -> None:
    """Everything the thread has redo for gets into the files; then it is closed."""
    with instance.checkpointer.headers:
        checkpoint = instance.checkpointer.checkpoint()
    with instance.latch:
        enabled = instance.control.enabled_threads
        own = Checkpoint(checkpoint.scn, instance.wall_clock.second(), number, *end, enabled)
        thread_closed(instance, number, own, own.scn - 1)
        instance.announce()
    instance.save_control()
