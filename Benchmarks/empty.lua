-- The cheapest request that there is.
dofile("Benchmarks/report.lua")
wrk.path = "/healthz"
