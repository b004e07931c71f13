// SPDX-FileCopyrightText: 2026 SIPCall contributors
// SPDX-License-Identifier: AGPL-3.0-or-later

import { MemorySignInStore } from './memory-sign-in-store.ts'
import { describeSignInStore } from './sign-in-store-contract.ts'

describeSignInStore('memory', () => new MemorySignInStore())
