/** The gateway's time of day: a PC's own clock may be minutes off, and the live end must not be. */
export interface Clock {
  now(): number
  /** Takes over the time the gateway stated just now. */
  hear(at: number): void
}

const TOLERATED_MS = 1000

export function openClock(local: () => number = Date.now): Clock {
  let ahead = 0
  return {
    now: () => local() + ahead,
    hear(at) {
      const heard = at - local()
      if (Math.abs(heard - ahead) > TOLERATED_MS) ahead = heard
    },
  }
}
