# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instance: memory, background writers, and the physics of checkpoints, backup mode and recovery.

The physical layer under dictionary, transactions and SQL: it knows files, blocks, redo and the control
file, and nothing of rows or users. Lock order: ``Instance.latch`` may be taken before the lock of the
control files, never after it; nothing that waits for a background thread holds the latch while it does.
"""
