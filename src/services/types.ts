// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The API's shapes under the names that the page uses; they come from the schemas by which the server validates. */

import type { CallJson, CallWishJson, DeviceWishJson, HistoryJson, MeJson, ProblemJson } from '../../lib/http/schemas.ts'

export type Call = CallJson
export type CallStatus = Call['status']
export type CallOutcome = NonNullable<Call['outcome']>
export type FixableBy = NonNullable<Call['reason']>['fixableBy']
export type CallPage = HistoryJson
export type Device = MeJson['devices'][number]
export type NewDevice = DeviceWishJson
export type Me = MeJson
export type CallRequest = CallWishJson
export type Problem = ProblemJson
