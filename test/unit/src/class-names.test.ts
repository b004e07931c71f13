// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// Nextcloud's own style sheet is in the page, too: a part with one of its general class names looks as Nextcloud wants
// it, or is not seen at all.

import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const SRC = fileURLToPath(new URL('../../../src', import.meta.url))

/** Those that core/css/server.css of Nextcloud 32 gives a look to wherever they stand, without those of one part of it. */
const TAKEN = new Set(`action action-button appear avatar avatardiv bold breadcrumb bubble button center checkbox clear-both clear-end clear-left
	clear-right clear-start crumb emptycontent error error-wide external extra-data float-spinner group-header groupbottom groupmiddle grouptop
	header-action hidden hiddenuploadfield infield inlineblock loading loading-small pager personal-show-container popovermenu primary pull-end
	pull-left pull-right pull-start radio section shake sub-section tabHeaders tabsContainer tooltip tooltip-arrow tooltip-inner v-select vue
	warning-input`.split(/\s+/))

function classNames(component: string): string[] {
	const [template = ''] = component.split('<style')
	const given = [...template.matchAll(/(?<![\w-])(:?)class="([^"]*)"/g)].flatMap(([, colon, value = '']) => colon === ''
		? value.match(/[\w-]+/g) ?? []
		// A name stands in quotes or before the colon of an object.
		: [...value.matchAll(/'([^']+)'|([\w-]+)(?=\s*:)/g)].flatMap(([, quoted, key]) => (quoted ?? key ?? '').split(' ')))
	return [...new Set(given)]
}

const components = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.vue'))

describe('class names', () => {
	it.each(components)('of %s are not Nextcloud’s', (file) => {
		expect(classNames(readFileSync(path.join(SRC, file), 'utf8')).filter((name) => TAKEN.has(name))).toEqual([])
	})

	it('are found in both forms of an attribute', () => {
		expect(classNames('<p class="a b"><i :class="[\'c\', { \'d-e\': yes, f: no }]" /></p><style>.g {}</style>')).toEqual(['a', 'b', 'c', 'd-e', 'f'])
	})
})
