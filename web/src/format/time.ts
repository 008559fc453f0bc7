import { type Language, localeOf } from './number'

/** What a clock on the wall of the site shows. Months count from 1. */
export interface WallClock {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
}

const wallFormats = new Map<string, Intl.DateTimeFormat>()

function wallFormat(zone: string): Intl.DateTimeFormat {
  let format = wallFormats.get(zone)
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    wallFormats.set(zone, format)
  }
  return format
}

export function wallClock(at: number, zone: string): WallClock {
  const clock: WallClock = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 }
  for (const { type, value } of wallFormat(zone).formatToParts(at)) {
    if (type in clock) clock[type as keyof WallClock] = Number(value)
  }
  return clock
}

/** The wall clock written as if it were UTC, so that it can be calculated with [ms]. */
export function wallMs(at: number, zone: string): number {
  const { year, month, day, hour, minute, second } = wallClock(at, zone)
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** How far the site's clock is ahead of UTC at that instant [ms]. */
export function offsetMs(at: number, zone: string): number {
  return wallMs(at, zone) - Math.floor(at / 1000) * 1000
}

const DAY_MS = 86_400_000

/**
 * The instant at which the wall clock shows `wall`: the first one in the hour that a change from summer time repeats,
 * null in the hour that the change to it skips.
 */
export function instantOf(wall: number, zone: string): number | null {
  const offsets = [offsetMs(wall - DAY_MS, zone), offsetMs(wall + DAY_MS, zone)]
  const candidates = offsets.map((offset) => wall - offset).sort((a, b) => a - b)
  return candidates.find((at) => wallMs(at, zone) === wall) ?? null
}

const two = (value: number): string => String(value).padStart(2, '0')

export function clockTime(at: number, zone: string): string {
  const { hour, minute, second } = wallClock(at, zone)
  return `${two(hour)}:${two(minute)}:${two(second)}`
}

export function date(at: number, zone: string): string {
  const { year, month, day } = wallClock(at, zone)
  return `${year}-${two(month)}-${two(day)}`
}

/** 'UTC+8', 'UTC−3:30'. */
export function offsetName(at: number, zone: string): string {
  const minutes = Math.round(offsetMs(at, zone) / 60_000)
  const size = Math.abs(minutes)
  const rest = size % 60 ? `:${two(size % 60)}` : ''
  return `UTC${minutes < 0 ? '−' : '+'}${Math.floor(size / 60)}${rest}`
}

export function dateTime(at: number, zone: string): string {
  return `${date(at, zone)} ${clockTime(at, zone)}`
}

/** ISO 8601 with the site's own offset, for exports. */
export function isoTime(at: number, zone: string): string {
  const minutes = Math.round(offsetMs(at, zone) / 60_000)
  const size = Math.abs(minutes)
  const sign = minutes < 0 ? '-' : '+'
  return `${date(at, zone)}T${clockTime(at, zone)}${sign}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** Both ends of a stretch of time, without repeating the date when it is the same. */
export function stretch(from: number, to: number, zone: string): string {
  const [first, last] = [date(from, zone), date(to, zone)]
  const end = first === last ? clockTime(to, zone) : `${last} ${clockTime(to, zone).slice(0, 5)}`
  const begin = first === last ? clockTime(from, zone) : clockTime(from, zone).slice(0, 5)
  return `${first} ${begin} – ${end}`
}

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
]

/** '3 minutes ago', '3分钟前'. */
export function ago(at: number, now: number, language: Language): string {
  const age = Math.max(0, now - at)
  const [unit, size] = STEPS.find(([, ms]) => age >= ms) ?? ['second', 1000]
  return new Intl.RelativeTimeFormat(localeOf(language), { numeric: 'always' }).format(-Math.floor(age / size), unit)
}
