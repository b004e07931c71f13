// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import type { Ref } from 'vue'
import type { ListFilter, Narrowing } from '../services/history-filter.ts'
import type { Call } from '../services/types.ts'
import type { AccountState } from './useAccountState.ts'
import type { ContactSearch } from './useContactSearch.ts'
import type { FreshData } from './useFreshData.ts'
import type { MyAccount } from './useMe.ts'

import { computed, ref, shallowRef, watch } from 'vue'
import { dialled, hasLetters } from '../services/digits.ts'
import { remember, remembered } from '../services/storage.ts'
import { useFreshData } from './useFreshData.ts'
import { useRouter } from './useRouter.ts'
import { useWait } from './useWait.ts'

const FILTER_KEY = 'filter'

export interface CallsPage extends FreshData {
	filter: Readonly<Ref<ListFilter>>
	chooseFilter: (filter: ListFilter) => void
	/** What makes the list shorter. */
	narrowing: Ref<Narrowing>
	/** The calls that are listed: of the filter, and of what is being looked for. */
	rows: Readonly<Ref<readonly Call[]>>
	/** A click on “Call” would lead nowhere now. */
	isCallOff: Readonly<Ref<boolean>>
	/** Until a call may be tried again, where the server has asked to wait. */
	secondsLeft: Readonly<Ref<number | undefined>>
}

export interface CallsPageOptions {
	account: MyAccount
	number: Readonly<Ref<string>>
	search: ContactSearch
	/** What the account says about calling at all. */
	state: AccountState
	/** Puts the name from the address books on a call. */
	named: (call: Call) => Call
}

/** The list of calls and what can be done now, from all that is known. */
export function useCallsPage({ account, state, number, search, named }: CallsPageOptions): CallsPage {
	const { route, goTo } = useRouter()
	const chosen = ref<ListFilter>(remembered(FILTER_KEY) === 'answered' ? 'answered' : remembered(FILTER_KEY) === 'not_reached' ? 'not_reached' : 'all')
	/** Details do not change the list that they were opened from. */
	const isMissed = ref(route.value.name === 'missed')
	watch(route, ({ name }) => {
		isMissed.value = name === 'missed' || ((name === 'call' || name === 'settings') && isMissed.value)
	})
	const filter = computed<ListFilter>(() => isMissed.value ? 'missed' : chosen.value)

	const narrowing = shallowRef<Narrowing>({})
	const data = useFreshData(account, filter, narrowing)
	const { calls, history, isOnline } = data
	const secondsLeft = useWait(() => calls.notice.value?.wait?.until)

	const rows = computed(() => {
		const listed = history.rows.value.map(named)
		if (!search.isSearch.value) {
			return listed
		}
		const numbers = new Set(search.rows.value.map(({ e164 }) => e164))
		// A national form has a zero where the international one has the country code.
		const digits = hasLetters(number.value) ? '' : dialled(number.value).replace(/^\+|^0+/, '')
		return listed.filter(({ to }) => numbers.has(to) || (digits !== '' && to.includes(digits)))
	})

	return {
		...data,
		filter,
		narrowing,
		chooseFilter(wanted) {
			if (wanted !== 'missed') {
				chosen.value = wanted
				remember(FILTER_KEY, wanted)
			}
			goTo({ name: wanted === 'missed' ? 'missed' : 'calls' })
		},
		rows,
		isCallOff: computed(() => calls.placing.value !== undefined || !isOnline.value || account.isSwitchDown.value
			|| state.lockedUntil.value !== undefined || state.reached.value !== undefined || secondsLeft.value !== undefined),
		secondsLeft,
	}
}
