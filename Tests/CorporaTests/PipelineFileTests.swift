import Testing
import Wire

@testable import Corpora

@Suite struct PipelineFileTests {
    @Test("a file's format follows from its name's ending, packed or not")
    func formats() {
        #expect(PipelineFile.Format(path: "a/b.jsonl.zst", as: nil)?.packing == .zstd)
        #expect(PipelineFile.Format(path: "a/b.WARC.GZ", as: nil)?.content == .warc)
        #expect(PipelineFile.Format(path: "a/b.bin", as: nil) == nil)
        #expect(PipelineFile.Format(path: "a/b.bin", as: .text)?.content == .text)
    }
}
