// Copyright (c) 2026 hotbackup contributors
// GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
// SPDX-License-Identifier: GPL-3.0-or-later

// node run.js SCRIPT...: runs the checks of the scripts one after the other; one line of JSON for each.
'use strict';

const { runAll } = require('./checks');

runAll(process.argv.slice(2)).then(() => process.exit(0));
