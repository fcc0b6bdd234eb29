-- A job of about 600 bytes, each with its own idempotency key; what a client of the API would send.
dofile("Benchmarks/report.lua")
local token = os.getenv("ONEPOINT_TOKEN")
local thread_count = 0
function setup(thread) thread:set("id", thread_count); thread_count = thread_count + 1 end
function init(args) n = 0 end
function request()
    n = n + 1
    local body = string.format([[{"name": "bench-%d-%d", "command": ["python3", "train.py", "--steps", "1000", "--rate", "0.0003", "--data", "inputs/text", "--checkpoint", "outputs/model"], "parameters": {"steps": 1000, "rate": 0.0003, "layers": 12, "width": 768, "heads": 12}, "environment": {"OMP_NUM_THREADS": "8", "LOG_LEVEL": "info"}, "tasks": 2, "resources": {"cores": 8, "memory": "64GiB", "cards": 4, "time_limit": "12h"}, "placement": {"tiers": ["hub", "region"]}, "priority": 500, "retries": {"limit": 2, "on": ["node_failure", "lost"]}, "outputs": ["model", "report"]}]], id, n)
    return wrk.format("POST", "/v1/jobs?project=demo", {
        ["Authorization"] = "Bearer " .. token, ["Content-Type"] = "application/json",
        ["Idempotency-Key"] = "bench-" .. id .. "-" .. n,
    }, body)
end
