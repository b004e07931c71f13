// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/**
 * Install, update, enable, disable and uninstall, as AppAPI's console commands do it for a manual install. Not modelled:
 * containers, and the 600 tries of the heartbeat (here it is one).
 */

import type { ExApp } from './ex-app.ts'
import type { OcsRoute } from './ocs.ts'

import { callExApp, newStatus } from './ex-app.ts'
import { failure, internalError, ok } from './ocs-answer.ts'

/** What a console command gives back. */
export interface OccResult {
	exitCode: number
	output: string
}

/** One `PUT ex-app/status` of the ExApp's. */
export interface ProgressReport {
	progress: number
	error: string
}

const INIT_TIMEOUT_MS = 30_000
const ENABLED_TIMEOUT_MS = 60_000

export class LifeCycle {
	readonly #exApp: ExApp
	/** Takes away what the ExApp has put into Nextcloud. */
	readonly #clear: () => void
	readonly #waiting = new Set<() => void>()
	readonly reports: ProgressReport[] = []
	/** The row is there, as it is while a container starts for the first time. */
	#isFresh: boolean

	constructor(exApp: ExApp, clear: () => void) {
		this.#exApp = exApp
		this.#clear = clear
		this.#isFresh = !exApp.isEnabled
	}

	/** As `occ app_api:app:register --wait-finish`. */
	async register(): Promise<OccResult> {
		const { id } = this.#exApp
		if (this.#exApp.isRegistered && !this.#isFresh) {
			return printed(3, `ExApp ${id} is already registered.`)
		}
		this.#isFresh = false
		this.#exApp.isRegistered = true
		this.#exApp.isEnabled = false
		this.#exApp.status = newStatus(0)
		if (!await this.#heartbeat()) {
			this.#exApp.status.error = 'Heartbeat check failed'
			return printed(1, `ExApp ${id} heartbeat check failed. Make sure that Nextcloud instance and ExApp can reach it other.`)
		}
		const deployed = `ExApp ${id} deployed successfully.`
		await this.#init()
		const error = await this.#initFinished()
		return error === '' ? printed(0, deployed, `ExApp ${id} successfully registered.`) : printed(1, deployed, error)
	}

	/** As `occ app_api:app:enable`. */
	async enable(): Promise<OccResult> {
		const { id, isRegistered, isEnabled } = this.#exApp
		if (!isRegistered) {
			return printed(1, `ExApp ${id} not found. Failed to enable.`)
		}
		if (isEnabled) {
			return printed(0, `ExApp ${id} already enabled.`)
		}
		return await this.#enable() ? printed(0, `ExApp ${id} successfully enabled.`) : printed(1, `Failed to enable ExApp ${id}.`)
	}

	/** As `occ app_api:app:disable`. */
	async disable(): Promise<OccResult> {
		const { id, isRegistered, isEnabled } = this.#exApp
		if (!isRegistered) {
			return printed(1, `ExApp ${id} not found. Failed to disable.`)
		}
		if (!isEnabled) {
			return printed(0, `ExApp ${id} already disabled.`)
		}
		return await this.#disable() ? printed(0, `ExApp ${id} successfully disabled.`) : printed(1, `Failed to disable ExApp ${id}.`)
	}

	/** As `occ app_api:app:update --wait-finish` with a manifest of this version. */
	async update(version: string): Promise<OccResult> {
		const { id } = this.#exApp
		if (!this.#exApp.isRegistered) {
			return printed(1, `ExApp ${id} not found.`)
		}
		if (this.#exApp.version === version) {
			return printed(0, `ExApp ${id} is already updated (${version})`)
		}
		this.#exApp.status = { ...this.#exApp.status, type: 'update', error: '' }
		const lines: string[] = []
		if (!this.#exApp.isEnabled) {
			lines.push(`ExApp ${id} was already disabled.`)
		} else if (await this.#disable()) {
			lines.push(`ExApp ${id} successfully disabled.`)
		}
		this.#exApp.version = version
		if (!await this.#heartbeat()) {
			this.#exApp.status.error = 'Heartbeat check failed'
			return printed(1, ...lines, `ExApp ${id} heartbeat check failed. Make sure that Nextcloud instance and ExApp can reach it other.`)
		}
		lines.push(`ExApp ${id} update successfully deployed.`)
		await this.#init()
		const error = await this.#initFinished()
		return error === '' ? printed(0, ...lines, `ExApp ${id} successfully updated.`) : printed(1, ...lines, error)
	}

	/** As `occ app_api:app:unregister`: config and preferences stay. */
	async unregister(): Promise<OccResult> {
		const { id } = this.#exApp
		if (!this.#exApp.isRegistered) {
			return printed(1, `ExApp ${id} not found. Failed to unregister.`)
		}
		const lines: string[] = []
		if (this.#exApp.isEnabled) {
			if (!await this.#disable()) {
				return printed(1, `Error during disabling ${id} ExApp.`)
			}
			lines.push(`ExApp ${id} successfully disabled.`)
		}
		this.#exApp.isRegistered = false
		this.#clear()
		return printed(0, ...lines, `ExApp ${id} successfully unregistered.`)
	}

	routes(): OcsRoute[] {
		const exApp = this.#exApp
		const takeProgress: OcsRoute['handle'] = async ({ body: { progress, error = '' } }) => {
			const number = Number(progress ?? Number.NaN)
			if (!Number.isInteger(number) || number < 0 || number > 100 || typeof error === 'object') {
				return internalError
			}
			await this.#takeProgress(number, String(error))
			return ok()
		}
		return [
			{ method: 'PUT', path: '/apps/app_api/ex-app/status', asks: 'exApp', handle: takeProgress },
			{ method: 'PUT', path: '/apps/app_api/apps/status/{appId}', asks: 'exApp', handle: takeProgress },
			{ method: 'GET', path: '/apps/app_api/ex-app/state', asks: 'exApp', handle: () => ok(exApp.isEnabled ? 1 : 0) },
			{
				method: 'GET',
				path: '/apps/app_api/api/v1/ex-app/info/{appId}',
				asks: 'user',
				handle: ({ user, parameters }) => {
					if (user?.groups.includes('admin') !== true) {
						return failure(403, 'Logged in account must be an admin')
					}
					return parameters.appId === exApp.id && exApp.isRegistered
						? ok({ id: exApp.id, name: exApp.name, version: exApp.version, enabled: exApp.isEnabled, status: exApp.status })
						: failure(404, '')
				},
			},
			{
				method: 'GET',
				path: '/apps/app_api/api/v1/info/nextcloud_url/absolute',
				asks: 'exApp',
				handle: ({ query, origin }) => ok({ absolute_url: `${origin}/${query.get('url')?.replace(/^\/+/, '') ?? ''}` }),
			},
			{
				method: 'POST',
				path: '/apps/app_api/api/v1/log',
				asks: 'exApp',
				handle: ({ body: { level, message } }) => {
					if (level === undefined || message === undefined) {
						return internalError
					}
					return [0, 1, 2, 3, 4].includes(Number(level)) ? ok() : failure(400, 'Invalid log level')
				},
			},
		]
	}

	/** 100 % enables the app, and only then is the report answered. */
	async #takeProgress(progress: number, error: string): Promise<void> {
		this.reports.push({ progress, error })
		await this.#setProgress(progress, error)
	}

	async #setProgress(progress: number, error: string): Promise<void> {
		const { status } = this.#exApp
		if (progress !== 0 && status.init === 100) {
			return
		}
		if (error !== '') {
			status.error = error
		} else {
			if (progress === 0) {
				Object.assign(status, { action: 'init', init_start_time: Math.floor(Date.now() / 1000), error: '' })
			}
			status.init = progress
		}
		if (progress === 100) {
			Object.assign(status, { action: '', type: '' })
			await this.#enable()
		}
		for (const wake of this.#waiting) {
			wake()
		}
	}

	async #init(): Promise<void> {
		await this.#setProgress(0, '')
		// The flag is set before the call, so that the ExApp may use the API while it sets itself up.
		this.#exApp.isEnabled = true
		try {
			const { status } = await callExApp(this.#exApp, { method: 'POST', path: '/init', isSigned: true, hasLanguage: false, timeoutMs: INIT_TIMEOUT_MS })
			if (status === 404 || status === 501) {
				await this.#setProgress(100, '')
			} else if (status >= 400) {
				await this.#setProgress(0, `\`POST ${this.#exApp.url}/init\` resulted in a \`${status}\` response`)
			}
		} catch (error) {
			await this.#setProgress(0, error instanceof Error ? error.message : String(error))
		}
	}

	/** Why it failed; empty when the ExApp has reported 100 %. */
	async #initFinished(): Promise<string> {
		for (;;) {
			const { init, error } = this.#exApp.status
			if (error !== '') {
				return `ExApp ${this.#exApp.id} initialization step failed. Error: ${error}`
			}
			if (init === 100) {
				return ''
			}
			await new Promise<void>((resolve) => {
				const wake = () => {
					this.#waiting.delete(wake)
					resolve()
				}
				this.#waiting.add(wake)
			})
		}
	}

	async #heartbeat(): Promise<boolean> {
		try {
			const { status, body } = await callExApp(this.#exApp, { method: 'GET', path: '/heartbeat', isSigned: false, hasLanguage: false, timeoutMs: INIT_TIMEOUT_MS })
			return status === 200 && field(body, 'status') === 'ok'
		} catch {
			return false
		}
	}

	async #enable(): Promise<boolean> {
		this.#exApp.isEnabled = true
		if (!await this.#heartbeat()) {
			return false
		}
		this.#exApp.isEnabled = await this.#tell('1')
		return this.#exApp.isEnabled
	}

	async #disable(): Promise<boolean> {
		const isTaken = await this.#tell('0')
		this.#exApp.isEnabled = false
		return isTaken
	}

	/** Only the field `error` of the answer counts: a status of 500 without it is a success. */
	async #tell(enabled: '0' | '1'): Promise<boolean> {
		try {
			const { body } = await callExApp(this.#exApp, { method: 'PUT', path: `/enabled?enabled=${enabled}`, isSigned: true, hasLanguage: true, timeoutMs: ENABLED_TIMEOUT_MS })
			return !field(body, 'error')
		} catch {
			return false
		}
	}
}

export function printed(exitCode: number, ...lines: string[]): OccResult {
	return { exitCode, output: lines.map((line) => `${line}\n`).join('') }
}

function field(body: string, name: string): unknown {
	try {
		const value: unknown = JSON.parse(body)
		return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined
	} catch {
		return undefined
	}
}
