import type { AuditRow } from '../api/people'

/** A field that a change made another, as text; null where there was none. */
export interface FieldChange {
  field: string
  before: string | null
  after: string | null
}

type Fields = Record<string, unknown>

const asFields = (value: unknown): Fields => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {})

function spelled(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

/** What differs between before and after, field by field, in the order of what came after. */
export function changesOf({ detail }: Pick<AuditRow, 'detail'>): FieldChange[] {
  const [before, after] = [asFields(detail['before']), asFields(detail['after'])]
  const fields = [...new Set([...Object.keys(after), ...Object.keys(before)])]
  const told = fields.map((field) => ({ field, before: spelled(before[field]), after: spelled(after[field]) }))
  return told.filter((one) => one.before !== one.after)
}

const TOLD = ['before', 'after', 'why', 'who']

/** The rest of the detail. */
export function restOf({ detail }: Pick<AuditRow, 'detail'>): [string, string][] {
  return Object.entries(detail).flatMap(([key, value]): [string, string][] => {
    const text = TOLD.includes(key) ? null : spelled(value)
    return text === null ? [] : [[key, text]]
  })
}

export const whyOf = ({ detail }: Pick<AuditRow, 'detail'>): string => spelled(detail['why']) ?? ''

/** KIND and KEY of a subject. */
export function partsOf(subject: string): [string, string] {
  const at = subject.indexOf('/')
  return at < 0 ? [subject, ''] : [subject.slice(0, at), subject.slice(at + 1)]
}
