# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ALTER SYSTEM SET and STARTUP: which values Oracle takes, and what a new one sets in motion.

Source: Database Reference, "Initialization Parameters"; causes and actions of the messages named here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.archiving.archive_destinations import (
    STATES,
    configured_destinations,
    parse_destination,
)
from oracle_simulator.instance.cache.buffer_pools import check_pools
from oracle_simulator.instance.parameters import HIDDEN
from oracle_simulator.instance.release import compatible_numbers, release_of

if TYPE_CHECKING:
    from oracle_simulator.instance.instance import Instance
    from oracle_simulator.instance.parameters import Parameters

STATIC = frozenset(
    {
        "compatible",
        "control_files",
        "db_block_size",
        "db_files",
        "db_name",
        "db_unique_name",
        "log_archive_format",
        "processes",
        "remote_login_passwordfile",
    }
)
"""Parameters that only a new start changes (ORA-02095)."""

_DESTINATION = re.compile(r"log_archive_dest_(\d+)")
_STATE = re.compile(r"log_archive_dest_state_(\d+)")
_RANGES = {
    "archive_lag_target": (60, 7200),
    "control_file_record_keep_time": (0, 365),
    "log_archive_min_succeed_dest": (1, 10),
    "log_archive_max_processes": (1, 30),
}


def change_parameter(instance: Instance, name: str, value: str) -> None:
    """ALTER SYSTEM SET name = value SCOPE=MEMORY; ``name`` in lower case.

    Raises ORA-02065 for a name nobody knows, ORA-02095 for a static parameter, and ORA-02097 above the
    reason why a value is refused.
    """
    if name not in HIDDEN and name not in set(instance.parameters.names()):
        raise OracleError(2065, "illegal option for ALTER SYSTEM")
    if name in STATIC:
        raise OracleError(2095, "specified initialization parameter cannot be modified")
    tried = instance.parameters.copy()
    tried.set(name, value)
    try:
        _check_value(name, value)
        _check_location(tried, name)
        _check_together(tried, name)
        check_pools(tried)
        if name == "undo_tablespace":
            value = _undo_tablespace(instance, value)
    except OracleError as exc:
        text = "parameter cannot be modified because specified value is invalid"
        raise exc.under(2097, text) from exc
    instance.parameters.set(name, value)
    _follow(instance, name)


def _undo_tablespace(instance: Instance, value: str) -> str:
    tablespace = instance.control.tablespace_named(value.upper()) if instance.mounted else None
    if instance.mounted and (tablespace is None or tablespace.contents != "UNDO"):
        raise OracleError(30012, f"undo tablespace '{value}' does not exist or of wrong type")
    return value.upper()


def check_at_startup(parameters: Parameters) -> None:
    """What STARTUP finds wrong in the parameter file before there is an instance.

    Raises ORA-00380 for a buffer pool that can't be, ORA-00401 for a COMPATIBLE of a later release, ORA-19905
    for a LOG_ARCHIVE_FORMAT without %s, %t and %r, ORA-19802 for a recovery area without a size, ORA-16019,
    ORA-16020, and ORA-16024 to ORA-16026 for a destination nobody understands.
    """
    check_pools(parameters)
    if compatible_numbers(parameters.get("compatible")) > release_of(parameters):
        raise OracleError(401, "the value for parameter compatible is not supported by this release")
    missing = [part for part in "str" if not re.search(f"%{part}", parameters.log_archive_format, re.I)]
    if missing:
        raise OracleError(19905, "log_archive_format must contain %s, %t and %r")
    _check_together(parameters, "log_archive_min_succeed_dest")


def _check_value(name: str, value: str) -> None:
    state = _STATE.fullmatch(name)
    if state and value.upper() not in STATES:
        text = f"invalid value {value} for parameter {name}, must be from among alternate, defer, enable"
        raise OracleError(96, text)
    if name not in _RANGES:
        return
    if not value.isdigit():
        raise OracleError(2017, "integer value required")
    least, most = _RANGES[name]
    off = name == "archive_lag_target" and value == "0"
    if not off and not least <= int(value) <= most:
        text = f"invalid value {value} for parameter {name}, must be between {least} and {most}"
        raise OracleError(68, text)


def _check_location(parameters: Parameters, name: str) -> None:
    """A folder must be there when it is named. At STARTUP nobody looks: archiving to it fails later."""
    value = parameters.get(name)
    found = _DESTINATION.fullmatch(name)
    if name in ("db_recovery_file_dest", "db_create_file_dest") and value and not Path(value).is_dir():
        raise OracleError(
            1261,
            f"Parameter {name} destination string cannot be translated",
            (
                1262,
                "Stat failed on a file destination directory\nLinux-x86_64 Error: 2: No such file or directory",
            ),
        )
    destination = parse_destination(int(found[1]), value) if found and value else None
    if destination is None or destination.remote:
        return
    text = f"parameter {name.upper()} destination string cannot be translated"
    if destination.in_recovery_area:
        if not parameters.get("db_recovery_file_dest"):
            raise OracleError(
                16032, text, (19801, "initialization parameter DB_RECOVERY_FILE_DEST is not set")
            )
    elif not Path(destination.location).is_dir():
        cause = "sksagdi: cannot obtain device information.\nLinux-x86_64 Error: 2: No such file or directory"
        raise OracleError(16032, text, (7286, cause))


def _check_together(parameters: Parameters, name: str) -> None:
    """Values that contradict each other; ``name`` is the parameter that is new."""
    if parameters.get("db_recovery_file_dest") and not parameters.integer("db_recovery_file_dest_size"):
        text = "cannot use DB_RECOVERY_FILE_DEST without DB_RECOVERY_FILE_DEST_SIZE"
        raise OracleError(19802, text)
    plain = parameters.get("log_archive_dest") or parameters.get("log_archive_duplex_dest")
    numbered = [number for number in range(1, 32) if parameters.get(f"log_archive_dest_{number}")]
    if plain and numbered:
        text = f"cannot use LOG_ARCHIVE_DEST_{numbered[0]} with LOG_ARCHIVE_DEST or LOG_ARCHIVE_DUPLEX_DEST"
        raise OracleError(16019, text)
    found = configured_destinations(parameters)
    usable = [
        destination for destination in found if destination.state == "ENABLE" and not destination.remote
    ]
    wanted = parameters.integer("log_archive_min_succeed_dest")
    if len(usable) >= wanted or (not found and not _DESTINATION.fullmatch(name) and wanted == 1):
        return
    if name == "log_archive_min_succeed_dest":
        text = "less destinations available than specified by LOG_ARCHIVE_MIN_SUCCEED_DEST"
        raise OracleError(16020, text)
    text = f"new {name.upper()} causes less destinations than LOG_ARCHIVE_MIN_SUCCEED_DEST requires"
    raise OracleError(16028, text)


def _follow(instance: Instance, name: str) -> None:
    """What an instance does with a new value at once."""
    found = _DESTINATION.fullmatch(name) or _STATE.fullmatch(name)
    if found:
        instance.archiver.enable(int(found[1]))
    elif name.startswith(("log_archive", "db_recovery_file_dest")):
        instance.archiver.retry()
    with instance.latch:
        instance.announce()
