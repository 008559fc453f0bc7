import { afterEach, expect, test, vi } from 'vitest'
import { gateOf, openSession } from '../src/account/session'
import type { AccountApi, SessionAnswer } from '../src/api/account'
import { ApiError, getJson, onSignedOut, postJson, useCsrf } from '../src/api/client'

const answer = (given: Partial<SessionAnswer>): SessionAnswer => ({ accounts: 'required', stage: 'in', name: 'wang', permissions: [], must_change: false, csrf: 'word', zone: 'UTC', ...given })

function api(answers: SessionAnswer[]): AccountApi {
  const signedIn = () => Promise.resolve({ stage: 'in' as const, csrf: 'next' })
  return {
    session: () => (answers.length ? Promise.resolve(answers.shift() as SessionAnswer) : Promise.reject(new ApiError(0, null, 'away'))),
    signIn: signedIn,
    second: signedIn,
    change: signedIn,
    first: signedIn,
    end: () => Promise.resolve(answer({ stage: 'out' })),
  }
}

const reply = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/problem+json' } })

afterEach(() => {
  vi.unstubAllGlobals()
  useCsrf('')
  onSignedOut(() => Promise.resolve())
})

test('the gate asks for what is still missing, and for nothing while the gateway is away', () => {
  expect(gateOf(null, false)).toBe('waiting')
  expect(gateOf(null, true)).toBe('in')
  expect(gateOf(answer({ stage: 'out' }), true)).toBe('signIn')
  expect(gateOf(answer({ stage: 'second' }), true)).toBe('second')
  expect(gateOf(answer({ must_change: true }), true)).toBe('change')
  expect(gateOf(answer({ accounts: 'off', name: 'local' }), true)).toBe('in')
})

test('what is known of the session holds while the gateway is away', async () => {
  const session = openSession(api([answer({})]))
  await session.refresh()
  await session.refresh()
  expect(session.gate.value).toBe('in')
})

test('what somebody may do decides what is offered, and still does behind the sign-in page', async () => {
  const session = openSession(api([answer({ permissions: ['open', 'own', 'audit'] }), answer({ stage: 'out', name: '', permissions: [] })]))
  expect(session.may('fill')).toBe(true)
  await session.refresh()
  expect([session.may('audit'), session.may('read')]).toEqual([true, false])
  await session.refresh()
  expect(session.gate.value).toBe('signIn')
  expect([session.may('audit'), session.may('read')]).toEqual([true, false])
})

test('a 401 leads to the sign-in page, and signing in back', async () => {
  const session = openSession(api([answer({}), answer({ stage: 'out', name: '' }), answer({})]))
  await session.refresh()
  vi.stubGlobal('fetch', () => Promise.resolve(reply(401, { type: 'about:blank', detail: 'sign in' })))
  await expect(getJson('/api/v1/site')).rejects.toMatchObject({ status: 401 })
  await vi.waitFor(() => expect(session.gate.value).toBe('signIn'))
  await session.signIn('wang', 'secret')
  expect(session.gate.value).toBe('in')
})

test('every POST says the word of the session, and once more where that has changed', async () => {
  const said: (string | null)[] = []
  vi.stubGlobal('fetch', (_path: string, request: RequestInit) => {
    said.push(new Headers(request.headers).get('x-csrf-token'))
    return Promise.resolve(said.length === 1 ? reply(403, { type: 'urn:jieneng:csrf', detail: 'another' }) : reply(200, { done: true }))
  })
  useCsrf('old')
  onSignedOut(() => {
    useCsrf('new')
    return Promise.resolve()
  })
  expect(await postJson('/api/v1/events', {})).toEqual({ done: true })
  expect(said).toEqual(['old', 'new'])
})

test('a session is kept alive by who is there, at most every five minutes', async () => {
  let now = 0
  const asked = vi.fn(() => Promise.resolve(answer({})))
  const session = openSession({ ...api([]), session: asked }, () => now)
  await session.refresh()
  session.stir()
  expect(asked).toHaveBeenCalledTimes(1)
  now = 301_000
  session.stir()
  session.stir()
  expect(asked).toHaveBeenCalledTimes(2)
})
