# Copyright (c) 2026 hotbackup contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A listener of its own: a process that knows the services of instances and hands clients over to them.

``services`` decides what becomes of a client, ``process`` is the listener, ``registration`` the instance's side of
dynamic registration, ``handoff`` how a client's socket goes from one process to the other, ``idle_server`` what
answers where a statically registered instance is down, ``command`` the command line. Source: Oracle Net Services
Administrator's Guide, "Configuring and Administering Oracle Net Listener".
"""
