import type { LocationQuery, LocationQueryRaw } from 'vue-router'
import type { Alarms, Findings, Mass, MediumSum, Money, NodeOverview, Quotas, Span, SpanName } from '../api/overview'
import type { Medium } from '../api/schema'
import { exact, type Figure, figure, type Language, number } from '../format/number'
import { barName, tickName } from '../ledger/calendar'
import { change as changeText, comparable, percent } from '../ledger/shares'
import { LOUD } from '../quotas/quotas'

export const SPANS: readonly SpanName[] = ['day', 'month', 'year']
/** What the chart shows: all media as standard coal, or one of them. */
export type Measure = 'coal' | Medium

export type Turn = 'more' | 'less' | 'same' | 'unknown'
/** Why a figure is compared with nothing. */
export type Why = 'noNow' | 'noThen' | 'noPriceThen' | 'missingNow' | 'missingThen' | 'unlike'

/** A figure against the same time of last year. */
export interface Change {
  turn: Turn
  /** '+3.2 %'; null where nothing is compared. */
  text: string | null
  why: Why | null
  /** Of the time that is not known; '' where that is not why. */
  missing: string
}

/** Less than this is no change. */
const SAME = 0.0005

const turnOf = (share: number): Turn => (Math.abs(share) < SAME ? 'same' : share > 0 ? 'more' : 'less')

const changed = (share: number): Change => ({ turn: turnOf(share), text: changeText(share), why: null, missing: '' })
const unknown = (why: Why, missing = 0): Change => ({ turn: 'unknown', text: null, why, missing: missing > 0 ? percent(missing) : '' })

/** What flowed of a medium against last year: where more than 5 % of either is missing, nothing is said. */
export function changeOfMedium({ total, last_year }: Pick<MediumSum, 'total' | 'last_year'>): Change {
  if (total.value === null) return unknown('noNow')
  if (!last_year || last_year.figure.value === null) return unknown('noThen')
  if (last_year.change !== null && comparable(total, last_year.figure)) return changed(last_year.change)
  const gone = ({ shares }: MediumSum['total']): number => shares.missing + shares.disputed
  const [now, then] = [gone(total), gone(last_year.figure)]
  if (Math.max(now, then) === 0) return unknown('unlike')
  return now >= then ? unknown('missingNow', now) : unknown('missingThen', then)
}

/** Money, coal or carbon against last year. Why the gateway tells no change of it, its media tell: most of one of them is missing, or they are not the same. */
export function changeOfSum({ value, last_year, change, counted }: { value: number | string | null; last_year: number | string | null; change: number | null; counted: Medium[] }, media: MediumSum[], priced: boolean): Change {
  if (value === null) return unknown('noNow')
  if (change !== null) return changed(change)
  const parts = media.filter(({ medium }) => counted.includes(medium))
  if (last_year === null) return unknown(priced && parts.some((part) => part.last_year && part.last_year.figure.value !== null) ? 'noPriceThen' : 'noThen')
  const missing = parts.map(changeOfMedium).filter(({ why }) => why === 'missingNow' || why === 'missingThen' || why === 'noThen')
  return missing[0] ?? unknown('unlike')
}

/** Where less than this is unknown, a small mark tells it; from it on it is told in words. */
const MUCH = 0.01
export const muchUnknown = (share: number): boolean => share >= MUCH

/** A sum with the words it is told in. */
export interface Sum {
  name: 'coal' | 'cost' | 'co2'
  figure: Figure | null
  then: Figure | null
  change: Change
  known: number
  partly: Medium[]
  leftOut: Medium[]
}

const MONEY: Record<Language, { from: number; by: number; unit: string; base: string }> = {
  zh: { from: 1e5, by: 1e4, unit: '万元', base: '元' },
  en: { from: 1e6, by: 1e6, unit: 'million CNY', base: 'CNY' },
}

/** Yuan as people say them, the fen on hover. */
export function yuanFigure(yuan: string, language: Language): Figure {
  const { from, by, unit, base } = MONEY[language]
  const value = Number(yuan)
  const whole = `${exact(value, language)} ${base}`
  return Math.abs(value) < from ? { text: number(value, language), unit: base, exact: whole } : { text: number(value / by, language), unit, exact: whole }
}

const massSum = (name: 'coal' | 'co2', mass: Mass, unit: string, media: MediumSum[], language: Language): Sum => ({
  name,
  figure: mass.kg === null ? null : figure(mass.kg, unit, language),
  then: mass.last_year === null ? null : figure(mass.last_year, unit, language),
  change: changeOfSum({ ...mass, value: mass.kg }, media, false),
  known: mass.known,
  partly: [],
  leftOut: mass.left_out,
})

const moneySum = (cost: Money, media: MediumSum[], language: Language): Sum => ({
  name: 'cost',
  figure: cost.yuan === null ? null : yuanFigure(cost.yuan, language),
  then: cost.last_year === null ? null : yuanFigure(cost.last_year, language),
  change: changeOfSum({ ...cost, value: cost.yuan }, media, true),
  known: cost.known,
  partly: cost.partly,
  leftOut: cost.left_out,
})

export const sumsOf = ({ coal, cost, co2, media }: Span, language: Language): Sum[] => [massSum('coal', coal, 'kgce', media, language), moneySum(cost, media, language), massSum('co2', co2, 'kgCO2', media, language)]

/** A medium's quantity has its line in every span, so that the lines of the cards stand side by side. */
export function linesOf(spans: Span[]): { key: string; medium: Medium; unit: string }[] {
  const all = spans.flatMap(({ media }) => media).map(({ medium, quantity, unit }) => [`${medium} ${quantity}`, { key: `${medium} ${quantity}`, medium, unit }] as const)
  return [...new Map(all).values()]
}

/** One period of the chart; null where nothing is known, or nothing has come yet. */
export interface TrendRow {
  from: number
  to: number
  name: string
  tick: { text: string; strong: boolean }
  now: number | null
  then: number | null
  state: 'whole' | 'running' | 'ahead'
}

export interface Trend {
  unit: string
  rows: TrendRow[]
}

export function measuresOf({ series }: Span): Measure[] {
  const coal = [...series.coal_kg, ...series.coal_kg_last_year].some((value) => value !== null)
  return [...(coal ? (['coal'] as const) : []), ...series.media.map(({ medium }) => medium)]
}

export function trendOf({ series, to }: Span, measure: Measure, zone: string, language: Language): Trend {
  const curve = series.media.find(({ medium }) => medium === measure)
  const [now, then] = curve ? [curve.values, curve.last_year] : [series.coal_kg, series.coal_kg_last_year]
  const count = Math.max(0, series.edges.length - 1)
  const rows = Array.from({ length: count }, (_, i): TrendRow => {
    const [from, end] = [series.edges[i] ?? 0, series.edges[i + 1] ?? 0]
    const state = from >= to ? 'ahead' : end > to ? 'running' : 'whole'
    return { from, to: end, name: barName(from, end, series.by, zone, language), tick: tickName(from, series.by, zone, language), now: state === 'ahead' ? null : (now[i] ?? null), then: then[i] ?? null, state }
  })
  return { unit: curve?.unit ?? 'kgce', rows }
}

/** The words of a quota's state by how loud they are, the loudest first. */
const STATES_BY_LOUDNESS = ['exceeded', 'exceeding', 'ahead', 'unknown', 'near', 'kept'] as const

export type Loud = 'calm' | 'attention' | 'alarm' | 'unknown'
export interface Glance {
  name: 'alarms' | 'findings' | 'quotas' | 'filings'
  loud: Loud
  count: number
}

export interface StateCount {
  state: string
  count: number
  loud: Loud
}

function counted(counts: Map<string, number>): StateCount[] {
  const order = new Set<string>([...STATES_BY_LOUDNESS, ...counts.keys()])
  return [...order].flatMap((state) => (counts.get(state) ? [{ state, count: counts.get(state) ?? 0, loud: LOUD[state] ?? 'unknown' }] : []))
}

/** Quotas below the node by their state, the loudest first. */
export const belowStates = ({ below }: Quotas): StateCount[] => counted(new Map(Object.entries(below)))

/** The same with those of the node itself. */
export function quotaStates({ own, below }: Quotas): StateCount[] {
  const counts = new Map<string, number>(Object.entries(below))
  for (const { state } of own) counts.set(state, (counts.get(state) ?? 0) + 1)
  return counted(counts)
}

const loudOfAlarms = ({ open, levels }: Alarms): Loud => (open === 0 ? 'calm' : levels['urgent'] ? 'alarm' : 'attention')
const loudOfFindings = ({ open }: Findings): Loud => (open ? 'attention' : 'calm')

/** The share of the span so far that is missing, this year and last, of what the chart shows: its bars do not tell. */
export function missingOf({ media, coal }: Span, measure: Measure): { now: number; then: number } {
  const parts = media.filter(({ medium }) => (measure === 'coal' ? coal.counted.includes(medium) : medium === measure))
  const most = (figures: (MediumSum['total'] | undefined)[]): number => Math.max(0, ...figures.map((figure) => (figure ? figure.shares.missing + figure.shares.disputed : 1)))
  return { now: most(parts.map(({ total }) => total)), then: most(parts.map(({ last_year }) => last_year?.figure)) }
}

/** What must be seen in five seconds. */
export function glancesOf({ alarms, findings, quotas, filings }: Pick<NodeOverview, 'alarms' | 'findings' | 'quotas' | 'filings'>): Glance[] {
  const made: Glance[] = [
    { name: 'alarms', loud: loudOfAlarms(alarms), count: alarms.open },
    { name: 'findings', loud: loudOfFindings(findings), count: findings.open },
  ]
  const states = quotaStates(quotas)
  const bad = states.filter(({ loud }) => loud === 'alarm' || loud === 'attention')
  if (states.length) made.push({ name: 'quotas', loud: bad[0]?.loud ?? (states.some(({ loud }) => loud === 'calm') ? 'calm' : 'unknown'), count: bad.reduce((sum, { count }) => sum + count, 0) })
  if (filings) made.push({ name: 'filings', loud: filings.late ? 'attention' : 'calm', count: filings.late })
  return made
}

/** Which span the chart shows, and on a phone the cards; the year until somebody chooses. */
export const spanShown = (query: LocationQuery): SpanName => SPANS.find((span) => span === query['show']) ?? 'year'

/** Where the late ones of a month stand: those of a region or department below it, one institution by its own form. */
export function lateQuery({ of, name, month, kind, language }: { of: string; name: string; month: string; kind: string | null; language: Language }): LocationQueryRaw {
  const id = of.startsWith('organisation/') ? of.slice('organisation/'.length) : null
  if (id && kind === 'institution') return { lang: language, month, filing: id }
  const tree = kind === 'department' ? { tree: 'department' } : {}
  return { lang: language, month, late: 'true', ...(id ? { below: id, name, ...tree } : {}) }
}
