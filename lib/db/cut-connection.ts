// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Client } from 'pg'

/** Ends a connection without a farewell, which a server that hangs would never answer. Its statement fails at once. */
export function cutConnection(client: Client): void {
	client.connection.stream.destroy()
}
