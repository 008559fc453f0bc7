// The way to an identity provider and back. What the browser keeps meanwhile is of this tab alone.
import type { Back } from '../api/account'

export interface Way {
  /** Leave the page for the provider. */
  leave(address: string, flow: string): void
  /** With what one has come back, once; null where one has not. */
  back(): Back | null
}

const KEPT = 'jieneng.flow'

/** What of an address tells that a provider sent somebody back. */
export function backOf(search: string, flow: string | null): Back | null {
  const given = new URLSearchParams(search)
  const state = given.get('state')
  if (!state || !(given.has('code') || given.has('error'))) return null
  // Without what was kept the gateway says in words that this is not a sign-in of this browser.
  return { flow: flow || 'none', state, code: given.get('code') ?? '', error: given.get('error') ?? '' }
}

export function openWay(on: () => Window = () => window): Way {
  return {
    leave(address, flow) {
      on().sessionStorage.setItem(KEPT, flow)
      on().location.assign(address)
    },
    back() {
      const found = backOf(on().location.search, on().sessionStorage.getItem(KEPT))
      if (!found) return null
      on().sessionStorage.removeItem(KEPT)
      // The code is used up: it stays neither in the address nor in the history.
      on().history.replaceState(on().history.state, '', on().location.pathname + on().location.hash)
      return found
    },
  }
}
