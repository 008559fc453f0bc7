// What the page asks about who is signed in.
import { apiBase, getJson, postJson } from './client'
import type { components } from './openapi'

type Schemas = components['schemas']

export type SessionAnswer = Schemas['SessionAnswer']
export type Permission = Schemas['Permission']
export type SignedIn = Schemas['SignedIn']
export type ProviderWords = Schemas['ProviderWords']
export type OnTheWay = Schemas['OnTheWay']
/** What a browser kept, and with what an identity provider sent it back. */
export type Back = Schemas['Back']

export interface AccountApi {
  session(): Promise<SessionAnswer>
  signIn(name: string, password: string): Promise<SignedIn>
  second(code: string): Promise<SignedIn>
  change(old: string, password: string): Promise<SignedIn>
  first(link: string, name: string, password: string): Promise<SignedIn>
  end(): Promise<SessionAnswer>
  providers(): Promise<Schemas['ProvidersAnswer']>
  begin(provider: string): Promise<OnTheWay>
  comeBack(back: Back): Promise<SignedIn>
}

const at = (path: string): string => `${apiBase().pathname}/${path}`

export const accountApi: AccountApi = {
  session: () => getJson(at('session')),
  signIn: (name, password) => postJson(at('session'), { name, password }),
  second: (code) => postJson(at('session/second'), { code }),
  change: (old, password) => postJson(at('password'), { old, new: password }),
  first: (link, name, password) => postJson(at('first'), { link, name, password }),
  end: () => postJson(at('session/end'), {}),
  providers: () => getJson(at('session/providers')),
  begin: (provider) => postJson(at('session/provider'), { provider }),
  comeBack: (back) => postJson(at('session/provider/return'), back),
}
