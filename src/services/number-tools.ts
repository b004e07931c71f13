// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { NumberTools } from '../number/tools.ts'

import { generateUrl } from '@nextcloud/router'

declare const appVersion: string

declare global {
	var sipcallNumberTools: NumberTools | undefined
}

let loading: Promise<NumberTools | undefined> | undefined

/**
 * The tools that read and format numbers, from a script of their own.
 *
 * @return undefined when the script cannot be had: then numbers stand as they were typed, and can be called all the same
 */
export function loadNumberTools(): Promise<NumberTools | undefined> {
	loading ??= insertScript(`${generateUrl('/apps/app_api/proxy/sipcall/js/sipcall-number.js')}?v=${appVersion}`)
		.then(() => globalThis.sipcallNumberTools, () => {
			// The next focus tries again.
			loading = undefined
			return undefined
		})
	return loading
}

/** The tools if they are there already. */
export function numberTools(): NumberTools | undefined {
	return globalThis.sipcallNumberTools
}

/** The page's policy trusts a script that a trusted one inserts. */
function insertScript(src: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const script = document.createElement('script')
		script.src = src
		script.onload = () => resolve()
		script.onerror = () => reject(new Error(`${src} cannot be loaded`))
		document.head.append(script)
	})
}
