// What the page of tariffs and bills asks for; fetched with it.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Tariffs = Schemas['TariffsAnswer']
export type Tariff = Schemas['TariffWords']
export type HalfHour = Schemas['HalfHourWords']
export type Bills = Schemas['BillsAnswer']
export type Bill = Schemas['BillWords']
export type Reconciled = Schemas['ReconciledWords']
export type AddedBills = Schemas['AddedBillsAnswer']

export interface NewBills {
  bills: Bill[]
  who: string
  why: string
  again: boolean
}

function url(path: string, query: Record<string, string | boolean | null>): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== null) search.set(key, String(value))
  const text = search.toString()
  return `${apiBase().pathname}/${path}${text ? `?${text}` : ''}`
}

export const billingApi = {
  tariffs: ({ day }: { day: string | null }, signal?: AbortSignal) => getJson<Tariffs>(url('tariffs', { day }), signal),
  bills: (query: { account: string | null; withdrawn: boolean }, signal?: AbortSignal) => getJson<Bills>(url('bills', query), signal),
  enter: (body: NewBills) => postJson<AddedBills>(url('bills', {}), body),
  withdraw: (body: { id: number; who: string; why: string }) => postJson<Schemas['KeptBillWords']>(url('bills/withdraw', {}), body),
}
