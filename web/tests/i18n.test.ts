import { expect, test } from 'vitest'
import { firstLanguage } from '../src/i18n'
import { en } from '../src/i18n/en'
import { zh } from '../src/i18n/zh'

interface Words {
  [key: string]: string | Words
}

function leaves(words: Words, path = ''): [string, string][] {
  return Object.entries(words).flatMap(([key, value]) =>
    typeof value === 'string' ? [[path + key, value] as [string, string]] : leaves(value, `${path}${key}.`),
  )
}

const chinese = new Map(leaves(zh))
const english = new Map(leaves(en))
/** Each once: singular and plural of one text repeat them. */
const placeholders = (text: string | undefined): string[] => [...new Set(text?.match(/\{\w+\}/g) ?? [])].sort()

test('both languages have the same keys, none of them empty', () => {
  expect([...english.keys()].sort()).toEqual([...chinese.keys()].sort())
  expect([...chinese, ...english].filter(([, text]) => !text.trim())).toEqual([])
})

test('a text has the same placeholders in both languages', () => {
  for (const [key, text] of chinese) expect(placeholders(english.get(key)), key).toEqual(placeholders(text))
})

test('English holds no Chinese but its name for the language', () => {
  const mixed = [...english].filter(([, text]) => /[\u4e00-\u9fff]/.test(text)).map(([key]) => key)
  expect(mixed).toEqual(['language.zh'])
})

test('every key the page asks for exists', () => {
  const sources = import.meta.glob('../src/**/*.{vue,ts}', { query: '?raw', import: 'default', eager: true })
  const asked = Object.values(sources).flatMap((text) => [...String(text).matchAll(/\bt\('([\w.-]+)'/g)].map((match) => match[1] ?? ''))

  expect(asked.length).toBeGreaterThan(50)
  expect(asked.filter((key) => !chinese.has(key))).toEqual([])
})

test('the address decides the language, then the last choice, then the browser, and Chinese when nothing is known', () => {
  expect(firstLanguage('en', 'zh', 'zh-CN')).toBe('en')
  expect(firstLanguage(null, 'en', 'zh-CN')).toBe('en')
  expect(firstLanguage(null, null, 'zh-Hans')).toBe('zh')
  expect(firstLanguage(null, null, 'fr-FR')).toBe('en')
  expect(firstLanguage('xx', null, undefined)).toBe('zh')
})
