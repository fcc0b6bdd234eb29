import Core
import Wire

extension PipelineRun {
    /// Reads all sources in order and works on several blocks at a time.
    ///
    /// - Parameters:
    ///   - work: On the pool's threads.
    ///   - done: One at a time, in the order in which work ends.
    func forEachBlock<Result: Sendable>(
        work: @escaping @Sendable (Block) throws -> Result,
        done: (Result) throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Result.self) { group in
            var active = 0
            var ordinal = 0
            var bytesBefore = 0
            for (source, files) in file.sources.enumerated() {
                for input in files.files {
                    var blocks = try LineBlocks(input, limits: limits)
                    while let bytes = try blocks.next() {
                        try Task.checkCancellation()
                        let block = Block(
                            ordinal: ordinal,
                            source: source,
                            path: input.path,
                            bytes: bytes,
                            bytesBefore: bytesBefore + blocks.fileOffset,
                            setAside: blocks.setAside
                        )
                        ordinal += 1
                        if active == workers, let result = try await group.next() {
                            active -= 1
                            try done(result)
                        }
                        active += 1
                        group.addTask { try work(block) }
                    }
                    bytesBefore += input.bytes
                }
            }
            for try await result in group { try done(result) }
        }
    }
}
