// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { z } from 'zod'

const moment = z.iso.datetime()

export const DeviceParamsSchema = z.object({ id: z.string().max(64) })

export const CodeStateSchema = z.object({
	expiresAt: moment.describe('When the code is worth nothing any more'),
	triesLeft: z.int(),
	nextCallAt: moment.describe('From then on another call may be asked for'),
}).meta({ id: 'CodeState' })

export type CodeStateJson = z.infer<typeof CodeStateSchema>

export const CodeSchema = z.strictObject({
	code: z.string().regex(/^[0-9]{4}$/, 'The four digits that were heard'),
}).meta({ id: 'Code' })
