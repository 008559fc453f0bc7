import { expect, test } from 'vitest'
import { digitsOf, tickLabel, timeTicks, valueScales } from '../src/curves/ticks'
import { wallClock } from '../src/format/time'

const HOUR = 3_600_000

test('ticks stand on round times of the site', () => {
  const from = Date.UTC(2026, 10, 21, 3, 7)
  const { ticks, stepMs } = timeTicks(from, from + 12 * HOUR, 'Asia/Kolkata', 12, 0)

  expect(stepMs).toBe(HOUR)
  expect(ticks).toHaveLength(12)
  expect(ticks.every((at) => wallClock(at, 'Asia/Kolkata').minute === 0)).toBe(true)
})

test('ticks stay on round hours through a change of summer time', () => {
  const from = Date.UTC(2026, 2, 28, 12)
  const { ticks } = timeTicks(from, from + 48 * HOUR, 'Europe/Berlin', 8, 0)

  expect(ticks.map((at) => wallClock(at, 'Europe/Berlin').hour)).toEqual([18, 0, 6, 12, 18, 0, 6, 12])
})

test('a change of summer time leaves no short tick out', () => {
  const from = Date.UTC(2026, 9, 25, 0)
  const { ticks } = timeTicks(from, from + 2 * HOUR, 'Europe/Berlin', 4, 0)

  expect(ticks.map((at) => tickLabel(at, HOUR / 2, 'Europe/Berlin').text)).toEqual(['02:00', '02:30', '02:00', '02:30', '03:00'])
})

test('months begin on their first day, and a year is named where it begins', () => {
  const { ticks, stepMs } = timeTicks(Date.UTC(2025, 10, 15), Date.UTC(2026, 1, 15), 'Asia/Shanghai', 4, 0)

  expect(ticks.map((at) => tickLabel(at, stepMs, 'Asia/Shanghai').text)).toEqual(['2025-12', '2026', '2026-02'])
})

test('midnight shows the date among hours', () => {
  const midnight = Date.UTC(2026, 10, 20, 16)

  expect(tickLabel(midnight, HOUR, 'Asia/Shanghai')).toEqual({ text: '11-21', strong: true })
})

test('value axes beside each other share the number of their intervals', () => {
  const [power, temperature] = valueScales(
    [
      { low: 20, high: 151, fromZero: true },
      { low: 55.2, high: 64.8, fromZero: true },
    ],
    5,
  )

  expect(power?.min).toBe(0)
  expect(temperature?.min).toBeGreaterThan(50)
  const count = (scale: typeof power): number => (scale ? Math.round((scale.max - scale.min) / scale.interval) : NaN)
  expect(count(power)).toBe(count(temperature))
  expect(power?.max).toBeGreaterThanOrEqual(151)
  expect(power?.max).toBeLessThan(220)
})

test('labels of an axis have the digits its interval needs', () => {
  expect([500, 2.5, 0.1, 0.025].map(digitsOf)).toEqual([0, 1, 1, 3])
})
