// What the pages of closed months and of stocks ask for; fetched with them.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Periods = Schemas['PeriodsAnswer']
export type Closing = Schemas['ClosingWords']
export type ClosedPeriod = Schemas['PeriodAnswer']
export type Booked = Schemas['BookedWords']
export type Difference = Schemas['ClosingDifferenceWords']
export type Stock = Schemas['StockAnswer']
export type Move = Schemas['MoveWords']
export type KeptMove = Schemas['KeptMoveWords']
export type FuelUse = Schemas['FuelUseWords']
export type AddedMoves = Schemas['AddedMovesAnswer']

export interface Saying {
  month: string
  who: string
  why: string
}

export interface NewMoves {
  moves: Move[]
  who: string
  why: string
  again: boolean
}

export interface StockRequest {
  of: string
  from: string
  to: string
  factors: string | null
}

const url = (path: string): string => `${apiBase().pathname}/${path}`

function stockUrl({ of, from, to, factors }: StockRequest): string {
  const search = new URLSearchParams({ of, from, to })
  if (factors) search.set('factors', factors)
  return url(`stock?${search.toString()}`)
}

export const closingApi = {
  periods: (_: object, signal?: AbortSignal) => getJson<Periods>(url('periods'), signal),
  period: ({ month }: { month: string }, signal?: AbortSignal) => getJson<ClosedPeriod>(url(`periods/${month}`), signal),
  close: (body: Saying) => postJson<ClosedPeriod>(url('periods/close'), body),
  correct: (body: Saying) => postJson<ClosedPeriod>(url('periods/correct'), body),
}

export const stockApi = {
  stock: (request: StockRequest, signal?: AbortSignal) => getJson<Stock>(stockUrl(request), signal),
  enter: (body: NewMoves) => postJson<AddedMoves>(url('stock'), body),
  withdraw: (body: { id: number; who: string; why: string }) => postJson<KeptMove>(url('stock/withdraw'), body),
}
