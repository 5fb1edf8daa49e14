import requests

api_key = "dm_live_abc123def456ghi789jkl012mno345"

response = requests.get(
    "https://api.docmap.io/v1/webhooks",
    headers={"Authorization": f"Bearer {api_key}"},
)

webhooks = response.json()["data"]

for webhook in webhooks:
    events = ", ".join(webhook["events"])
    print(f"{webhook['url']} — events: {events}")
