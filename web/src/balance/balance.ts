import type { BalanceRow, Figure } from '../api/ledger'
import type { Medium } from '../api/schema'
import { cell } from '../curves/rows'
import { incomplete } from '../ledger/shares'

/** The gateway's own, told in the address only when it is another. */
export const DEFAULT_BOUND = 0.1

export type Verdict = 'beyond' | 'within' | 'unsure'

/** Incomplete data cannot be judged, whatever the figures say. */
export function verdictOf(row: BalanceRow): Verdict {
  if (row.rest === null || row.rest_share === null || incomplete(row.main) || incomplete(row.subs)) return 'unsure'
  return row.beyond ? 'beyond' : 'within'
}

const ORDER: Verdict[] = ['beyond', 'unsure', 'within']

/** By medium as they come; in each what needs attention first, then the largest rest. */
export function groups(rows: BalanceRow[]): { medium: Medium; rows: BalanceRow[] }[] {
  const media = [...new Set(rows.map(({ medium }) => medium))]
  const rank = (row: BalanceRow): number => ORDER.indexOf(verdictOf(row))
  const size = (row: BalanceRow): number => Math.abs(row.rest_share ?? 0)
  return media.map((medium) => ({ medium, rows: rows.filter((row) => row.medium === medium).sort((a, b) => rank(a) - rank(b) || size(b) - size(a)) }))
}

/** How long the two parts of a bar are; a sum of sub-meters beyond the main is as long as it is. */
export function barOf({ main, subs }: BalanceRow): { subs: number; rest: number; over: boolean } | null {
  if (main.value === null || subs.value === null || main.value <= 0 || subs.value < 0) return null
  const over = subs.value > main.value
  const whole = Math.max(main.value, subs.value)
  return { subs: (over ? main.value : subs.value) / whole, rest: Math.abs(main.value - subs.value) / whole, over }
}

export interface BalanceWords {
  medium(medium: Medium): string
  name(row: BalanceRow): string
  verdict(row: BalanceRow): string
}

export function balanceLines(rows: BalanceRow[], head: string[], words: BalanceWords): string[][] {
  const said = (value: number | null): string => (value === null ? '' : String(value))
  return [
    head.map(cell),
    ...rows.map((row) => [
      cell(words.name(row)),
      cell(row.meter),
      words.medium(row.medium),
      row.unit,
      said(row.main.value),
      said(row.subs.value),
      said(row.rest),
      row.rest_share === null ? '' : String(Math.round(row.rest_share * 1e6) / 1e4),
      cell(words.verdict(row)),
    ]),
  ]
}

/** The rest of one period to draw; unknown where main or sub-meters are. */
export const restFigure = (rest: number | null): Figure => ({
  value: rest,
  estimated: 0,
  cost: null,
  unpriced: 0,
  shares: { measured: rest === null ? 0 : 1, estimated: 0, manual: 0, missing: rest === null ? 1 : 0, disputed: 0 },
})
