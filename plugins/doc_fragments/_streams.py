# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that copy or read files over several streams. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  streams:
    description:
      - How many streams copy, or read, at the same time.
      - Each has a file of its own while there are enough of them. Streams without one share a datafile larger than
        64 MiB.
      - A stream reads, checks and digests in one thread and writes in another. More than twice the number of processors
        seldom helps.
    type: int
    default: 4
  buffer_bytes:
    description:
      - Size of one buffer, a multiple of 65536. Each stream has three of them.
      - Reads and writes are of this size. The default suits disks and network file systems alike.
    type: int
    default: 2097152
  max_bytes_per_second:
    description:
      - Limit on the bytes that all streams together copy in a second; V(0) means no limit.
      - Files that are only read, to compare or to verify them, count as well.
    type: int
    default: 0
  nice:
    description:
      - Nice value of the copying threads, V(0) to V(19); the higher, the more processor time others get.
      - Whatever else the module or its runner does, such as ending backup mode, keeps its priority.
    type: int
    default: 0
  io_class:
    description:
      - I/O scheduling class of the copying threads. V(best_effort) is the usual class at its last level; V(idle) copies
        only while nobody else uses the disk, which can keep a tablespace in backup mode for very long.
      - It takes effect with the kernel's schedulers C(bfq) and C(mq-deadline), on Linux. By default it is left alone.
    type: str
    choices: [best_effort, idle]
"""

    REFLINK = r"""
options:
  reflink:
    description:
      - Let a copy share the blocks of its source where both lie in one file system that can do that (XFS, Btrfs).
      - Every block is checked and digested all the same, but a copy that shares blocks does not survive the loss of the
        disk it shares them on. Elsewhere files are copied as without it.
    type: bool
    default: false
"""
