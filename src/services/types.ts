// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The API's shapes under the names that the page uses; they come from the schemas by which the server validates. */

import type { CallEventsSchema, CallJson, CallWishJson, ContactJson, DeviceWishJson, ExplanationJson, HistoryJson, LimitJson, MeJson, MeUpdateJson, ProblemJson } from '../../lib/http/schemas.ts'
import type { CodeStateJson } from '../../lib/http/verification-schemas.ts'

export type Call = CallJson
export type CallStatus = Call['status']
export type CallOutcome = NonNullable<Call['outcome']>
export type FixableBy = NonNullable<Call['reason']>['fixableBy']
export type CallPage = HistoryJson
export type Device = MeJson['devices'][number]
export type NewDevice = DeviceWishJson
export type Me = MeJson
export type MeChange = MeUpdateJson
export type PreferencesChange = NonNullable<MeChange['preferences']>
/** A code that was read out to a phone. */
export type CodeState = CodeStateJson
export type CallRequest = CallWishJson
export type Problem = ProblemJson
export type Explanation = ExplanationJson
export type Refusal = NonNullable<Explanation['refusal']>
/** How far a limit is used. A sum of money is told without its numbers. */
export type Limit = Omit<LimitJson, 'max'> & { max?: number }
export type Money = NonNullable<Explanation['estimatedRate']>
export type Contact = ContactJson
export type CallLogEntry = typeof CallEventsSchema['_zod']['output'][number]
/** Which calls of the history are wanted; lists are separated by commas. */
export type HistoryFilter = Readonly<{ status?: string, outcome?: string, direction?: Call['direction'], number?: string, from?: string, to?: string, tag?: string }>
