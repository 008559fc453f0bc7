import { expect, test } from 'vitest'
import { figure, MISSING, number } from '../src/format/number'
import { clockTime, dateTime, instantOf, isoTime, offsetName, stretch } from '../src/format/time'

test('a missing value is a dash and never a zero', () => {
  expect(number(null, 'zh')).toBe(MISSING)
  expect(figure(null, 'kW', 'en').text).toBe(MISSING)
  expect(number(0, 'zh')).toBe('0.00')
})

test('figures keep the digits that mean something at their size', () => {
  expect(number(0.0471, 'zh')).toBe('0.047')
  expect(number(89.377, 'zh')).toBe('89.38')
  expect(number(144.04, 'zh')).toBe('144.0')
  expect(number(12345.6, 'en')).toBe('12,346')
})

test('large figures come in the unit that people say, with the exact value beside', () => {
  const energy = figure(1_234_567.5, 'kWh', 'zh')

  expect(`${energy.text} ${energy.unit}`).toBe('123.5 万 kWh')
  expect(energy.exact).toBe('1,234,567.5 kWh')
  expect(figure(1_234_567.5, 'kWh', 'en').unit).toBe('MWh')
  expect(figure(12.5, 'm3/h', 'zh').unit).toBe('m³/h')
})

test('times are those of the site and not of the browser', () => {
  const at = Date.UTC(2026, 0, 31, 16, 30, 5)

  expect(dateTime(at, 'Asia/Shanghai')).toBe('2026-02-01 00:30:05')
  expect(clockTime(at, 'America/New_York')).toBe('11:30:05')
  expect(isoTime(at, 'Asia/Shanghai')).toBe('2026-02-01T00:30:05+08:00')
  expect(offsetName(at, 'America/St_Johns')).toBe('UTC−3:30')
})

test('a stretch of time names its date once', () => {
  const noon = Date.UTC(2026, 4, 1, 4)

  expect(stretch(noon, noon + 900_000, 'Asia/Shanghai')).toBe('2026-05-01 12:00:00 – 12:15:00')
  expect(stretch(noon, noon + 86_400_000, 'Asia/Shanghai')).toBe('2026-05-01 12:00 – 2026-05-02 12:00')
})

test('an hour that summer time skips does not exist, one that it repeats is taken the first time', () => {
  const zone = 'Europe/Berlin'

  expect(instantOf(Date.UTC(2026, 2, 29, 2, 30), zone)).toBeNull()
  expect(instantOf(Date.UTC(2026, 9, 25, 2, 30), zone)).toBe(Date.UTC(2026, 9, 25, 0, 30))
})
