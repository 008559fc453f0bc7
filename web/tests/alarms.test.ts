import { expect, test } from 'vitest'
import { curveRequest, deeds, drawn, mondayOf, viewOf, WEEK_MS } from '../src/alarms/alarms'
import type { Alarm, AlarmAnswer } from '../src/api/alarms'

const HOUR = 3_600_000
const alarm = (given: Partial<Alarm>): Alarm => ({ point: 'main:flow_rate', since: 10 * HOUR, recovered: null, acknowledged: null, closed: null, limit: 2, ...given }) as Alarm
const answer = (values: (number | null)[]) => ({ from: 0, to: 4, step_ms: null, series: [{ point: 'main:flow_rate', unit: 'm3/h', kind: 'gauge', step_ms: null, t: [0, 1, 2, 3, 4], min: values, mean: values, max: values, first: [], last: [], quality: [] }] }) as never

test('the curve of an alarm begins two hours before it and ends two hours after it was over, a day at most', () => {
  expect(curveRequest(alarm({}), 11 * HOUR)).toMatchObject({ from: 8 * HOUR, to: 11 * HOUR })
  expect(curveRequest(alarm({ recovered: 12 * HOUR }), 90 * HOUR)).toMatchObject({ from: 8 * HOUR, to: 14 * HOUR })
  expect(curveRequest(alarm({}), 90 * HOUR)).toMatchObject({ from: 66 * HOUR, to: 90 * HOUR })
  expect(curveRequest(alarm({ point: null }), 90 * HOUR)).toBeNull()
})

test('a gap in the curve stays a gap, and the limit is drawn where it is', () => {
  const made = drawn(answer([0, 4, null, 4, 0]), alarm({ since: 1 }))
  expect(made?.lines).toEqual(['0,114 150,6', '450,6 600,114'])
  expect(made?.limit).toBe(60)
  expect(drawn(answer([null, null, 1, null, null]), alarm({}))).toBeNull()
})

test('what may be done follows from how far it has come', () => {
  const of = (given: Partial<Alarm>) => deeds({ alarm: alarm(given) } as AlarmAnswer)
  expect(of({})).toEqual({ acknowledge: true, handle: true, close: false })
  expect(of({ acknowledged: 1 })).toEqual({ acknowledge: false, handle: true, close: true })
  expect(of({ recovered: 1 })).toEqual({ acknowledge: true, handle: true, close: true })
  expect(of({ closed: 1, acknowledged: 1 })).toEqual({ acknowledge: false, handle: false, close: false })
})

test('a week begins on Monday, at midnight of the site', () => {
  const tuesday = Date.UTC(2026, 2, 9, 18)
  expect(new Date(mondayOf(tuesday, 8 * HOUR)).toISOString()).toBe('2026-03-08T16:00:00.000Z')
  expect(mondayOf(tuesday, 8 * HOUR) + WEEK_MS).toBeGreaterThan(tuesday)
  expect(viewOf('duty')).toBe('duty')
  expect(viewOf('nonsense')).toBe('open')
})
