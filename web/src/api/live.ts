import { backoffMs } from './backoff'
import type { LiveMessage, Subscription } from './schema'

export type ConnectionState = 'connected' | 'reconnecting' | 'offline'

/** Beats come every 5 s; a socket silent for longer than this is dead even if it says it is open. */
export const SILENCE_MS = 12_000
/** After this long without a connection the page stops promising that it will be back in a moment. */
export const OFFLINE_AFTER_MS = 15_000

export interface LiveSettings {
  url: string
  onMessage(message: LiveMessage): void
  onState(state: ConnectionState): void
  openSocket?(url: string): WebSocket
  random?: () => number
}

/** One WebSocket that comes back by itself and remembers what it was asked for. */
export class Live {
  #settings: LiveSettings
  #socket: WebSocket | null = null
  #subscription: Subscription = { subscribe: [], overview: true }
  #attempt = 0
  #state: ConnectionState = 'reconnecting'
  #retry: ReturnType<typeof setTimeout> | undefined
  #silence: ReturnType<typeof setTimeout> | undefined
  #offline: ReturnType<typeof setTimeout> | undefined

  constructor(settings: LiveSettings) {
    this.#settings = settings
  }

  open(): void {
    this.#waitForOffline()
    this.#connect()
  }

  close(): void {
    this.#drop()
    clearTimeout(this.#retry)
    clearTimeout(this.#offline)
  }

  /** Replaces what was subscribed before; is sent again after every reconnect. */
  subscribe(points: string[]): void {
    this.#subscription = { subscribe: points, overview: true }
    const socket = this.#socket
    if (socket && socket.readyState === socket.OPEN) this.#sendSubscription(socket)
  }

  /** Try at once: the network came back, or somebody looks at the page again. */
  hurry(): void {
    if (this.#state === 'connected') return
    this.#attempt = 0
    this.#connect()
  }

  #connect(): void {
    this.#drop()
    clearTimeout(this.#retry)
    const open = this.#settings.openSocket ?? ((url: string) => new WebSocket(url))
    const socket = open(this.#settings.url)
    this.#socket = socket
    socket.onopen = () => this.#sendSubscription(socket)
    socket.onmessage = (event) => this.#hear(String(event.data))
    socket.onclose = () => this.#lost()
    this.#watchSilence()
  }

  #sendSubscription(socket: WebSocket): void {
    socket.send(JSON.stringify(this.#subscription))
  }

  #hear(data: string): void {
    this.#watchSilence()
    this.#attempt = 0
    this.#become('connected')
    this.#settings.onMessage(JSON.parse(data) as LiveMessage)
  }

  #watchSilence(): void {
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => this.#lost(), SILENCE_MS)
  }

  #lost(): void {
    this.#drop()
    if (this.#state === 'connected') {
      this.#become('reconnecting')
      this.#waitForOffline()
    }
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#connect(), backoffMs(this.#attempt++, this.#settings.random))
  }

  /** A dead peer may delay the close event for minutes: let go of the socket without waiting for it. */
  #drop(): void {
    clearTimeout(this.#silence)
    const socket = this.#socket
    this.#socket = null
    if (!socket) return
    socket.onopen = socket.onmessage = socket.onclose = null
    socket.close()
  }

  #waitForOffline(): void {
    clearTimeout(this.#offline)
    this.#offline = setTimeout(() => this.#become('offline'), OFFLINE_AFTER_MS)
  }

  #become(state: ConnectionState): void {
    if (state === 'connected') clearTimeout(this.#offline)
    if (state === this.#state) return
    this.#state = state
    this.#settings.onState(state)
  }
}
