import { ref } from 'vue'

/** The gateway's time of day: a PC's own clock may be minutes off, and the live end must not be. */
export interface Clock {
  /** What is computed of it is computed again when the gateway turns out to have another time. */
  now(): number
  /** Takes over the time the gateway stated just now. */
  hear(at: number): void
}

const TOLERATED_MS = 1000

export function openClock(local: () => number = Date.now): Clock {
  const ahead = ref(0)
  return {
    now: () => local() + ahead.value,
    hear(at) {
      const heard = at - local()
      if (Math.abs(heard - ahead.value) > TOLERATED_MS) ahead.value = heard
    },
  }
}
