// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/**
 * Builds the page once for the whole run, when the first test asks for it: test files run side by side, and none may find
 * a half-written script. The build is that of `make build`, with its budgets.
 *
 * @return where to ask, and the undo
 */
export async function startPageBuilder(): Promise<{ url: string, stop: () => Promise<void> }> {
	let built: Promise<string> | undefined
	const server = createServer((_request, response) => {
		built ??= build()
		void built.then((fault) => {
			response.writeHead(fault === '' ? 204 : 500).end(fault === '' ? undefined : fault)
		})
	})
	server.listen(0, '127.0.0.1')
	await once(server, 'listening')
	const address = server.address()
	const port = typeof address === 'object' ? address?.port : undefined
	return {
		url: `http://127.0.0.1:${port}`,
		async stop() {
			server.close()
			server.closeAllConnections()
			await once(server, 'close')
		},
	}
}

/** @return what went wrong; empty when nothing did */
async function build(): Promise<string> {
	const child = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--logLevel', 'error'], {
		cwd: ROOT,
		env: { ...process.env, NODE_ENV: 'production' },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	let output = ''
	for (const stream of [child.stdout, child.stderr]) {
		stream.on('data', (chunk: Buffer) => {
			output += chunk.toString()
		})
	}
	const [code] = await once(child, 'close') as [number | null]
	return code === 0 ? '' : output || `vite build ended with ${code}`
}
