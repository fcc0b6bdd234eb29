import Core
import Foundation
import Testing
import Wire

/// The wall clock of a point and its agent is set while work runs.
@Suite(.serialized)
struct ClockTests {
    /// Preloaded, adds the seconds that a file holds to the wall clock and leaves the monotonic clock alone.
    static let steppedClock = """
        #define _GNU_SOURCE
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <sys/time.h>
        #include <time.h>
        #include <unistd.h>
        static long offset(void) {
            char text[32] = "";
            int file = open(getenv("STEPPED_CLOCK"), O_RDONLY | O_CLOEXEC);
            if (file < 0) return 0;
            (void)!read(file, text, sizeof text - 1);
            close(file);
            return atol(text);
        }
        int clock_gettime(clockid_t clock, struct timespec *now) {
            int result = syscall(SYS_clock_gettime, clock, now);
            if (!result && clock == CLOCK_REALTIME) now->tv_sec += offset();
            return result;
        }
        int gettimeofday(struct timeval *now, void *zone) {
            struct timespec exact;
            (void)zone;
            clock_gettime(CLOCK_REALTIME, &exact);
            *now = (struct timeval){exact.tv_sec, exact.tv_nsec / 1000};
            return 0;
        }
        time_t time(time_t *now) {
            struct timespec exact;
            clock_gettime(CLOCK_REALTIME, &exact);
            if (now) *now = exact.tv_sec;
            return exact.tv_sec;
        }
        """

    @Test(
        "a clock that jumps by two days, either way, ends no run, loses no job and is not charged",
        arguments: [172_800, -172_800]
    )
    func jump(seconds: Int) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("onepoint-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let clock = folder.appendingPathComponent("clock")
        let (source, library) = (folder.appendingPathComponent("clock.c"), folder.appendingPathComponent("clock.so"))
        try Data(Self.steppedClock.utf8).write(to: source)
        try #require(shell("clang -shared -fPIC -O1 -o \(library.path) \(source.path)") == 0, "clang comes with Swift")
        let point = try await PointUnderTest(environment: ["LD_PRELOAD": library.path, "STEPPED_CLOCK": clock.path])
        func submit(_ name: String, _ command: String) async throws -> JobID {
            let job = JSON.object([
                ("name", .string(name)), ("isolation", .string("none")),
                ("command", .array([.string("/bin/sh"), .string("-c"), .string(command)])),
                ("on_centre_loss", .object([("requeue_after", .integer(1))])),
                ("resources", .object([("cores", .integer(1)), ("time_limit", .string("5m"))])),
            ])
            return try #require(try await point.submit(job.text).job)
        }
        let go = folder.appendingPathComponent("go")
        let job = try await submit("waits", "echo started; until [ -e \(go.path) ]; do sleep 0.1; done; echo ended")
        try await eventually("the job to run", tail: { point.server.output }) {
            try await point.job(job).runs.first?.state == .running
        }
        let began = Date()
        try Data("\(seconds)".utf8).write(to: clock, options: .atomic)
        try await eventually("the point to notice", tail: { point.server.output }) {
            point.server.output.contains("clock stepped")
        }
        // Work goes on by the new clock.
        let other = try await submit("after", "echo after")
        #expect(try await point.end(of: other).summary.state == .succeeded)
        #expect(try await point.job(job).runs.map(\.state) == [.running])
        #expect(FileManager.default.createFile(atPath: go.path, contents: nil))
        let detail = try await point.end(of: job)
        #expect(detail.summary.state == .succeeded)
        let run = try #require(detail.runs.first)
        #expect(detail.runs.count == 1)
        let (start, end) = (try #require(run.startedAt), try #require(run.endedAt))
        #expect(start <= end && (end - start).seconds <= Date().timeIntervalSince(began) + 60)
        #expect(try await point.log(of: job) == "started\nended\n")
    }
}
