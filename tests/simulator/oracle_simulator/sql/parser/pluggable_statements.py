# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a parsed statement about pluggable databases says, as values."""

from __future__ import annotations

from dataclasses import dataclass

from oracle_simulator.sql.parser.statements import FileReference, Recover, RecoverContinue, Statement


@dataclass(frozen=True)
class PluggableTarget:
    """Which pluggable databases: ``names``, or all but ``names`` (``every``); neither is the current one."""

    names: tuple[str, ...] = ()
    every: bool = False


@dataclass(frozen=True)
class PluggableStatement(Statement):
    """Base of ALTER PLUGGABLE DATABASE."""

    target: PluggableTarget


@dataclass(frozen=True)
class OpenPluggable(PluggableStatement):
    read_only: bool = False
    restricted: bool = False
    force: bool = False


@dataclass(frozen=True)
class ClosePluggable(PluggableStatement):
    """``mode`` is NORMAL, IMMEDIATE or ABORT."""

    mode: str = "NORMAL"


@dataclass(frozen=True)
class SavePluggableState(PluggableStatement):
    """SAVE STATE or, with ``discard``, DISCARD STATE."""

    discard: bool = False


@dataclass(frozen=True)
class PluggableBackupMode(PluggableStatement):
    active: bool


@dataclass(frozen=True)
class PluggableRecovery(PluggableStatement):
    """ENABLE or DISABLE RECOVERY."""

    enabled: bool


@dataclass(frozen=True)
class PluggableRecover(PluggableStatement):
    recover: Recover | RecoverContinue


@dataclass(frozen=True)
class PluggableDatafiles(PluggableStatement):
    """DATAFILE ... ONLINE or OFFLINE; without ``files`` all of them."""

    files: tuple[FileReference, ...]
    online: bool


@dataclass(frozen=True)
class CreatePluggable(Statement):
    """CREATE PLUGGABLE DATABASE ... ADMIN USER. ``convert`` are the pairs of FILE_NAME_CONVERT."""

    name: str
    administrator: str
    password: str
    roles: tuple[str, ...] = ()
    convert: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DropPluggable(Statement):
    name: str
    including_datafiles: bool = False
