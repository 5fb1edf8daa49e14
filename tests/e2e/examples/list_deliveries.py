import requests

api_key = "dm_live_abc123def456ghi789jkl012mno345"

response = requests.get(
    "https://api.docmap.io/v1/webhooks/deliveries",
    headers={"Authorization": f"Bearer {api_key}"},
    params={"limit": 10},
)

deliveries = response.json()["data"]

for d in deliveries:
    print(f"{d['event']}{d['url']}{d['status']} ({d['durationMs']}ms)")
