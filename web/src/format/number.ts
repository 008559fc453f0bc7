import type { Text } from '../api/schema'

export type Language = 'zh' | 'en'

export const MISSING = '—'

const LOCALES: Record<Language, string> = { zh: 'zh-CN', en: 'en-GB' }

export function localeOf(language: Language): string {
  return LOCALES[language]
}

export function textOf(text: Text, language: Language): string {
  return text[language] || text.zh || text.en
}

const formats = new Map<string, Intl.NumberFormat>()

function decimal(language: Language, digits: number, fixed: boolean): Intl.NumberFormat {
  const key = `${language}${digits}${fixed}`
  let format = formats.get(key)
  if (!format) {
    format = new Intl.NumberFormat(LOCALES[language], {
      minimumFractionDigits: fixed ? digits : 0,
      maximumFractionDigits: digits,
    })
    formats.set(key, format)
  }
  return format
}

/** Digits after the point that still mean something at this size. */
export function digitsFor(value: number): number {
  const size = Math.abs(value)
  if (size >= 1000) return 0
  if (size >= 100) return 1
  return size >= 1 || size === 0 ? 2 : 3
}

export function number(value: number | null, language: Language, digits?: number): string {
  if (value === null || !Number.isFinite(value)) return MISSING
  return decimal(language, digits ?? digitsFor(value), true).format(value)
}

/** Every digit the gateway gave, for a tooltip or an export. */
export function exact(value: number | null, language: Language): string {
  return value === null ? MISSING : decimal(language, 6, false).format(value)
}

const UNIT_SIGNS: Record<string, string> = {
  m3: 'm³',
  'm3/h': 'm³/h',
  degC: '°C',
  C: '°C',
  percent: '%',
  ohm: 'Ω',
  kgCO2: 'kgCO₂',
}

export function unitSign(unit: string): string {
  return UNIT_SIGNS[unit] ?? unit
}

export interface Figure {
  text: string
  unit: string
  /** With every digit and in the gateway's own unit. */
  exact: string
}

interface Scale {
  from: number
  by: number
  unit: string
}

const SCALES: Record<Language, Record<string, Scale>> = {
  zh: {
    kWh: { from: 1e5, by: 1e4, unit: '万 kWh' },
    kW: { from: 1e5, by: 1e4, unit: '万 kW' },
    'm³': { from: 1e5, by: 1e4, unit: '万 m³' },
    kgce: { from: 1e4, by: 1e3, unit: 'tce' },
    'kgCO₂': { from: 1e4, by: 1e3, unit: 'tCO₂' },
  },
  en: {
    kWh: { from: 1e5, by: 1e3, unit: 'MWh' },
    kW: { from: 1e5, by: 1e3, unit: 'MW' },
    kgce: { from: 1e4, by: 1e3, unit: 'tce' },
    'kgCO₂': { from: 1e4, by: 1e3, unit: 'tCO₂' },
  },
}

/** The unit that people say for an amount of this size, and what it is divided by. */
export function scaleOf(value: number | null, unit: string, language: Language): { by: number; unit: string } {
  const sign = unitSign(unit)
  const scale = SCALES[language][sign]
  return value === null || !scale || Math.abs(value) < scale.from ? { by: 1, unit: sign } : scale
}

/** A figure in the unit that people say. */
export function figure(value: number | null, unit: string, language: Language): Figure {
  const scale = scaleOf(value, unit, language)
  return { text: number(value === null ? null : value / scale.by, language), unit: scale.unit, exact: `${exact(value, language)} ${unitSign(unit)}` }
}
