const FIRST_MS = 500
const LONGEST_MS = 10_000

/**
 * How long to wait before attempt `attempt` (0, 1, 2 ...): doubling from 0.5 s to 10 s.
 * The lower half is fixed and the upper half random, so that a hall full of screens does not return in step.
 */
export function backoffMs(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** attempt)
  return Math.max(FIRST_MS, full / 2 + (full / 2) * random())
}
