// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * The script, stylesheet and images of the app. In the real thing the ExApp serves them through the proxy; here they
 * come straight from `ex_app/`, so that the page can be shown before the sidecar is up.
 */

import type { ServerResponse } from 'node:http'
import type { ShellUser } from './users.ts'

import { statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { newNonce, proxyHeaders, renderNotFound, securityHeaders } from './page.ts'

const ROOT = new URL('../../../ex_app/', import.meta.url)

const TYPES: Record<string, string> = {
	'.js': 'text/javascript;charset=UTF-8',
	'.css': 'text/css;charset=UTF-8',
	'.svg': 'image/svg+xml',
	'.png': 'image/png',
}

export function isAsset(path: string): boolean {
	return /^(?:js|css|img)\/[\w.-]+$/.test(path) && extname(path) in TYPES
}

export async function serveAsset(path: string, user: ShellUser, response: ServerResponse): Promise<void> {
	let content: Buffer
	try {
		content = await readFile(new URL(path, ROOT))
	} catch {
		response.writeHead(404, { 'Content-Type': 'text/html; charset=UTF-8', ...securityHeaders(user, newNonce()) })
		response.end(renderNotFound())
		return
	}
	response.writeHead(200, {
		...proxyHeaders(user),
		'Content-Type': TYPES[extname(path)],
		'Cache-Control': 'private, max-age=3600, must-revalidate',
	})
	response.end(content)
}

/** Nextcloud puts a hash behind the path, so that a new build is not taken from the browser's cache. */
export function assetVersion(path: string): string {
	try {
		return Math.floor(statSync(new URL(path, ROOT)).mtimeMs).toString(16)
	} catch {
		return '0'
	}
}
