// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Part } from '../../../lib/health/report.ts'
import type { NextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'

import { afterEach, describe, expect, it } from 'vitest'
import { nextcloudProbe } from '../../../lib/health/probes/nextcloud.ts'
import { OcsClient } from '../../../lib/nextcloud/ocs-client.ts'
import { startNextcloudShell } from '../../stand-ins/nextcloud/nextcloud-shell.ts'
import { RecordedLog } from '../../support/recorded-log.ts'

let nextcloud: NextcloudShell

afterEach(() => nextcloud.stop())

describe('a Nextcloud that refuses the app’s secret', () => {
	it('is asked once and no more, however often the doctor looks: five wrong secrets lock the address out', async () => {
		nextcloud = await startNextcloudShell({ appId: 'sipcall', appSecret: 'the right one', appVersion: '0.1.0', exAppUrl: 'http://127.0.0.1:1' })
		let now = Date.now()
		const ocs = new OcsClient({ nextcloudUrl: nextcloud.url, appId: 'sipcall', appVersion: '0.1.0', appSecret: 'a wrong one', logger: new RecordedLog(), now: () => now })
		const probe = nextcloudProbe(ocs, () => now)
		for (let look = 0; look < 5; look++) {
			expect((await probe.look() as Part[]).map(({ code }) => code)).toEqual(['nextcloud_refused'])
			// Longer than the client leaves Nextcloud alone by itself.
			now += 120_000
		}
		expect(nextcloud.requests).toHaveLength(1)
	})
})
