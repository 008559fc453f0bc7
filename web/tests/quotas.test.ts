import { expect, test } from 'vitest'
import { barOf, emptyQuota, pathsOf, quotaOf } from '../src/quotas/quotas'

const FORECAST = { expected: 110, least: 100, most: 125, method: '', reason: '' }

test('a bar ends where the worst of its figures does, so that an excess is seen', () => {
  const bar = barOf({ used: 50, allowed: 40, year: FORECAST, quota: 100 })
  expect(bar).toEqual({ used: 0.4, allowed: 0.32, quota: 0.8, least: 0.8, most: 1 })
})

test('without a forecast a bar is of the quota alone', () => {
  expect(barOf({ used: 50, allowed: 40, year: { ...FORECAST, expected: null, least: null, most: null }, quota: 100 })).toEqual({ used: 0.5, allowed: 0.4, quota: 1, least: null, most: null })
})

test('days of which nothing is known are left out of a path, not drawn as zero', () => {
  const curve = { days: ['2026-01-01', '2026-01-02', '2026-01-03'], allowed: [10, 20, 30], used: [5, null, null], expected: [null, 15, 25], least: [null, 14, 20], most: [null, 16, 50] }
  const paths = pathsOf(curve, 30, 100, 100)
  expect(paths.top).toBe(52)
  expect(paths.used).toBe('M0.0 90.4')
  expect(paths.expected).toBe('M50.0 71.2L100.0 51.9')
  expect(paths.band.endsWith('Z')).toBe(true)
})

test('a form says what it lacks, and coal needs its factor set', () => {
  const draft = { ...emptyQuota('organisation/a', 2026, 'li'), amount: '1,200,000', document: '文件 7', dated: '2026-01-05' }
  expect(quotaOf({ ...draft, amount: '0', dated: '' }).faults).toEqual({ amount: 'number', dated: 'day' })
  expect(quotaOf({ ...draft, limited: 'energy' }).faults).toEqual({ factorSet: 'factorSet' })
  expect(quotaOf(draft).quota).toEqual({ of: 'organisation/a', limited: 'electricity', year: 2026, amount: '1200000', method: 'handed_down', document: '文件 7', dated: '2026-01-05', factor_set: null, months: null })
})
