import { inject, type InjectionKey } from 'vue'

/** What `main.ts` opened and provided. */
export function required<T>(key: InjectionKey<T>): T {
  const value = inject(key)
  if (value === undefined) throw new Error(`nothing provided for ${String(key.description)}`)
  return value
}
