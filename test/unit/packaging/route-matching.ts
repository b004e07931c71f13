// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

// How a path finds its route, as three pieces of software do it. Held to recordings of the first two in route-matching.test.ts.

import type { ManifestRoute } from '../../../scripts/manifest.ts'

/** Who asks. */
export type Visitor = 'nobody' | 'user' | 'admin'
type Rule = Pick<ManifestRoute, 'url' | 'verb' | 'accessLevel'>

/**
 * @param path without a slash before it, as Nextcloud's router hands it on: decoded once
 * @return the level through which the request passes; undefined when it is refused
 */
export type Matcher = (routes: readonly Rule[], verb: string, path: string, visitor: Visitor) => Rule['accessLevel'] | undefined

function mayPass({ accessLevel }: Rule, visitor: Visitor): boolean {
	return accessLevel === 'PUBLIC' || visitor === 'admin' || (accessLevel === 'USER' && visitor === 'user')
}

function hasVerb(route: Rule, verb: string): boolean {
	return route.verb.toLowerCase().includes(verb.toLowerCase())
}

/** A pattern that PHP cannot compile matches nothing: between slashes, that is one with a slash of its own in it. */
function compile(pattern: string, flags: string): RegExp | undefined {
	try {
		return new RegExp(pattern, flags)
	} catch {
		return undefined
	}
}

/** AppAPI 32.0.0–32.0.9 and 33.0.0–33.0.3: the bare path, unanchored; a route that refuses is passed over. */
export const oldAppApi: Matcher = (routes, verb, path, visitor) => routes
	.filter(({ url }) => !/(?<!\\)\//.test(url) && compile(url, 'i')?.test(path) === true)
	.find((route) => hasVerb(route, verb) && mayPass(route, visitor))?.accessLevel

/** Later ones: anchored, "/path" or the bare path; the first route that fits decides, and ".." is refused before. */
export const newAppApi: Matcher = (routes, verb, path, visitor) => {
	if (/(?:^|\/|%2f)(?:\.|%2e){2}(?:\/|%2f|$)/i.test(path)) {
		return undefined
	}
	const route = routes.find(({ url, ...rest }) => {
		const pattern = compile(`^(?:${url})`, 'i')
		return pattern !== undefined && (pattern.test(`/${path}`) || pattern.test(path)) && hasVerb({ url, ...rest }, verb)
	})
	return route !== undefined && mayPass(route, visitor) ? route.accessLevel : undefined
}

/** HaRP: anchored at the start, "/path" alone, case counts; the first pattern that fits decides, whatever the verb. */
export const harp: Matcher = (routes, _verb, path, visitor) => {
	if (/(?:^|\/|%2[fF])(?:\.|%2[eE]){2}(?:\/|%2[fF]|$)/.test(path)) {
		return undefined
	}
	const route = routes.find(({ url }) => compile(`^(?:${url})`, '')?.test(`/${path}`) === true)
	return route !== undefined && mayPass(route, visitor) ? route.accessLevel : undefined
}
