// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// The server's process is killed while calls run: the test does it once ready() says so.
'use strict';

const { assert, check, connect, fails, ready } = require('./checks');

check('a server that is killed within a call is noticed by everybody', async function () {
  const [sleeping, waiting, idle] = [await connect(), await connect(), await connect()];
  await idle.execute('CREATE TABLE node_dying (n NUMBER)');
  await idle.execute('INSERT INTO node_dying VALUES (1)', [], { autoCommit: true });
  await idle.execute('UPDATE node_dying SET n = 2');
  const calls = [
    fails('NJS-500', sleeping.execute('BEGIN DBMS_SESSION.SLEEP(600); END;')),
    fails('NJS-500', waiting.execute('UPDATE node_dying SET n = 3')),
  ];
  ready();
  await Promise.all(calls);
  await fails('NJS-500', idle.execute('SELECT 1 FROM dual'));
  for (const connection of [sleeping, waiting, idle])
    assert.strictEqual(connection.isHealthy(), false);
});
