// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Below the ports from which those of outgoing connections are taken (`ip_local_port_range`), also where these begin lower than Linux's own. */
const [LOWEST, HIGHEST] = [10_000, 15_900] as const

/**
 * A port on which nobody listens now. Whoever stops listening there and comes back finds it free: no connection of anybody
 * else is given one of these meanwhile.
 */
export async function findFreePort(): Promise<number> {
	for (;;) {
		const port = randomInt(LOWEST, HIGHEST)
		const server = createServer()
		try {
			server.listen(port, '127.0.0.1')
			await once(server, 'listening')
			server.close()
			await once(server, 'close')
			return port
		} catch {
			// Somebody has it.
		}
	}
}
