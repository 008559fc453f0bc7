import { useWords } from '../i18n'
import { lengthOf } from './edges'

/** Lengths of time in words. */
export function useLengths(): { length: (ms: number) => string; signed: (ms: number) => string } {
  const { t } = useWords()
  const length = (ms: number): string => {
    const { key, large, small } = lengthOf(ms)
    return t(`fleet.length.${key}`, { large, small })
  }
  const signed = (ms: number): string => `${ms < 0 ? '−' : '+'}${length(Math.abs(ms))}`
  return { length, signed }
}
