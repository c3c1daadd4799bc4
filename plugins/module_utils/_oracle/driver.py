# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Loading the Oracle driver and deciding its mode, once per process.

Private to this collection: not an interface for other collections.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys
from types import ModuleType

from ansible_collections.hotbackup.oracle.plugins.module_utils._backup.errors import ConnectError

MINIMUM_VERSION = (2, 0)


def load_driver(mode: str, oracle_home: str | None = None, oracle_sid: str | None = None) -> ModuleType:
    """Return the oracledb package in ``mode`` (``thin`` or ``thick``).

    The mode holds for the whole process from the first connection on. Thick mode loads the client libraries
    of ``oracle_home``; operating-system authentication finds its instance by ORACLE_HOME and ORACLE_SID,
    which the libraries read from the environment. Raises ConnectError naming host, interpreter and versions.
    """
    try:
        driver = importlib.import_module("oracledb")
    except ImportError as exc:
        raise _unsuitable("none") from exc
    version = str(driver.__version__)
    if tuple(int(part) for part in version.split(".")[:2] if part.isdigit()) < MINIMUM_VERSION:
        raise _unsuitable(version)
    if mode == "thick":
        for name, value in (("ORACLE_HOME", oracle_home), ("ORACLE_SID", oracle_sid)):
            if value:
                os.environ[name] = value
        try:
            # Without a folder the system's library search path decides, as on hosts with an Instant Client.
            driver.init_oracle_client(
                **({"lib_dir": f"{oracle_home}/lib"} if _needs_folder(oracle_home) else {})
            )
        except driver.Error as exc:
            raise ConnectError(
                f"Failed to load the Oracle client libraries for thick mode: {exc}",
                hint="Check oracle_home and the library search path, or use login_driver=thin.",
            ) from exc
    elif not driver.is_thin_mode():
        raise ConnectError("Thin mode was asked for in a process that already uses thick mode.")
    return driver


def _needs_folder(oracle_home: str | None) -> bool:
    # On Linux the libraries must be on the search path before the process starts; lib_dir does not replace
    # that.
    return bool(oracle_home) and platform.system() in ("Darwin", "Windows")


def _unsuitable(found: str) -> ConnectError:
    wanted = ".".join(str(part) for part in MINIMUM_VERSION)
    return ConnectError(
        f"python-oracledb >= {wanted} is needed on {platform.node()} by {sys.executable} (found: {found}).",
        hint="Install it for that interpreter or set ansible_python_interpreter.",
    )
