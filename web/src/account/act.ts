import { onScopeDispose, ref, type Ref, type ShallowRef, shallowRef } from 'vue'
import type { ApiError } from '../api/client'
import { useWords } from '../i18n'
import { asApiError } from '../ledger/answer'
import { required } from '../shell/inject'
import { SESSION } from './session'

export interface Acting {
  busy: Ref<boolean>
  failure: ShallowRef<ApiError | null>
  /** Do it once at a time; whether it was done. */
  act(what: () => Promise<void>): Promise<boolean>
}

export function useActing(): Acting {
  const busy = ref(false)
  const failure = shallowRef<ApiError | null>(null)
  let open = true
  onScopeDispose(() => (open = false))

  async function act(what: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failure.value = null
    try {
      await what()
      return true
    } catch (error) {
      if (open) failure.value = asApiError(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return { busy, failure, act }
}

/** What went wrong, line by line: the gateway's own words, which tell of every fault at once. */
export function useFaults() {
  const { t, say } = useWords()
  return (error: ApiError | null): string[] => {
    if (!error) return []
    if (error.status === 0) return [t('shell.unreachable')]
    const { text, faults } = error.details ?? {}
    if (faults?.length) return faults.map(say)
    return [text ? say(text) : error.message]
  }
}

/** The zone of the site, which is told to who sees nothing else of it too. */
export function useZone(): () => string {
  const session = required(SESSION)
  return () => session.answer.value?.zone || Intl.DateTimeFormat().resolvedOptions().timeZone
}
