import { expect, test } from 'vitest'
import type { MediumSum, Money, Quotas, Span } from '../src/api/overview'
import type { Shares } from '../src/api/ledger'
import { changeOfMedium, changeOfSum, glancesOf, lateQuery, linesOf, measuresOf, missingOf, quotaStates, spanShown, sumsOf, trendOf, yuanFigure } from '../src/overview/overview'

const ZONE = 'Asia/Shanghai'
const at = (wall: string): number => Date.parse(`${wall}+08:00`)
const SHARES: Shares = { measured: 1, estimated: 0, manual: 0, missing: 0, disputed: 0 }
const figure = (value: number | null, missing = 0) => ({ value, estimated: 0, cost: null, unpriced: 0, shares: { ...SHARES, measured: 1 - missing, missing } })
const comparison = (value: number | null, change: number | null, missing = 0) => ({ from: 0, to: 1, figure: figure(value, missing), change })
const medium = (more: Partial<MediumSum> = {}): MediumSum => ({ medium: 'electricity', quantity: 'active_energy_import', unit: 'kWh', counters: 1, total: figure(110), last_year: comparison(100, 0.1), converted: null, converted_last_year: null, tariffs: [], ...more })
const money = (more: Partial<Money> = {}): Money => ({ yuan: '1234.5', last_year: '1000', change: 0.2345, counted: ['electricity'], partly: [], left_out: [], known: 1, ...more })
const mass = { kg: 13.5, last_year: 12, change: 0.125, counted: ['electricity' as const], left_out: [], known: 1 }

const YEAR: Span = {
  span: 'year',
  from: at('2026-01-01T00:00'),
  to: at('2026-02-10T09:00'),
  whole_to: at('2026-04-01T00:00'),
  last_year_from: at('2025-01-01T00:00'),
  last_year_to: at('2025-02-10T09:00'),
  media: [medium()],
  cost: money(),
  coal: mass,
  co2: mass,
  series: {
    by: 'month',
    edges: ['2026-01-01', '2026-02-01', '2026-03-01', '2026-04-01'].map((day) => at(`${day}T00:00`)),
    last_year_edges: [],
    coal_kg: [null, 4, null],
    coal_kg_last_year: [8, 7, 6],
    media: [{ medium: 'electricity', unit: 'kWh', values: [70, 40, null], last_year: [null, 50, 60] }],
  },
}

test('a change bears its sign, and nothing is compared where too much is missing of either year', () => {
  expect(changeOfMedium(medium())).toEqual({ turn: 'more', text: '+10 %', why: null, missing: '' })
  expect(changeOfMedium(medium({ last_year: comparison(100, 0.0001) })).turn).toBe('same')
  expect(changeOfMedium(medium({ total: figure(110, 0.12) }))).toEqual({ turn: 'unknown', text: null, why: 'missingNow', missing: '12 %' })
  expect(changeOfMedium(medium({ last_year: comparison(11, 9, 0.89) }))).toMatchObject({ why: 'missingThen', missing: '89 %' })
  expect(changeOfMedium(medium({ last_year: comparison(null, null, 1) })).why).toBe('noThen')
  expect(changeOfMedium(medium({ last_year: null })).why).toBe('noThen')
  expect(changeOfMedium(medium({ total: figure(null, 1) })).why).toBe('noNow')
})

test('a sum that the gateway does not compare says why, as its media tell it', () => {
  const uncompared = { value: 5, last_year: 4, change: null, counted: ['electricity' as const] }
  expect(changeOfSum({ ...uncompared, change: -0.5 }, [], false)).toMatchObject({ turn: 'less', text: '−50 %' })
  expect(changeOfSum(uncompared, [medium({ last_year: comparison(11, 9, 0.89) })], false)).toMatchObject({ why: 'missingThen', missing: '89 %' })
  expect(changeOfSum(uncompared, [medium({ medium: 'gas', last_year: null }), medium()], false).why).toBe('unlike')
  expect(changeOfSum({ ...uncompared, last_year: null }, [medium()], true).why).toBe('noPriceThen')
  expect(changeOfSum({ ...uncompared, last_year: null }, [medium({ last_year: null })], true).why).toBe('noThen')
  expect(changeOfSum({ ...uncompared, value: null }, [medium()], true).why).toBe('noNow')
})

test('yuan are told as people say them, with every fen on hover', () => {
  expect(yuanFigure('272534.129', 'zh')).toEqual({ text: '27.25', unit: '万元', exact: '272,534.129 元' })
  expect(yuanFigure('-1200.5', 'zh').text).toBe('-1,201')
  expect(yuanFigure('272534.129', 'en')).toMatchObject({ text: '272,534', unit: 'CNY' })
  expect(yuanFigure('4483000', 'en')).toMatchObject({ text: '4.48', unit: 'million CNY' })
})

test('a sum that is not known is none, and not zero', () => {
  const [coal, cost, co2] = sumsOf({ ...YEAR, cost: money({ yuan: null, left_out: ['electricity'], known: 0 }), coal: { ...mass, kg: 12_345 } }, 'zh')
  expect(coal?.figure).toMatchObject({ text: '12.35', unit: 'tce' })
  expect(cost).toMatchObject({ figure: null, leftOut: ['electricity'] })
  expect(co2?.change.text).toBe('+13 %')
})

test('a medium that one span lacks has its line in all of them', () => {
  const day = { ...YEAR, media: [medium({ medium: 'water', quantity: 'volume', unit: 'm3' })] }
  expect(linesOf([day, YEAR]).map(({ medium: name }) => name)).toEqual(['water', 'electricity'])
})

test('what has not begun, what runs and what is missing are told apart', () => {
  const { unit, rows } = trendOf(YEAR, 'coal', ZONE, 'zh')
  expect(unit).toBe('kgce')
  expect(rows.map(({ state, now, then }) => [state, now, then])).toEqual([['whole', null, 8], ['running', 4, 7], ['ahead', null, 6]])
  expect(rows[0]).toMatchObject({ name: '2026年1月', tick: { text: '2026', strong: true } })
  expect(trendOf(YEAR, 'electricity', ZONE, 'en').rows[0]).toMatchObject({ now: 70, then: null, name: 'January 2026' })
})

test('the chart offers what is measured; standard coal only where there is any', () => {
  expect(measuresOf(YEAR)).toEqual(['coal', 'electricity'])
  expect(measuresOf({ ...YEAR, series: { ...YEAR.series, coal_kg: [null], coal_kg_last_year: [null] } })).toEqual(['electricity'])
})

test('a chart says how much of its bars is missing, of the worst of its media', () => {
  const span = { ...YEAR, media: [medium({ last_year: comparison(11, null, 0.89) }), medium({ medium: 'water', last_year: null })] }
  expect(missingOf(span, 'coal')).toEqual({ now: 0, then: 0.89 })
  expect(missingOf(span, 'water')).toEqual({ now: 0, then: 1 })
})

test('the loudest comes first, and what is calm is said to be so', () => {
  const none = { open: 0, levels: {}, more: false, newest: [] }
  const findings = { open: 3, yuan: null, without_yuan: 3, co2_kg: null, without_co2: 3, costliest: [] }
  const quotas: Quotas = { own: [], below: { kept: 4, exceeding: 1, ahead: 2, unheard_of: 1 }, worst: [] }
  expect(quotaStates(quotas).map(({ state, loud }) => [state, loud])).toEqual([['exceeding', 'alarm'], ['ahead', 'attention'], ['kept', 'calm'], ['unheard_of', 'unknown']])
  expect(glancesOf({ alarms: none, findings, quotas, filings: null })).toEqual([
    { name: 'alarms', loud: 'calm', count: 0 },
    { name: 'findings', loud: 'attention', count: 3 },
    { name: 'quotas', loud: 'alarm', count: 3 },
  ])
  expect(glancesOf({ alarms: { ...none, open: 2, levels: { urgent: 1, notice: 1 } }, findings, quotas: { own: [], below: {}, worst: [] }, filings: null })[0]?.loud).toBe('alarm')
  expect(glancesOf({ alarms: none, findings, quotas: { own: [], below: { unknown: 2 }, worst: [] }, filings: null })[2]).toEqual({ name: 'quotas', loud: 'unknown', count: 0 })
})

test('the late ones are those below the node that is shown; an institution has its own form', () => {
  const asked = { name: '示范区', month: '2026-10', language: 'zh' as const }
  expect(lateQuery({ ...asked, of: 'site/demo', kind: null })).toEqual({ lang: 'zh', month: '2026-10', late: 'true' })
  expect(lateQuery({ ...asked, of: 'organisation/district', kind: 'region' })).toEqual({ lang: 'zh', month: '2026-10', late: 'true', below: 'district', name: '示范区' })
  expect(lateQuery({ ...asked, of: 'organisation/edu', kind: 'department' })).toMatchObject({ below: 'edu', tree: 'department' })
  expect(lateQuery({ ...asked, of: 'organisation/school', kind: 'institution' })).toEqual({ lang: 'zh', month: '2026-10', filing: 'school' })
})

test('the year is shown until somebody chooses', () => {
  expect([spanShown({}), spanShown({ show: 'day' }), spanShown({ show: 'decade' })]).toEqual(['year', 'day', 'year'])
})
