import { type InjectionKey, shallowReactive } from 'vue'
import type { LocationQuery, LocationQueryRaw, RouteLocationRaw, Router } from 'vue-router'
import type { Permission } from '../api/account'

/** Pages of readings share points and window; pages of the ledger share their range. */
export const PAGES = ['overview', 'curves', 'alarms', 'consumption', 'balance', 'quotas', 'findings', 'tariffs', 'stock', 'periods', 'sites', 'statistics', 'contracts', 'accounts', 'audit'] as const
export type PageName = (typeof PAGES)[number]

/** What a page needs, one of these; most of them to read. */
export const isOpen = (page: string, may: (permission: Permission) => boolean): boolean => (NEEDS[page] ?? ['read']).some(may)
const NEEDS: Record<string, Permission[]> = { sites: ['read', 'administer_system'], accounts: ['administer_security'], audit: ['audit'], account: ['own'] }
/** These pages tell of people, of what they did and of the site as a whole, and have no tree of it beside them. */
const OF_PEOPLE = Object.keys(NEEDS)

const LIVE: readonly string[] = ['overview', 'curves']

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
  const ledger = ![...LIVE, ...OF_PEOPLE].includes(page) && ![...LIVE, ...OF_PEOPLE, 'meter'].includes(now.page)
  if (!ledger) return own
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
