import { expect, test } from 'vitest'
import { instantAt, passed, periodAt, periodOf, rangeName, shifted, stepFor, stepsFor, tickName } from '../src/ledger/calendar'

const ZONE = 'Asia/Shanghai'
const at = (text: string): number => Date.parse(`${text}+08:00`)
const range = (from: string, to: string) => ({ from: at(`${from}T00:00`), to: at(`${to}T00:00`) })

test('days, weeks, months and years begin at the site’s midnight, weeks on Monday', () => {
  const now = at('2026-11-21T15:30')
  expect(periodAt('day', now, ZONE)).toEqual(range('2026-11-21', '2026-11-22'))
  expect(periodAt('week', now, ZONE)).toEqual(range('2026-11-16', '2026-11-23'))
  expect(periodAt('month', now, ZONE)).toEqual(range('2026-11-01', '2026-12-01'))
  expect(periodAt('year', now, ZONE)).toEqual(range('2026-01-01', '2027-01-01'))
})

test('a range is known for the period it is', () => {
  expect(periodOf(range('2026-02-01', '2026-03-01'), ZONE)).toBe('month')
  expect(periodOf(range('2026-02-02', '2026-03-02'), ZONE)).toBeNull()
})

test('the period after January is February, and before it December', () => {
  const january = range('2026-01-01', '2026-02-01')
  expect(shifted(january, 1, ZONE)).toEqual(range('2026-02-01', '2026-03-01'))
  expect(shifted(january, -1, ZONE)).toEqual(range('2025-12-01', '2026-01-01'))
})

test('days that are no period of the calendar move by their own number, across a change of the clock too', () => {
  expect(shifted(range('2026-03-03', '2026-03-13'), 1, ZONE)).toEqual(range('2026-03-13', '2026-03-23'))
  const zone = 'Europe/Berlin'
  const days = { from: instantAt(Date.UTC(2026, 2, 28), zone), to: instantAt(Date.UTC(2026, 2, 30), zone) }
  expect((days.to - days.from) / 3_600_000).toBe(47)
  expect(shifted(days, 1, zone).from).toBe(days.to)
  expect(shifted(days, 1, zone).to - days.to).toBe(48 * 3_600_000)
})

test('of a month that has begun only the whole hours that have passed are asked for', () => {
  const month = range('2026-11-01', '2026-12-01')
  expect(passed(month, at('2026-11-21T15:20'))).toEqual({ from: month.from, to: at('2026-11-21T15:00') })
  expect(passed(month, at('2026-11-21T15:01'))).toEqual({ from: month.from, to: at('2026-11-21T14:00') })
  expect(passed(month, at('2026-12-05T00:00'))).toEqual(month)
  expect(passed(month, at('2026-11-01T00:30'))).toBeNull()
})

test('a day is shown by hours, a month by days, a year by months', () => {
  expect(stepFor(range('2026-11-21', '2026-11-22'))).toBe('hour')
  expect(stepFor(range('2026-11-01', '2026-12-01'))).toBe('day')
  expect(stepFor(range('2026-01-01', '2027-01-01'))).toBe('month')
  expect(stepsFor(range('2026-01-01', '2027-01-01'))).toEqual(['day', 'week', 'month', 'year'])
  expect(stepsFor(range('2026-11-21', '2026-11-22'))).toEqual(['hour', 'day'])
})

test('a range is called what people call it, and the day after it is not named', () => {
  expect(rangeName(range('2026-11-01', '2026-12-01'), ZONE, 'zh')).toBe('2026年11月')
  expect(rangeName(range('2026-01-01', '2027-01-01'), ZONE, 'en')).toBe('2026')
  expect(rangeName(range('2026-11-16', '2026-11-23'), ZONE, 'zh')).toBe('2026-11-16 – 11-22')
  expect(rangeName(range('2025-12-30', '2026-01-03'), ZONE, 'zh')).toBe('2025-12-30 – 2026-01-02')
  expect(rangeName({ from: at('2026-11-01T00:00'), to: at('2026-11-21T15:30') }, ZONE, 'zh')).toBe('2026-11-01 – 11-21 15:30')
})

test('where a longer period begins the tick says so', () => {
  expect(tickName(at('2026-11-01T00:00'), 'day', ZONE, 'zh')).toEqual({ text: '11月', strong: true })
  expect(tickName(at('2026-11-02T00:00'), 'day', ZONE, 'zh')).toEqual({ text: '2', strong: false })
  expect(tickName(at('2026-11-02T07:00'), 'hour', ZONE, 'en').text).toBe('7:00')
})
