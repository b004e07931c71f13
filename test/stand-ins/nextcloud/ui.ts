// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The calls by which the ExApp puts its page into Nextcloud. A missing or wrongly typed parameter is PHP's exception. */

import type { OcsRoute } from './ocs.ts'
import type { InitialState, PageFile, Registrations, TopMenuEntry } from './registrations.ts'

import { failure, internalError, ok } from './ocs-answer.ts'

const UI = '/apps/app_api/api/v1/ui'

type Values = Readonly<Record<string, unknown>>

export function uiRoutes(registrations: Registrations, appId: string): OcsRoute[] {
	return [
		...topMenuRoutes(registrations, appId),
		...fileRoutes('script', 'Script', () => registrations.scripts, registrations, appId),
		...fileRoutes('style', 'Style', () => registrations.styles, registrations, appId),
		...initialStateRoutes(registrations, appId),
	]
}

function topMenuRoutes(registrations: Registrations, appId: string): OcsRoute[] {
	const path = `${UI}/top-menu`
	const find = ({ name }: Values) => registrations.topMenus.find((entry) => entry.name === name)
	const missing = failure(404, 'No such Top Menu entry')
	const shown = ({ id, name, displayName, icon, adminRequired }: TopMenuEntry) => ok({ id, appid: appId, name, display_name: displayName, icon, admin_required: adminRequired })
	return [
		{
			method: 'POST',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const { name, displayName, icon = '', adminRequired = 0 } = body
				if (!areTexts(name, displayName, icon)) {
					return internalError
				}
				registrations.put(registrations.topMenus, { name: String(name), displayName: String(displayName), icon: withoutSlash(icon), adminRequired: Number(adminRequired) }, (entry) => entry.name === name)
				return ok()
			},
		},
		{
			method: 'GET',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const entry = find(body)
				return entry === undefined ? missing : shown(entry)
			},
		},
		{
			method: 'DELETE',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const entry = find(body)
				if (entry === undefined) {
					return missing
				}
				const isOther = ({ type, name }: { type: string, name: string }) => type !== 'top_menu' || name !== entry.name
				registrations.topMenus = registrations.topMenus.filter((other) => other !== entry)
				registrations.scripts = registrations.scripts.filter(isOther)
				registrations.styles = registrations.styles.filter(isOther)
				registrations.initialStates = registrations.initialStates.filter(isOther)
				return ok()
			},
		},
	]
}

function fileRoutes(kind: 'script' | 'style', word: string, rows: () => PageFile[], registrations: Registrations, appId: string): OcsRoute[] {
	const path = `${UI}/${kind}`
	const missing = failure(404, `No such ${word}`)
	const isSame = (body: Values) => (file: PageFile) => file.type === body.type && file.name === body.name && file.path === withoutSlash(body.path)
	const isComplete = (body: Values) => areTexts(body.type, body.name, body.path)
	return [
		{
			method: 'POST',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const { type, name, path: file, afterAppId = '' } = body
				if (!isComplete(body) || !areTexts(afterAppId)) {
					return internalError
				}
				registrations.put(rows(), { type: String(type), name: String(name), path: withoutSlash(file), afterAppId: String(afterAppId) }, isSame(body))
				return ok()
			},
		},
		{
			method: 'GET',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const file = rows().find(isSame(body))
				if (!isComplete(body)) {
					return internalError
				}
				const { id, type, name, path: filePath, afterAppId } = file ?? { id: 0, type: '', name: '', path: '', afterAppId: '' }
				return file === undefined ? missing : ok({ id, appid: appId, type, name, path: filePath, ...(kind === 'script' ? { after_app_id: afterAppId } : {}) })
			},
		},
		{
			method: 'DELETE',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				if (!isComplete(body)) {
					return internalError
				}
				return removed(rows(), isSame(body)) ? ok() : missing
			},
		},
	]
}

function initialStateRoutes(registrations: Registrations, appId: string): OcsRoute[] {
	const path = `${UI}/initial-state`
	const missing = failure(404, 'No such InitialState')
	const isSame = (body: Values) => (state: InitialState) => state.type === body.type && state.name === body.name && state.key === body.key
	const isComplete = (body: Values) => areTexts(body.type, body.name, body.key)
	return [
		{
			method: 'POST',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const { type, name, key, value } = body
				// PHP wants an array: an object of JSON is one, a text or a number is not.
				if (!isComplete(body) || typeof value !== 'object' || value === null) {
					return internalError
				}
				registrations.put(registrations.initialStates, { type: String(type), name: String(name), key: String(key), value }, isSame(body))
				return ok()
			},
		},
		{
			method: 'GET',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				const state = registrations.initialStates.find(isSame(body))
				if (state === undefined) {
					return isComplete(body) ? missing : internalError
				}
				const { id, type, name, key, value } = state
				return ok({ id, appid: appId, type, name, key, value })
			},
		},
		{
			method: 'DELETE',
			path,
			asks: 'exApp',
			handle: ({ body }) => {
				if (!isComplete(body)) {
					return internalError
				}
				return removed(registrations.initialStates, isSame(body)) ? ok() : missing
			},
		},
	]
}

export function areTexts(...values: unknown[]): boolean {
	return values.every((value) => typeof value === 'string')
}

function withoutSlash(path: unknown): string {
	return String(path).replace(/^\/+/, '')
}

export function removed<Row>(rows: Row[], isMeant: (row: Row) => boolean): boolean {
	const at = rows.findIndex(isMeant)
	if (at !== -1) {
		rows.splice(at, 1)
	}
	return at !== -1
}
