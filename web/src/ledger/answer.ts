import { onScopeDispose, ref, type Ref, type ShallowRef, shallowRef, watch } from 'vue'
import { ApiError } from '../api/client'

export interface Answer<T> {
  /** The last one that came; it stays while the next is asked for. */
  value: ShallowRef<T | null>
  loading: Ref<boolean>
  failure: ShallowRef<ApiError | null>
  refetch(): void
}

export const asApiError = (error: unknown): ApiError => (error instanceof ApiError ? error : new ApiError(0, null, String(error)))

/** Asks whenever the question changes; a question null is not asked. */
export function useAnswer<Q, T>(question: () => Q | null, ask: (question: Q, signal: AbortSignal) => Promise<T>): Answer<T> {
  const value: ShallowRef<T | null> = shallowRef(null)
  const loading = ref(false)
  const failure = shallowRef<ApiError | null>(null)
  let request: AbortController | null = null

  async function run(): Promise<void> {
    request?.abort()
    const asked = question()
    if (asked === null) {
      value.value = null
      failure.value = null
      loading.value = false
      return
    }
    const mine = new AbortController()
    request = mine
    loading.value = true
    try {
      const answer = await ask(asked, mine.signal)
      if (mine.signal.aborted) return
      value.value = answer
      failure.value = null
    } catch (error) {
      if (mine.signal.aborted) return
      failure.value = asApiError(error)
    }
    loading.value = false
  }

  watch(() => JSON.stringify(question()), () => void run(), { immediate: true })
  onScopeDispose(() => request?.abort())
  return { value, loading, failure, refetch: () => void run() }
}
