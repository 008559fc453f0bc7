import { computed, type ComputedRef, onScopeDispose, ref, type ShallowRef, shallowRef, watch } from 'vue'
import { type RouteLocationRaw, useRoute, useRouter } from 'vue-router'
import { ledgerApi, type Trees } from '../api/ledger'
import type { ApiError } from '../api/client'
import { useWords } from '../i18n'
import { required } from '../shell/inject'
import { CAMPUS } from '../site/campus'
import { asApiError } from './answer'
import { passed, type Range } from './calendar'
import { changedQuery, type LedgerState, rangeShown, readState, type StateChange } from './state'

const trees: ShallowRef<Trees | null> = shallowRef(null)
const treesFailure: ShallowRef<ApiError | null> = shallowRef(null)
let asked = false

async function loadTrees(): Promise<void> {
  asked = true
  try {
    trees.value = await ledgerApi.trees()
    treesFailure.value = null
  } catch (error) {
    treesFailure.value = asApiError(error)
    asked = false
  }
}

/** The trees of the site: asked for once, by whichever part of the page needs them first. */
export function useTrees() {
  if (!asked) void loadTrees()
  return { trees, failure: treesFailure, reload: loadTrees }
}

export interface Ledger {
  state: ComputedRef<LedgerState>
  zone: ComputedRef<string>
  range: ComputedRef<Range>
  /** What of the range has passed; null where it has not begun. */
  past: ComputedRef<Range | null>
  /** The node that is shown. */
  of: ComputedRef<string>
  go(change: StateChange): void
  consumption(change: StateChange): RouteLocationRaw
  /** A node on the page that is shown, if it has a view of nodes; its consumption otherwise. */
  node(of: string): RouteLocationRaw
  readings(point: string, range: Range): RouteLocationRaw
  life(meter: string, query?: Record<string, string>): RouteLocationRaw
  /** What a month was closed with. */
  month(month: string): RouteLocationRaw
}

const TICK_MS = 30_000
const KEPT = ['lang', 'from', 'to', 'factors'] as const

/** What the pages of the ledger share: what the address says, and links to each other. */
export function useLedger(): Ledger {
  const campus = required(CAMPUS)
  const [route, router] = [useRoute(), useRouter()]
  const now = ref(campus.clock.now())
  const ticking = setInterval(() => (now.value = campus.clock.now()), TICK_MS)
  onScopeDispose(() => clearInterval(ticking))
  watch(campus.clock.now, (heard) => (now.value = heard))

  const zone = computed(() => campus.site.value?.zone ?? 'UTC')
  const state = computed(() => readState(route.query))
  const range = computed(() => rangeShown(state.value, now.value, zone.value))
  const kept = () => Object.fromEntries(KEPT.filter((key) => route.query[key]).map((key) => [key, route.query[key] ?? '']))
  const language = (): Record<string, string> => (typeof route.query['lang'] === 'string' ? { lang: route.query['lang'] } : {})

  return {
    state,
    zone,
    range,
    past: computed(() => passed(range.value, now.value)),
    of: computed(() => state.value.of ?? campus.site.value?.top ?? ''),
    go: (change) => void router.push({ query: changedQuery(route.query, change) }),
    consumption: (change) => ({ name: 'consumption', query: changedQuery(kept(), change) }),
    node: (of) => (route.name === 'overview' ? { name: 'overview', query: changedQuery(route.query, { of }) } : { name: 'consumption', query: changedQuery(kept(), { of, by: state.value.by }) }),
    readings: (point, { from, to }) => ({ name: 'curves', query: { ...language(), points: point, period: 'custom', from: String(from), to: String(to) } }),
    month: (month) => ({ name: 'periods', query: { ...language(), month } }),
    life: (meter, query = {}) => ({ name: 'meter', params: { id: meter }, query: { ...language(), ...query } }),
  }
}

/** What went wrong, in words. */
export function useFailure() {
  const { t, say } = useWords()
  return (error: ApiError): string => {
    if (error.status === 0) return t('curves.noAnswer')
    const text = error.details?.text
    return text ? say(text) : error.message
  }
}
