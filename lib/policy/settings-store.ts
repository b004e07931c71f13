// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The settings in force: what an admin saved, over the environment's, over the defaults. Nextcloud's app config is the
// one place where they live; the last good copy in the database serves while Nextcloud is away.

import type { Logger } from '../logger.ts'
import type { SettingRules, SettingsSchema } from './settings-schema.ts'
import type { SavedSettings, Settings } from './settings.ts'

import { readSettings, settingsSchema, settingText, wholeSettingsSchema } from './settings-schema.ts'
import { DEFAULT_SETTINGS, isSecretSetting, mergeSettings } from './settings.ts'

/** Where settings live. */
export interface SettingsSource {
	/** Texts by key; keys that are not set are left out. */
	read: (keys: readonly string[]) => Promise<Record<string, string>>
	/**
	 * @param isSecret the server keeps it encrypted, which it can only when it was told so from the first time on
	 * @return false when this server keeps no settings for apps: then the copy is all there is
	 */
	write: (key: string, text: string, isSecret: boolean) => Promise<boolean>
}

/** The last good copy of what was read there. */
export interface SettingsCopy {
	load: () => Promise<SavedSettings>
	replace: (settings: SavedSettings, at: Date) => Promise<void>
}

interface SettingsState {
	saved: Readonly<SavedSettings>
	current: Settings
}

/** Told before what somebody has saved in Nextcloud counts here; when it rejects, it does not count yet. */
export type BeforeTakeOver = (before: SettingsState, after: SettingsState) => Promise<void>

export interface SettingsStoreOptions {
	source: SettingsSource
	copy: SettingsCopy
	/** From environment variables. */
	environment: Partial<Settings>
	settingRules: SettingRules
	beforeTakeOver: BeforeTakeOver
	now: () => Date
	logger: Logger
}

const KEYS = Object.keys(DEFAULT_SETTINGS)
const POLL_MS = 30_000

export class SettingsStore {
	readonly #options: SettingsStoreOptions
	readonly #schema: SettingsSchema
	readonly #whole: ReturnType<typeof wholeSettingsSchema>
	#saved: SavedSettings = {}
	#current: Settings
	#polling: NodeJS.Timeout | undefined
	#ignored: readonly string[] = []
	#turn: Promise<void> = Promise.resolve()
	#onChange: ((settings: Settings, before: Settings) => void) | undefined

	constructor(options: SettingsStoreOptions) {
		this.#options = options
		this.#schema = settingsSchema(options.settingRules)
		this.#whole = wholeSettingsSchema(options.settingRules)
		this.#current = mergeSettings(options.environment, {})
	}

	/** The settings in force, from memory. */
	get(): Settings {
		return this.#current
	}

	/** What an admin has saved, and nothing else. */
	saved(): Readonly<SavedSettings> {
		return this.#saved
	}

	/** Keys of what stands in Nextcloud and means nothing: what counted before, or the default, counts instead. */
	ignored(): readonly string[] {
		return this.#ignored
	}

	/** Sets who is told when what counts has changed. */
	onChange(listener: (settings: Settings, before: Settings) => void): void {
		this.#onChange = listener
	}

	/** The last good copy: at the start, and when another replica has changed it. Nextcloud is asked only while the app is enabled there. */
	load(): Promise<void> {
		return this.#inTurn(async () => this.#take(await this.#options.copy.load()))
	}

	/** Nextcloud tells nobody when an admin saves its form, so it is asked now and every 30 seconds. */
	async follow(): Promise<void> {
		this.stopFollowing()
		this.#polling = setInterval(() => void this.refresh(), POLL_MS)
		await this.refresh()
	}

	stopFollowing(): void {
		clearInterval(this.#polling)
		this.#polling = undefined
	}

	/** Whether Nextcloud is asked: while the app is enabled there. */
	get isFollowing(): boolean {
		return this.#polling !== undefined
	}

	/** Takes over what stands in Nextcloud now; when it cannot be asked, or nothing can be stored, everything stays as it is. */
	refresh(): Promise<void> {
		return this.#inTurn(() => this.#refresh())
	}

	async #refresh(): Promise<void> {
		let texts: Record<string, string>
		try {
			texts = await this.#options.source.read(KEYS)
		} catch (error) {
			this.#options.logger.debug('The settings could not be read from Nextcloud; the last good copy serves', { error })
			return
		}
		const { values, invalid } = readSettings(texts, this.#schema)
		const isNews = invalid.join() !== this.#ignored.join()
		this.#ignored = invalid
		if (invalid.length > 0 && isNews) {
			this.#options.logger.warn('Settings in Nextcloud’s app config mean nothing and are left out', { keys: invalid })
		}
		const kept = Object.fromEntries(invalid.filter((key) => key in this.#saved).map((key) => [key, this.#saved[key as keyof Settings]]))
		const next = { ...kept, ...values }
		const current = mergeSettings(this.#options.environment, next)
		if (!this.#whole.safeParse(current).success) {
			this.#options.logger.warn('The settings in Nextcloud’s app config contradict each other; the last good copy serves')
			return
		}
		if (JSON.stringify(sorted(next)) !== JSON.stringify(sorted(this.#saved))) {
			try {
				await this.#options.beforeTakeOver({ saved: this.#saved, current: this.#current }, { saved: next, current })
				await this.#options.copy.replace(next, this.#options.now())
			} catch (error) {
				this.#options.logger[this.isFollowing ? 'warn' : 'debug']('Settings could not be taken over from Nextcloud; it is tried again with the next look', { error })
				return
			}
			this.#take(next)
			this.#options.logger.info('Settings were taken over from Nextcloud')
		}
	}

	/**
	 * Saves a change that was checked as a whole (`wholeSchema`).
	 *
	 * @throws {SipCallError} `nextcloud_unavailable`; what was written before the fault is taken over with the next refresh
	 */
	save(change: SavedSettings): Promise<void> {
		return this.#inTurn(() => this.#save(change))
	}

	/** A refresh that has read before a save and takes over after it would bring the old values back. */
	#inTurn(step: () => Promise<void>): Promise<void> {
		const done = this.#turn.then(step)
		this.#turn = done.catch(() => {})
		return done
	}

	async #save(change: SavedSettings): Promise<void> {
		for (const [key, value] of Object.entries(change)) {
			if (!await this.#options.source.write(key, settingText(value), isSecretSetting(key))) {
				this.#options.logger.warn('This server keeps no settings for apps: they live in SIPCall’s own database', { key })
			}
		}
		const next = { ...this.#saved, ...change }
		await this.#options.copy.replace(next, this.#options.now())
		this.#take(next)
	}

	#take(saved: SavedSettings): void {
		const before = this.#current
		this.#saved = saved
		this.#current = mergeSettings(this.#options.environment, saved)
		if (JSON.stringify(sorted(before)) !== JSON.stringify(sorted(this.#current))) {
			this.#onChange?.(this.#current, before)
		}
	}
}

function sorted(settings: SavedSettings): unknown {
	return Object.entries(settings).sort(([a], [b]) => a < b ? -1 : 1)
}
