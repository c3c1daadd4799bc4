# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does this host end a user's processes when the user logs out? Then the runner would end with the play.

Source: logind.conf(5), KillUserProcesses and KillExcludeUsers. Private to the collection.
"""

from __future__ import annotations

from pathlib import Path

_TRUE = frozenset({"1", "yes", "true", "on"})


def ends_processes_at_logout(user: str, root: Path = Path("/")) -> bool:
    """Whether systemd-logind is at work below ``root`` and would end what ``user`` leaves running."""
    if not (root / "run/systemd/system").is_dir():
        return False
    settings = {"KillUserProcesses": "no", "KillExcludeUsers": "root"}
    for path in _configuration_files(root):
        settings.update(_settings(path))
    return settings["KillUserProcesses"].lower() in _TRUE and user not in settings["KillExcludeUsers"].split()


def _configuration_files(root: Path) -> list[Path]:
    drop_ins = {
        path.name: path
        for folder in ("usr/lib", "run", "etc")
        for path in sorted((root / folder / "systemd/logind.conf.d").glob("*.conf"))
    }
    main = [
        root / folder / "systemd/logind.conf"
        for folder in ("usr/lib", "run", "etc")
        if (root / folder / "systemd/logind.conf").is_file()
    ]
    return main[-1:] + [drop_ins[name] for name in sorted(drop_ins)]


def _settings(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.lstrip().startswith(("#", ";")))
    return {key.strip(): value.strip() for key, value in pairs}
