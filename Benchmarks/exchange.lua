-- One agent's exchange, as in the file that EXCHANGE names.
local token = os.getenv("ONEPOINT_TOKEN")
local file = io.open(os.getenv("EXCHANGE")); local body = file:read("a"); file:close()
function request()
    return wrk.format("POST", "/v1/agent/exchange",
        {["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json"}, body)
end
local bad = 0
function response(status) if status ~= 200 then bad = bad + 1 end end
function done(summary, latency, requests)
    io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(99), summary.errors.status + summary.errors.timeout + summary.errors.read))
end
