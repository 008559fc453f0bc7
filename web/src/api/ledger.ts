// What only the pages of the ledger ask for; fetched with them.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Consumption = Schemas['ConsumptionAnswer']
export type MediumUse = Schemas['MediumWords']
export type Figure = Schemas['FigureWords']
export type Shares = Schemas['ShareWords']
export type Part = Schemas['PartWords']
export type Doubt = Schemas['DoubtWords']
export type Comparison = Schemas['ComparisonWords']
export type Step = Consumption['by']
export type Balance = Schemas['BalanceAnswer']
export type BalanceRow = Schemas['BalanceRow']
export type Trees = Schemas['TreesAnswer']
export type Account = Schemas['AccountWords']
export type FactorSet = Schemas['FactorSetWords']
export type Closed = Schemas['ClosedWords']
export type TreeNode = Schemas['TreeNode']
export type MeterEvent = Schemas['EventWords']
export type EventKind = MeterEvent['kind']
export type KeptEvent = Schemas['KeptEventWords']
export type AddedEvents = Schemas['AddedAnswer']
export type Preview = Schemas['PreviewAnswer']
export type PreviewPoint = Preview['points'][number]

export interface ConsumptionRequest {
  of: string
  from: number
  to: number
  by: Step
  parts?: boolean
  compare?: boolean
  factors?: string | null
}

/** Events with who says so and why, as they are entered. */
export interface NewEvents {
  events: MeterEvent[]
  who: string
  why: string
  again: boolean
}

export interface Withdrawal {
  id: number
  who: string
  why: string
}

const url = (path: string, query: Record<string, string | number | boolean | null | undefined> = {}): string => {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== null && value !== undefined) search.set(key, String(value))
  const text = search.toString()
  return `${apiBase().pathname}/${path}${text ? `?${text}` : ''}`
}

export const ledgerApi = {
  trees: (signal?: AbortSignal) => getJson<Trees>(url('trees'), signal),
  consumption: (request: ConsumptionRequest, signal?: AbortSignal) => getJson<Consumption>(url('consumption', { ...request }), signal),
  balance: (request: { from: number; to: number; bound: number; meter?: string; by?: Step }, signal?: AbortSignal) => getJson<Balance>(url('balance', { ...request }), signal),
  events: (meter: string, withdrawn: boolean, signal?: AbortSignal) => getJson<Schemas['EventsAnswer']>(url('events', { meter, withdrawn }), signal),
  preview: (body: NewEvents) => postJson<Preview>(url('events/preview'), body),
  enter: (body: NewEvents) => postJson<AddedEvents>(url('events'), body),
  previewWithdrawal: (body: { id: number }) => postJson<Preview>(url('events/withdraw/preview'), body),
  withdraw: (body: Withdrawal) => postJson<KeptEvent>(url('events/withdraw'), body),
}
