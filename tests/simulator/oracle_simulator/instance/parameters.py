# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Initialization parameters and the text file (init.ora, "pfile") they are kept in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from oracle_simulator.errors import OracleError
from oracle_simulator.instance.release import compatible_default, release_of

_LINE = re.compile(r"^\s*(?:[*\w]+\.)?(?P<name>[A-Za-z_][\w$]*)\s*=\s*(?P<value>.*?)\s*$")
_ITEM = re.compile(r"\s*(?:'((?:[^']|'')*)'|\"([^\"]*)\"|([^,\s]+))\s*(?:,|$)")
_SIZE = re.compile(r"^(\d+)\s*([KMGT]?)$", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
_QUOTED = re.compile(r"[^\w.+-]")

DEFAULTS: Mapping[str, str] = {
    "archive_lag_target": "0",
    "cluster_database": "FALSE",
    "cluster_database_instances": "1",
    "compatible": "",
    "control_file_record_keep_time": "7",
    "control_files": "",
    "db_16k_cache_size": "0",
    "db_2k_cache_size": "0",
    "db_32k_cache_size": "0",
    "db_4k_cache_size": "0",
    "db_8k_cache_size": "0",
    "db_block_checksum": "TYPICAL",
    "db_block_size": "8192",
    "db_cache_size": "33554432",
    "db_create_file_dest": "",
    "db_domain": "",
    "db_files": "200",
    "db_name": "",
    "db_recovery_file_dest": "",
    "db_recovery_file_dest_size": "0",
    "db_unique_name": "",
    "dispatchers": "",
    "enable_pluggable_database": "FALSE",
    "exclude_seed_cdb_view": "TRUE",
    "fast_start_mttr_target": "0",
    "instance_name": "",
    "local_listener": "",
    "log_archive_config": "",
    "log_archive_dest": "",
    "log_archive_duplex_dest": "",
    "log_archive_format": "%t_%s_%r.dbf",
    "log_archive_max_processes": "4",
    "log_archive_min_succeed_dest": "1",
    "log_checkpoint_interval": "0",
    "nls_date_format": "",
    "nls_language": "AMERICAN",
    "nls_territory": "AMERICA",
    "open_cursors": "300",
    "pdb_file_name_convert": "",
    "processes": "300",
    "remote_login_passwordfile": "EXCLUSIVE",
    "service_names": "",
    "sga_target": "0",
    "spfile": "",
    "tde_configuration": "",
    "undo_management": "AUTO",
    "undo_tablespace": "",
    "wallet_root": "",
}
"""Parameters of every instance and their values when the parameter file is silent."""

HIDDEN = frozenset({"_datafile_write_errors_crash_instance"})
"""Parameters an instance understands and V$PARAMETER shows only when they are set."""
SINCE: Mapping[str, tuple[int, ...]] = {
    "enable_pluggable_database": (12, 1),
    "tde_configuration": (18,),
    "wallet_root": (18,),
}
"""The releases that brought a parameter, for those that are not in all of them."""


class Parameters:
    """Parameter values by lower-case name: text, or several texts for ``control_files`` and its like."""

    def __init__(self, values: Mapping[str, str | Iterable[str]] | None = None) -> None:
        self._values: dict[str, tuple[str, ...]] = {}
        for name, value in (values or {}).items():
            self.set(name, value)

    def set(self, name: str, value: str | Iterable[str]) -> None:
        """Give a parameter a value (ALTER SYSTEM SET ... SCOPE=MEMORY)."""
        self._values[name.lower()] = (value,) if isinstance(value, str) else tuple(value)

    def is_default(self, name: str) -> bool:
        """``V$PARAMETER.ISDEFAULT``."""
        return name.lower() not in self._values

    def values(self, name: str) -> tuple[str, ...]:
        """All values of a parameter; empty when it is unset."""
        own = self._values.get(name.lower())
        if own is not None:
            return own
        default = self._default(name.lower())
        return (default,) if default else ()

    def get(self, name: str) -> str:
        """The value as ``V$PARAMETER`` shows it: several are joined by ", "."""
        return ", ".join(self.values(name))

    def integer(self, name: str) -> int:
        """A number, also with K, M, G or T. Raises ORA-02017 (integer value required)."""
        found = _SIZE.match(self.get(name).strip())
        if not found:
            raise OracleError(2017, "integer value required")
        return int(found[1]) * _UNITS[found[2].upper()]

    def names(self) -> Iterator[str]:
        """All known parameter names, sorted."""
        fixed = {f"log_archive_dest_{n}" for n in range(1, 32)}
        states = {f"log_archive_dest_state_{n}" for n in range(1, 32)}
        release = release_of(self)
        known = {name for name in DEFAULTS if release >= SINCE.get(name, ())}
        return iter(sorted({*known, *fixed, *states, *self._values}))

    def copy(self) -> Parameters:
        """An independent copy."""
        return Parameters(self._values)

    # ------------------------------------------------------------ typed access

    @property
    def control_files(self) -> tuple[Path, ...]:
        return tuple(Path(text) for text in self.values("control_files"))

    @property
    def db_name(self) -> str:
        return self.get("db_name").upper()

    @property
    def db_unique_name(self) -> str:
        return self.get("db_unique_name")

    @property
    def db_block_size(self) -> int:
        return self.integer("db_block_size")

    @property
    def log_archive_format(self) -> str:
        return self.get("log_archive_format")

    def archived_log_name(self, thread: int, sequence: int, resetlogs_id: int) -> str:
        """``log_archive_format`` filled in (Oracle Reference, LOG_ARCHIVE_FORMAT; upper case pads with zeros)."""

        def value(found: re.Match[str]) -> str:
            letter = found[1]
            number = {"s": sequence, "t": thread, "r": resetlogs_id, "a": 0, "d": 0}[letter.lower()]
            width = {"S": 10, "T": 4, "R": 10}.get(letter, 0)
            return f"{number:0{width}d}"

        return re.sub(r"%([stradSTRAD])", value, self.log_archive_format)

    # ------------------------------------------------------------ the text file

    @classmethod
    def read(cls, path: Path) -> Parameters:
        """Read a parameter file. Raises ORA-01078 with LRM-00109 as Oracle does when it can't be opened."""
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as exc:
            # LRM-00109 has no ORA number; SQL*Plus shows it under ORA-01078.
            raise OracleError(
                1078, f"failure in processing system parameters (could not open parameter file '{path}')"
            ) from exc
        parameters = cls()
        for line in text.splitlines():
            found = _LINE.match(line)
            if not found or line.lstrip().startswith("#"):
                continue
            value = found["value"]
            if value.startswith("(") and value.endswith(")"):
                value = value[1:-1]
            items = tuple(
                (m[1].replace("''", "'") if m[1] is not None else m[2] if m[2] is not None else m[3])
                for m in _ITEM.finditer(value)
            )
            parameters.set(found["name"], items)
        return parameters

    def write(self, path: Path) -> None:
        """Write all explicit settings, one per line, in the form CREATE PFILE uses. Overwrites."""
        lines = []
        for name, items in sorted(self._values.items()):
            shown = ",".join(
                "'" + item.replace("'", "''") + "'" if _QUOTED.search(item) or not item else item
                for item in items
            )
            lines.append(f"*.{name}={shown}\n")
        path.write_text("".join(lines), encoding="utf-8")

    def _default(self, name: str) -> str:
        if name == "compatible":
            return compatible_default(release_of(self))
        if name == "db_unique_name":
            return self.get("db_name")
        if name.startswith("log_archive_dest_state_"):
            return "enable"
        return DEFAULTS.get(name, "")
