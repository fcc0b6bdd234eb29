import Core

extension PipelineRun {
    /// Finds the documents that others stand for.
    func merge(
        _ blocks: [JudgedBlock],
        _ record: inout RunRecord,
        _ reporter: inout Reporter
    ) async throws -> Removals {
        record.stage = .merge
        record.bytesDone = 0
        try reporter.tell(record)
        return Removals(path: "", offsets: .init(repeating: 0, count: blocks.count + 1))
    }
}
