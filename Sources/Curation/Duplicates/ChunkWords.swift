import CCuration

/// The words of a chunk of documents.
struct ChunkWords {
    private(set) var hashes: [UInt64] = []
    /// Offsets of bytes in the chunk.
    private(set) var starts: [UInt32] = []
    private(set) var ends: [UInt32] = []
    /// For each document the number of words up to its end, ascending; documents without words share one with that
    /// before.
    private(set) var documentEnds: [Int] = []

    /// - Parameters:
    ///   - text: Documents one after another, at most 2^30 bytes.
    ///   - byteEnds: Their ends, ascending.
    init(_ text: Span<UInt8>, _ byteEnds: [Int]) {
        var documentStart = 0
        for end in byteEnds {
            append(text.extracting(documentStart..<end), at: UInt32(documentStart))
            documentEnds.append(hashes.count)
            documentStart = end
        }
    }

    private mutating func append(_ document: Span<UInt8>, at offset: UInt32) {
        withUnsafeTemporaryAllocation(of: UInt64.self, capacity: 512) { found in
            withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 1024) { offsets in
                guard let places = offsets.baseAddress else { return }
                var word = onepoint_word()
                var position = 0
                var isDone = false
                while !isDone {
                    let before = position
                    var count = document.withUnsafeBufferPointer {
                        onepoint_words(
                            &word,
                            $0.baseAddress,
                            $0.count,
                            &position,
                            found.baseAddress,
                            511,
                            places,
                            places + 512
                        )
                    }
                    if position == document.count || position == before {
                        let start = word.start
                        var isOpen: Int32 = 0
                        found[count] = onepoint_words_end(&word, &isOpen)
                        offsets[count] = UInt32(start)
                        offsets[512 + count] = UInt32(document.count)
                        if isOpen != 0 { count += 1 }
                        isDone = true
                    }
                    for index in 0..<count {
                        hashes.append(found[index])
                        starts.append(offset + offsets[index])
                        ends.append(offset + offsets[512 + index])
                    }
                }
            }
        }
    }
}
