# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server process: one instance, its listener and its local socket."""

from __future__ import annotations

import os

from oracle_simulator.instance.faults import Faults
from oracle_simulator.instance.faults.unsynced import UnsyncedWrites
from oracle_simulator.instance.home import Home
from oracle_simulator.instance.instance import Instance
from oracle_simulator.instance.parameters import Parameters
from oracle_simulator.instance.readings import Readings
from oracle_simulator.net.listener import Listener
from oracle_simulator.program.configuration import ARCHIVER_DELAY, READINGS, VOLATILE_WRITES
from oracle_simulator.program.listener.configuration import ListenerHome
from oracle_simulator.program.listener.handoff import Receiver
from oracle_simulator.program.listener.registration import Registrar
from oracle_simulator.program.local_server import LocalServer
from oracle_simulator.sql.engine import Database


def serve(home: Home) -> None:
    """Be the instance, from NOMOUNT until it is shut down."""
    parameters = Parameters.read(home.parameter_file)
    delay = float(parameters.get(ARCHIVER_DELAY) or 0)
    readings = Readings().chosen(parameters.values(READINGS))
    volatile = parameters.get(VOLATILE_WRITES).upper() == "TRUE"
    instance = Instance(
        home,
        parameters,
        faults=Faults(archiver_delay=delay),
        readings=readings,
        unsynced=UnsyncedWrites(home.unsynced_folder) if volatile else None,
    )
    database = Database(instance)
    instance.startup()
    own_listener = bool(parameters.get("local_listener"))
    port = 0 if own_listener else ListenerHome(home.root).port()
    listener = Listener(database, port=port, log=instance.log.write)
    database.cut_connection = listener.disconnect
    receiver = Receiver(home.handoff_socket, listener.adopt)
    receiver.start()
    registrar = Registrar(lambda: parameters.get("local_listener"), database.registration)
    if own_listener:
        database.register_services = registrar.register
        registrar.start()
    else:
        listener.start()
    home.pid_file.write_text(str(os.getpid()), encoding="ascii")
    local = LocalServer(database)
    local.start()
    instance.terminated.wait()
    registrar.stop()
    receiver.stop()
    listener.stop_accepting()
    local.wait_until_idle(5.0)
    listener.stop()
    local.stop()
