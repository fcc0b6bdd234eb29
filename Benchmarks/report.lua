-- Loaded by the other scripts: prints one line for Python to read. Statuses from 400 on count as errors.
function done(summary, latency, requests)
    io.write(string.format("RESULT %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(99), summary.errors.status + summary.errors.timeout + summary.errors.read))
end
