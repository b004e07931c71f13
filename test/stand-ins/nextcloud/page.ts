// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** The page that AppAPI renders around an app, and the headers that Nextcloud puts on everything. */

import type { Registrations, TopMenuEntry } from './registrations.ts'
import type { ShellUser } from './users.ts'

import { randomBytes } from 'node:crypto'
import { assetVersion } from './assets.ts'

export function newNonce(): string {
	return randomBytes(32).toString('base64')
}

const COMMON = {
	'X-Robots-Tag': 'noindex, nofollow',
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
	'X-Frame-Options': 'SAMEORIGIN',
	'X-Permitted-Cross-Domain-Policies': 'none',
}

export function ownHeaders(user: ShellUser | undefined): Record<string, string> {
	return { 'X-Request-Id': randomBytes(15).toString('base64url'), ...(user === undefined ? {} : { 'X-User-Id': user.id }), ...COMMON }
}

/**
 * Headers of a page of Nextcloud's own.
 *
 * @param user who is logged in
 * @param nonce of the page's scripts
 * @param appHost given on an embedded page: AppAPI allows scripts of the own host there
 */
export function securityHeaders(user: ShellUser | undefined, nonce: string, appHost?: string): Record<string, string> {
	const scripts = appHost === undefined ? '' : ` ${appHost} 'unsafe-eval' 'unsafe-inline'`
	const frames = appHost === undefined ? '' : ` ${appHost}`
	return {
		...ownHeaders(user),
		'Cache-Control': 'no-cache, no-store, must-revalidate',
		'Content-Security-Policy': [
			'default-src \'none\'',
			'base-uri \'none\'',
			'manifest-src \'self\'',
			`script-src 'nonce-${nonce}'${scripts}`,
			`script-src-elem 'strict-dynamic' 'nonce-${nonce}'${scripts}`,
			'style-src \'self\' \'unsafe-inline\'',
			'img-src \'self\' data: blob:',
			'font-src \'self\' data:',
			'connect-src \'self\'',
			'media-src \'self\'',
			`frame-src 'self'${frames}`,
			'frame-ancestors \'self\'',
			'form-action \'self\'',
		].join(';'),
		'Feature-Policy': 'autoplay \'self\';camera \'none\';fullscreen \'self\';geolocation \'none\';microphone \'none\';payment \'none\'',
	}
}

/** Headers of an answer of the proxy; the ExApp's own of the same name win. */
export function proxyHeaders(user: ShellUser | undefined): Record<string, string> {
	return {
		...ownHeaders(user),
		'Content-Security-Policy': 'default-src \'none\';base-uri \'none\';manifest-src \'self\';frame-ancestors \'none\'',
		'Feature-Policy': 'autoplay \'none\';camera \'none\';fullscreen \'none\';geolocation \'none\';microphone \'none\';payment \'none\'',
	}
}

export interface PageOptions {
	appId: string
	user: ShellUser
	nonce: string
	notice?: string | undefined
	entry: TopMenuEntry
	registrations: Registrations
}

/** As Nextcloud's `core/src/utils/xhr-request.js` does on every page: with @nextcloud/axios the header is there twice. */
const NEXTCLOUD_XHR = `(() => {
	const { open } = XMLHttpRequest.prototype
	XMLHttpRequest.prototype.open = function (...args) {
		open.apply(this, args)
		if (new URL(args[1], location.href).origin === location.origin) {
			this.setRequestHeader('X-Requested-With', 'XMLHttpRequest')
		}
	}
})()`

/**
 * As recorded: two nested `#content`, the skip links, globals before the app's script. The initial state is JSON within
 * JSON, then base64.
 */
export function renderPage({ appId, user, nonce, notice, entry, registrations }: PageOptions): string {
	const proxy = `/index.php/apps/app_api/proxy/${appId}`
	const isOfPage = ({ type, name }: { type: string, name: string }) => type === 'top_menu' && name === entry.name
	const styles = registrations.styles.filter(isOfPage)
		.map(({ path }) => `<link rel="stylesheet" href="${proxy}/${escapeHtml(path)}.css?v=${assetVersion(`${path}.css`)}">`)
	const scripts = registrations.scripts.filter(isOfPage)
		.map(({ path }) => `<script nonce="${nonce}" defer src="${proxy}/${escapeHtml(path)}.js?v=${assetVersion(`${path}.js`)}"></script>`)
	const states = registrations.initialStates.filter(isOfPage)
		.map(({ key, value }) => `<input type="hidden" id="initial-state-app_api-${escapeHtml(key)}" value="${encodeState(JSON.stringify(value))}">`)
	const isAdmin = user.groups.includes('admin')
	const language = escapeHtml(user.language ?? 'en')
	const config = { version: '32.0.1.2', versionstring: '32.0.1', modRewriteWorking: false, session_keepalive: true, session_lifetime: 1440, 'enable_non-accessible_features': true }
	const activeApp = encodeState(`app_api_${appId}_${entry.name}`)
	const apps = registrations.topMenus.filter(({ displayName, adminRequired }) => displayName !== '' && (isAdmin || adminRequired === 0))
		.map(({ name, displayName, icon }) => ({
			id: `app_api_${appId}_${name}`,
			type: 'link',
			app: 'app_api',
			href: `/apps/app_api/embedded/${appId}/${name}`,
			icon: icon === '' ? '/apps/app_api/img/app.svg' : `/apps/app_api/proxy/${appId}/${icon}`,
			name: displayName,
			active: name === entry.name,
			unread: 0,
			classes: '',
			order: 100,
			default: false,
		}))
	const capabilities = encodeState({ theming: { name: 'Nextcloud', productName: 'Nextcloud' } })
	return `<!DOCTYPE html>
<html class="ng-csp" data-placeholder-focus="false" lang="${language}" data-locale="${language}" translate="no" >
	<head data-user="${escapeHtml(user.id)}" data-user-displayname="${escapeHtml(user.displayName)}" data-requesttoken="${newNonce()}:${nonce}">
		<meta charset="utf-8">
		<title>${escapeHtml(entry.displayName)} - Nextcloud</title>
		<meta name="csp-nonce" nonce="${nonce}">
		<meta name="viewport" content="width=device-width, initial-scale=1.0, minimum-scale=1.0">
		<link rel="icon" href="data:,">
		<link rel="stylesheet" href="/core/css/server.css">
		${[...styles, ...scripts].join('\n\t\t')}
		<script nonce="${nonce}">
var _oc_debug=false;
var _oc_isadmin=${isAdmin};
var _oc_webroot="";
var _oc_appswebroots={"app_api":"/apps/app_api","contacts":"/apps/contacts"};
var _oc_config=${JSON.stringify(config)};
var _theme={"entity":"Nextcloud","name":"Nextcloud","productName":"Nextcloud"};
var firstDay=1;
var OC={config:_oc_config,webroot:_oc_webroot,appswebroots:_oc_appswebroots,coreApps:["","admin","log","core/search","core","3rdparty"],theme:_theme,isUserAdmin:function(){return _oc_isadmin},getLanguage:function(){return "${language}"},getLocale:function(){return "${language}"}};
${NEXTCLOUD_XHR}
		</script>
		<meta name="color-scheme" content="light dark">
	</head>
	<body dir="ltr" id="body-user" data-theme-default data-themes=default>
		<noscript>
			<div id="nojavascript">This application requires JavaScript for correct operation.</div>
		</noscript>
		<div id="initial-state-container" style="display: none;">
			${[...states, `<input type="hidden" id="initial-state-core-active-app" value="${activeApp}">`].join('\n\t\t\t')}
			<input type="hidden" id="initial-state-core-apps" value="${encodeState(apps)}">
			<input type="hidden" id="initial-state-core-capabilities" value="${capabilities}">
		</div>
		<div id="skip-actions">
			<a href="#app-content" class="button primary skip-navigation skip-content">Skip to main content</a>
			<a href="#app-navigation" class="button primary skip-navigation">Skip to navigation of app</a>
		</div>
		<header id="header">
			<div class="header-start">
				<a href="/" id="nextcloud" aria-label="Go to ${escapeHtml(entry.displayName)}"><span class="logo" aria-hidden="true"></span></a>
				<nav id="header-start__appmenu" aria-label="Applications menu"><a href="/" aria-current="page">${escapeHtml(entry.displayName)}</a></nav>
			</div>
			<div class="header-end">
				${notice === undefined ? '' : `<div id="notice" role="note">${escapeHtml(notice)}</div>`}
				<div id="user-menu">${escapeHtml(user.displayName)}</div>
			</div>
		</header>
		<div id="content" class="app-app_api">
			<h1 class="hidden-visually" id="page-heading-level-1">Nextcloud</h1>
			<div id="content"></div>
		</div>
	</body>
</html>
`
}

export function renderNotFound(): string {
	return `<!DOCTYPE html>
<html class="ng-csp" lang="en">
	<head><meta charset="utf-8"><title>Nextcloud</title></head>
	<body id="body-user"><main id="content"><h2>Page not found</h2><p>The page could not be found on the server or you may not be allowed to view it.</p></main></body>
</html>
`
}

export function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function encodeState(value: unknown): string {
	return Buffer.from(JSON.stringify(value)).toString('base64')
}
