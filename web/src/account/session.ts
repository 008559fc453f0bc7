import { computed, type ComputedRef, type InjectionKey, ref, type ShallowRef, shallowRef } from 'vue'
import type { AccountApi, Permission, SessionAnswer, SignedIn } from '../api/account'
import { onSignedOut, useCsrf } from '../api/client'

/** What stands between somebody and the page. */
export type Gate = 'waiting' | 'signIn' | 'second' | 'change' | 'in'

/** Who is signed in here, and how one comes in and goes. */
export interface Session {
  readonly answer: ShallowRef<SessionAnswer | null>
  readonly gate: ComputedRef<Gate>
  /** Whether it is permitted anywhere; as long as nothing is known of who asks, the gateway decides. */
  may(permission: Permission): boolean
  refresh(): Promise<void>
  signIn(name: string, password: string): Promise<void>
  second(code: string): Promise<void>
  change(old: string, password: string): Promise<void>
  first(link: string, name: string, password: string): Promise<void>
  signOut(): Promise<void>
  /** Somebody is at the page, though the page need not ask for anything. */
  stir(): void
}

export const SESSION: InjectionKey<Session> = Symbol('session')

const STIR_EVERY_MS = 300_000

export function gateOf(answer: SessionAnswer | null, asked: boolean): Gate {
  // A gateway that does not answer is no reason to ask for a password: the page says by itself that it is away.
  if (!answer) return asked ? 'in' : 'waiting'
  if (answer.stage === 'out') return 'signIn'
  if (answer.stage === 'second') return 'second'
  return answer.must_change ? 'change' : 'in'
}

export function openSession(api: AccountApi, now: () => number = Date.now): Session {
  const answer = shallowRef<SessionAnswer | null>(null)
  // Of who was in last: what is open stays so behind the sign-in page.
  const permitted = shallowRef<Permission[] | null>(null)
  const asked = ref(false)
  let stirredAt = now()
  let asking: Promise<void> | null = null

  async function ask(): Promise<void> {
    try {
      answer.value = await api.session()
      if (gateOf(answer.value, true) === 'in') permitted.value = answer.value.permissions ?? []
      useCsrf(answer.value.csrf ?? '')
    } catch {
      // What is known of the session still holds, as far as anybody can tell.
    }
    asked.value = true
  }

  function refresh(): Promise<void> {
    asking ??= ask().finally(() => (asking = null))
    return asking
  }

  async function enter(step: Promise<SignedIn>): Promise<void> {
    useCsrf((await step).csrf)
    stirredAt = now()
    await ask()
  }

  onSignedOut(refresh)
  return {
    answer,
    gate: computed(() => gateOf(answer.value, asked.value)),
    may: (permission) => permitted.value?.includes(permission) ?? true,
    refresh,
    signIn: (name, password) => enter(api.signIn(name, password)),
    second: (code) => enter(api.second(code)),
    change: (old, password) => enter(api.change(old, password)),
    first: (link, name, password) => enter(api.first(link, name, password)),
    async signOut() {
      await api.end()
    },
    stir() {
      if (answer.value?.accounts !== 'required' || now() - stirredAt < STIR_EVERY_MS) return
      stirredAt = now()
      void refresh()
    },
  }
}
