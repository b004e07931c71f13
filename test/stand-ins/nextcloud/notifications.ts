// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** Notifications: what the ExApp sends, and what the user gets to see of it. */

import type { OcsRoute } from './ocs.ts'

import { failure, internalError, ok } from './ocs-answer.ts'

const SEEN = '/apps/notifications/api/v2/notifications'

/** A shorter name of a placeholder makes the whole text invalid. */
const PLACEHOLDER = /\{([^}]+)\}/g
const VALID_NAME = /^[a-z][\w.-]*[a-z0-9]$/i

type RichParameters = Record<string, { type?: unknown, id?: unknown, name?: unknown } | undefined>

/** As the user sees it. */
export interface ShownNotification {
	notification_id: number
	app: string
	user: string
	datetime: string
	object_type: string
	object_id: string
	subject: string
	message: string
	link: string
	subjectRich: string
	subjectRichParameters: unknown
	messageRich: string
	messageRichParameters: unknown
	icon: string
	shouldNotify: boolean
	actions: unknown[]
}

interface Sent {
	id: number
	userId: string
	datetime: string
	objectType: string
	objectId: string
	parameters: Readonly<Record<string, unknown>>
}

export class Notifications {
	readonly #appId: string
	/** A disabled app shows none. */
	readonly #isEnabled: () => boolean
	#sent: Sent[] = []
	#lastId = 0

	constructor(appId: string, isEnabled: () => boolean) {
		this.#appId = appId
		this.#isEnabled = isEnabled
	}

	/** Newest first; what is not valid was taken with 200 and is not among them. */
	shownTo(userId: string, origin = 'http://cloud.example'): ShownNotification[] {
		return this.#isEnabled() ? this.#sent.filter((sent) => sent.userId === userId).toReversed().flatMap((sent) => this.#show(sent, origin)) : []
	}

	routes(): OcsRoute[] {
		return [
			{
				method: 'POST',
				path: '/apps/app_api/api/v1/notification',
				asks: 'exApp',
				handle: ({ user, body: { params } }) => {
					const { object, object_id: objectId, subject_type: subjectType, subject_params: parameters } = (params ?? {}) as Record<string, unknown>
					const isComplete = [object, objectId, subjectType].every((text) => typeof text === 'string' && text !== '') && typeof parameters === 'object' && parameters !== null
					if (user === undefined || !isComplete) {
						return internalError
					}
					const datetime = new Date().toISOString().replace(/\.\d+Z$/, '+00:00')
					const sent = { id: ++this.#lastId, userId: user.id, datetime, objectType: String(object), objectId: String(objectId), parameters: { ...parameters } }
					this.#sent.push(sent)
					return ok({ app: this.#appId, user: user.id, datetime, object_type: sent.objectType, object_id: sent.objectId, subject: '', message: '', link: '', icon: '' })
				},
			},
			{ method: 'GET', path: SEEN, asks: 'user', handle: ({ user, origin }) => ok(this.shownTo(user?.id ?? '', origin)) },
			{
				method: 'DELETE',
				path: SEEN,
				asks: 'user',
				handle: ({ user }) => {
					this.#sent = this.#sent.filter(({ userId }) => userId !== user?.id)
					return ok()
				},
			},
			{
				method: 'DELETE',
				path: `${SEEN}/{id}`,
				asks: 'user',
				handle: ({ user, parameters }) => {
					const isMeant = ({ id, userId }: Sent) => id === Number(parameters.id) && userId === user?.id
					if (!this.#sent.some(isMeant)) {
						return failure(404, '')
					}
					this.#sent = this.#sent.filter((sent) => !isMeant(sent))
					return ok()
				},
			},
		]
	}

	#show({ id, userId, datetime, objectType, objectId, parameters }: Sent, origin: string): ShownNotification[] {
		const { rich_subject: subject, rich_subject_params: subjectParameters, rich_message: message = '', rich_message_params: messageParameters, link = '' } = parameters
		const hasMessage = messageParameters !== undefined
		const isShown = typeof subject === 'string' && subject !== '' && isValid(subject, subjectParameters) && (!hasMessage || isValid(String(message), messageParameters))
		if (!isShown) {
			return []
		}
		return [{
			notification_id: id,
			app: this.#appId,
			user: userId,
			datetime,
			object_type: objectType,
			object_id: objectId,
			subject: render(subject, subjectParameters as RichParameters),
			message: hasMessage ? render(String(message), messageParameters as RichParameters) : '',
			link: String(link),
			subjectRich: subject,
			subjectRichParameters: subjectParameters,
			messageRich: hasMessage ? String(message) : '',
			messageRichParameters: hasMessage ? messageParameters : [],
			icon: `${origin}/apps/app_api/img/app-dark.svg`,
			shouldNotify: true,
			actions: [],
		}]
	}
}

function isValid(text: string, parameters: unknown): boolean {
	if (typeof parameters !== 'object' || parameters === null) {
		return false
	}
	const known = Object.entries(parameters as RichParameters)
	const named = [...text.matchAll(PLACEHOLDER)].map(([, name = '']) => name)
	return known.every(([name, value]) => VALID_NAME.test(name) && [value?.type, value?.id, value?.name].every((part) => typeof part === 'string'))
		&& named.every((name) => known.some(([other]) => other === name))
}

function render(text: string, parameters: RichParameters): string {
	return text.replace(PLACEHOLDER, (whole, name: string) => {
		const value = parameters[name]
		return value === undefined ? whole : `${value.type === 'user' ? '@' : ''}${String(value.name)}`
	})
}
