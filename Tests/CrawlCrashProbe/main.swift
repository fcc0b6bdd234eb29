// Crawls until it is done or killed: `CrawlCrashProbe <crawl.yaml>`. Only for the tests of Corpora.
import Core
import Corpora
import Glibc

let run = CrawlRun(try CrawlFile(CommandLine.arguments[1]), runtime: SystemRuntime()) {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
}
let record = try await run.run { _ in }
print(try JSON(encoding: record).text)
