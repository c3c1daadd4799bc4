# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML file that describes a database to create, and creating it with everything a home needs.

::

    redo: {groups: 4, size: 4M}    # members: copies of each log
    threads:                       # several instances; each thread is as redo says unless it says otherwise
      - {}
      - {groups: 3, enabled: public}             # private, disabled
      - {open: false}                            # enabled, but closed: no instance starts with the database
    archiver_delay: 1.5            # seconds the archiver takes for one log
    listener: own                  # a process of its own; static: and it knows the database when it is down
    volatile_writes: true          # a crash can take back what was not synced: crash --power-loss
    archive_mode: true
    tablespaces:
      - {name: USERS, size: 16M}
      - {name: SALES, files: [{size: 40M}, {size: 40M, autoextend: 1M}]}
      - {name: BIG, bigfile: true, size: 120M}
      - {name: OLD, size: 8M, read_only: true}
      - {name: WIDE, size: 8M, block_size: 16K}   # db_16k_cache_size is set with it
      - {name: FULL, size: 2G, fill: random}    # random blocks, in use and of no table; or fill: 500M
      - {name: SECRET, size: 8M, encryption: AES256}
      - {name: STAGE, size: 8M, logging: false}   # NOLOGGING is the attribute of its tables; also force_logging
    force_logging: false           # of the database
    keystore: {password: secret, auto_login: true}   # with a master key; closed after a start without auto_login
    omf: true                      # Oracle-managed names, db_create_file_dest is set with it
    block_size: 8K                 # of the database
    users:
      - {name: APP, default_tablespace: USERS, privileges: [CREATE SESSION, CREATE TABLE]}
    archive_destinations:          # LOG_ARCHIVE_DEST_1 and on; a relative location is in the home
      - {location: archive/A, mandatory: true}
      - {location: archive/B, reopen: 5, state: defer}
    recovery_area: {location: fra, size: 50M}    # a destination with the location USE_DB_RECOVERY_FILE_DEST
    role: physical_standby         # it has a standby control file; primary without
    version: 12.1.0.2              # the release it presents itself as; 19.22 without
    parameters: {db_cache_size: 64M}
    cdb: true                      # tablespaces and users above are then those of the root
    local_undo: true
    pdbs:
      PDB1: {open: read_write, users: [{name: APP}], tablespaces: [{name: SALES, size: 8M}]}
      PDB2: {}                     # closed whenever the database opens
    readings: {wrong_log_ends_recovery: true}    # of unverified points, see instance/readings.py

Everything is optional; SYSTEM, SYSAUX, UNDOTBS1, TEMP and USERS always exist. Users of the root of a CDB are
common ones, so their names begin with C##; ``container_data: all`` lets one see the rows of all containers.
A pluggable database opens with the CDB only when SAVE STATE was said while it was open: ``open`` (read_write,
read_only or mounted, which is the default) is the state saved.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from oracle_simulator.data.create import create_database
from oracle_simulator.data.definition import (
    DatabaseDefinition,
    FileDefinition,
    KeystoreDefinition,
    PluggableDefinition,
    TablespaceDefinition,
    UserDefinition,
)
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.readings import Readings
from oracle_simulator.instance.release import (
    DEFAULT_RELEASE,
    FIRST_CDB_ONLY,
    RELEASE,
    full_text,
    parse_release,
)
from oracle_simulator.program.archive_spec import archive_parameters
from oracle_simulator.program.configuration import (
    ARCHIVER_DELAY,
    READINGS,
    VOLATILE_WRITES,
)
from oracle_simulator.program.listener.configuration import ListenerHome
from oracle_simulator.program.listener.registration import listener_address
from oracle_simulator.program.listener.services import StaticService
from oracle_simulator.program.redo_spec import cluster_parameters, redo_threads

_SIZE = re.compile(r"(\d+)([KMG]?)", re.I)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_KNOWN = {
    "archive_destinations",
    "redo",
    "threads",
    "archiver_delay",
    "volatile_writes",
    "archive_mode",
    "force_logging",
    "omf",
    "keystore",
    "tablespaces",
    "users",
    "parameters",
    "readings",
    "recovery_area",
    "role",
    "block_size",
    "verifier_rounds",
    "cdb",
    "local_undo",
    "pdbs",
    "version",
    "listener",
}
_KNOWN_OF_PDB = {"open", "save_state", "tablespaces", "users"}
_ROLES = {"primary": False, "physical_standby": True}
_SAVED_MODES = {"read_write": "READ WRITE", "read_only": "READ ONLY", "mounted": ""}


def size_bytes(text: str | int) -> int:
    """``16M`` in bytes. Raises ValueError."""
    found = _SIZE.fullmatch(str(text))
    if not found:
        raise ValueError(f"{text!r} is not a size such as 16M")
    return int(found[1]) * _UNITS[found[2].upper()]


def read_spec(path: Path | None) -> dict[str, Any]:
    """The spec's content; empty without a file. Raises ValueError for a key nobody knows."""
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")) if path else {}
    # a spec may carry notes for other programs under keys beginning with x_
    unknown = [key for key in content if key not in _KNOWN and not key.startswith("x_")]
    if unknown:
        raise ValueError(f"{path}: unknown key {unknown[0]!r}; known are {', '.join(sorted(_KNOWN))}")
    return content


def definition_of(sid: str, spec: Mapping[str, Any], passwords: Mapping[str, str]) -> DatabaseDefinition:
    """The database that a spec describes.

    :param passwords: of SYS and of every user the spec names.
    """
    _check_release(spec)
    return DatabaseDefinition(
        name=sid,
        block_size=size_bytes(spec.get("block_size", "8K")),
        tablespaces=tuple(_tablespace(item) for item in spec.get("tablespaces", [])),
        redo_threads=redo_threads(spec, size_bytes),
        archive_mode=spec.get("archive_mode", True),
        force_logging=spec.get("force_logging", False),
        managed_files=spec.get("omf", False),
        keystore=KeystoreDefinition(**spec["keystore"]) if "keystore" in spec else None,
        standby=_ROLES[spec.get("role", "primary")],
        sys_password=passwords["SYS"],
        users=tuple(_user(item, passwords) for item in spec.get("users", [])),
        parameters={
            ARCHIVER_DELAY: str(spec.get("archiver_delay", 0)),
            **({RELEASE: full_text(parse_release(str(spec["version"])))} if "version" in spec else {}),
            **cluster_parameters(spec),
            **({VOLATILE_WRITES: "TRUE"} if spec.get("volatile_writes") else {}),
            **({READINGS: choices} if (choices := _readings(spec)) else {}),
            **{name: str(value) for name, value in spec.get("parameters", {}).items()},
        },
        verifier_rounds=spec.get("verifier_rounds", 4096),
        cdb=spec.get("cdb", False),
        pluggables=tuple(
            _pluggable(name, item or {}, passwords) for name, item in spec.get("pdbs", {}).items()
        ),
        local_undo=spec.get("local_undo", True),
    )


def users_of(spec: Mapping[str, Any]) -> list[str]:
    """The names of all users a spec names, SYS among them."""
    pluggables = [item or {} for item in spec.get("pdbs", {}).values()]
    users = [user for item in (spec, *pluggables) for user in item.get("users", [])]
    return ["SYS", *dict.fromkeys(user["name"] for user in users)]


def _pluggable(name: str, item: Mapping[str, Any], passwords: Mapping[str, str]) -> PluggableDefinition:
    unknown = sorted(set(item) - _KNOWN_OF_PDB)
    if unknown:
        raise ValueError(
            f"unknown key {unknown[0]!r} of {name}; known are {', '.join(sorted(_KNOWN_OF_PDB))}"
        )
    mode = item.get("open", "read_write" if item.get("save_state") else "mounted")
    if mode not in _SAVED_MODES:
        raise ValueError(f"{name} is open {mode!r}? Known are {', '.join(_SAVED_MODES)}")
    if mode != "mounted" and item.get("save_state") is False:
        raise ValueError(f"{name}: nothing opens a pluggable database whose state is not saved")
    return PluggableDefinition(
        name=name.upper(),
        tablespaces=tuple(_tablespace(each) for each in item.get("tablespaces", [])),
        users=tuple(_user(user, passwords) for user in item.get("users", [])),
        saved_mode=_SAVED_MODES[mode],
    )


def _check_release(spec: Mapping[str, Any]) -> None:
    release = parse_release(str(spec["version"])) if "version" in spec else DEFAULT_RELEASE
    if spec.get("cdb") and release < (12, 1):
        raise ValueError(f"release {full_text(release)} has no container databases")
    if not spec.get("cdb") and release >= FIRST_CDB_ONLY:
        raise ValueError(f"every database of release {full_text(release)} is a CDB: say cdb: true")


def _readings(spec: Mapping[str, Any]) -> tuple[str, ...]:
    choices = tuple(f"{name}={value}" for name, value in spec.get("readings", {}).items())
    Readings().chosen(choices)  # a wrong one is an error of the spec, not of the start
    return choices


def _tablespace(item: Mapping[str, Any]) -> TablespaceDefinition:
    files = item.get("files", [item])
    return TablespaceDefinition(
        name=item["name"],
        files=tuple(
            FileDefinition(
                size_bytes=size_bytes(each.get("size", "16M")),
                path=Path(each["path"]) if "path" in each else None,
                increment_bytes=size_bytes(each.get("autoextend", 0)),
                fill_bytes=_fill_bytes(each),
            )
            for each in files
        ),
        bigfile=item.get("bigfile", False),
        contents=item.get("contents", "permanent").upper(),
        read_only=item.get("read_only", False),
        block_size=size_bytes(item["block_size"]) if "block_size" in item else None,
        logging=item.get("logging", True),
        force_logging=item.get("force_logging", False),
        encryption=item.get("encryption", ""),
    )


def _fill_bytes(item: Mapping[str, Any]) -> int:
    wish = item.get("fill", 0)
    return size_bytes(item.get("size", "16M") if wish == "random" else wish)


def _user(item: Mapping[str, Any], passwords: Mapping[str, str]) -> UserDefinition:
    plain = UserDefinition(item["name"], passwords[item["name"]])
    return UserDefinition(
        plain.name,
        plain.password,
        item.get("default_tablespace", plain.default_tablespace),
        tuple(item.get("privileges", plain.privileges)),
        str(item.get("container_data", "")).upper(),
    )


def create_from_spec(home: Home, spec: Mapping[str, Any], *, port: int, passwords: Mapping[str, str]) -> int:
    """Create the database, its listener's configuration and its SQL*Plus; returns the DBID."""
    parameters = {
        **archive_parameters(home, spec),
        **_listener_parameters(home, spec),
        **spec.get("parameters", {}),
    }
    spec = {**spec, "parameters": parameters}
    with _private_files():
        dbid = create_database(home, definition_of(home.sid, spec, passwords))
        ListenerHome(home.root).write(port, _static_services(home, spec))
        _write_sqlplus(home)
    return dbid


def _listener_parameters(home: Home, spec: Mapping[str, Any]) -> dict[str, str]:
    kind = spec.get("listener", "inside")
    if kind not in ("inside", "own", "static"):
        raise ValueError(f"listener: {kind!r} is neither inside nor own nor static")
    return {} if kind == "inside" else {"local_listener": listener_address(ListenerHome(home.root).socket)}


def _static_services(home: Home, spec: Mapping[str, Any]) -> list[StaticService]:
    static = spec.get("listener") == "static"
    return [StaticService(home.sid, home.sid, home.root)] if static else []


@contextlib.contextmanager
def _private_files() -> Iterator[None]:
    """Whatever is made meanwhile is for its owner alone (the mask belongs to the whole process)."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _write_sqlplus(home: Home) -> None:
    """The home's own sqlplus: this interpreter, this package."""
    program = home.bin / "sqlplus"
    package_folder = Path(__file__).resolve().parents[2]
    program.write_text(
        f"#!/bin/sh\nORACLE_HOME={_quoted(home.root)}\nPYTHONPATH={_quoted(package_folder)}\n"
        "export ORACLE_HOME PYTHONPATH\n"
        f'exec {_quoted(sys.executable)} -m oracle_simulator.program.sqlplus "$@"\n',
        encoding="utf-8",
    )
    program.chmod(0o700)


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "'\\''") + "'"
