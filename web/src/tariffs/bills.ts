import type { Bill, Bills, Reconciled } from '../api/billing'
import type { Account } from '../api/ledger'
import { cell } from '../curves/rows'
import { numberOf } from '../life/fields'

/** Money as it is written: exactly as it came, with thousands apart. */
export function money(text: string, language: 'zh' | 'en'): string {
  const [whole = '0', cents = ''] = text.replace(/^-/, '').split('.')
  const grouped = BigInt(whole).toLocaleString(language === 'zh' ? 'zh-CN' : 'en-GB')
  return `${text.startsWith('-') ? '−' : ''}${grouped}.${cents.replace(/0+$/, '').padEnd(2, '0')}`
}

/** The day before, or after, of a date without a time. */
export function dayBy(day: string, by: number): string {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isFinite(at) ? new Date(at + by * 86_400_000).toISOString().slice(0, 10) : ''
}

export const accountsOf = ({ bills }: Bills): string[] => [...new Set(bills.map(({ bill }) => bill.bill.account))].sort()

/** An account to choose, with what is known about it; nothing of one that only bills name. */
export interface AccountChoice {
  id: string
  about: string
}

/** The accounts of the site, then those that only bills name. */
export function accountChoices(accounts: Account[], billed: string[], about: (account: Account) => string): AccountChoice[] {
  const own = accounts.map((account) => ({ id: account.id, about: about(account) }))
  const others = [...new Set(billed)].filter((id) => accounts.every((account) => account.id !== id)).sort()
  return [...own, ...others.map((id) => ({ id, about: '' }))]
}

export const CAUSES = ['quantity', 'price', 'period', 'rounding', 'unexplained'] as const

/** The causes of a difference that play a part. */
export const causesOf = ({ difference }: Reconciled) => CAUSES.flatMap((cause) => (difference && Number(difference.causes[cause]) !== 0 ? [{ cause, amount: difference.causes[cause] }] : []))

/** A bill as it is typed in: the last day included, as it is printed on bills. */
export interface BillDraft {
  account: string
  first: string
  last: string
  quantity: string
  amount: string
  number: string
  note: string
  who: string
  why: string
}

export const emptyBill = (account: string, who: string): BillDraft => ({ account, first: '', last: '', quantity: '', amount: '', number: '', note: '', who, why: '' })

export type BillNeed = 'account' | 'first' | 'last' | 'number' | 'cents' | 'who'
export type BillFaults = Partial<Record<keyof BillDraft, BillNeed>>

const isDay = (text: string): boolean => /^\d{4}-\d\d-\d\d$/.test(text) && Number.isFinite(Date.parse(text))

/** Decimals as text, without what people write between the digits. */
const decimal = (text: string): string => text.replace(/[\s,，]/g, '')

export function billOf(draft: BillDraft): { bill: Bill; faults: null } | { bill: null; faults: BillFaults } {
  const faults: BillFaults = {}
  if (!draft.account.trim()) faults.account = 'account'
  if (!isDay(draft.first)) faults.first = 'first'
  if (!isDay(draft.last) || draft.last < draft.first) faults.last = 'last'
  for (const field of ['quantity', 'amount'] as const) if (numberOf(draft[field]) === null) faults[field] = 'number'
  if (!faults.amount && /\.\d{3,}$/.test(decimal(draft.amount))) faults.amount = 'cents'
  if (!draft.who.trim()) faults.who = 'who'
  if (Object.keys(faults).length) return { bill: null, faults }
  const { account, first, last, quantity, amount, number, note } = draft
  return {
    faults: null,
    bill: { account: account.trim(), from: first, to: dayBy(last, 1), quantity: decimal(quantity), amount: decimal(amount), number: number.trim(), note: note.trim(), lines: [] },
  }
}

/** Bills for a spreadsheet, every digit as it came. */
export function billLines(bills: Reconciled[], head: string[]): string[][] {
  const rows = bills.map(({ bill: { bill }, metered, difference }) => [
    bill.account,
    bill.from,
    dayBy(bill.to, -1),
    bill.number,
    bill.quantity,
    bill.amount,
    metered?.quantity ?? '',
    metered?.amount ?? '',
    difference?.amount ?? '',
    ...CAUSES.map((cause) => difference?.causes[cause] ?? ''),
  ])
  return [head.map(cell), ...rows.map((row) => row.map((text) => (/^-?[\d.]+$/.test(text) ? text : cell(text))))]
}
