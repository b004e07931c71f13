// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Reads a table of prices for the setting `rates`. Nothing is saved by it.

import type { Settings } from '../../policy/settings.ts'
import type { Route } from '../route.ts'

import { z } from 'zod'
import { MOST_RATES, readRateTable } from '../../policy/rate-table.ts'
import { invalidRequest, route } from '../route.ts'
import { MoneySchema } from '../schemas.ts'

const RateTableSchema = z.object({
	rates: z.array(z.object({ prefix: z.string(), perMinute: MoneySchema, perCall: MoneySchema.optional() })).describe('To be saved with `POST /admin/config`'),
}).meta({ id: 'RateTable' })

const TableBody = z.strictObject({
	csv: z.string().describe(`The whole file: a heading that names prefix, perMinute, currency and if need be perCall, and at most ${MOST_RATES} lines`),
}).meta({ id: 'RateTableText' })

export type RateTableJson = z.infer<typeof RateTableSchema>

export function rateTableRoutes({ settings }: { settings: () => Settings }): Route[] {
	return [
		route({
			method: 'post',
			path: '/admin/rates/read',
			right: 'admin',
			summary: 'Read a table of prices: all of it, or what is wrong with each of its lines (`errors[].field` is `csv.` and the line’s number). Nothing is saved',
			body: TableBody,
			answer: { status: 200, schema: RateTableSchema },
			refusals: ['csrf', 'unsupported_media_type', 'payload_too_large', 'forbidden', 'nextcloud_unavailable'],
			handle: async ({ body }) => {
				const { dailySpendLimit, monthlySpendLimit, confirmAbove } = settings()
				const read = readRateTable(body.csv, (dailySpendLimit ?? monthlySpendLimit ?? confirmAbove)?.currency)
				if ('faults' in read) {
					throw invalidRequest(read.faults)
				}
				return { status: 200, body: read }
			},
		}),
	]
}
