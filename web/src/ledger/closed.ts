import type { Closed, Figure } from '../api/ledger'
import { date } from '../format/time'

/** What a month was closed with, and whether the ledger says otherwise today. */
export interface ClosedMark extends Closed {
  differs: boolean
}

/** Finer than a millionth there is nothing in the ledger. */
const SAME = 5e-7

/** The closed month that each period is; null where it is none. */
export function closedMarks(edges: number[], periods: Figure[], closed: Closed[], zone: string): (ClosedMark | null)[] {
  const byMonth = new Map(closed.map((one) => [one.month, one]))
  return periods.map(({ value }, index) => {
    const own = byMonth.get(date(edges[index] ?? 0, zone).slice(0, 7))
    return own ? { ...own, differs: value === null || Math.abs(value - own.value) > SAME } : null
  })
}
