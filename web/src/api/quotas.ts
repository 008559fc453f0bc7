// What the pages of quotas ask for; fetched with them.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type Quotas = Schemas['QuotasAnswer']
export type Pace = Schemas['QuotaPaceWords']
export type QuotaWhole = Schemas['QuotaAnswer']
export type Curve = Schemas['QuotaCurveWords']
export type Quota = Schemas['QuotaWords']
export type AddedQuotas = Schemas['AddedQuotasAnswer']
export type Preview = Schemas['QuotaPreviewAnswer']

export interface QuotaQuestion {
  of: Quota['of']
  limited: Quota['limited']
  year: number
  amount?: string
  history?: { years: number[]; rate: string }
}

export interface NewQuotas {
  quotas: Omit<Quota, 'note' | 'standard'>[]
  who: string
  why: string
}

const url = (path: string): string => `${apiBase().pathname}/${path}`

function listUrl({ of, year }: { of: string | null; year: number | null }): string {
  const search = new URLSearchParams()
  if (of) search.set('of', of)
  if (year) search.set('year', String(year))
  return url(`quotas?${search.toString()}`)
}

export const quotaApi = {
  quotas: (request: { of: string | null; year: number | null }, signal?: AbortSignal) => getJson<Quotas>(listUrl(request), signal),
  quota: ({ id }: { id: number }, signal?: AbortSignal) => getJson<QuotaWhole>(url(`quotas/${id}`), signal),
  preview: (body: QuotaQuestion) => postJson<Preview>(url('quotas/preview'), body),
  enter: (body: NewQuotas) => postJson<AddedQuotas>(url('quotas'), body),
  withdraw: (body: { id: number; who: string; why: string }) => postJson<unknown>(url('quotas/withdraw'), body),
}
