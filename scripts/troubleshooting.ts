// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// `make docs`: brings docs/admin/troubleshooting.md to what the catalogue of findings says.

import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { withTables } from './troubleshooting-table.ts'

const file = fileURLToPath(new URL('../docs/admin/troubleshooting.md', import.meta.url))
writeFileSync(file, withTables(readFileSync(file, 'utf8')))
