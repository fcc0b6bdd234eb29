import Blobs
import Core
import Engines
import Glibc
import Synchronization
import TestKit
import Testing
import Wire

@testable import Agent

@Suite struct StagingTests {
    private let text = String(repeating: "0123456789abcdef", count: 1 << 16)

    @Test("a download that breaks off goes on where it stopped")
    func brokenOff() async throws {
        let site = Site()
        let input = site.blob(text)
        site.point.with { $0.downloadBytesMax = 300_000 }
        try await site.start()
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        await site.endsWell(run)
        #expect(site.point.with { $0.downloads[input] } == [0, 300_000, 600_000, 900_000])
        #expect(site.names("cache/uploads").isEmpty)
    }

    @Test("a new process goes on with what the last one had of a blob, unless it is damaged", arguments: [false, true])
    func nextLife(isDamaged: Bool) async throws {
        let site = Site()
        let input = site.blob(text)
        site.point.with { $0.downloadBytesMax = 10_000 }
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        try await site.start()
        await site.wait("some of it has come") { site.point.with { ($0.downloads[input]?.count ?? 0) > 3 } }
        await site.kill()
        let before = site.point.with { state in
            state.downloadBytesMax = .max
            return state.downloads[input]?.count ?? 0
        }
        let upload = try #require(site.names("cache/uploads").first)
        let part = "\(site.path)/cache/uploads/\(upload)/part"
        var about = stat()
        try #require(stat(part, &about) == 0 && about.st_size >= 30_000)
        if isDamaged { try #require(overwrite(part)) }
        try await site.start()
        await site.endsWell(run)
        let after = site.point.with { Array($0.downloads[input]?.dropFirst(before) ?? []) }
        #expect(after == (isDamaged ? [Int64(about.st_size), 0] : [Int64(about.st_size)]))
        #expect(site.names("cache/uploads").isEmpty)
    }

    @Test("an agent that is stopped in the middle of a download does not wait for its end")
    func stopped() async throws {
        let site = Site()
        let input = site.blob(text)
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        site.point.with { $0.downloadPiecesLeft = 1 }
        try await site.start()
        await site.wait("a piece has come") { site.point.with { $0.downloadPiecesLeft } == 0 }
        await site.kill()
        site.point.with { $0.downloadPiecesLeft = .max }
        try await site.start()
        await site.endsWell(run)
        let began = site.point.with { $0.downloads[input] ?? [] }
        #expect(began.count == 2 && began.first == 0 && began.last.map { $0 > 0 } == true, "\(began)")
    }

    @Test("bytes that are not what was named are the run's failure, and nothing is kept of them")
    func wrongBytes() async throws {
        let site = Site()
        let input = site.blob(text)
        site.point.with { $0.damaged = Array("something else".utf8) }
        try await site.start()
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: input)])
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .rejected)
        #expect(site.point.with { $0.downloads[input] } == [0])
        #expect(site.names("cache/uploads").isEmpty)
    }

    @Test("a folder's files come several at once")
    func several() async throws {
        let site = Site()
        let files = (0..<40).map { number in
            let text = "file \(number)"
            return TreeManifest.File(
                path: "\(number)",
                digest: site.blob(text),
                size: Bytes(Int64(text.utf8.count)),
                executable: false
            )
        }
        let tree = site.blob(String(decoding: TreeManifest(files: files).canonical, as: UTF8.self))
        // The list of the folder's files comes, and of them all that come at once.
        site.point.with { $0.downloadPiecesLeft = 1 }
        try await site.start()
        let run = site.lease(inputs: [.init(path: "data", kind: .tree, digest: tree)])
        await site.wait("several are on their way") { site.point.with { $0.downloads.count } == 1 + 8 }
        #expect(site.outcome(run) == nil)
        site.point.with { $0.downloadPiecesLeft = .max }
        await site.endsWell(run)
        #expect(site.point.with { $0.downloads.count } == 1 + 40)
    }

    @Test("a run that is isolated wherever it runs shares its inputs with the cache; any other has copies")
    func shared() async throws {
        let site = Site()
        let (file, inner) = (site.blob(text), site.blob("inner"))
        let manifest = TreeManifest(files: [.init(path: "a/b", digest: inner, size: 5, executable: false)])
        let tree = site.blob(String(decoding: manifest.canonical, as: UTF8.self))
        let inputs: [LeaseOrder.Input] = [
            .init(path: "file", kind: .file, digest: file), .init(path: "tree", kind: .tree, digest: tree),
        ]
        // Long enough to look at what stands there.
        site.engine.fake.set(startDelay: .seconds(60))
        for (job, isolation) in [(1, Isolation.required), (2, .auto)] as [(UInt64, Isolation)] {
            func releases() -> Int { site.engine.fake.calls.count { $0 == .release } }
            let before = releases()
            let run = site.lease(job, inputs: inputs) { $0.isolation = isolation }
            try await site.start()
            await site.wait("it is released") { releases() > before }
            let folder = try #require(site.engine.fake.order(of: run)?.inputsFolder)
            for name in ["file", "tree/a/b"] {
                var about = stat()
                try #require(stat("\(folder)/\(name)", &about) == 0)
                #expect(about.st_nlink == (isolation == .required ? 2 : 1), "\(name)")
                #expect((about.st_mode & 0o222 == 0) == (isolation == .required), "\(name)")
            }
            site.engine.fake.advance(by: .seconds(60))
            await site.endsWell(run)
        }
        #expect(site.hasCached(file) && site.hasCached(inner))
    }

    @Test("while its inputs come a run says how far they are, and when they do not come why")
    func progress() async throws {
        let site = Site()
        let file = site.blob(text)
        let folder = TreeManifest(files: [.init(path: "a", digest: file, size: Bytes(1 << 20), executable: false)])
        let tree = site.blob(String(decoding: folder.canonical, as: UTF8.self))
        // Every look at the clock is three seconds later.
        let clock = Mutex(0)
        site.point.with { $0.downloadPiecesLeft = 1 }
        try await site.start(elapsed: {
            .seconds(
                clock.withLock {
                    $0 += 3; return $0
                }
            )
        })
        let run = site.lease(inputs: [.init(path: "data", kind: .tree, digest: tree)])
        func waiting() -> String? { site.point.entry(run)?.waiting }
        await site.wait("it says how far it is") { waiting()?.hasPrefix("staging data: 64 KiB of 1 MiB, ") == true }
        #expect(waiting()?.hasSuffix("/s") == true)
        site.point.with {
            $0.downloadPiecesLeft = .max
            $0.breaksDownloads = true
        }
        await site.wait("it says why nothing comes") {
            waiting() == "its inputs do not come: The point cannot be reached."
        }
        site.point.with { $0.breaksDownloads = false }
        await site.endsWell(run)
    }

    @Test("beyond its limit the cache loses what was wanted longest ago, also by a process that was killed since")
    func leastRecentlyUsed() async throws {
        let site = Site()
        let blobs = ["a", "b", "c"].map { site.blob($0 + String(text.prefix(400_000))) }
        var job: UInt64 = 0
        func use(_ blob: Core.Digest) async {
            job += 1
            let run = site.lease(job, inputs: [.init(path: "in", kind: .file, digest: blob)])
            await site.wait("the run ends") { site.outcome(run) != nil }
            await site.waitForgotten()
            #expect(site.outcome(run) == .succeeded)
            site.fake.advance(by: .seconds(60))
        }
        try await site.start(cacheMax: Bytes(1_000_000))
        await use(blobs[0])
        await use(blobs[1])
        await use(blobs[0])
        await site.kill()
        #expect(blobs.map(site.hasCached) == [true, true, false])
        try await site.start(cacheMax: Bytes(1_000_000))
        await use(blobs[2])
        await site.wait("something is evicted") { !blobs.allSatisfy(site.hasCached) }
        #expect(blobs.map(site.hasCached) == [true, false, true])
        await use(blobs[0])
        await use(blobs[1])
        await site.kill()
        #expect(site.point.with { state in blobs.map { state.downloads[$0]?.count } } == [1, 2, 1])
    }

    @Test("room is made before anything comes: there is never more than the limit as long as the live runs need less")
    func neverBeyond() async throws {
        let site = Site()
        let limit = 1_000_000
        let most = Mutex(0)
        let measure: @Sendable () -> Void = { [weak site] in
            guard let bytes = site?.cachedBytes else { return }
            most.withLock { $0 = max($0, bytes) }
        }
        site.point.with { $0.beforePiece = measure }
        var pace = Site.pace
        pace.trimPeriod = .seconds(3600)
        try await site.start(pace, cacheMax: Bytes(Int64(limit)))
        let blobs = (0..<8).map { site.blob("\($0)" + String(text.prefix(400_000))) }
        let program = site.blob(String(text.prefix(150_000)))
        let file = TreeManifest.File(path: "main.sh", digest: program, size: Bytes(150_000), executable: true)
        let tree = site.blob(String(decoding: TreeManifest(files: [file]).canonical, as: UTF8.self))
        let algorithm = AlgorithmReference(name: "work", version: "1", tree: tree, requirements: nil)
        // One after the other, then two and two at once; some with an algorithm.
        for (number, jobs) in [[0], [1], [2], [3, 4], [5], [6, 7]].enumerated() {
            let runs = jobs.map { job in
                site.lease(UInt64(job + 1), inputs: [.init(path: "in", kind: .file, digest: blobs[job])]) {
                    if number == 2 || number == 4 { $0.algorithm = algorithm }
                }
            }
            await site.wait("the runs end") { runs.allSatisfy { site.outcome($0) != nil } }
            await site.waitForgotten()
            for run in runs { #expect(site.outcome(run) == .succeeded) }
            site.fake.advance(by: .seconds(60))
            measure()
        }
        await site.kill()
        #expect(most.withLock { $0 } > 700_000)
        #expect(most.withLock { $0 } <= limit)
    }

    @Test("what a run had beyond the limit goes when the run does, without waiting for the next look")
    func goesWithItsRun() async throws {
        let site = Site(output: text)
        var pace = Site.pace
        pace.trimPeriod = .seconds(3600)
        try await site.start(pace, cacheMax: Bytes(1_000_000))
        let run = site.lease(inputs: [.init(path: "in", kind: .file, digest: site.blob("1" + text))]) {
            $0.outputs = ["out"]
        }
        await site.wait("the run ends") { site.outcome(run) == .succeeded }
        await site.waitForgotten()
        await site.wait("there is less again") { site.cachedBytes <= 1_000_000 }
        await site.kill()
    }

    @Test("what live runs name is never evicted, and everything else is when there is no room at all")
    func livesStay() async throws {
        let site = Site { order in .init(duration: order.run.job == JobID(high: 1, low: 1) ? nil : .zero) }
        let file = TreeManifest.File(path: "main.sh", digest: site.blob("true"), size: Bytes(4), executable: true)
        let tree = site.blob(String(decoding: TreeManifest(files: [file]).canonical, as: UTF8.self))
        let (input, other, third) = (site.blob("input"), site.blob("other"), site.blob("third"))
        let inputs: [LeaseOrder.Input] = [
            .init(path: "in", kind: .file, digest: input), .init(path: "folder", kind: .tree, digest: tree),
        ]
        let algorithm = AlgorithmReference(name: "work", version: "1", tree: tree, requirements: nil)
        try await site.start(cacheMax: 0)
        let lives = site.lease(1, inputs: inputs) { $0.algorithm = algorithm }
        await site.wait("the run starts") { site.fake.starts(of: lives) == 1 }
        for (job, blob) in [(UInt64(2), other), (3, third)] {
            let run = site.lease(job, inputs: [.init(path: "in", kind: .file, digest: blob)])
            await site.wait("the run ends") { site.outcome(run) == .succeeded }
            await site.wait("its input is evicted") { !site.hasCached(blob) }
            #expect([input, tree, file.digest].allSatisfy(site.hasCached))
            #expect(site.names("algorithms") == [tree.hex])
            // The next process knows the run by its record only.
            await site.kill()
            try await site.start(cacheMax: 0)
        }
        site.point.with { $0.runs[lives]?.stop = .cancel }
        await site.wait("the run ends") { site.outcome(lives) == .cancelled }
        await site.wait("all is evicted") {
            ![input, tree, file.digest].contains(where: site.hasCached) && site.names("algorithms").isEmpty
        }
        await site.waitForgotten()
        await site.kill()
        #expect(site.fake.starts(of: lives) == 1)
    }

    @Test("with no room at all every run still gets its inputs and delivers its outputs")
    func noRoom() async throws {
        let site = Site(output: text)
        let file = TreeManifest.File(path: "main.sh", digest: site.blob("true"), size: Bytes(4), executable: true)
        let tree = site.blob(String(decoding: TreeManifest(files: [file]).canonical, as: UTF8.self))
        let inputs: [LeaseOrder.Input] = [
            .init(path: "in", kind: .file, digest: site.blob(text)), .init(path: "folder", kind: .tree, digest: tree),
        ]
        try await site.start(cacheMax: 0)
        let runs = (1...40).map { job in
            site.lease(UInt64(job), inputs: inputs) {
                $0.outputs = ["out"]
                $0.algorithm = AlgorithmReference(name: "work", version: "1", tree: tree, requirements: nil)
            }
        }
        await site.wait("all runs end") { runs.allSatisfy { site.outcome($0) != nil } }
        await site.waitForgotten()
        await site.kill()
        for run in runs {
            #expect(site.outcome(run) == .succeeded, "\(String(describing: site.point.entry(run)?.end))")
        }
    }
}

/// What runs leave, on its way to the point.
@Suite struct DeliveryTests {
    /// Several pieces of an upload.
    private let text = String(repeating: "0123456789abcdef", count: 1 << 18)
    private var bytes: Int { text.utf8.count }

    private func leaves(_ site: Site) -> RunKey { site.lease { $0.outputs = ["out"] } }

    private func artifact(_ site: Site, _ run: RunKey) -> [UInt8]? {
        site.point.with { state in
            state.runs[run]?.end?.artifacts.first.flatMap { state.blobs[$0.digest] }
        }
    }

    @Test("what breaks off goes on where the point has it, also by a process that comes after a killed one")
    func goesOn() async throws {
        let site = Site(output: text)
        site.point.with { $0.uploadPiecesLeft = 1 }
        try await site.start()
        let run = leaves(site)
        func waiting() -> String? { site.point.entry(run)?.waiting }
        for pieces in [1, 2] {
            await site.wait("it says why nothing goes") {
                site.point.with { $0.uploadPiecesLeft } == 0
                    && waiting() == "its outputs do not arrive: The point cannot be reached."
            }
            #expect(site.point.with { $0.uploadedBytes } == pieces * BlobChunks.chunkBytesMax)
            // The same process, then another.
            if pieces == 2 {
                await site.kill()
                try await site.start()
            }
            site.point.with { $0.uploadPiecesLeft = pieces == 1 ? 1 : .max }
        }
        await site.endsWell(run)
        #expect(artifact(site, run).map { $0.elementsEqual(text.utf8) } == true)
        #expect(site.point.with { $0.uploadedBytes } == bytes)
        #expect(site.point.with { $0.uploadsBegun } == 1)
    }

    @Test("a folder goes whole, though its files go several at once and calls are lost")
    func folder() async throws {
        let seed = SeededGenerator.seed("folder")
        let site = Site(output: String(text.prefix(300_000)), files: 20)
        site.point.with {
            $0.generator = SeededGenerator(seed)
            $0.loss = 50
        }
        try await site.start()
        let run = leaves(site)
        await site.wait("the run ends") { site.outcome(run) != nil }
        site.point.with { $0.loss = 0 }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .succeeded)
        let manifest = try TreeManifest(canonical: #require(artifact(site, run)))
        #expect(manifest.files.count == 20)
        for file in manifest.files {
            let bytes = site.point.with { $0.blobs[file.digest] }
            #expect(bytes.map { $0.elementsEqual((file.path + text.prefix(300_000)).utf8) } == true)
        }
    }

    @Test("calls that are lost and calls that arrive twice do no harm")
    func losses() async throws {
        let seed = SeededGenerator.seed("losses")
        let site = Site(output: text)
        site.point.with {
            $0.generator = SeededGenerator(seed)
            $0.loss = 200
        }
        try await site.start()
        let runs = (1...5).map { job in site.lease(UInt64(job)) { $0.outputs = ["out"] } }
        await site.wait("all runs end") { runs.allSatisfy { site.outcome($0) != nil } }
        site.point.with { $0.loss = 0 }
        await site.waitForgotten()
        await site.kill()
        for run in runs {
            #expect(site.outcome(run) == .succeeded)
            #expect(artifact(site, run).map { $0.elementsEqual(text.utf8) } == true)
        }
    }

    @Test("what the point has kept may be damaged: then all of it is sent, once")
    func damaged() async throws {
        let site = Site(output: text)
        site.point.with { $0.uploadPiecesLeft = 1 }
        try await site.start()
        let run = leaves(site)
        await site.stopsHalfWay(run)
        site.point.with { state in
            for id in state.uploads.keys { state.uploads[id]?.bytes[0] ^= 1 }
            state.uploadPiecesLeft = .max
        }
        await site.endsWell(run)
        #expect(artifact(site, run).map { $0.elementsEqual(text.utf8) } == true)
        #expect(site.point.with { $0.uploadedBytes } == bytes * 2)
    }

    @Test("an upload that the point has dropped is begun anew")
    func dropped() async throws {
        let site = Site(output: text)
        site.point.with { $0.uploadPiecesLeft = 1 }
        try await site.start()
        let run = leaves(site)
        await site.stopsHalfWay(run)
        site.point.with {
            $0.uploads = [:]
            $0.uploadPiecesLeft = .max
        }
        await site.endsWell(run)
        #expect(artifact(site, run).map { $0.elementsEqual(text.utf8) } == true)
    }

    @Test("on its way it says how far it is")
    func progress() async throws {
        let site = Site(output: text)
        // Every look at the clock is three seconds later.
        let clock = Mutex(0)
        site.point.with {
            $0.uploadPiecesLeft = 1
            $0.stallsUploads = true
        }
        try await site.start(elapsed: {
            .seconds(
                clock.withLock {
                    $0 += 3; return $0
                }
            )
        })
        let run = leaves(site)
        func waiting() -> String? { site.point.entry(run)?.waiting }
        await site.wait("it says how far it is") { waiting()?.hasPrefix("uploading out: 1 MiB of 4 MiB, ") == true }
        #expect(waiting()?.hasSuffix("/s") == true)
        site.point.with { $0.uploadPiecesLeft = .max }
        await site.endsWell(run)
    }

    @Test("a run whose outputs do not arrive can be cancelled")
    func cancelled() async throws {
        let site = Site(output: text)
        site.point.with { $0.uploadPiecesLeft = 0 }
        try await site.start()
        let run = leaves(site)
        await site.wait("it says why nothing goes") {
            site.point.entry(run)?.waiting == "its outputs do not arrive: The point cannot be reached."
        }
        site.point.with { $0.runs[run]?.stop = .cancel }
        await site.wait("the run ends") { site.outcome(run) != nil }
        await site.waitForgotten()
        await site.kill()
        #expect(site.outcome(run) == .cancelled)
    }
}

/// Writes over the beginning of a file.
private func overwrite(_ path: String) -> Bool {
    guard let file = fopen(path, "r+") else { return false }
    defer { fclose(file) }
    return fputs("damaged", file) >= 0
}

extension Site {
    /// Waits for the end of a run and of all that its agent does about it, and ends the agent.
    fileprivate func endsWell(_ run: RunKey, sourceLocation: SourceLocation = #_sourceLocation) async {
        await wait("the run ends", sourceLocation: sourceLocation) { outcome(run) != nil }
        await waitForgotten()
        await kill()
        #expect(outcome(run) == .succeeded, sourceLocation: sourceLocation)
    }

    /// Waits until the point has taken what it was allowed of a run's outputs, and the agent has noticed.
    fileprivate func stopsHalfWay(_ run: RunKey, sourceLocation: SourceLocation = #_sourceLocation) async {
        await wait("a part of it is there", sourceLocation: sourceLocation) {
            point.with { $0.uploadPiecesLeft } == 0 && point.entry(run)?.waiting?.hasPrefix("its outputs") == true
        }
    }
}
