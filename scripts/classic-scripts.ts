// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Plugin } from 'vite'

import { createHash } from 'node:crypto'

interface Edit { start: number, end: number, text: string }

/**
 * AppAPI writes the page's script tag without `type="module"`, and classic scripts know neither `import` nor `export`. The
 * bundler splits the page into modules all the same, so that what two of them need is fetched once; this makes each of
 * them a classic script: what it exports it puts into `sipcallScripts.<name>`, and from there it takes what it imports.
 * An `import()` becomes a call of `sipcallFetch('<name>')`, by which `src/services/scripts.ts` fetches the script.
 */
export function classicScripts(): Plugin {
	return {
		name: 'sipcall:classic-scripts',
		apply: 'build',
		enforce: 'post',
		load: {
			order: 'pre',
			// Vite's own helper looks for the styles of each script; ours are in one file that is there from the start.
			handler: (id) => id === '\0vite/preload-helper.js' ? 'export const __vitePreload = (load) => load()' : undefined,
		},
		generateBundle(_options, bundle) {
			const chunks = Object.values(bundle).filter((file) => file.type === 'chunk')
			const stamps = new Map(chunks.map(({ fileName, code }) => [nameOf(fileName), createHash('sha256').update(code).digest('hex').slice(0, 12)]))
			for (const chunk of chunks) {
				const edits: Edit[] = []
				for (const statement of this.parse(chunk.code).body) {
					const { start, end } = statement
					const text = chunk.code.slice(start, end)
					if (statement.type === 'ImportDeclaration') {
						const from = nameOf(statement.source.value)
						edits.push({ start, end, text: importsOf(text, from, stamps.get(from) ?? '') })
					} else if (statement.type === 'ExportNamedDeclaration') {
						const name = nameOf(chunk.fileName)
						edits.push({ start, end, text: exportsOf(text, name, stamps.get(name) ?? '') })
					} else if (statement.type.startsWith('Export')) {
						this.error(`${chunk.fileName} exports in a form that classicScripts() does not know`)
					}
				}
				const plain = edits.toSorted((a, b) => b.start - a.start).reduce((code, { start, end, text }) => `${code.slice(0, start)}${text}${code.slice(end)}`, chunk.code)
				const code = plain.replaceAll(/\bimport\((["'`])([^"'`]+)\1\)/g, (_all, _quote, path: string) => `globalThis.sipcallFetch("${nameOf(path)}")`)
				const [left] = /.{0,80}\bimport(?:\.meta\b|\s*\().{0,60}/.exec(code) ?? []
				if (left !== undefined) {
					this.error(`${chunk.fileName} has something that only modules have: ${left}`)
				}
				chunk.code = `(function(){"use strict";${code}\n})();\n`
			}
		},
	}
}

/** `js/sipcall-main.js` → `main` */
function nameOf(path: string): string {
	const [, name] = /sipcall-(\w+)\.js$/.exec(path) ?? []
	if (name === undefined) {
		throw new Error(`${path} is none of the page's scripts: a chunk of its own is nothing that AppAPI would know`)
	}
	return name
}

/**
 * `import {a as b} from …` → `const {a: b} = …`. What is shared is made once and does not change, so a copy will do. A page
 * that has been open since before an update has another `main`: then nothing is done, and the page says that it failed.
 */
function importsOf(statement: string, from: string, stamp: string): string {
	const [, list] = /^import\s*\{([^}]*)\}/.exec(statement) ?? []
	if (list === undefined) {
		throw new Error(`An import of "${from}" in a form that classicScripts() does not know: ${statement.slice(0, 80)}`)
	}
	return `if(globalThis.sipcallScripts.${from}.stamp!=="${stamp}")return;const{${list.replaceAll(/\s+as\s+/g, ':')}}=globalThis.sipcallScripts.${from};`
}

/** `export {a as b}` → `sipcallScripts.main = {b: a}` */
function exportsOf(statement: string, name: string, stamp: string): string {
	const [, list] = /^export\s*\{([^}]*)\}\s*;?$/.exec(statement) ?? []
	if (list === undefined) {
		throw new Error(`An export of "${name}" in a form that classicScripts() does not know: ${statement.slice(0, 80)}`)
	}
	const members = list.split(',').map((member) => member.trim()).filter((member) => member !== '').map((member) => {
		const [own = '', theirs = own] = member.split(/\s+as\s+/)
		return `${theirs}:${own}`
	})
	return `(globalThis.sipcallScripts??={}).${name}={stamp:"${stamp}",${members.join(',')}};`
}
