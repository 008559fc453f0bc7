import { type InjectionKey, shallowReactive } from 'vue'
import type { LocationQuery, LocationQueryRaw, RouteLocationRaw, Router } from 'vue-router'
import type { Permission } from '../api/account'

/** The pages as they are worked with: what is so now, what is wrong, what was used, what is owed and told of it, the house itself. */
export const GROUPS = [
  ['overview', 'live', 'curves', 'edges'],
  ['alarms', 'findings'],
  ['consumption', 'balance', 'quotas'],
  ['contracts', 'statistics', 'tariffs', 'stock', 'periods'],
  ['sites', 'accounts', 'audit'],
] as const
export const PAGES = GROUPS.flat()
export type PageName = (typeof PAGES)[number]

/** What a page needs, one of these; most of them to read. */
export const isOpen = (page: string, may: (permission: Permission) => boolean): boolean => (NEEDS[page] ?? ['read']).some(may)
const NEEDS: Record<string, Permission[]> = { sites: ['read', 'administer_system'], accounts: ['administer_security'], audit: ['audit'], edges: ['operate'], account: ['own'] }
/** These pages tell of people, of what they did, of edges and of the site as a whole, and have no tree of it beside them. */
const OF_PEOPLE = Object.keys(NEEDS)

/** Pages of readings share points and window; pages of the ledger share their range. */
const LIVE: readonly string[] = ['live', 'curves']
/** The overview has no range of its own, and leaves that of the others as it is; it shares the node with consumption. */
const NO_RANGE = [...LIVE, ...OF_PEOPLE, 'overview', 'meter']
const OF_NODE = ['overview', 'consumption']

/** Where each page was left, so that one comes back to what one saw. */
export interface Trail {
  linkTo(page: PageName): RouteLocationRaw
}

export const TRAIL: InjectionKey<Trail> = Symbol('trail')

const groupOf = (page: string): string => (LIVE.includes(page) ? 'live' : page)

/** The query a page is opened with: its own of last time, with the range and the language of now. */
export function queryFor(page: PageName, left: Record<string, LocationQuery>, now: { page: string; query: LocationQuery }): LocationQueryRaw {
  const own: LocationQueryRaw = { ...left[groupOf(page)] }
  if (now.query['lang']) own['lang'] = now.query['lang']
  if (OF_NODE.includes(page) && OF_NODE.includes(now.page)) for (const key of ['of', 'factors']) own[key] = now.query[key]
  if (NO_RANGE.includes(page) || NO_RANGE.includes(now.page)) return own
  return { ...own, from: now.query['from'], to: now.query['to'] }
}

export function openTrail(router: Router): Trail {
  const left = shallowReactive<Record<string, LocationQuery>>({})
  router.afterEach((to) => {
    left[groupOf(String(to.name))] = to.query
  })
  return {
    linkTo: (page) => {
      const { name, query } = router.currentRoute.value
      return { name: page, query: queryFor(page, left, { page: String(name), query }) }
    },
  }
}
