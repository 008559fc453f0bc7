import { computed, type ComputedRef } from 'vue'
import { createI18n, useI18n } from 'vue-i18n'
import type { Text } from '../api/schema'
import { type Language, textOf } from '../format/number'
import { en } from './en'
import type { Messages } from './messages'
import { zh } from './zh'

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

export function openI18n(address: string | null) {
  const locale = firstLanguage(address, localStorage.getItem(KEY), navigator.language)
  return createI18n({ legacy: false, locale, fallbackLocale: 'zh', messages: { zh, en }, missingWarn: true })
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
