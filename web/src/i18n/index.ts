import { computed, type ComputedRef, type Ref } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import type { Text } from '../api/schema'
import { type Language, textOf } from '../format/number'
import type { Messages } from './messages'

declare module 'vue-i18n' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- how vue-i18n is told of the keys
  export interface DefineLocaleMessage extends Messages {}
}

const KEY = 'jieneng.language'

const isLanguage = (word: string | null): word is Language => word === 'zh' || word === 'en'

/** The address decides, then what was chosen before, then the browser; Chinese when nothing is known. */
export function firstLanguage(address: string | null, remembered: string | null, browser: string | undefined): Language {
  if (isLanguage(address)) return address
  if (isLanguage(remembered)) return remembered
  return !browser || browser.toLowerCase().startsWith('zh') ? 'zh' : 'en'
}

const WORDS: Record<Language, () => Promise<Messages>> = {
  zh: async () => (await import('./zh')).zh,
  en: async () => (await import('./en')).en,
}

/** The language that is spoken is fetched before the page is seen; another when it is chosen. */
export async function openI18n(address: string | null) {
  const first = firstLanguage(address, localStorage.getItem(KEY), navigator.language)
  const messages = { [first]: await WORDS[first]() } as Record<Language, Messages>
  const i18n = createI18n({ legacy: false, locale: first, missingWarn: true, messages })
  const fetched = new Set<Language>([first])

  async function fetchWords(language: Language): Promise<void> {
    if (fetched.has(language)) return
    i18n.global.setLocaleMessage(language, await WORDS[language]())
    fetched.add(language)
  }

  return { i18n, locale: i18n.global.locale as Ref<Language>, fetchWords }
}

export function rememberLanguage(language: Language): void {
  localStorage.setItem(KEY, language)
}

export interface Words {
  t: ReturnType<typeof useI18n>['t']
  te: ReturnType<typeof useI18n>['te']
  language: ComputedRef<Language>
  /** The word for a place's kind; none for a kind this page does not know. */
  kind(kind: string): string | null
  /** A text of the gateway in the language of the page. */
  say(text: Text): string
}

export function useWords(): Words {
  const { t, te, locale } = useI18n({ useScope: 'global' })
  const language = computed(() => locale.value as Language)
  const kind = (word: string): string | null => (te(`kind.${word}`) ? t(`kind.${word}` as 'kind.office') : null)
  return { t, te, language, kind, say: (text) => textOf(text, language.value) }
}
