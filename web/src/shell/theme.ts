import { type InjectionKey, type Ref, ref, watchEffect } from 'vue'

export type Theme = 'light' | 'dark'

export const THEME: InjectionKey<Ref<Theme>> = Symbol('theme')

const KEY = 'jieneng.theme'

function remembered(): Theme | null {
  const value = localStorage.getItem(KEY)
  return value === 'light' || value === 'dark' ? value : null
}

/** The system's theme until somebody chooses one here. */
export function openTheme(): Ref<Theme> {
  const system = window.matchMedia('(prefers-color-scheme: dark)')
  const theme = ref<Theme>(remembered() ?? (system.matches ? 'dark' : 'light'))
  system.addEventListener('change', () => {
    if (!remembered()) theme.value = system.matches ? 'dark' : 'light'
  })
  watchEffect(
    () => {
      document.documentElement.dataset['theme'] = theme.value
    },
    { flush: 'sync' },
  )
  return theme
}

export function chooseTheme(theme: Ref<Theme>, chosen: Theme): void {
  localStorage.setItem(KEY, chosen)
  theme.value = chosen
}
