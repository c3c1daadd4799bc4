# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options of all modules that talk to a database. Private to this collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description: Host of the listener, as seen from the host where the module runs.
    type: str
    default: 127.0.0.1
  login_port:
    description: Port of the listener.
    type: int
    default: 1521
  login_service:
    description:
      - Service name of the database; in a container database that of the root.
      - One of O(login_service), O(login_sid) and O(login_dsn) is needed with O(login_driver=thin).
    type: str
  login_sid:
    description: System identifier of the instance, for listeners that do not offer a service.
    type: str
  login_dsn:
    description: A whole connect descriptor or Easy Connect string, instead of host, port and service.
    type: str
  login_user:
    description:
      - Database user. Needed with O(login_driver=thin).
      - Without it, operating-system authentication is used, which needs O(login_driver=thick).
    type: str
  login_password:
    description: Password of O(login_user).
    type: str
  login_mode:
    description:
      - Administrative privilege to log in with.
      - V(normal) is enough for daily backups, with the privileges named in the notes.
      - A database that is not open is reached with V(sysbackup) or V(sysdba) only.
    type: str
    choices: [normal, sysdba, sysbackup, sysoper]
    default: normal
  login_driver:
    description:
      - Mode of python-oracledb. V(thin) needs no Oracle software and reaches Oracle Database 12.1 and later.
      - V(thick) uses the client libraries of O(oracle_home) or those on the library search path.
      - The mode holds for the whole process and is decided by this option alone.
    type: str
    choices: [thin, thick]
    default: thin
  login_connect_timeout:
    description: Seconds to wait for the network connection to the listener. A login that hangs is bounded too.
    type: int
    default: 30
  login_call_timeout:
    description: Seconds that one round trip to the database may take; V(0) means no limit.
    type: int
    default: 300
  oracle_home:
    description:
      - Oracle home of the database on the host where the module runs.
      - Used to find client libraries in thick mode and files of the instance.
    type: path
  oracle_sid:
    description: System identifier of the local instance. Used with O(oracle_home) for local work.
    type: str
requirements:
  - python-oracledb >= 2.0 on the host where the module runs
notes:
  - The module runs on the database host. Its connection options, environment and paths are those of that host.
  - An ordinary account for daily backups needs C(CREATE SESSION), C(MANAGE TABLESPACE), C(ALTER SYSTEM),
    C(ALTER DATABASE) and the right to read the V$ and GV$ views, for example C(SELECT_CATALOG_ROLE).
    In a container database all of it commonly granted, with C(SET CONTAINER) and C(CONTAINER_DATA=ALL).
  - Sessions appear in V$SESSION with module C(hotbackup.oracle).
"""
