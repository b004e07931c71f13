// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// One schema for each shape of the API: it validates, gives the type, and documents itself in /openapi.json.

import { isSupportedCountry } from 'libphonenumber-js/max'
import { z } from 'zod'

/**
 * Text that a person wrote: PostgreSQL cannot store NUL or half a surrogate pair, and no other control character but
 * line breaks makes sense.
 */
export function text(longest: number) {
	return z.string().max(longest)
		.refine((value) => value.isWellFormed(), 'Not valid Unicode')
	// eslint-disable-next-line no-control-regex
		.regex(/^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]*$/, 'Control characters are not allowed')
}

export const e164 = z.string().regex(/^\+[1-9][0-9]{6,14}$/, 'Not an E.164 number').meta({ examples: ['+4930123456'] })
export const time = z.iso.datetime({ precision: 3 }).meta({ examples: ['2026-11-22T09:30:00.000Z'] })
const uuid = z.uuid()
/** As a client may spell it; everything in here knows the lower-case spelling alone (RFC 9562 section 4). */
export const anyUuid = z.uuid().transform((text) => text.toLowerCase())

export const country = z.string().regex(/^[A-Z]{2}$/, 'Not an ISO 3166 country code such as DE')

export const MoneySchema = z.object({ micros: z.string().describe('Millionths'), currency: z.string() }).meta({ id: 'Money' })

/** Why a call is not allowed. */
export const RefusalSchema = z.object({
	code: z.string(),
	message: z.string(),
	rule: z.object({ id: z.string(), label: z.string() }).optional(),
	fixableBy: z.enum(['user', 'admin', 'nobody']),
	untilAt: time.optional().describe('When it will be allowed by itself'),
}).meta({ id: 'Refusal' })

export const ExplanationSchema = z.object({
	input: z.string(),
	e164: e164.optional(),
	display: z.string().describe('The number as people of its country write it; else what was typed'),
	extension: z.string().optional(),
	country: z.string().optional().describe('ISO 3166'),
	type: z.string().optional().describe('libphonenumber’s type'),
	allowed: z.boolean(),
	refusal: RefusalSchema.optional(),
	callerId: e164.optional().describe('What the destination would see; left out = the gateway’s own number'),
	gateway: z.string().optional(),
	estimatedRate: MoneySchema.optional().describe('For a minute'),
	confirm: z.enum(['expensive', 'new_country']).optional().describe('What a person should be asked before'),
}).meta({ id: 'Explanation' })

export type ExplanationJson = z.infer<typeof ExplanationSchema>

export const CALL_STATUSES = ['queued', 'calling_user', 'dialing', 'ringing', 'connected', 'ended'] as const
export const CALL_OUTCOMES = ['completed', 'busy', 'no_answer', 'rejected', 'cancelled', 'failed', 'blocked'] as const

export const CallSchema = z.object({
	uuid,
	version: z.int().describe('Grows with every change'),
	to: z.string().describe('E.164; of a masked call its country’s code and last two digits; of an erased one, and of one that cannot be decrypted, empty').meta({ examples: ['+4930123456'] }),
	masked: z.boolean().optional().describe('Number, note and tags were destroyed after the time that the settings say'),
	erased: z.boolean().optional().describe('Somebody has erased the number, note and tags'),
	unreadable: z.boolean().optional().describe('A text of it cannot be decrypted and is left out; `to` is empty when it is the number'),
	extension: z.string().regex(/^[0-9*#,]{1,20}$/).optional().describe('Keys that are pressed once the destination has answered; a comma is a pause of two seconds'),
	toDisplay: z.string().describe('With ` ext. 12` where there is an extension'),
	contactName: z.string().optional(),
	device: z.object({ id: uuid, label: z.string() }),
	callerId: e164.optional(),
	direction: z.enum(['outbound', 'inbound']),
	status: z.enum(CALL_STATUSES).describe('Only moves to the right; `ended` is final'),
	outcome: z.enum(CALL_OUTCOMES).optional().describe('Only when ended'),
	endedBy: z.enum(['user', 'callee', 'policy', 'system']).optional(),
	leg: z.enum(['user', 'destination']).optional().describe('Whose phone decided the outcome'),
	cause: z.object({ name: z.string(), q850: z.int(), sip: z.int().optional(), carrier: z.string().optional().describe('What the phone company wrote beside the SIP status, such as D51') }).optional(),
	reason: z.object({ code: z.string(), message: z.string(), fixableBy: z.enum(['user', 'admin', 'carrier', 'nobody']) }).optional(),
	createdAt: time,
	userAnsweredAt: time.optional(),
	ringingAt: time.optional(),
	answeredAt: time.optional(),
	endedAt: time.optional(),
	talkSec: z.number().optional().describe('Seconds since the destination answered'),
	cost: MoneySchema.nullable().optional().describe('As the phone company says, or by the rates of the settings where it cannot be asked; null while it is pending or unknown, never 0 for it. Left out for calls to the user'),
	costState: z.enum(['pending', 'final', 'unknown']).optional().describe('`unknown`: the phone company never said, no rate covers the number, or nobody knows how long was talked'),
	onHold: z.boolean(),
	note: z.string().optional(),
	tags: z.array(z.string()),
}).meta({ id: 'Call' })

export type CallJson = z.infer<typeof CallSchema>

export const CallWishSchema = z.strictObject({
	to: text(400).min(1).describe('Anything a person types, or a tel: URI; an extension behind it is sent once the destination has answered'),
	device: anyUuid.optional().describe('The phone that rings; without it the default one'),
	callerId: e164.optional(),
	note: text(4000).optional(),
}).meta({ id: 'CallWish' })

export type CallWishJson = z.input<typeof CallWishSchema>

/** 1–128 printable characters. */
export const IdempotencyKeySchema = z.string().regex(/^[\u0020-\u007e]{1,128}$/, 'Use 1 to 128 printable ASCII characters')

export const CallParamsSchema = z.object({ uuid: anyUuid.describe('The call') })

export const whole = (smallest: number, largest: number) => z.string().regex(/^\d{1,9}$/, 'Not a whole number').transform(Number).pipe(z.int().min(smallest).max(largest))

/** A short text on one line. */
const tag = text(64).regex(/^[^\t\n\r]*$/, 'A tag is one line').regex(/\S/, 'A tag is not empty')

export const AnnotationSchema = z.strictObject({
	note: text(4000).optional().describe('Empty takes it away'),
	tags: z.array(tag).max(20).optional().describe('Replaces the list; the same tag in another case is the same'),
}).refine(({ note, tags }) => note !== undefined || tags !== undefined, 'Give a note, tags or both').meta({ id: 'Annotation' })

export const DigitsSchema = z.strictObject({
	digits: z.string().regex(/^[0-9*#A-D]{1,32}$/, 'Keys are 0 to 9, *, # and A to D, at most 32 of them'),
}).meta({ id: 'Digits' })

export const TransferSchema = z.strictObject({
	to: text(400).min(1).describe('Anything a person types, or a tel: URI'),
}).meta({ id: 'Transfer' })

/** Without the number: whom somebody calls is not an administrator's to see. */
export const AdminCallSchema = z.object({ uuid, version: z.int(), status: z.enum(CALL_STATUSES) }).meta({ id: 'AdminCall' })

export const CallStatusQuerySchema = z.object({
	version: whole(0, 999_999_999).optional().describe('Answer when the version is above this'),
	wait: whole(0, 25).optional().describe('Wait at most this many seconds for that'),
})

function commaList<const Values extends readonly string[]>(values: Values) {
	return z.string().transform((list) => list.split(',')).pipe(z.array(z.enum(values)))
}

/** Within what PostgreSQL and ISO 8601's four digits of a year can hold; no call is older than the telephone. */
export const moment = z.iso.datetime({ offset: true }).transform((value) => new Date(value))
	.refine((value) => value.getUTCFullYear() >= 1876 && value.getUTCFullYear() <= 9999, 'Not within the years 1876 to 9999')

export const HistoryQuerySchema = z.object({
	limit: whole(1, 200).default(50),
	cursor: z.string().max(400).optional(),
	status: commaList(CALL_STATUSES).optional(),
	outcome: commaList(CALL_OUTCOMES).optional(),
	direction: z.enum(['outbound', 'inbound']).optional(),
	from: moment.optional(),
	to: moment.optional(),
	number: z.string().max(200).optional(),
	tag: tag.optional().describe('In any case'),
	idempotencyKey: IdempotencyKeySchema.optional().describe('The call that a request with this key has placed, if any: for a client whose answer was lost, and who must not send it again'),
})

export const HistorySchema = z.object({
	items: z.array(CallSchema),
	nextCursor: z.string().nullable(),
}).meta({ id: 'CallHistory' })

export type HistoryJson = z.infer<typeof HistorySchema>

export const CallEventsSchema = z.array(z.object({
	at: time,
	type: z.string(),
	leg: z.enum(['user', 'destination']).optional(),
	detail: z.record(z.string(), z.union([z.string(), z.number()])).optional(),
})).meta({ id: 'CallEvents' })

export const DeviceSchema = z.object({
	id: uuid,
	kind: z.enum(['sip', 'phone']),
	label: z.string(),
	address: z.string(),
	isDefault: z.boolean(),
	verified: z.boolean(),
}).meta({ id: 'Device' })

export const MeSchema = z.object({
	id: z.string(),
	displayName: z.string(),
	roles: z.array(z.enum(['user', 'admin'])),
	permissions: z.object({ call: z.boolean(), admin: z.boolean() }),
	country: z.string().nullable().describe('For numbers in national form: the user’s own choice, else the home country'),
	homeCountry: z.string().nullable().describe('The administrator’s choice'),
	preferences: z.object({
		country: z.string().nullable().describe('null = the home country'),
		askBeforeEveryCall: z.boolean(),
		callerId: e164.nullable().describe('Shown while it is one of `callerIds`; null = the first of them'),
		notifications: z.object({ missed: z.boolean(), failed: z.boolean() }),
	}),
	missedUnseen: z.int().describe('Missed calls since `seenMissedAt` was last told'),
	callerIds: z.array(z.object({ number: e164, label: z.string() })),
	devices: z.array(DeviceSchema),
	limits: z.array(z.object({
		kind: z.string(),
		used: z.int().optional(),
		max: z.int(),
		resetsAt: time.optional(),
		timeZone: z.string().optional(),
	})),
	lock: z.object({ until: time }).nullable().describe('Calling is locked until then'),
	retention: z.object({ callsDays: z.int(), maskAfterDays: z.int() }).describe('After how many days a call is deleted, and before that its number masked'),
	statistics: z.enum(['pseudonymous', 'named']).describe('Whether statistics tell administrators who called'),
	service: z.object({ calling: z.enum(['ok', 'degraded', 'down']) }),
}).meta({ id: 'Me' })

export type LimitJson = z.infer<typeof MeSchema>['limits'][number]

export type MeJson = z.infer<typeof MeSchema>

export const MeUpdateSchema = z.strictObject({
	devices: z.array(z.discriminatedUnion('kind', [
		z.strictObject({
			id: anyUuid.optional(),
			kind: z.literal('sip'),
			label: text(64).min(1),
			address: z.string().regex(/^[A-Za-z0-9_.+-]{1,64}$/, 'An extension has letters, digits and _ . + - only'),
			isDefault: z.boolean().optional(),
		}),
		z.strictObject({
			id: anyUuid.optional(),
			kind: z.literal('phone'),
			label: text(64).min(1),
			address: z.string().min(1).max(200),
			isDefault: z.boolean().optional(),
		}),
	])).max(20).optional(),
	preferences: z.strictObject({
		country: z.string().refine((code) => isSupportedCountry(code), 'Not an ISO 3166 country code such as DE').nullable(),
		askBeforeEveryCall: z.boolean(),
		callerId: e164.nullable(),
		notifications: z.strictObject({ missed: z.boolean(), failed: z.boolean() }).partial(),
	}).partial().optional(),
	seenMissedAt: moment.optional().describe('Missed calls until then have been looked at; a time to come counts as now, an earlier one than before changes nothing'),
}).meta({ id: 'MeUpdate' })

export type MeUpdateJson = z.input<typeof MeUpdateSchema>

export type DeviceWishJson = NonNullable<MeUpdateJson['devices']>[number]

export const ProblemSchema = z.looseObject({
	type: z.string(),
	title: z.string(),
	status: z.int(),
	detail: z.string(),
	code: z.string(),
	requestId: z.string(),
	retryAfterSec: z.int().optional(),
	errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
}).meta({ id: 'Problem' })

export type ProblemJson = z.infer<typeof ProblemSchema>

export const ContactsQuerySchema = z.object({
	search: text(100).min(1).optional().describe('A name or digits, or a part of them'),
	number: z.string().min(1).max(200).optional().describe('A whole number: who has it?'),
}).refine(({ search, number }) => (search === undefined) !== (number === undefined), 'Give either search or number')

const ContactSchema = z.object({
	name: z.string(),
	numbers: z.array(z.object({
		e164,
		display: z.string().describe('With ` ext. 12` where the card has an extension'),
		type: z.enum(['mobile', 'work', 'home', 'main', 'fax', 'pager', 'other']),
	})),
	uid: z.string().describe('Of the card; two address books may have the same'),
	match: z.enum(['exact', 'maybe']).optional().describe('Only for `number`; `maybe` = the last eight digits are the same'),
}).meta({ id: 'Contact' })

export type ContactJson = z.infer<typeof ContactSchema>

export const ContactsSchema = z.array(ContactSchema).meta({ id: 'Contacts' })
