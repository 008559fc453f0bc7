import { expect, test } from 'vitest'
import type { ClosedPeriod, Difference, KeptMove } from '../src/api/closing'
import type { Figure } from '../src/api/ledger'
import { tariffOf } from '../src/consumption/worth'
import { closedMarks } from '../src/ledger/closed'
import { rootsOf } from '../src/ledger/nodes'
import { periodLines, type SheetWords } from '../src/ledger/sheet'
import { endedMonths, monthsOf, periodSheet, reversed, toBook } from '../src/periods/periods'
import { emptyMove, moveLines, moveOf } from '../src/stock/stock'
import { accountChoices } from '../src/tariffs/bills'

const ZONE = 'Asia/Shanghai'
const at = (day: string): number => Date.parse(`${day}T00:00+08:00`)
const SHARES = { measured: 1, estimated: 0, manual: 0, missing: 0, disputed: 0 }
const figure = (value: number | null): Figure => ({ value, estimated: 0, cost: null, unpriced: 0, shares: SHARES })
const EDGES = [at('2026-08-01'), at('2026-09-01'), at('2026-10-01'), at('2026-11-01')]
const CLOSING = { month: '2026-09', closed_at: 5, who: 'li', why: 'report' }

test('a tariff is told apart from the digest of what it says', () => {
  expect(tariffOf('example-tou:0a1b')).toEqual({ id: 'example-tou', digest: '0a1b' })
  expect(tariffOf('plain')).toEqual({ id: 'plain', digest: '' })
})

test('a closed month bears its figure, and says where the ledger differs by a millionth', () => {
  const closed = [
    { month: '2026-08', value: 10, cost: null },
    { month: '2026-09', value: 20, cost: null },
  ]
  const marks = closedMarks(EDGES, [figure(10.0000001), figure(20.000001), figure(30)], closed, ZONE)
  expect(marks.map((mark) => mark?.differs ?? null)).toEqual([false, true, null])
  expect(closedMarks(EDGES, [figure(null)], closed, ZONE)[0]?.differs).toBe(true)
})

test('a table of months for a spreadsheet has what they were closed with, where any is', () => {
  const words: SheetWords = { from: 'from', to: 'to', part: 'part', value: 'value', estimated: 'est', cost: 'cost', closed: 'closed', ways: { measured: 'a', manual: 'b', estimated: 'c', disputed: 'd', missing: 'e' } }
  const closed = closedMarks(EDGES, [figure(1), figure(2)], [{ month: '2026-09', value: 3, cost: null }], ZONE)
  const lines = periodLines(EDGES, [figure(1), figure(2)], 'kWh', ZONE, words, closed)
  expect(lines.map((line) => line[10])).toEqual(['closed [kWh]', '', '3'])
  expect(periodLines(EDGES, [figure(1)], 'kWh', ZONE, words, [null])[0]).toHaveLength(10)
})

test('months that have ended are shown: those with figures, and those that are closed', () => {
  expect(endedMonths(at('2026-11-21'), ZONE)).toEqual({ from: at('2024-11-01'), to: at('2026-11-01') })
  const media = [{ medium: 'water', unit: 'm3', counters: 2, periods: [figure(null), figure(null), figure(7)] }] as never
  const months = monthsOf({ edges: EDGES, media }, [CLOSING, { ...CLOSING, month: '2020-01' }], ZONE)
  expect(months.map(({ month, closing, uses }) => [month, closing?.who ?? null, uses.length])).toEqual([
    ['2026-10', null, 1],
    ['2026-09', 'li', 0],
    ['2020-01', 'li', 0],
  ])
  expect(months[2]).toMatchObject({ from: at('2020-01-01'), to: at('2020-02-01') })
})

test('a correction takes back what stands and books what the ledger says now', () => {
  const one: Difference = {
    meter: 'sub',
    quantity: 'active_energy_import',
    unit: 'kWh',
    standing: { amount: '186.000000', cost: '93.000000' },
    now: { amount: '246.000000', cost: '123.000000' },
    difference: { amount: '60.000000', cost: '30.000000' },
  }
  const [booked] = toBook([one])
  expect([booked?.reversal, booked?.correction]).toEqual([{ amount: '-186.000000', cost: '-93.000000' }, one.now])
  expect([reversed('-1.5'), reversed('0.000000'), reversed(null)]).toEqual(['1.5', '0.000000', null])
})

test('a closed month for a spreadsheet has its figures, then the entries beside them', () => {
  const closed = { amount: '186.000000', cost: null }
  const figures = [{ meter: 'sub', quantity: 'energy', unit: 'kWh', closed, shares: SHARES, basis: '' }]
  const entry = { id: 1, meter: 'sub', quantity: 'energy', kind: 'reversal', booked: { amount: '-186.000000', cost: null }, booked_in: '2026-11', at: 6, who: 'wang', why: 'late' }
  const period = { closing: CLOSING, figures, entries: [entry] } as unknown as ClosedPeriod
  const heads = { meter: 'meter', quantity: 'quantity', unit: 'unit', closed: 'closed', cost: 'cost', kind: 'kind', amount: 'amount', bookedIn: 'in', who: 'who', why: 'why' }
  expect(periodSheet(period, heads, (kind) => kind).slice(1)).toEqual([
    ['closed', 'sub', 'energy', 'kWh', '186.000000', '', '2026-09', 'li', 'report'],
    ['reversal', 'sub', 'energy', 'kWh', '-186.000000', '', '2026-11', 'wang', 'late'],
  ])
})

test('a form of a purchase says what it lacks, and only a purchase costs something', () => {
  const draft = { ...emptyMove('place/canteen', 'li'), day: '2026-10-05', quantity: '1,400.5', amount: '3,020.00' }
  expect(moveOf(draft).move).toMatchObject({ of: 'place/canteen', fuel: 'diesel', kind: 'purchase', quantity: '1400.5', amount: '3020.00' })
  expect(moveOf({ ...draft, kind: 'count' }).move?.amount).toBeNull()
  expect(moveOf({ ...draft, of: '', day: '', quantity: '-1', amount: '1.005', who: ' ' }).faults).toEqual({ of: 'of', day: 'day', quantity: 'number', amount: 'cents', who: 'who' })
})

test('moves for a spreadsheet keep every digit, and a note is no formula', () => {
  const kept = { id: 1, move: { of: 'place/a', fuel: 'diesel', kind: 'purchase', day: '2026-10-05', quantity: '40.50', unit: 'L', amount: null, note: '=1+1' }, who: 'li' } as unknown as KeptMove
  const plain = (text: string): string => text
  expect(moveLines([kept], ['day'], { of: plain, fuel: plain, kind: plain })[1]).toEqual(['2026-10-05', 'place/a', 'diesel', 'purchase', '40.50', 'L', '', "'=1+1", 'li'])
})

test('accounts of the site can be chosen before they have bills, others only by their bills', () => {
  const own = { id: 'b', medium: 'water' as const, supplier: '', organisation: null, tariff: null }
  expect(accountChoices([own], ['c', 'b', 'a', 'a'], ({ medium }) => medium)).toEqual([
    { id: 'b', about: 'water' },
    { id: 'a', about: '' },
    { id: 'c', about: '' },
  ])
})

test('virtual points stand below the meters under a heading, and nowhere else', () => {
  const node = (of: string, kind: string) => ({ of, parent: null, kind, name: { zh: of, en: of } })
  const trees = { places: [], organisations: [], items: [], meters: [node('meter/a', 'electricity')], virtual: [node('both:energy', 'virtual')], accounts: [], factor_sets: [] }
  const [meter, heading] = rootsOf(trees, 'meters', { zh: '虚拟表', en: 'Virtual meters' })
  expect(meter?.node.of).toBe('meter/a')
  expect([heading?.node.kind, heading?.below.map(({ node: { of }, level }) => [of, level])]).toEqual(['heading', [['both:energy', 2]]])
  expect(rootsOf({ ...trees, virtual: [] }, 'meters', { zh: '', en: '' })).toHaveLength(1)
  expect(rootsOf(trees, 'places', { zh: '', en: '' })).toEqual([])
})
