import { expect, test } from 'vitest'
import type { FleetEdge } from '../src/api/edges'
import { busiest, clockWord, countsOf, endsSoon, lengthOf, shortVersion, siteWord, worstFirst } from '../src/edges/edges'
import { isOpen, queryFor } from '../src/shell/trail'

const DAY = 86_400_000
const clock = (offset_ms: number | null, synchronized: boolean | null = null) => clockWord({ clock: { offset_ms, synchronized, stepped_at: null, step_ms: null } })
const site = (given: { version?: string; wanted?: string; refused?: string }) => siteWord({ site_version: given.version ?? null, site_wanted: given.wanted ?? null, site_refused: given.refused ? { zh: given.refused, en: given.refused } : null })
const edge = (name: string, given: Partial<FleetEdge> = {}): FleetEdge => ({ edge: name, state: 'online', problems: [], meters_silent: [], lines: [], ...given }) as unknown as FleetEdge
const problem = { kind: 'edge.lagging', subject: 'x', since: 0, text: { zh: '', en: '' } }

test('a length is told in its two largest units', () => {
  expect(lengthOf(3 * DAY + 4 * 3_600_000 + 59_000)).toEqual({ key: 'days', large: 3, small: 4 })
  expect(lengthOf(3_599_600)).toEqual({ key: 'hours', large: 1, small: 0 })
  expect(lengthOf(754_000)).toEqual({ key: 'minutes', large: 12, small: 34 })
  expect(lengthOf(400)).toEqual({ key: 'seconds', large: 0, small: 0 })
})

test('a clock nearer than a second is right, and one that was never set is not', () => {
  expect([clock(null), clock(-999), clock(1000), clock(-39_000), clock(0, false)]).toEqual(['unknown', 'right', 'ahead', 'behind', 'unset'])
})

test('a site file is the one that is wanted, on its way, refused, or the own one of the edge', () => {
  expect(site({})).toBe('unknown')
  expect(site({ version: 'a' })).toBe('own')
  expect(site({ version: 'a', wanted: 'a' })).toBe('wanted')
  expect(site({ version: 'a', wanted: 'b' })).toBe('waiting')
  expect(site({ version: 'a', wanted: 'b', refused: 'no such line' })).toBe('refused')
})

test('what is wrong stands first, and is counted once', () => {
  const edges = [edge('d'), edge('c', { meters_silent: ['m', 'n'] }), edge('b', { problems: [problem] }), edge('a'), edge('z', { state: 'offline', problems: [problem] })]
  expect(worstFirst(edges).map((one) => one.edge)).toEqual(['z', 'b', 'c', 'a', 'd'])
  expect(countsOf(edges)).toEqual({ edges: 5, offline: 1, wrong: 1, silent: 2 })
})

test('the busiest line tells how busy an edge is', () => {
  expect(busiest(edge('a'))).toBeNull()
  expect(busiest(edge('a', { lines: [{ line: 'x', load: 0.2, late_ticks: 0 }, { line: 'y', load: 1.4, late_ticks: 3 }] }))).toBe(1.4)
})

test('of a digest the beginning is shown, a version by name stays', () => {
  expect(shortVersion('0123456789abcdef0123')).toBe('01234567')
  expect(shortVersion('1795140000-86145aef6337')).toBe('86145aef')
  expect(shortVersion('local-86145aef6337')).toBe('local-86145aef6337')
  expect(shortVersion('2026-07-01.3')).toBe('2026-07-01.3')
})

test('a certificate is told a month before it ends', () => {
  expect([endsSoon(null, 0), endsSoon(31 * DAY, 0), endsSoon(29 * DAY, 0)]).toEqual([false, false, true])
})

test('the page is for who operates, and keeps the edge that was looked at', () => {
  expect(isOpen('edges', (one) => one === 'operate')).toBe(true)
  expect(isOpen('edges', (one) => one === 'read')).toBe(false)
  expect(queryFor('edges', { edges: { edge: 'north' } }, { page: 'live', query: { from: '1' } })).toEqual({ edge: 'north' })
})
