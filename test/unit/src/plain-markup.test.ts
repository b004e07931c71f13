// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { describe, expect, it } from 'vitest'
import { sanitize } from '../../../src/services/plain-markup.ts'

describe('markup', () => {
	it.each([
		'Close navigation',
		'5 > 3 & "more"',
		'<!-- a remark -->\n<svg></svg>',
		'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24"><g fill="none"><path d="M3 3h18"/></g><rect x="1" y="1" width="2" height="2" /></svg>',
	])('of words and plain shapes passes as it is: %s', (markup) => {
		expect(sanitize(markup)).toBe(markup)
	})

	it.each([
		'<script>alert(1)</script>',
		'<svg onload="alert(1)"></svg>',
		'<svg><a href="javascript:alert(1)"><path d="M0 0"/></a></svg>',
		'<svg><foreignObject><body/></foreignObject></svg>',
		'<svg><path d="M0 0" style="background:url(x)"/></svg>',
		'<svg><path d=\'M0 0\' onclick=alert(1)/></svg>',
		'<svg><use href="#x"/></svg>',
		'<!--><script>alert(1)</script>-->',
		'<img src=x onerror=alert(1)>',
		'<svg><path d="M0 0"',
	])('of anything more is refused: %s', (markup) => {
		expect(() => sanitize(markup)).toThrow(TypeError)
	})
})
