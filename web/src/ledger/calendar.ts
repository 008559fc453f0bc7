import type { Step } from '../api/ledger'
import { type Language, localeOf } from '../format/number'
import { dateTime, date, instantOf, wallClock, wallMs } from '../format/time'

/** A stretch of time by the site's calendar; `to` is not included. */
export interface Range {
  from: number
  to: number
}

export const CALENDAR = ['day', 'week', 'month', 'year'] as const
export type CalendarPeriod = (typeof CALENDAR)[number]
export const STEPS: readonly Step[] = ['hour', 'day', 'week', 'month', 'year']

const HALF_HOUR = 1_800_000
const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Monday at midnight, on the wall clock. */
const MONDAY = 4 * DAY

const floorTo = (value: number, step: number): number => Math.floor(value / step) * step

function wallStart(period: CalendarPeriod, wall: number): number {
  const at = new Date(wall)
  if (period === 'day') return floorTo(wall, DAY)
  if (period === 'week') return floorTo(wall - MONDAY, 7 * DAY) + MONDAY
  return Date.UTC(at.getUTCFullYear(), period === 'month' ? at.getUTCMonth() : 0, 1)
}

function wallNext(period: CalendarPeriod, start: number, by: number): number {
  const at = new Date(start)
  if (period === 'day') return start + by * DAY
  if (period === 'week') return start + by * 7 * DAY
  return period === 'month' ? Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + by, 1) : Date.UTC(at.getUTCFullYear() + by, 0, 1)
}

/** The instant of a wall clock; where it is skipped by a change to summer time, the first one after it. */
export function instantAt(wall: number, zone: string): number {
  for (let later = 0; later <= 6; later++) {
    const found = instantOf(wall + later * HALF_HOUR, zone)
    if (found !== null) return found
  }
  return wall
}

/** The day, week, month or year in which an instant lies. */
export function periodAt(period: CalendarPeriod, at: number, zone: string): Range {
  const start = wallStart(period, wallMs(at, zone))
  return { from: instantAt(start, zone), to: instantAt(wallNext(period, start, 1), zone) }
}

/** Which period of the calendar a range is, null for any other. */
export function periodOf({ from, to }: Range, zone: string): CalendarPeriod | null {
  return (
    CALENDAR.find((period) => {
      const own = periodAt(period, from, zone)
      return own.from === from && own.to === to
    }) ?? null
  )
}

const isMidnight = (at: number, zone: string): boolean => periodAt('day', at, zone).from === at

/** The range before (-1) or after (1) this one: the next month of a month, as many days of days. */
export function shifted(range: Range, by: -1 | 1, zone: string): Range {
  const period = periodOf(range, zone)
  if (period) return periodAt(period, by < 0 ? range.from - 1 : range.to, zone)
  if (isMidnight(range.from, zone) && isMidnight(range.to, zone)) {
    const [from, to] = [wallMs(range.from, zone), wallMs(range.to, zone)]
    return { from: instantAt(from + by * (to - from), zone), to: instantAt(to + by * (to - from), zone) }
  }
  const length = range.to - range.from
  return { from: range.from + by * length, to: range.to + by * length }
}

/** Readings take a moment to come and to be worked in: an hour that has just ended is not judged yet. */
const ARRIVING_MS = 180_000

/** The part of a range that has passed, to the last whole hour of the ledger; null where it has not begun. */
export function passed(range: Range, now: number): Range | null {
  const to = Math.min(range.to, floorTo(now - ARRIVING_MS, HOUR))
  return to > range.from ? { from: range.from, to } : null
}

const STEP_MS: Record<Step, number> = { hour: HOUR, day: DAY, week: 7 * DAY, month: 28 * DAY, year: 365 * DAY }
const MOST_BARS = 1_500

/** Steps that make a chart one can read: at least one whole period, and no more bars than pixels. */
export function stepsFor({ from, to }: Range): Step[] {
  const length = to - from
  return STEPS.filter((step) => length / STEP_MS[step] <= MOST_BARS && (step === 'hour' || length >= 0.95 * STEP_MS[step]))
}

export function stepFor(range: Range): Step {
  const days = (range.to - range.from) / DAY
  const wanted: Step = days <= 2 ? 'hour' : days <= 62 ? 'day' : days <= 190 ? 'week' : days <= 366 * 5 ? 'month' : 'year'
  return stepsFor(range).includes(wanted) ? wanted : 'hour'
}

export function monthName(at: number, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { timeZone: zone, year: 'numeric', month: 'long' }).format(at)
}

function weekday(at: number, zone: string, language: Language): string {
  return new Intl.DateTimeFormat(localeOf(language), { timeZone: zone, weekday: 'short' }).format(at)
}

/** What people call a range: '2026年11月', '2026-11-16 – 11-22', '2026'. The last day is told, not the one after it. */
export function rangeName(range: Range, zone: string, language: Language): string {
  const period = periodOf(range, zone)
  if (period === 'day') return `${date(range.from, zone)} ${weekday(range.from, zone, language)}`
  if (period === 'month') return monthName(range.from, zone, language)
  if (period === 'year') return language === 'zh' ? `${wallClock(range.from, zone).year}年` : String(wallClock(range.from, zone).year)
  const first = date(range.from, zone)
  const begin = isMidnight(range.from, zone) ? first : dateTime(range.from, zone).slice(0, 16)
  const whole = isMidnight(range.to, zone)
  const end = whole ? date(range.to - 1, zone) : dateTime(range.to, zone).slice(0, 16)
  if (end === begin) return begin
  if (end.slice(0, 10) === first) return `${begin} – ${end.slice(11)}`
  return `${begin} – ${end.slice(0, 4) === first.slice(0, 4) ? end.slice(5) : end}`
}

const two = (value: number): string => String(value).padStart(2, '0')

/** The shortest words for a bar, below it; `strong` where a longer period begins. */
export function tickName(at: number, by: Step, zone: string, language: Language): { text: string; strong: boolean } {
  const { year, month, day, hour } = wallClock(at, zone)
  const monthWord = language === 'zh' ? `${month}月` : new Intl.DateTimeFormat(localeOf(language), { timeZone: zone, month: 'short' }).format(at)
  if (by === 'hour') return hour === 0 ? { text: `${month}-${two(day)}`, strong: true } : { text: `${hour}:00`, strong: false }
  if (by === 'day') return day === 1 ? { text: monthWord, strong: true } : { text: String(day), strong: false }
  if (by === 'week') return { text: `${month}-${two(day)}`, strong: false }
  if (by === 'month') return month === 1 ? { text: String(year), strong: true } : { text: monthWord, strong: false }
  return { text: String(year), strong: true }
}

/** One period of an answer, in full. */
export function barName(from: number, to: number, by: Step, zone: string, language: Language): string {
  if (by === 'hour') return `${dateTime(from, zone).slice(0, 16)} – ${dateTime(to, zone).slice(11, 16)}`
  return rangeName({ from, to }, zone, language)
}
