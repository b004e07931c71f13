// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { shallowRef } from 'vue'

/** What was erased last in this tab; without a number the calls, or everything. Whoever shows calls reads them anew. */
export const erased = shallowRef<{ number?: string }>()
