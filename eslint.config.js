// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { recommended } from '@nextcloud/eslint-config'

/** The rooms of lib/ in the order of house.md: a room may import only from rooms that stand further right. */
const DOMAIN = ['calls', 'policy', 'numbering', 'privacy']
const ADAPTERS = ['http', 'esl', 'provider', 'db', 'redis', 'nextcloud', 'identity', 'embedded', 'health', 'spool']

/** Packages of the outside world: the domain asks for them through the interfaces of calls/ports.ts. */
const OUTSIDE = ['express', '@mikro-orm/*', 'pg', 'ioredis', 'modesl', 'node:net', 'node:http', 'helmet', 'winston']

/**
 * The rule that keeps a room from importing what it must not know.
 *
 * @param {string[]} rooms the other rooms of lib/ that are out of bounds
 * @param {string[]} packages packages that are out of bounds as well
 */
function mayNotImport(rooms, packages = []) {
	return ['error', {
		patterns: [
			{ group: rooms.map((room) => `../${room}/*`), message: 'Dependencies point one way: see docs/developer/architecture.md.' },
			{ group: ['../app.ts', '../audit.ts', '../backing.ts', '../calling.ts', '../carrier.ts', '../doctor.ts', '../main.ts', '../parts.ts', '../replicas.ts', '../routes.ts', '../storage.ts', '../upkeep.ts', ...packages], message: 'This room does not know the outside: use an interface in calls/ports.ts.' },
		],
	}]
}

export default [
	...recommended,
	{
		ignores: ['ex_app/js/', 'ex_app/css/', 'node_modules/', '.data/', 'test/fixtures/'],
	},
	{
		files: ['**/*.ts', '**/*.vue'],
		rules: {
			'@typescript-eslint/no-explicit-any': 'error',
			'@typescript-eslint/no-non-null-assertion': 'error',
			'max-len': 'off',
			'jsdoc/require-jsdoc': 'off',
			'jsdoc/require-param': 'off',
			// TSDoc names the parameters that need words, not all of them.
			'jsdoc/check-param-names': 'off',
			'@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
			// Function declarations are hoisted: what a file is about stands first, its helpers below.
			'no-use-before-define': 'off',
			'@typescript-eslint/no-use-before-define': ['error', { functions: false, classes: false, variables: false }],
		},
	},
	...DOMAIN.map((room) => ({
		files: [`lib/${room}/**/*.ts`],
		rules: { 'no-restricted-imports': mayNotImport(ADAPTERS, OUTSIDE) },
	})),
	...ADAPTERS.map((room) => ({
		files: [`lib/${room}/**/*.ts`],
		rules: { 'no-restricted-imports': mayNotImport(ADAPTERS.filter((other) => other !== room)) },
	})),
	{
		files: ['lib/errors.ts', 'lib/logger.ts'],
		rules: { 'no-restricted-imports': ['error', { patterns: [...DOMAIN, ...ADAPTERS].map((room) => `./${room}/*`) }] },
	},
	{
		files: ['src/**/*.ts', 'src/**/*.vue'],
		rules: {
			'@typescript-eslint/no-restricted-imports': ['error', {
				patterns: [
					{ group: ['**/lib/**'], allowTypeImports: true, message: 'The UI takes only types from the sidecar.' },
					{ group: ['@nextcloud/vue/components/NcIconSvgWrapper'], message: 'Use SvgIcon: it shows a path without any HTML.' },
				],
			}],
		},
	},
]
