import { expect, test } from 'vitest'
import type { BalanceRow } from '../src/api/ledger'
import { barOf, groups, verdictOf } from '../src/balance/balance'
import { emptyDraft, eventOf, instantOfWall, numberOf } from '../src/life/fields'
import { firstDraft, readLife } from '../src/life/life'
import { differenceOf, signed } from '../src/life/preview'
import { bandTimes, priceText, segmentsOf } from '../src/tariffs/bands'
import { billOf, dayBy, emptyBill, money } from '../src/tariffs/bills'

const ZONE = 'Asia/Shanghai'
const said = { who: '王工', why: '工单 7' }

test('an exchange says when by the site’s clock, and both registers', () => {
  const { event } = eventOf({ ...emptyDraft('exchanged'), at: '2026-03-02T10:30', final_register: '184,260.0', initial_register: '0', ...said }, 'main', ZONE)

  expect(event).toMatchObject({ meter: 'main', kind: 'exchanged', at: Date.parse('2026-03-02T10:30+08:00'), final_register: 184260, initial_register: 0, quantity: null, ratio: null, until: null })
})

test('what a kind does not need is not sent, even if it was typed before', () => {
  const { event } = eventOf({ ...emptyDraft('calibrated'), at: '2026-03-02T10:30:15', final_register: '5', place: 'hall', ...said }, 'main', ZONE)

  expect(event).toMatchObject({ final_register: null, place: null, at: Date.parse('2026-03-02T10:30:15+08:00') })
})

test('what is lacking is told by its field', () => {
  expect(eventOf(emptyDraft('exchanged'), 'main', ZONE).faults).toEqual({ at: 'at', who: 'who', why: 'why' })
  const exchange = { ...emptyDraft('exchanged'), at: '2026-03-02T10:30', ...said }
  expect(eventOf({ ...exchange, final_register: '5' }, 'main', ZONE).faults).toEqual({ initial_register: 'registers' })
  expect(eventOf({ ...exchange, final_register: 'five', initial_register: '0' }, 'main', ZONE).faults).toEqual({ final_register: 'number' })
  expect(eventOf({ ...exchange, kind: 'faulty', until: '2026-03-02T09:00' }, 'main', ZONE).faults).toEqual({ until: 'until' })
  expect(eventOf({ ...exchange, kind: 'moved' }, 'main', ZONE).faults).toEqual({ place: 'place' })
  expect(eventOf({ ...exchange, kind: 'manual' }, 'main', ZONE).faults).toEqual({ final_register: 'register' })
  expect(eventOf({ ...exchange, kind: 'ratio_changed' }, 'main', ZONE).faults).toEqual({ ratio: 'ratio' })
  expect(eventOf({ ...exchange, kind: 'ratio_changed', ratio: '1.25' }, 'main', ZONE).faults).toBeNull()
})

test('a time that the clock skips is none', () => {
  expect(instantOfWall('2026-03-29T02:30', 'Europe/Berlin')).toBeNull()
  expect(instantOfWall('', ZONE)).toBeNull()
})

test('numbers are read as people write them', () => {
  expect([numberOf('184,260.5'), numberOf(' 1 200 '), numberOf('１２．５'), numberOf('-3'), numberOf('1e5'), numberOf('x')]).toEqual([184260.5, 1200, 12.5, -3, null, null])
})

test('the address fills in the form with what a doubt knows', () => {
  const state = readLife({ at: String(Date.parse('2026-03-02T10:30:00+08:00')), enter: 'exchanged', quantity: 'volume', days: '3', withdrawn: '1' })

  expect(state).toMatchObject({ enter: 'exchanged', days: 14, withdrawn: true })
  expect(firstDraft(state, ZONE)).toMatchObject({ kind: 'exchanged', at: '2026-03-02T10:30:00', quantity: 'volume' })
})

test('a difference bears its sign, and is none where a side is unknown', () => {
  expect(signed(differenceOf(1, 3), String)).toBe('+2')
  expect(signed(differenceOf(3, 1), String)).toBe('−2')
  expect(signed(differenceOf(null, 1), String)).toBe('—')
})

const SHARES = { measured: 1, estimated: 0, manual: 0, missing: 0, disputed: 0 }
function row(meter: string, main: number | null, subs: number | null, beyond = false, measured = 1): BalanceRow {
  const figure = (value: number | null) => ({ value, estimated: 0, cost: null, unpriced: 0, shares: { ...SHARES, measured, missing: 1 - measured } })
  const rest = main === null || subs === null ? null : main - subs
  return { meter, name: { zh: meter, en: meter }, medium: 'electricity', unit: 'kWh', main: figure(main), subs: figure(subs), rest, rest_share: rest === null || !main ? null : rest / main, meters: [], beyond, periods: [] }
}

test('incomplete data is not judged, whatever the figures say', () => {
  expect(verdictOf(row('a', 100, 70, true))).toBe('beyond')
  expect(verdictOf(row('a', 100, 95))).toBe('within')
  expect(verdictOf(row('a', 100, 70, true, 0.9))).toBe('unsure')
  expect(verdictOf(row('a', null, 70))).toBe('unsure')
})

test('what needs attention comes first', () => {
  const rows = [row('fine', 100, 99), row('less', 100, 85, true), row('unsure', 100, 99, false, 0.5), row('worst', 100, 150, true)]

  expect(groups(rows)[0]?.rows.map(({ meter }) => meter)).toEqual(['worst', 'less', 'unsure', 'fine'])
  expect(barOf(row('worst', 100, 150))).toEqual({ subs: 100 / 150, rest: 50 / 150, over: true })
})

test('half hours of one band and price are one stretch of the day', () => {
  const start = Date.parse('2026-11-21T00:00+08:00')
  const half = Array.from({ length: 48 }, (_, index) => ({ at: start + index * 1_800_000, band: index < 14 || index >= 46 ? 'valley' : 'peak', price: index < 14 || index >= 46 ? '0.430000' : '1.030000' }))
  const segments = segmentsOf(half)

  expect(segments).toHaveLength(3)
  expect(bandTimes(segments, ZONE)).toEqual([
    { band: 'peak', price: '1.030000', times: ['07:00–23:00'] },
    { band: 'valley', price: '0.430000', times: ['00:00–07:00', '23:00–24:00'] },
  ])
  expect([priceText('0.430000'), priceText('3.000000'), priceText('0.123400')]).toEqual(['0.43', '3.00', '0.1234'])
})

test('a bill is typed with its last day and sent with the day after it', () => {
  const draft = { ...emptyBill('1100', '王工'), first: '2026-03-01', last: '2026-03-31', quantity: '125,000', amount: '88412.55' }

  expect(billOf(draft).bill).toMatchObject({ account: '1100', from: '2026-03-01', to: '2026-04-01', quantity: '125000', amount: '88412.55' })
  expect(billOf({ ...draft, amount: '1.005', last: '2026-02-01', who: ' ' }).faults).toEqual({ amount: 'cents', last: 'last', who: 'who' })
  expect(dayBy('2026-03-01', -1)).toBe('2026-02-28')
  expect([money('1234567.80', 'zh'), money('-0.5', 'en')]).toEqual(['1,234,567.80', '−0.50'])
})
