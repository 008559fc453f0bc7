// Reads Flux scripts as a JSON list from its input, and says of each whether it is valid: parsed, and its types checked.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const here = join(dirname(fileURLToPath(import.meta.url)), 'node_modules', '@influxdata', 'flux-lsp-browser')
// The package is made for bundlers: as modules of Node.js its files must lie where they are said to be modules.
const folder = mkdtempSync(join(tmpdir(), 'jieneng-flux-'))
try {
  for (const name of ['flux-lsp-browser_bg.js', 'flux-lsp-browser_bg.wasm']) copyFileSync(join(here, name), join(folder, name))
  writeFileSync(join(folder, 'package.json'), '{"type": "module"}')
  const { Flux } = await import(pathToFileURL(join(folder, 'flux-lsp-browser_bg.js')).href)
  const scripts = JSON.parse(readFileSync(0, 'utf8'))
  const told = scripts.map((script) => {
    const parsed = new Flux(script)
    return { valid: parsed.is_valid(), ast: parsed.ast() }
  })
  process.stdout.write(JSON.stringify(told))
} finally {
  rmSync(folder, { recursive: true })
}
