const apiKey = process.env.DOCMAP_API_KEY

const response = await fetch('https://api.docmap.io/v1/webhooks', {
  headers: { 'Authorization': `Bearer ${apiKey}` },
})

const { data } = await response.json()

for (const webhook of data) {
  console.log(`${webhook.url} — events: ${webhook.events.join(', ')}`)
}
