// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NumberTools } from '../number/tools.ts'

import { fetchNumberTools } from './scripts.ts'

let tools: NumberTools | undefined

/**
 * The tools that read and format numbers, from a script of their own.
 *
 * @return undefined when the script cannot be had: then numbers stand as they were typed, and can be called all the same
 */
export async function loadNumberTools(): Promise<NumberTools | undefined> {
	try {
		tools = await fetchNumberTools()
	} catch {
		// The next focus tries again.
	}
	return tools
}

/** The tools if they are there already. */
export function numberTools(): NumberTools | undefined {
	return tools
}
