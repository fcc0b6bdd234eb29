-- One agent's exchange, as in the file that EXCHANGE names.
dofile("Benchmarks/report.lua")
local token = os.getenv("ONEPOINT_TOKEN")
local file = io.open(os.getenv("EXCHANGE")); local body = file:read("a"); file:close()
function request()
    return wrk.format("POST", "/v1/agent/exchange",
        {["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json"}, body)
end
