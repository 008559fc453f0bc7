import type { Language } from '../format/number'

/** What was typed as a decimal; thousands may be set apart, and a full-width point is one. */
export function decimalText(text: string): string | null {
  const plain = text.trim().replace(/[,，\s]/g, '').replace('。', '.')
  return /^-?\d{1,15}(\.\d{1,6})?$/.test(plain) ? plain : null
}

/** A decimal of the gateway with its digits set apart, none of them lost. */
export function grouped(text: string | number | null | undefined): string {
  if (text === null || text === undefined) return '—'
  const [whole = '', digits = ''] = String(text).split('.')
  const sign = whole.startsWith('-') ? '−' : ''
  const made = whole.replace('-', '').replace(/\B(?=(\d{3})+$)/g, ',')
  return `${sign}${made}${digits ? `.${digits}` : ''}`
}

/** A share as a percentage; null where it is none. */
export function share(text: string | number | null | undefined): string | null {
  const value = Number(text ?? 0)
  if (!value) return null
  return value < 0.001 ? '<0.1%' : `${(value * 100).toFixed(1)}%`
}

/** The unit of an indicator as people write it. */
export const ratioUnit = (unit: string, language: Language): string => unit.replace('m2', 'm²').replace('m3', 'm³').replace('kgCO2', 'kgCO₂').replace('person', language === 'zh' ? '人' : 'person')

/** A figure of an indicator to four digits that mean something. */
export function indicated(text: string | number | null | undefined): string {
  if (text === null || text === undefined) return '—'
  const value = Number(text)
  return value >= 1000 ? grouped(value.toFixed(1)) : String(Number(value.toPrecision(4)))
}
