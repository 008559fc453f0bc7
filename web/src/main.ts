import { createApp, watch } from 'vue'
import { createRouter, createWebHashHistory } from 'vue-router'
import { openApi } from './api/client'
import { openClock } from './api/clock'
import { openSelection, SELECTION } from './curves/selection'
import { openI18n, rememberLanguage } from './i18n'
import OverviewPage from './overview/OverviewPage.vue'
import { ADDRESS, openAddress } from './shell/address'
import AppShell from './shell/AppShell.vue'
import './shell/tokens.css'
import './shell/base.css'
import { openTheme, THEME } from './shell/theme'
import { CAMPUS, openCampus } from './site/campus'

const base = new URL('api/v1', document.baseURI)
const liveUrl = `${base.href.replace(/^http/, 'ws')}/live`

const campus = openCampus(openApi(base.pathname), openClock(), liveUrl)
void campus.start()

const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'overview', component: OverviewPage },
    { path: '/:anything(.*)*', redirect: { name: 'overview' } },
  ],
})

async function open(): Promise<void> {
  const app = createApp(AppShell).use(router)
  await router.isReady()
  const address = openAddress(router)
  const i18n = openI18n(address.language.value)
  const { locale } = i18n.global

  watch(address.language, (word) => {
    if (word === 'zh' || word === 'en') locale.value = word
  })
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
    .provide(CAMPUS, campus)
    .provide(ADDRESS, address)
    .provide(THEME, openTheme())
    .provide(SELECTION, openSelection(campus, address))
    .mount('#app')
}

void open()
