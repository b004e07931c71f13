// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

/** What the ExApp has put into Nextcloud: its place in the menu, the files of its page, forms and console commands. */

export interface TopMenuEntry {
	id: number
	name: string
	displayName: string
	icon: string
	adminRequired: number
}

/** A script has no `.js` at its end, a style no `.css`. */
export interface PageFile {
	id: number
	type: string
	name: string
	path: string
	/** Of scripts only. */
	afterAppId: string
}

export interface InitialState {
	id: number
	type: string
	name: string
	key: string
	value: unknown
}

export interface SettingsField {
	id: string
	type: string
	sensitive?: boolean
	default?: unknown
	[name: string]: unknown
}

export interface SettingsForm {
	id: string
	section_type: string
	fields: SettingsField[]
	[name: string]: unknown
}

export interface OccArgument {
	name: string
	mode?: string
	description?: string
	default?: unknown
}

export interface OccOption extends OccArgument {
	shortcut?: string
}

export interface OccCommand {
	id: number
	name: string
	description: string
	hidden: number
	arguments: OccArgument[]
	options: OccOption[]
	usages: unknown[]
	executeHandler: string
}

export class Registrations {
	topMenus: TopMenuEntry[] = []
	scripts: PageFile[] = []
	styles: PageFile[] = []
	initialStates: InitialState[] = []
	settingsForms: SettingsForm[] = []
	occCommands: OccCommand[] = []
	#lastId = 0

	/** Replaces the row that `isSame` finds, and keeps its number; else adds one. */
	put<Row extends { id: number }>(rows: Row[], row: Omit<Row, 'id'>, isSame: (other: Row) => boolean): void {
		const at = rows.findIndex(isSame)
		const whole = { ...row, id: rows[at]?.id ?? ++this.#lastId } as Row
		rows.splice(at === -1 ? rows.length : at, at === -1 ? 0 : 1, whole)
	}

	/** As after an unregistering: nothing of these stays. */
	clear(): void {
		this.topMenus = []
		this.scripts = []
		this.styles = []
		this.initialStates = []
		this.settingsForms = []
		this.occCommands = []
	}

	/** As SIPCall registers its page, for a Nextcloud in which the app is there from the start. */
	addDefaultPage(): void {
		this.put(this.topMenus, { name: 'calls', displayName: 'SIPCall', icon: 'img/app.svg', adminRequired: 0 }, () => false)
		this.put(this.scripts, { type: 'top_menu', name: 'calls', path: 'js/sipcall-main', afterAppId: '' }, () => false)
		this.put(this.styles, { type: 'top_menu', name: 'calls', path: 'css/sipcall-main', afterAppId: '' }, () => false)
	}
}
