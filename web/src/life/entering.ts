import { ref, type Ref, shallowRef, type ShallowRef } from 'vue'
import type { ApiError } from '../api/client'
import { asApiError } from '../ledger/answer'
import { rememberWho } from './life'

/** What becomes of entries: kept, known already, contradicting what is kept, or withdrawn once. */
interface Outcome<Kept> {
  added: unknown[]
  known: number
  contradicting: { kept: Kept }[]
  withdrawn: unknown[]
}

export interface Entering<Kept> {
  tried: Ref<boolean>
  again: Ref<boolean>
  busy: Ref<boolean>
  failure: ShallowRef<ApiError | null>
  refused: ShallowRef<Outcome<Kept> | null>
  /** Enters what there is, where nothing is missing in it; says whether it is kept, and anew. */
  enter: (send: (() => Promise<Outcome<Kept>>) | null, who: string) => Promise<'entered' | 'known' | null>
}

/** A form by which something is entered. */
export function useEntering<Kept>(): Entering<Kept> {
  const [tried, again, busy] = [ref(false), ref(false), ref(false)]
  const failure = shallowRef<ApiError | null>(null)
  const refused = shallowRef<Outcome<Kept> | null>(null)

  async function enter(send: (() => Promise<Outcome<Kept>>) | null, who: string): Promise<'entered' | 'known' | null> {
    tried.value = true
    failure.value = null
    refused.value = null
    if (!send || busy.value) return null
    busy.value = true
    try {
      const answer = await send()
      if (answer.added.length || answer.known) {
        rememberWho(who)
        return answer.added.length ? 'entered' : 'known'
      }
      refused.value = answer
    } catch (error) {
      failure.value = asApiError(error)
    } finally {
      busy.value = false
    }
    return null
  }
  return { tried, again, busy, failure, refused, enter }
}
