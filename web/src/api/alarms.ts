// What the pages of alarms ask for; fetched with them.
import { apiBase, getJson, postJson, seriesQuery } from './client'
import type { components } from './openapi'
import type { SeriesAnswer } from './schema'

type Schemas = components['schemas']

export type Alarm = Schemas['AlarmWords']
export type AlarmAnswer = Schemas['AlarmAnswer']
export type AlarmStep = Schemas['AlarmStepWords']
export type RulesAnswer = Schemas['AlarmRulesAnswer']
export type DocumentAnswer = Schemas['DocumentAnswer']
export type DutyAnswer = Schemas['DutyAnswer']
export type DutyFlaw = Schemas['DutyFlawWords']
export type MessagesAnswer = Schemas['MessagesAnswer']
export type AlarmMessage = Schemas['AlarmMessageWords']

export type Deed = 'read' | 'acknowledge' | 'handle' | 'close'

export interface NewDocument {
  document: string
  who: string
  why: string
}

const url = (path: string): string => `${apiBase().pathname}/${path}`

export const alarmApi = {
  alarms: ({ open, before }: { open: boolean; before: number | null }, signal?: AbortSignal) => {
    const search = new URLSearchParams({ open: String(open), limit: '100' })
    if (before !== null) search.set('before', String(before))
    return getJson<Schemas['AlarmsAnswer']>(url(`alarms?${search.toString()}`), signal)
  },
  alarm: ({ id }: { id: number }, signal?: AbortSignal) => getJson<AlarmAnswer>(url(`alarms/one?id=${id}`), signal),
  curve: (request: { points: string[]; from: number; to: number; rows: number }, signal?: AbortSignal) => getJson<SeriesAnswer>(url(`series?${seriesQuery(request)}`), signal),
  act: (deed: Deed, body: { id: number; who: string; note: string }) => postJson<Alarm>(url(`alarms/${deed}`), body),
  rules: (_: object, signal?: AbortSignal) => getJson<RulesAnswer>(url('alarm-rules'), signal),
  checkRules: (document: string) => postJson<DocumentAnswer>(url('alarm-rules/check'), { document }),
  saveRules: (body: NewDocument) => postJson<DocumentAnswer>(url('alarm-rules'), body),
  duty: ({ from, to }: { from: number; to: number }, signal?: AbortSignal) => getJson<DutyAnswer>(url(`duty?from=${from}&to=${to}`), signal),
  checkDuty: (document: string) => postJson<DocumentAnswer>(url('duty/check'), { document }),
  saveDuty: (body: NewDocument) => postJson<DocumentAnswer>(url('duty'), body),
  swap: (body: { day: string; of: string; by: string; who: string; why: string }) => postJson<DocumentAnswer>(url('duty/swap'), body),
  messages: (_: object, signal?: AbortSignal) => getJson<MessagesAnswer>(url('alarm-messages'), signal),
  test: (body: { channel: string; person: string; who: string }) => postJson<AlarmMessage>(url('alarm-messages/test'), body),
}
