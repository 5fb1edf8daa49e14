const apiKey = process.env.DOCMAP_API_KEY

const response = await fetch(
  'https://api.docmap.io/v1/webhooks/deliveries?limit=10',
  { headers: { 'Authorization': `Bearer ${apiKey}` } },
)

const { data } = await response.json()

for (const delivery of data) {
  console.log(`${delivery.event} → ${delivery.url} — ${delivery.status} (${delivery.durationMs}ms)`)
}
