import type { Figure, Shares } from '../api/ledger'

/** Ways of knowing, from the best to the worst. */
export const WAYS = ['measured', 'manual', 'estimated', 'disputed', 'missing'] as const
export type Way = (typeof WAYS)[number]

export interface WayShare {
  way: Way
  share: number
}

/** The ways that a figure is known in, without those that play no part. */
export const waysOf = (shares: Shares): WayShare[] => WAYS.map((way) => ({ way, share: shares[way] })).filter(({ share }) => share > 0)

/** All but what was measured: what must be said beside a figure. */
export const doubtful = (shares: Shares): WayShare[] => waysOf(shares).filter(({ way }) => way !== 'measured')

/** Whether something of it is not known at all. */
export const incomplete = ({ shares }: Figure): boolean => shares.missing > 0 || shares.disputed > 0

/** Of the time that two figures are compared over, this much may be unknown; beyond it their change says nothing. */
const COMPARABLE = 0.05

export const comparable = (now: Figure, then: Figure): boolean => [now, then].every(({ shares }) => shares.missing + shares.disputed <= COMPARABLE)

/** '12 %', and never '0 %' or '100 %' for what is not quite none or all. */
export function percent(share: number): string {
  const value = share * 100
  if (value > 0 && value < 0.1) return '<0.1 %'
  if (value < 100 && value > 99.9) return '>99.9 %'
  const digits = Math.abs(value) < 10 && value % 1 !== 0 ? 1 : 0
  const text = value.toFixed(digits)
  return `${text === '100' && value < 100 ? value.toFixed(1) : text.replace('-', '−')} %`
}

/** '+5.0 %', '−12 %': a change always bears its sign. */
export function change(share: number): string {
  const value = share * 100
  const digits = Math.abs(value) < 10 ? 1 : 0
  const size = Math.abs(value).toFixed(digits)
  if (Number(size) === 0) return '±0 %'
  return `${value < 0 ? '−' : '+'}${size} %`
}
