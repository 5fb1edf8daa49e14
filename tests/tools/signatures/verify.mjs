// Checks webhook signatures with the `standardwebhooks` and `svix` libraries.
//
// Standard input: one JSON object per line, {"secret", "headers", "body"}; the secret as the API issued it, the body in
// base64. Standard output: one JSON object per line, {"standardwebhooks": null | "<why not>", "svix": null | "<why not>"}.
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

// The libraries are installed in the cache folder, not beside this file.
const require = createRequire(join(process.argv[2] ?? process.cwd(), 'package.json'))
const libraries = {
  standardwebhooks: require('standardwebhooks').Webhook,
  svix: require('svix').Webhook,
}
const verifiers = new Map()

function verifierOf(library, secret) {
  const key = `${library} ${secret}`
  if (!verifiers.has(key)) verifiers.set(key, new libraries[library](secret))
  return verifiers.get(key)
}

function verdict(library, { secret, headers, body }) {
  try {
    verifierOf(library, secret).verify(Buffer.from(body, 'base64').toString('utf8'), headers)
    return null
  } catch (error) {
    return String(error.message ?? error)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const delivery = JSON.parse(line)
  const verdicts = Object.fromEntries(Object.keys(libraries).map((name) => [name, verdict(name, delivery)]))
  console.log(JSON.stringify(verdicts))
}
