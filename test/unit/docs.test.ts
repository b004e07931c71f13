// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// What the documentation lists must be what the code has.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { ENVIRONMENT } from '../../lib/config.ts'
import { Monitoring } from '../../lib/health/monitoring.ts'
import { PROBLEMS } from '../../lib/http/problem.ts'
import { DEFAULT_SETTINGS } from '../../lib/policy/settings.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string) => readFileSync(path.join(ROOT, file), 'utf8')

/** The rows of a Markdown table whose first cell is code. */
function rows(text: string): string[][] {
	return text.split('\n').filter((line) => line.startsWith('| `')).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim().replace(/^`([^`]*)`$/, '$1')))
}

function markdownFiles(folder: string): string[] {
	return readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.md')).map((file) => path.join(folder, file))
}

describe('the documentation', () => {
	it('lists every error code with its status', () => {
		const documented = Object.fromEntries(rows(read('docs/developer/errors.md')).map(([code = '', status]) => [code, Number(status)]))
		expect(documented).toEqual({ ...Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])), internal_error: 500 })
	})

	it('lists every environment variable with its meaning', () => {
		const documented = Object.fromEntries(rows(read('docs/admin/environment.md')).map(([name = '', meaning]) => [name, meaning]))
		expect(documented).toEqual(Object.fromEntries(Object.entries(ENVIRONMENT.shape).map(([name, schema]) => [name, schema.description ?? ''])))
	})

	it('lists every setting with its default', () => {
		const documented = Object.fromEntries(rows(read('docs/admin/settings.md')).map(([key = '', , value = '']) => [key, JSON.parse(value) as unknown]))
		expect(documented).toEqual(DEFAULT_SETTINGS)
	})

	it('lists every metric with its labels; alerts and dashboard ask for no other', async () => {
		const monitoring = new Monitoring('1.2.3')
		monitoring.watch({ openCalls: () => 1, isSwitchReady: () => true, switches: () => [], backlog: () => ({ waiting: 0, isOnDisk: true, lost: 0, bytes: 0 }), replicas: () => ({ count: 1, hears: new Map() }), readReplicas: () => [], report: async () => ({ checkedAt: new Date(0), state: 'ok', parts: [] }), guards: () => [], pool: () => ({ busy: 0, idle: 1, waiting: 0 }) })
		const names = [...(await monitoring.text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name)
		const own = names.filter((name) => name.startsWith('sipcall_'))
		const documented = rows(read('docs/admin/monitoring.md')).map(([name = '']) => name.replace(/\{.*/, '')).filter((name) => name.startsWith('sipcall_'))
		expect(documented.toSorted()).toEqual(own.toSorted())
		const asked = ['alerts.yml', 'dashboard.json'].flatMap((file) => read(`docs/admin/monitoring/${file}`).match(/\b(?:sipcall|process|nodejs)_\w+/g) ?? []).map((name) => name.replace(/_(?:bucket|sum|count)$/, ''))
		expect(asked.length).toBeGreaterThan(20)
		expect(asked.filter((name) => !names.includes(name))).toEqual([])
	})

	it('has no link to a file that is not there', () => {
		const broken = ['README.md', 'CHANGELOG.md', ...markdownFiles('docs')].flatMap((file) => [...read(file).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
			.map(([, target = '']) => path.join(path.dirname(file), target))
			.filter((target) => !existsSync(path.join(ROOT, target)))
			.map((target) => `${file} → ${target}`))
		expect(broken).toEqual([])
	})

	it('names the two commands in its first screen', () => {
		const firstScreen = read('README.md').split('\n').slice(0, 25).join('\n')
		expect(firstScreen).toContain('make run')
		expect(firstScreen).toContain('make test')
	})
})
