import { onScopeDispose } from 'vue'
import { required } from '../shell/inject'
import { CAMPUS } from '../site/campus'

const PENDING_MS = 3_000
const CURRENT_MS = 60_000

/** Asks again when the connection is back, soon while something is being worked in, and now and then. */
export function useReturn(refetch: () => void, pending: () => boolean): void {
  const campus = required(CAMPUS)
  let asked = performance.now()
  const again = (): void => {
    asked = performance.now()
    refetch()
  }
  const leave = campus.onReturn(again)
  const timer = setInterval(() => {
    const age = performance.now() - asked
    if (!document.hidden && age > (pending() ? PENDING_MS : CURRENT_MS)) again()
  }, 1_000)
  onScopeDispose(() => {
    leave()
    clearInterval(timer)
  })
}
