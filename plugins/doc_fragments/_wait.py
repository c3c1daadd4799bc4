# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that wait. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  wait:
    description: Whether to wait at all. Nothing is waited for in check mode.
    type: bool
    default: true
  wait_timeout:
    description: Longest time in seconds without progress; V(0) looks once.
    type: int
    default: 900
  wait_interval:
    description: Seconds between two looks, at least V(1); the pauses grow while nothing happens.
    type: int
    default: 1
"""
