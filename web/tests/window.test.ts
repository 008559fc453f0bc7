import { expect, test } from 'vitest'
import { addressOf, following, gestured, periodOf, shift, SPAN_MS, widened, windowOf } from '../src/curves/window'

const NOW = 1_800_000_000_000
const NOTHING = { period: null, from: null, to: null, span: null }

test('a first visit follows the last fifteen minutes', () => {
  expect(windowOf(NOTHING, NOW)).toEqual({ from: NOW - 900_000, to: NOW, follow: true })
})

test('a window survives its way through the address', () => {
  for (const window of [following(SPAN_MS.week, NOW), following(7_000_000, NOW), { from: NOW - 5e6, to: NOW - 1e6, follow: false }]) {
    expect(windowOf(addressOf(window), NOW)).toEqual(window)
  }
})

test('a gesture that leaves the present stops following, one that holds it goes on', () => {
  expect(gestured(NOW - 2e6, NOW - 1e6, false, NOW).follow).toBe(false)
  expect(periodOf(gestured(NOW - SPAN_MS.day, NOW, true, NOW))).toBe('day')
})

test('stepping forward ends at the present', () => {
  const past = { from: NOW - 3e6, to: NOW - 1e6, follow: false }

  expect(shift(past, 0.25, NOW)).toEqual({ from: NOW - 2.5e6, to: NOW - 0.5e6, follow: false })
  expect(shift(past, 0.5, NOW)).toEqual(following(2e6, NOW))
})

test('half a width more is asked for on each side, but not of the future', () => {
  expect(widened({ from: NOW - 4e6, to: NOW - 2e6, follow: false }, NOW)).toEqual({ from: NOW - 5e6, to: NOW - 1e6 })
  expect(widened(following(2e6, NOW), NOW)).toEqual({ from: NOW - 3e6, to: NOW })
})
