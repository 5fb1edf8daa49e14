"""A client of the daemon's API for one user."""

from __future__ import annotations

from typing import Any

import requests

Json = dict[str, Any]
BOTH_KINDS = ["extraction.completed", "extraction.failed"]


class ApiError(RuntimeError):
    """An answer other than 2xx."""

    def __init__(self, status: int, body: Json) -> None:
        error = body.get("error", {})
        self.status = status
        self.code = error.get("code", "")
        super().__init__(f"{status} {self.code}: {error.get('message', body)}")


class Api:
    """Calls made with one API key. Keeps its connection."""

    def __init__(self, base: str, key: str) -> None:
        self.base = base
        self.key = key
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    def create_webhook(self, url: str, events: list[str] | None = None) -> Json:
        """Returns {"secret", "webhook"}."""
        return self._call("POST", "/v1/webhooks", json={"url": url, "events": events or BOTH_KINDS})["data"]

    def webhooks(self) -> list[Json]:
        """The active webhooks."""
        return self._call("GET", "/v1/webhooks")["data"]

    def delete_webhook(self, webhook_id: str) -> Json:
        """Deletes a webhook at once and for good."""
        return self._call("DELETE", f"/v1/webhooks/{webhook_id}")

    def deliveries(self, **filters: str | int) -> list[Json]:
        """All delivery records that the filters let through, newest first, read page by page."""
        found: list[Json] = []
        query: dict[str, str | int] = {"limit": 100, **filters}
        while True:
            page = self._call("GET", "/v1/webhooks/deliveries", params=query)
            found += page["data"]
            if not page.get("hasMore"):
                return found
            query["cursor"] = page["nextCursor"]

    def _call(self, method: str, path: str, **arguments: Any) -> Json:
        answer = self._session.request(method, self.base + path, timeout=30, **arguments)
        body = answer.json() if answer.content else {}
        if not answer.ok:
            raise ApiError(answer.status_code, body)
        return body
