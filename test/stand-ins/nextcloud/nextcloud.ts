// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** All that this Nextcloud remembers, put together; it knows no HTTP. */

import type { OcsRoute } from './ocs.ts'
import type { ShellUser } from './users.ts'

import { AddressBooks } from './address-books.ts'
import { AppConfig } from './app-config.ts'
import { BruteForce } from './brute-force.ts'
import { ExApp } from './ex-app.ts'
import { LifeCycle } from './life-cycle.ts'
import { Notifications } from './notifications.ts'
import { OAuth } from './oauth.ts'
import { occRoutes } from './occ-commands.ts'
import { Registrations } from './registrations.ts'
import { LEON_GREEN, SAMPLE_CARDS } from './sample-cards.ts'
import { SettingsForms } from './settings-forms.ts'
import { uiRoutes } from './ui.ts'
import { userRoutes, Users } from './users.ts'

export interface NextcloudOptions {
	appId: string
	appSecret: string
	appVersion: string
	/** Where the ExApp listens, as in `http://127.0.0.1:23000`. */
	exAppUrl: string
	users?: ShellUser[]
	/** Cards in each user's address book by user and then by file name; left out = samples for the first user. */
	cards?: Readonly<Record<string, Readonly<Record<string, string>>>>
	/**
	 * Left out = true: the app is there and enabled, its page registered. With false it is as while its container starts
	 * for the first time: known but disabled, and `register()` comes next.
	 */
	enabled?: boolean
	/** Left out = true: ten counts of a wrong secret lock the caller's address out. */
	bruteForce?: boolean
}

const DEFAULT_USERS: ShellUser[] = [
	{ id: 'demo', displayName: 'Demo user', groups: ['admin', 'sales'] },
	{ id: 'guest', displayName: 'Guest', groups: [] },
]

export class Nextcloud {
	readonly users: Users
	readonly exApp: ExApp
	readonly lifeCycle: LifeCycle
	readonly appConfig: AppConfig
	readonly bruteForce: BruteForce
	readonly registrations = new Registrations()
	readonly settingsForms: SettingsForms
	readonly notifications: Notifications
	readonly oauth: OAuth
	readonly addressBooks: AddressBooks
	readonly routes: readonly OcsRoute[]

	constructor({ appId, appSecret, appVersion, exAppUrl, users = DEFAULT_USERS, cards, enabled = true, bruteForce = true }: NextcloudOptions) {
		const { registrations } = this
		const isEnabled = () => this.exApp.isRegistered && this.exApp.isEnabled
		const seeded = cards ?? { [users[0]?.id ?? '']: SAMPLE_CARDS }
		this.users = new Users(users)
		this.exApp = new ExApp({ id: appId, secret: appSecret, version: appVersion, url: exAppUrl, isEnabled: enabled })
		this.bruteForce = new BruteForce(bruteForce)
		this.appConfig = new AppConfig(appId)
		this.lifeCycle = new LifeCycle(this.exApp, () => registrations.clear())
		this.settingsForms = new SettingsForms({ registrations, appConfig: this.appConfig, appId, isEnabled })
		this.notifications = new Notifications(appId, isEnabled)
		this.oauth = new OAuth(this.users)
		this.addressBooks = new AddressBooks(this.users, (userId) => ({ ...seeded[userId], ...LEON_GREEN }))
		if (enabled) {
			registrations.addDefaultPage()
		}
		this.routes = [
			...userRoutes(this.users),
			...this.appConfig.routes(),
			...this.lifeCycle.routes(),
			...uiRoutes(registrations, appId),
			...this.settingsForms.routes(),
			...occRoutes(registrations, appId),
			...this.notifications.routes(),
			...this.oauth.routes(),
		]
	}
}
