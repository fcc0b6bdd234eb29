import Core

/// What a run would do now.
public struct PipelinePlan: Sendable, Codable {
    public var sources: [Source] = []
    /// Blocks whose results are there, and those that would be judged.
    public var blocksCached = 0
    public var blocksToJudge = 0
    /// Of the records in the blocks that would be judged.
    public var bytesToJudge = 0

    public struct Source: Sendable, Codable {
        public var name: String
        public var files: Int
        /// As they are on the disk.
        public var bytes: Int
        public var blocks: Int
        public var blocksCached: Int
    }
}

extension PipelineRun {
    /// Reads the sources and looks which results are there.
    ///
    /// - Parameter progress: Bytes of source files read, and how many there are.
    public func plan(progress: (Int, Int) -> Void) async throws -> PipelinePlan {
        var plan = PipelinePlan()
        for source in file.sources {
            plan.sources.append(
                .init(
                    name: source.name,
                    files: source.files.count,
                    bytes: source.files.reduce(0) { $0 + $1.bytes },
                    blocks: 0,
                    blocksCached: 0
                )
            )
        }
        let total = plan.sources.reduce(0) { $0 + $1.bytes }
        try await forEachBlock { records in
            (records.block.source, cache.has(key(of: records)), records.lines.count, records.block.bytesBefore)
        } done: { source, isThere, bytes, bytesBefore in
            plan.sources[source].blocks += 1
            if isThere {
                plan.sources[source].blocksCached += 1
                plan.blocksCached += 1
            } else {
                plan.blocksToJudge += 1
                plan.bytesToJudge += bytes
            }
            progress(bytesBefore, total)
        }
        return plan
    }
}
