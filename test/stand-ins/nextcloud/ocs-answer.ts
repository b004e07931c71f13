// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The envelope of OCS: what a handler gives, and how v1 and v2 write it down. */

import type { ServerResponse } from 'node:http'

/** OCS v1 answers HTTP 200 on every failure but this one. */
const UNAUTHORISED = 997
const SERVER_ERROR = 996
const NOT_FOUND = 998

export type OcsResult = { data: unknown } | { code: number, message: string }

export function ok(data: unknown = []): OcsResult {
	return { data }
}

export function failure(code: number, message: string): OcsResult {
	return { code, message }
}

/** Any exception of PHP's behind a route, such as a parameter of the wrong type. */
export const internalError = failure(SERVER_ERROR, 'Internal Server Error\n')
export const notLoggedIn = failure(UNAUTHORISED, 'Current user is not logged in')
export const appApiRefused = failure(UNAUTHORISED, 'AppAPI authentication failed')
export const lockedOut = failure(429, 'Reached maximum delay')
export const noSuchRoute = failure(NOT_FOUND, 'Invalid query, please check the syntax. API specifications are here: http://www.freedesktop.org/wiki/Specifications/open-collaboration-services.\n')

export interface OcsEnvelope {
	version: '1' | '2'
	isJson: boolean
	/** Goes into `X-User-Id`; empty for nobody. */
	userId: string
}

export function sendOcs(result: OcsResult, { version, isJson, userId }: OcsEnvelope, response: ServerResponse): void {
	const isOk = 'data' in result
	const meta: Record<string, unknown> = {
		status: isOk ? 'ok' : 'failure',
		statuscode: isOk ? (version === '1' ? 100 : 200) : result.code,
		message: isOk ? 'OK' : result.message,
		...(version === '1' ? { totalitems: '', itemsperpage: '' } : {}),
	}
	const data = isOk ? result.data : []
	response.writeHead(isOk ? 200 : httpStatus(result.code, version), {
		'Content-Type': isJson ? 'application/json; charset=utf-8' : 'application/xml; charset=utf-8',
		'Cache-Control': 'no-cache, no-store, must-revalidate',
		...(userId === '' ? {} : { 'X-User-Id': userId }),
	})
	response.end(isJson ? phpJson({ ocs: { meta, data } }) : `<?xml version="1.0"?>\n<ocs>\n${xml(meta, 'meta', 1)}${xml(data, 'data', 1)}</ocs>\n`)
}

function httpStatus(code: number, version: '1' | '2'): number {
	if (code === UNAUTHORISED) {
		return 401
	}
	if (version === '1') {
		return 200
	}
	if (code === NOT_FOUND) {
		return 404
	}
	return code === SERVER_ERROR || code === 999 ? 500 : code
}

/** PHP escapes slashes and everything beyond ASCII. */
export function phpJson(value: unknown): string {
	return JSON.stringify(value)
		.replaceAll('/', '\\/')
		.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function xml(value: unknown, name: string, depth: number): string {
	const indent = ' '.repeat(depth)
	if (typeof value !== 'object' || value === null) {
		return `${indent}<${name}>${escapeXml(value === true ? '1' : value === false || value === null ? '' : String(value))}</${name}>\n`
	}
	const children = Array.isArray(value)
		? value.map((item) => xml(item, 'element', depth + 1))
		: Object.entries(value).map(([key, item]) => xml(item, key, depth + 1))
	return children.length === 0 ? `${indent}<${name}/>\n` : `${indent}<${name}>\n${children.join('')}${indent}</${name}>\n`
}

export function escapeXml(text: string): string {
	return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
