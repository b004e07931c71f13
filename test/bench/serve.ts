// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The sidecar as a process of its own for a benchmark: what lib/main.ts starts, but as many requests as there are.

import process from 'node:process'
import { startApp } from '../../lib/app.ts'
import { loadConfig } from '../../lib/config.ts'
import { createLogger } from '../../lib/logger.ts'

const app = await startApp(loadConfig(process.env), createLogger({ level: 'error', pretty: false }), { requestLimits: { userPerMinute: 1e9, addressPerMinute: 1e9, authPerMinute: 1e9 } })
process.on('SIGTERM', () => void app.stop().then(() => process.exit(0)))
await app.ready
process.stdout.write('SIPCall is up\n')
