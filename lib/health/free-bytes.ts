// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { statfs } from 'node:fs/promises'

/**
 * Bytes that SIPCall may still use where a folder is: what a file system keeps for the superuser is not among them.
 *
 * @throws {Error} when there is no such folder
 */
export async function freeBytesOn(folder: string): Promise<number> {
	const { bavail, bsize } = await statfs(folder)
	return bavail * bsize
}
