-- The cheapest request that there is: who am I.
dofile("Benchmarks/report.lua")
wrk.path = "/v1/whoami"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("ONEPOINT_TOKEN")
