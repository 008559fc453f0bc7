import type { Curve, Pace, Quota } from '../api/quotas'
import { numberOf } from '../life/fields'

export const LIMITED = ['electricity', 'gas', 'heat', 'water', 'energy'] as const
export const METHODS = ['handed_down', 'history', 'standard', 'self_set'] as const
export const UNITS: Record<Quota['limited'], string> = { electricity: 'kWh', gas: 'm3', heat: 'GJ', water: 'm3', energy: 'kgce' }

/** How loud a state is told. */
export const LOUD: Record<string, 'calm' | 'attention' | 'alarm' | 'unknown'> = { exceeded: 'alarm', exceeding: 'alarm', ahead: 'attention', near: 'calm', kept: 'calm', unknown: 'unknown' }

/** What fills a bar, as shares of its length: used, allowed so far, and the interval of the year's end. */
export interface Bar {
  used: number
  allowed: number
  quota: number
  least: number | null
  most: number | null
}

/** The bar ends where the quota does, or where the greatest of its figures does. */
export function barOf({ used, allowed, quota, year }: Pick<Pace, 'used' | 'allowed' | 'year'> & { quota: number }): Bar {
  const end = Math.max(quota, used, year.most ?? 0, 1e-9)
  const share = (value: number): number => value / end
  return { used: share(used), allowed: share(allowed), quota: share(quota), least: year.least === null ? null : share(year.least), most: year.most === null ? null : share(year.most) }
}

/** A curve as paths in a box of this size; `top` is the value at its upper edge. */
export interface Paths {
  top: number
  used: string
  allowed: string
  expected: string
  band: string
}

export function pathsOf(curve: Curve, quota: number, width: number, height: number): Paths {
  const values = [...curve.allowed, ...curve.used, ...curve.expected, ...curve.most].filter((v): v is number => v !== null)
  const top = Math.max(quota, ...values) * 1.04
  const count = curve.days.length
  const x = (i: number): string => ((i / Math.max(count - 1, 1)) * width).toFixed(1)
  const y = (value: number): string => (height - (value / top) * height).toFixed(1)
  const line = (given: (number | null)[]): string => {
    const points = given.flatMap((value, i) => (value === null ? [] : [`${x(i)} ${y(value)}`]))
    return points.length ? `M${points.join('L')}` : ''
  }
  const upper = curve.most.flatMap((value, i) => (value === null ? [] : [`${x(i)} ${y(value)}`]))
  const lower = curve.least.flatMap((value, i) => (value === null ? [] : [`${x(i)} ${y(value)}`])).reverse()
  return { top, used: line(curve.used), allowed: line(curve.allowed), expected: line(curve.expected), band: upper.length ? `M${[...upper, ...lower].join('L')}Z` : '' }
}

export interface QuotaDraft {
  of: string
  limited: Quota['limited']
  year: number
  amount: string
  method: Quota['method']
  document: string
  dated: string
  factorSet: string
  who: string
  why: string
}

export const emptyQuota = (of: string, year: number, who: string): QuotaDraft => ({ of, limited: 'electricity', year, amount: '', method: 'handed_down', document: '', dated: '', factorSet: '', who, why: '' })

export type QuotaNeed = 'of' | 'number' | 'document' | 'day' | 'who' | 'factorSet'
export type QuotaFaults = Partial<Record<keyof QuotaDraft, QuotaNeed>>
export type Entered = Omit<Quota, 'note' | 'standard'>

/** The quota that a form says, or what it lacks. Only standard coal needs a factor set. */
export function quotaOf(draft: QuotaDraft): { quota: Entered; faults: null } | { quota: null; faults: QuotaFaults } {
  const faults: QuotaFaults = {}
  const amount = draft.amount.replace(/[\s,，]/g, '')
  const size = numberOf(amount)
  if (!draft.of) faults.of = 'of'
  if (size === null || size <= 0) faults.amount = 'number'
  if (!draft.document.trim()) faults.document = 'document'
  if (!/^\d{4}-\d\d-\d\d$/.test(draft.dated)) faults.dated = 'day'
  if (draft.limited === 'energy' && !draft.factorSet) faults.factorSet = 'factorSet'
  if (!draft.who.trim()) faults.who = 'who'
  if (Object.keys(faults).length) return { quota: null, faults }
  const { of, limited, year, method, dated } = draft
  const factor_set = limited === 'energy' ? draft.factorSet : null
  return { quota: { of, limited, year, amount, method, document: draft.document.trim(), dated, factor_set, months: null }, faults: null }
}
