// What the pages of people and of what they did ask.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type OwnAccount = Schemas['OwnAccount']
export type OwnSession = Schemas['OwnSession']
export type Grant = Schemas['GrantWords']
export type Person = Schemas['PersonWords']
export type Role = Schemas['Role']
export type Token = Schemas['TokenWords']
export type Enrolled = Schemas['Enrolled']
export type AccountsAnswer = Schemas['AccountsAnswer']
export type OrganisationName = Schemas['OrganisationName']
export type NewGrant = Pick<Schemas['NewGrant'], 'name' | 'role'> & Partial<Schemas['NewGrant']>
export type FirstPassword = Schemas['FirstPassword']
/** The detail is JSON of any shape. */
export type AuditRow = Omit<Schemas['AuditRowWords'], 'detail'> & { detail: Record<string, unknown> }
export type AuditAnswer = Schemas['AuditAnswer']
export type AuditState = Schemas['AuditState']
export type AuditPart = Schemas['AuditPart']
export type Action = Schemas['Action']

type Query = Record<string, string | number | boolean | null | undefined>

const at = (path: string): string => `${apiBase().pathname}/${path}`

function asked(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '')
  return `${at(path)}?${new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString()}`
}

export interface AccountsQuestion {
  search: string
  role: Role | ''
  disabled: '' | 'true' | 'false'
}

export interface AuditQuestion {
  from: number | null
  to: number | null
  account: string
  action: Action | ''
  subject: string
}

export const ownApi = {
  account: (signal?: AbortSignal): Promise<OwnAccount> => getJson(at('account'), signal),
  endSession: (id: number): Promise<OwnAccount> => postJson(at('sessions/end'), { id }),
  enrol: (password: string): Promise<Enrolled> => postJson(at('second/enrol'), { password }),
  confirm: (code: string): Promise<Schemas['RecoveryCodes']> => postJson(at('second/confirm'), { code }),
  drop: (password: string): Promise<unknown> => postJson(at('second/drop'), { password }),
  tokens: (signal?: AbortSignal): Promise<Schemas['TokensAnswer']> => getJson(at('tokens'), signal),
  makeToken: (name: string, scopes: string[], days: number): Promise<Schemas['TokenMade']> => postJson(at('tokens'), { name, scopes, days }),
  revokeToken: (id: number): Promise<Schemas['TokensAnswer']> => postJson(at('tokens/revoke'), { id }),
}

export const peopleApi = {
  accounts: (question: AccountsQuestion, cursor: string | null, signal?: AbortSignal): Promise<AccountsAnswer> => getJson(asked('accounts', { ...question, cursor }), signal),
  organisations: (): Promise<Schemas['OrganisationNames']> => getJson(at('accounts/organisations')),
  add: (name: string, why: string): Promise<FirstPassword> => postJson(at('accounts'), { name, why }),
  reset: (name: string, why: string): Promise<FirstPassword> => postJson(at('accounts/reset'), { name, why }),
  disable: (name: string, disabled: boolean, why: string): Promise<Person> => postJson(at('accounts/disable'), { name, disabled, why }),
  resetSecond: (name: string, why: string): Promise<Person> => postJson(at('accounts/second/reset'), { name, why }),
  unlock: (name: string, why: string): Promise<Person> => postJson(at('accounts/unlock'), { name, why }),
  endSessions: (name: string, why: string): Promise<Person> => postJson(at('accounts/sessions/end'), { name, why }),
  grant: (grant: NewGrant): Promise<Person> => postJson(at('grants'), grant),
  revoke: (id: number, why: string): Promise<Person> => postJson(at('grants/revoke'), { id, why }),
}

export const auditApi = {
  rows: (question: AuditQuestion, cursor: string | null, signal?: AbortSignal): Promise<AuditAnswer> => getJson(asked('audit', { ...question, cursor }), signal),
  state: (): Promise<AuditState> => getJson(at('audit/state')),
  verify: (): Promise<AuditState> => postJson(at('audit/verify'), {}),
  part: ({ from, to, account, action, subject }: AuditQuestion, format: 'csv' | 'json', cursor: string | null): Promise<AuditPart> =>
    postJson(at('audit/export'), { from, to, account: account || null, action: action || null, subject: subject || null, format, cursor }),
}
