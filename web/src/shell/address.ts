import { computed, type ComputedRef, type InjectionKey } from 'vue'
import type { LocationQuery, Router } from 'vue-router'

/** What the page shows, kept in the address so that any view can be sent to a colleague. */
export interface Address {
  /** null: nobody has chosen yet. */
  points: ComputedRef<string[] | null>
  period: ComputedRef<string | null>
  from: ComputedRef<number | null>
  to: ComputedRef<number | null>
  /** Width of a window that follows the present [ms]. */
  span: ComputedRef<number | null>
  language: ComputedRef<string | null>
  write(change: AddressChange): void
}

export interface AddressChange {
  points?: string[]
  period?: string
  from?: number | null
  to?: number | null
  span?: number | null
  language?: string
}

export const ADDRESS: InjectionKey<Address> = Symbol('address')

const first = (query: LocationQuery, key: string): string | null => {
  const value = query[key]
  return (Array.isArray(value) ? value[0] : value) ?? null
}

const whole = (query: LocationQuery, key: string): number | null => {
  const text = first(query, key)
  const value = Number(text)
  return text && Number.isFinite(value) ? Math.round(value) : null
}

function toQuery(change: AddressChange): Record<string, string | undefined> {
  const query: Record<string, string | undefined> = {}
  for (const key of ['period', 'from', 'to', 'span'] as const) {
    if (key in change) query[key] = change[key]?.toString()
  }
  if (change.points) query['points'] = change.points.join(',')
  if (change.language) query['lang'] = change.language
  return query
}

export function openAddress(router: Router): Address {
  const query = computed(() => router.currentRoute.value.query)
  let pending: Record<string, string | undefined> | null = null

  // Several changes in one turn become one navigation, so that none overwrites another.
  function write(change: AddressChange): void {
    if (!pending) {
      pending = {}
      queueMicrotask(() => {
        const merged = { ...query.value, ...pending }
        pending = null
        void router.replace({ query: merged })
      })
    }
    Object.assign(pending, toQuery(change))
  }

  return {
    points: computed(() => first(query.value, 'points')?.split(',').filter(Boolean) ?? null),
    period: computed(() => first(query.value, 'period')),
    from: computed(() => whole(query.value, 'from')),
    to: computed(() => whole(query.value, 'to')),
    span: computed(() => whole(query.value, 'span')),
    language: computed(() => first(query.value, 'lang')),
    write,
  }
}
