import type { zh } from './zh'

/** Chinese is written first; every other language must have the same keys. */
export type Messages = typeof zh
