// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// The shapes of the doctor's routes.

import { z } from 'zod'
import { anyUuid, time } from './schemas.ts'

const finding = {
	code: z.string().describe('Stable; docs/admin/troubleshooting.md lists all'),
	text: z.string().describe('What is, in English'),
	advice: z.string().optional().describe('What to do, in English; whatever is not well has one'),
	fixableBy: z.enum(['admin', 'carrier', 'nobody']).optional(),
	page: z.enum(['connection', 'policy', 'users', 'privacy']).optional().describe('The page of the administration where it is mended'),
	values: z.record(z.string(), z.union([z.string(), z.number()])).optional().describe('What stands in the sentences; never a number or a secret'),
	latencyMs: z.number().optional(),
}

const load = z.object({
	sessions: z.int().optional().describe('Channels that there are'),
	maxSessions: z.int().optional(),
	sessionsPerSec: z.int().optional().describe('Channels that may be made in a second'),
	heartbeatAgeSec: z.number().optional(),
	callsPerSec: z.number().describe('So many calls a second this server places there at most'),
	waiting: z.int().describe('Calls that wait for their turn'),
	refused: z.int().describe('Calls that were refused because too many waited, since the start'),
})

export const PartSchema = z.object({
	id: z.enum(['nextcloud', 'sipcall', 'volume', 'database', 'read_replica', 'spool', 'keys', 'records', 'redis', 'freeswitch', 'gateway', 'carrier', 'calling', 'spending', 'sign_in', 'backups', 'settings', 'removed_users', 'locked_users']),
	name: z.string().optional().describe('The gateway’s; a read replica’s, and of several FreeSWITCHes the node’s, `host:port`'),
	state: z.enum(['ok', 'degraded', 'down', 'not_set_up']),
	...finding,
	breaker: z.enum(['closed', 'half_open', 'open']).optional().describe('`open`: it did not answer several times and is left alone for a few seconds; `half_open`: the next answer decides. Of parts that are asked for something'),
	load: load.optional().describe('Of a FreeSWITCH that is connected'),
}).meta({ id: 'HealthPart' })

export const HealthSchema = z.object({
	checkedAt: time,
	state: z.enum(['ok', 'degraded', 'down', 'not_set_up']).describe('Of all together; `down` = nobody can call'),
	parts: z.array(PartSchema).describe('In the order in which a call passes them'),
}).meta({ id: 'Health' })

export type HealthJson = z.infer<typeof HealthSchema>
export type HealthPartJson = z.infer<typeof PartSchema>

export const ConfigTestSchema = z.object({
	passed: z.boolean(),
	steps: z.array(z.object({
		id: z.enum(['reachable', 'password', 'commands', 'version', 'gateway', 'caller_id', 'carrier']),
		name: z.string().optional().describe('The gateway’s'),
		state: z.enum(['ok', 'degraded', 'down', 'not_set_up', 'not_run']),
		...finding,
		code: finding.code.optional(),
		text: finding.text.optional(),
	})),
	gateways: z.array(z.string()).optional().describe('The names of all that FreeSWITCH has'),
}).meta({ id: 'ConfigTest' })

export type ConfigTestJson = z.infer<typeof ConfigTestSchema>

export const TestCallWishSchema = z.strictObject({ device: anyUuid.describe('A phone of the admin’s own') }).meta({ id: 'TestCallWish' })

export const TestCallParamsSchema = z.object({ id: anyUuid })

export const TestCallSchema = z.object({
	id: z.string(),
	startedAt: time,
	steps: z.array(z.object({ id: z.enum(['accepted', 'ringing', 'answered', 'ended']), ms: z.number().describe('Since it was asked for') })),
	passed: z.boolean().optional().describe('Only when ended'),
	cause: z.object({ name: z.string(), q850: z.int(), sip: z.int().optional(), carrier: z.string().optional() }).optional(),
	reason: z.object({ code: z.string(), message: z.string(), fixableBy: z.enum(['user', 'admin', 'carrier', 'nobody']) }).optional(),
}).meta({ id: 'TestCall' })

export type TestCallJson = z.infer<typeof TestCallSchema>
