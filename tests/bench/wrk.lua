-- The yardstick's request: what the daemon sends, byte for byte as long, with fixed values.
-- The body is read from the file named in WRK_BODY.
local file = assert(io.open(os.getenv("WRK_BODY"), "rb"))

wrk.method = "POST"
wrk.body = file:read("*a")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["User-Agent"] = "DocMap-Webhooks/0.1.0"
wrk.headers["X-DocMap-Event"] = "extraction.completed"
wrk.headers["X-DocMap-Delivery"] = "1hq4k2v0a" .. string.rep("0", 15)
wrk.headers["X-DocMap-Signature"] = "sha256=" .. string.rep("0", 64)
wrk.headers["webhook-id"] = "evt_000000000000_1700000000000000"
wrk.headers["webhook-timestamp"] = "1700000000"
wrk.headers["webhook-signature"] = "v1," .. string.rep("A", 44)
file:close()
