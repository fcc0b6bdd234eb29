import CVectorscan

/// Vectorscan's working memory for one scan at a time.
final class KeywordScratch {
    let pointer: OpaquePointer

    init(_ database: OpaquePointer) throws(KeywordError) {
        var pointer: OpaquePointer?
        let result = hs_alloc_scratch(database, &pointer)
        guard result == HS_SUCCESS, let pointer else { throw .cannotCompile("no scratch: code \(result)") }
        self.pointer = pointer
    }

    deinit { hs_free_scratch(pointer) }
}
