import type { Booked, ClosedPeriod, Closing, Difference } from '../api/closing'
import type { Consumption, MediumUse } from '../api/ledger'
import { cell } from '../curves/rows'
import { date, wallClock } from '../format/time'
import { instantAt, periodAt, type Range } from '../ledger/calendar'

/** How far back months are shown. */
const MONTHS = 24

/** Whole months that have ended. */
export function endedMonths(now: number, zone: string): Range {
  const to = periodAt('month', now, zone).from
  const { year, month } = wallClock(to, zone)
  return { from: instantAt(Date.UTC(year, month - 1 - MONTHS, 1), zone), to }
}

/** A month of the site: what flowed, as the ledger says today, and its closing if it is closed. */
export interface Month {
  month: string
  from: number
  to: number
  uses: { medium: MediumUse['medium']; unit: string; counters: number; figure: MediumUse['total'] }[]
  closing: Closing | null
}

/** The months of which something is known or closed, the newest first. */
export function monthsOf(answer: Pick<Consumption, 'edges' | 'media'>, closings: Closing[], zone: string): Month[] {
  const byMonth = new Map(closings.map((closing) => [closing.month, closing]))
  const months = answer.edges.slice(0, -1).map((from, index): Month => {
    const month = date(from, zone).slice(0, 7)
    const uses = answer.media.flatMap(({ medium, unit, counters, periods }) => {
      const figure = periods[index]
      return figure && figure.value !== null ? [{ medium, unit, counters, figure }] : []
    })
    const closing = byMonth.get(month) ?? null
    byMonth.delete(month)
    return { month, from, to: answer.edges[index + 1] ?? from, uses, closing }
  })
  const older = [...byMonth.values()].map((closing): Month => {
    const [year = 1970, month = 1] = closing.month.split('-').map(Number)
    return { month: closing.month, from: instantAt(Date.UTC(year, month - 1, 1), zone), to: instantAt(Date.UTC(year, month, 1), zone), uses: [], closing }
  })
  return [...months.filter(({ uses, closing }) => uses.length > 0 || closing), ...older].sort((a, b) => b.from - a.from)
}

/** A decimal as text with the other sign; nothing stays nothing. */
export function reversed(text: string | null): string | null {
  if (text === null || Number(text) === 0) return text
  return text.startsWith('-') ? text.slice(1) : `-${text}`
}

export interface ToBook {
  meter: string
  quantity: string
  unit: string
  reversal: Booked
  correction: Booked
  difference: Booked
}

/** What a correction books of each counter: what stands taken back, and what the ledger says now. */
export const toBook = (differences: Difference[]): ToBook[] =>
  differences.map(({ meter, quantity, unit, standing, now, difference }) => ({
    meter,
    quantity,
    unit,
    reversal: { amount: reversed(standing.amount), cost: reversed(standing.cost) },
    correction: now,
    difference,
  }))

export interface PeriodHeads {
  meter: string
  quantity: string
  unit: string
  closed: string
  cost: string
  kind: string
  amount: string
  bookedIn: string
  who: string
  why: string
}

/** What was closed, then what was booked beside it; every digit as it came. */
export function periodSheet({ closing, figures, entries }: ClosedPeriod, heads: PeriodHeads, kind: (kind: string) => string): string[][] {
  const units = new Map(figures.map(({ meter, quantity, unit }) => [`${meter}:${quantity}`, unit]))
  const head = [heads.kind, heads.meter, heads.quantity, heads.unit, heads.amount, heads.cost, heads.bookedIn, heads.who, heads.why]
  const rows = [
    ...figures.map(({ meter, quantity, unit, closed }) => [heads.closed, meter, quantity, unit, closed, closing.month, closing.who, closing.why] as const),
    ...entries.map((one) => [kind(one.kind), one.meter, one.quantity, units.get(`${one.meter}:${one.quantity}`) ?? '', one.booked, one.booked_in, one.who, one.why] as const),
  ]
  return [head.map(cell), ...rows.map(([what, meter, quantity, unit, { amount, cost }, ...said]) => [...[what, meter, quantity, unit].map(cell), amount ?? '', cost ?? '', ...said.map(cell)])]
}
