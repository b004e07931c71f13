// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { Client } from 'pg'

/** Another database of the same server. No URL object: it would not take the socket's folder for a host. */
export function databaseUrl(serverUrl: string, name: string): string {
	return serverUrl.replace(/[^/]+$/, name)
}

/** Runs one statement over a connection of its own, and gives its rows. */
export async function onServer<Row extends object>(url: string, statement: string): Promise<Row[]> {
	const client = new Client({ connectionString: url })
	client.on('error', () => {})
	await client.connect()
	try {
		return (await client.query<Row>(statement)).rows
	} finally {
		await client.end()
	}
}
