// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type * as charts from '../charts/main.ts'
import type * as manage from '../manage/main.ts'
import type { NumberTools } from '../number/tools.ts'

import { generateUrl } from '@nextcloud/router'

/**
 * The scripts that are fetched when they are needed. The build makes a script of each `import()` in this file, and a call
 * of `sipcallFetch` of the `import()` itself (`scripts/classic-scripts.ts`).
 */

export type Charts = typeof charts
export type Manage = typeof manage

declare const appVersion: string

declare global {
	/** What each script puts at the others' disposal, by its name. */
	var sipcallScripts: Record<string, unknown> | undefined
	var sipcallFetch: (name: string) => Promise<unknown>
}

const fetched = new Map<string, Promise<unknown>>()

globalThis.sipcallFetch = (name) => {
	const known = fetched.get(name)
	if (known !== undefined) {
		return known
	}
	const fetching = insertScript(`${generateUrl('/apps/app_api/proxy/sipcall/js/')}sipcall-${name}.js?v=${appVersion}`)
		.then(() => {
			const parts = globalThis.sipcallScripts?.[name]
			if (parts === undefined) {
				throw new Error(`sipcall-${name} belongs to another version than this page`)
			}
			return parts
		})
	fetched.set(name, fetching)
	// Whoever asks again after a fault, tries again.
	fetching.catch(() => fetched.delete(name))
	return fetching
}

/** Rejects when the script cannot be had. */
export function fetchNumberTools(): Promise<NumberTools> {
	return import('../number/main.ts')
}

/** The settings and the administration. Rejects when the script cannot be had. */
export function fetchManage(): Promise<Manage> {
	return import('../manage/main.ts')
}

/** The charts of the overview. Rejects when the script cannot be had. */
export function fetchCharts(): Promise<Charts> {
	return import('../charts/main.ts')
}

/** The page's policy trusts a script that a trusted one inserts. */
function insertScript(src: string): Promise<void> {
	return new Promise((resolve, reject) => {
		const script = document.createElement('script')
		script.src = src
		script.onload = () => resolve()
		script.onerror = () => {
			script.remove()
			reject(new Error(`${src} cannot be loaded`))
		}
		document.head.append(script)
	})
}
