// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Who has an account, and the OCS calls that tell of it. */

import type { OcsRoute } from './ocs.ts'

import { failure, ok } from './ocs-answer.ts'

export interface ShellUser {
	id: string
	displayName: string
	groups: string[]
	/** Left out = enabled. */
	enabled?: boolean
	/** Left out = `<id>@cloud.example`. */
	email?: string
	/** As in the user's profile; left out = none. */
	phone?: string
	/** Left out = `en`. */
	language?: string
}

export class Users {
	readonly #users: Map<string, ShellUser>

	constructor(users: readonly ShellUser[]) {
		this.#users = new Map(users.map((user) => [user.id, { ...user }]))
	}

	get first(): ShellUser | undefined {
		return [...this.#users.values()].find(isEnabled)
	}

	list(): ShellUser[] {
		return [...this.#users.values()]
	}

	get(id: string): ShellUser | undefined {
		return this.#users.get(id)
	}

	/** A user that may log in. */
	enabled(id: string): ShellUser | undefined {
		const user = this.#users.get(id)
		return user !== undefined && isEnabled(user) ? user : undefined
	}

	/** Adds a user, or changes the one with this id. */
	add(user: ShellUser): void {
		this.#users.set(user.id, { ...user })
	}

	setEnabled(id: string, enabled: boolean): void {
		this.#users.set(id, { ...this.#known(id), enabled })
	}

	delete(id: string): void {
		this.#users.delete(this.#known(id).id)
	}

	#known(id: string): ShellUser {
		const user = this.#users.get(id)
		if (user === undefined) {
			throw new Error(`The stand-in has no user ${id}`)
		}
		return user
	}
}

function isEnabled({ enabled }: ShellUser): boolean {
	return enabled !== false
}

function isAdmin(user: ShellUser | undefined): boolean {
	return user?.groups.includes('admin') === true
}

export function userRoutes(users: Users): OcsRoute[] {
	const ids = () => users.list().map(({ id }) => id).sort()
	return [
		{ method: 'GET', path: '/apps/app_api/api/v1/users', asks: 'exApp', handle: () => ok(ids()) },
		{ method: 'GET', path: '/cloud/user', asks: 'user', handle: ({ user }) => ok(user === undefined ? [] : { ...userData(user), ...scopes }) },
		{
			method: 'GET',
			path: '/cloud/users',
			asks: 'user',
			handle: ({ user, query }) => {
				if (!isAdmin(user)) {
					return failure(403, 'Logged in account must be an admin or sub admin')
				}
				const found = ids().filter((id) => id.includes(query.get('search') ?? ''))
				const offset = Number(query.get('offset') ?? 0)
				return ok({ users: found.slice(offset, query.has('limit') ? offset + Number(query.get('limit')) : undefined) })
			},
		},
		{
			method: 'GET',
			path: '/cloud/users/details',
			asks: 'user',
			handle: ({ user, query }) => {
				if (!isAdmin(user)) {
					return failure(403, 'Logged in account must be an admin or sub admin')
				}
				const wanted = (query.get('search') ?? '').toLowerCase()
				const found = users.list().filter(({ id, displayName }) => `${id} ${displayName}`.toLowerCase().includes(wanted)).toSorted((a, b) => a.id < b.id ? -1 : 1)
				const offset = Number(query.get('offset') ?? 0)
				const page = found.slice(offset, query.has('limit') ? offset + Number(query.get('limit')) : undefined)
				// PHP has one kind of list: an empty object comes as an array.
				return ok({ users: page.length === 0 ? [] : Object.fromEntries(page.map((one) => [one.id, userData(one)])) })
			},
		},
		{
			method: 'GET',
			path: '/cloud/users/{id}',
			asks: 'user',
			handle: ({ user, parameters: { id = '' } }) => {
				// Nextcloud's own database finds any spelling of an id, and answers with the id as it is.
				const asked = users.list().find((one) => one.id.toLowerCase() === id.toLowerCase())
				if (asked === undefined) {
					return failure(404, 'User does not exist')
				}
				return ok({
					...(isAdmin(user) ? { enabled: isEnabled(asked), storageLocation: `/srv/nextcloud/data/${id}` } : {}),
					...userData(asked),
				})
			},
		},
		{
			method: 'GET',
			path: '/cloud/users/{id}/groups',
			asks: 'user',
			handle: ({ user, parameters: { id = '' } }) => {
				const asked = users.get(id)
				if (asked === undefined || (!isAdmin(user) && user?.id !== id)) {
					return failure(998, '')
				}
				return ok({ groups: asked.groups })
			},
		},
		{
			method: 'GET',
			path: '/cloud/groups/{id}/users',
			asks: 'user',
			handle: ({ user, parameters: { id = '' } }) => {
				if (!isAdmin(user)) {
					return failure(403, 'Logged in account must be an admin or sub admin')
				}
				return ok({ users: users.list().filter(({ groups }) => groups.includes(id)).map((member) => member.id) })
			},
		},
		{
			method: 'GET',
			path: '/cloud/capabilities',
			asks: 'nothing',
			handle: () => ok({
				version: { major: 32, minor: 0, micro: 1, string: '32.0.1', edition: '', extendedSupport: false },
				capabilities: {
					core: { pollinterval: 60, 'webdav-root': 'remote.php/webdav', 'mod-rewrite-working': true },
					app_api: { loglevel: 1, version: '32.0.0' },
				},
			}),
		},
	]
}

function userData(user: ShellUser) {
	const { id, displayName, groups, phone = '', email = `${id}@cloud.example`, language = 'en' } = user
	return {
		enabled: isEnabled(user),
		id,
		firstLoginTimestamp: 1795353652,
		lastLoginTimestamp: 1795353842,
		lastLogin: 1795353842000,
		backend: 'Database',
		subadmin: [],
		quota: { free: -3, used: 0, total: -3, relative: 0, quota: -3 },
		manager: '',
		email,
		additional_mail: [],
		displayname: displayName,
		'display-name': displayName,
		phone,
		address: '',
		website: '',
		twitter: '',
		bluesky: '',
		fediverse: '',
		organisation: '',
		role: '',
		headline: '',
		biography: '',
		profile_enabled: '1',
		pronouns: '',
		groups,
		language,
		locale: '',
		timezone: '',
		notify_email: null,
		backendCapabilities: { setDisplayName: true, setPassword: true },
	}
}

/** Who may see a field of a profile; told only to its owner. */
const scopes = {
	avatarScope: 'v2-federated',
	emailScope: 'v2-federated',
	additional_mailScope: [],
	displaynameScope: 'v2-federated',
	phoneScope: 'v2-local',
	addressScope: 'v2-local',
	websiteScope: 'v2-local',
	twitterScope: 'v2-local',
	blueskyScope: 'v2-local',
	fediverseScope: 'v2-local',
	organisationScope: 'v2-local',
	roleScope: 'v2-local',
	headlineScope: 'v2-local',
	biographyScope: 'v2-local',
	profile_enabledScope: 'v2-local',
	pronounsScope: 'v2-federated',
}
