import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { backoffMs } from '../src/api/backoff'
import { type ConnectionState, Live, OFFLINE_AFTER_MS, SILENCE_MS } from '../src/api/live'
import type { LiveMessage } from '../src/api/schema'

class FakeSocket {
  readonly OPEN = 1
  readyState = 0
  sent: string[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: (() => void) | null = null

  accept(): void {
    this.readyState = this.OPEN
    this.onopen?.()
    this.say({ type: 'hello', version: '1', at: 0 })
  }
  say(message: LiveMessage): void {
    this.onmessage?.({ data: JSON.stringify(message) })
  }
  send(data: string): void {
    this.sent.push(data)
  }
  close(): void {
    this.readyState = 3
  }
}

let sockets: FakeSocket[] = []
let states: ConnectionState[] = []

function openLive(): Live {
  const live = new Live({
    url: 'ws://gateway/live',
    onMessage: () => undefined,
    onState: (state) => states.push(state),
    random: () => 1,
    openSocket: () => {
      const socket = new FakeSocket()
      sockets.push(socket)
      return socket as unknown as WebSocket
    },
  })
  live.open()
  return live
}

const latest = (): FakeSocket => sockets[sockets.length - 1] as FakeSocket

beforeEach(() => {
  vi.useFakeTimers()
  sockets = []
  states = []
})
afterEach(() => vi.useRealTimers())

test('waits double from half a second to ten', () => {
  expect([0, 1, 2, 3, 4, 5, 20].map((attempt) => backoffMs(attempt, () => 1))).toEqual([500, 1000, 2000, 4000, 8000, 10000, 10000])
})

test('chance spreads the waits over their upper half', () => {
  expect(backoffMs(4, () => 0)).toBe(4000)
  expect(backoffMs(4, () => 0.5)).toBe(6000)
  expect(backoffMs(0, () => 0)).toBe(500)
})

test('a lost connection is tried again at growing distances', () => {
  openLive()
  latest().accept()
  latest().onclose?.()
  expect(states).toEqual(['connected', 'reconnecting'])

  vi.advanceTimersByTime(499)
  expect(sockets).toHaveLength(1)
  vi.advanceTimersByTime(1)
  expect(sockets).toHaveLength(2)

  latest().onclose?.()
  vi.advanceTimersByTime(999)
  expect(sockets).toHaveLength(2)
  vi.advanceTimersByTime(1)
  expect(sockets).toHaveLength(3)
})

test('what was subscribed is subscribed again after a reconnect', () => {
  const live = openLive()
  latest().accept()
  live.subscribe(['a:power'])
  latest().onclose?.()
  vi.advanceTimersByTime(500)
  latest().accept()

  expect(latest().sent).toEqual([JSON.stringify({ subscribe: ['a:power'], overview: true })])
  expect(states).toEqual(['connected', 'reconnecting', 'connected'])
})

test('a socket without a beat is given up though it never closes', () => {
  openLive()
  latest().accept()
  vi.advanceTimersByTime(SILENCE_MS - 1)
  expect(states).toEqual(['connected'])
  vi.advanceTimersByTime(1)
  expect(states).toEqual(['connected', 'reconnecting'])
})

test('beats keep the connection', () => {
  openLive()
  latest().accept()
  for (let beat = 0; beat < 10; beat++) {
    vi.advanceTimersByTime(5000)
    latest().say({ type: 'beat', at: 0 })
  }
  expect(states).toEqual(['connected'])
})

test('a long time without a connection is called offline, and it still comes back', () => {
  openLive()
  latest().accept()
  latest().onclose?.()
  for (let ms = 0; ms < OFFLINE_AFTER_MS; ms += 100) {
    latest().onclose?.()
    vi.advanceTimersByTime(100)
  }
  expect(states).toEqual(['connected', 'reconnecting', 'offline'])

  vi.advanceTimersByTime(10_000)
  latest().accept()
  expect(states[states.length - 1]).toBe('connected')
})
