import { createApp, watch } from 'vue'
import { createRouter, createWebHashHistory, type RouteLocationNormalized, type RouteLocationRaw } from 'vue-router'
import { accountApi } from './api/account'
import AppGate from './account/AppGate.vue'
import { openSession, SESSION } from './account/session'
import { apiBase, openApi } from './api/client'
import { openClock } from './api/clock'
import { openSelection, SELECTION } from './curves/selection'
import { openI18n, rememberLanguage } from './i18n'
import { ADDRESS, openAddress } from './shell/address'
import './shell/tokens.css'
import './shell/base.css'
import { openTheme, THEME } from './shell/theme'
import { openTrail, TRAIL } from './shell/trail'
import { CAMPUS, openCampus } from './site/campus'

const base = apiBase()
const liveUrl = `${base.href.replace(/^http/, 'ws')}/live`

const campus = openCampus(openApi(base.pathname), openClock(), liveUrl)
const session = openSession(accountApi)
void session.refresh()

const overviewPage = () => import('./overview/OverviewPage.vue')

/** Curves once stood on the first page: what was sent of them then leads to where they are. */
const oldAddress = ({ query }: RouteLocationNormalized): RouteLocationRaw | true => ('points' in query || 'period' in query ? { name: 'live', query } : true)

const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'overview', component: overviewPage, beforeEnter: oldAddress },
    { path: '/live', name: 'live', component: () => import('./live/LivePage.vue'), meta: { live: true } },
    { path: '/edges', name: 'edges', component: () => import('./edges/EdgesPage.vue'), meta: { people: true } },
    { path: '/curves', name: 'curves', component: () => import('./curves/CurvesPage.vue'), meta: { live: true } },
    { path: '/consumption', name: 'consumption', component: () => import('./consumption/ConsumptionPage.vue') },
    { path: '/balance', name: 'balance', component: () => import('./balance/BalancePage.vue') },
    { path: '/quotas', name: 'quotas', component: () => import('./quotas/QuotasPage.vue') },
    { path: '/meter/:id', name: 'meter', component: () => import('./life/LifePage.vue') },
    { path: '/findings', name: 'findings', component: () => import('./findings/FindingsPage.vue') },
    { path: '/tariffs', name: 'tariffs', component: () => import('./tariffs/TariffsPage.vue') },
    { path: '/account', name: 'account', component: () => import('./account/OwnPage.vue'), meta: { people: true } },
    { path: '/sites', name: 'sites', component: () => import('./sites/SitesPage.vue'), meta: { people: true } },
    { path: '/accounts', name: 'accounts', component: () => import('./people/PeoplePage.vue'), meta: { people: true } },
    { path: '/audit', name: 'audit', component: () => import('./audit/AuditPage.vue'), meta: { people: true } },
    { path: '/alarms', name: 'alarms', component: () => import('./alarms/AlarmsPage.vue') },
    { path: '/first', name: 'first', component: overviewPage },
    { path: '/stock', name: 'stock', component: () => import('./stock/StockPage.vue') },
    { path: '/periods', name: 'periods', component: () => import('./periods/PeriodsPage.vue') },
    { path: '/contracts', name: 'contracts', component: () => import('./contracts/ContractsPage.vue') },
    { path: '/statistics', name: 'statistics', component: () => import('./statistics/StatisticsPage.vue') },
    { path: '/:anything(.*)*', redirect: { name: 'overview' } },
  ],
})

const trail = openTrail(router)

/** The words are fetched beside the page; its address is not read yet. */
const words = openI18n(new URLSearchParams(window.location.hash.split('?')[1]).get('lang'))
const OTHER_WORDS_MS = 5_000

async function open(): Promise<void> {
  const app = createApp(AppGate).use(router)
  const { i18n, locale, fetchWords } = await words
  await router.isReady()
  const address = openAddress(router)

  async function speak(word: string | null): Promise<void> {
    if (word !== 'zh' && word !== 'en') return
    try {
      await fetchWords(word)
    } catch {
      // The gateway is away: the address goes on saying what is spoken.
      address.write({ language: locale.value })
      return
    }
    if (address.language.value === word) locale.value = word
  }

  watch(address.language, (word) => void speak(word))
  // The other language is there when it is asked for, also where the gateway is not.
  setTimeout(() => void fetchWords(locale.value === 'zh' ? 'en' : 'zh').catch(() => undefined), OTHER_WORDS_MS)
  watch(
    locale,
    (word) => {
      document.documentElement.lang = word === 'zh' ? 'zh-CN' : 'en'
      rememberLanguage(word)
    },
    { immediate: true },
  )

  app
    .use(i18n)
    .provide(SESSION, session)
    .provide(CAMPUS, campus)
    .provide(ADDRESS, address)
    .provide(TRAIL, trail)
    .provide(THEME, openTheme())
    .provide(SELECTION, openSelection(campus, address))
    .mount('#app')
}

void open()
