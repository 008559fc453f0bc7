import { computed, type ComputedRef, type InjectionKey, type ShallowRef, shallowRef, watch } from 'vue'
import type { Clock } from '../api/clock'
import type { Address } from '../shell/address'
import { addressOf, following, type Period, periodOf, SPAN_MS, type TimeWindow, type WindowAddress, windowOf } from './window'

const SETTLE_MS = 120

/** The stretch of time that every view shows, kept in the address. */
export interface Time {
  window: ShallowRef<TimeWindow>
  period: ComputedRef<Period | null>
  choose(period: Period): void
  set(window: TimeWindow): void
  /** Moves a following window to the present. */
  tick(): void
  backToLive(): void
}

export const TIME: InjectionKey<Time> = Symbol('time')

export function openTime(clock: Clock, address: Address): Time {
  const read = (): WindowAddress => ({
    period: address.period.value,
    from: address.from.value,
    to: address.to.value,
    span: address.span.value,
  })
  const window = shallowRef(windowOf(read(), clock.now()))
  let written = ''
  let timer: ReturnType<typeof setTimeout> | undefined

  function set(next: TimeWindow): void {
    window.value = next
    clearTimeout(timer)
    timer = setTimeout(write, SETTLE_MS)
  }

  function write(): void {
    const state = addressOf(window.value)
    written = keyOf(state)
    address.write(state)
  }

  // Somebody edited the address or went back in history.
  watch(
    () => keyOf(read()),
    (key) => {
      if (key === written) return
      written = ''
      window.value = windowOf(read(), clock.now())
    },
  )

  return {
    window,
    period: computed(() => periodOf(window.value)),
    choose: (period) => set(following(SPAN_MS[period], clock.now())),
    set,
    tick() {
      const { from, to, follow } = window.value
      if (follow) window.value = following(to - from, clock.now())
    },
    backToLive: () => set(following(window.value.to - window.value.from, clock.now())),
  }
}

const keyOf = ({ period, from, to, span }: WindowAddress): string => [period, from, to, span].join()
