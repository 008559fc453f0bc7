// What the page asks about who is signed in.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type SessionAnswer = Schemas['SessionAnswer']
export type Permission = Schemas['Permission']
export type SignedIn = Schemas['SignedIn']

export interface AccountApi {
  session(): Promise<SessionAnswer>
  signIn(name: string, password: string): Promise<SignedIn>
  second(code: string): Promise<SignedIn>
  change(old: string, password: string): Promise<SignedIn>
  first(link: string, name: string, password: string): Promise<SignedIn>
  end(): Promise<SessionAnswer>
}

const at = (path: string): string => `${apiBase().pathname}/${path}`

export const accountApi: AccountApi = {
  session: () => getJson(at('session')),
  signIn: (name, password) => postJson(at('session'), { name, password }),
  second: (code) => postJson(at('session/second'), { code }),
  change: (old, password) => postJson(at('password'), { old, new: password }),
  first: (link, name, password) => postJson(at('first'), { link, name, password }),
  end: () => postJson(at('session/end'), {}),
}
