// What the pages of the statistics share.
import { computed } from 'vue'
import { type LocationQueryRaw, useRoute, useRouter } from 'vue-router'
import type { Filing, FilingCell, Tree } from '../api/statistics'
import { useZone } from '../account/act'
import { decimalText } from './figures'
import { required } from '../shell/inject'
import { CAMPUS } from '../site/campus'

export const STATES = ['draft', 'submitted', 'returned', 'accepted'] as const
export const SEVERITIES = ['error', 'warning', 'note'] as const
export const EACH = 50

/** The month so many after (or before) a month 'YYYY-MM'. */
export function monthAfter(month: string, by: number): string {
  const [year, number] = month.split('-').map(Number)
  const count = (year ?? 0) * 12 + (number ?? 1) - 1 + by
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}`
}

/** The month of an instant in a zone. */
export const monthOf = (at: number, zone: string): string => new Intl.DateTimeFormat('sv-SE', { timeZone: zone, year: 'numeric', month: '2-digit' }).format(at).slice(0, 7)

/** What the address says of the statistics: the month, the view, the filing, what is looked for. */
export function useStatistics() {
  const campus = required(CAMPUS)
  const zone = useZone()
  const [route, router] = [useRoute(), useRouter()]
  const text = (key: string): string => (typeof route.query[key] === 'string' ? route.query[key] : '')
  const month = computed(() => (/^\d{4}-(0[1-9]|1[0-2])$/.test(text('month')) ? text('month') : monthAfter(monthOf(campus.clock.now(), zone()), -1)))
  const tree = computed<Tree>(() => (text('tree') === 'department' ? 'department' : 'region'))
  const go = (change: LocationQueryRaw): void => void router.push({ query: { ...route.query, ...change } })
  const read = (key: string) => computed(() => text(key))
  return { month, tree, zone, go, text, route, factors: computed(() => text('factors') || null), drafts: computed(() => text('drafts') === 'true'), read }
}

/** An item of the form with its cells, and what it is a part of. */
export function linesOf({ form, cells }: Filing) {
  const byName = new Map<string, FilingCell>(cells.map((cell) => [cell.cell, cell]))
  const of = (item: string, kind: string): FilingCell | null => byName.get(`${item}.${kind}`) ?? null
  return form.items.map((item) => ({ item, whole: form.items.find(({ id }) => id === item.part_of) ?? null, quantity: of(item.id, 'quantity'), fee: of(item.id, 'fee') }))
}

/** A figure that somebody typed: plain digits, a point, a sign; null where it is none. */
export const typed = (text: string): string | null => decimalText(text)
