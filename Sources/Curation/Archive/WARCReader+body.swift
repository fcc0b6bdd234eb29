extension WARCReader {
    /// Undoes the encodings of the payload.
    ///
    /// An encoding that is declared but not there, which is common in archives whose crawler has undone it, changes
    /// nothing. When the payload ends early or is damaged, the body is what could be read of it.
    mutating func decodeBody(_ codings: HTTPCodings) -> WARCFault.Kind? {
        if codings.isChunked { dechunk() }
        for coding in codings.content.reversed() {
            let hasMagic = withBody { body in
                switch coding {
                case .gzip: Self.hasMagic(body, at: 0)
                case .zstd: body.count >= 4 && body[0] == 0x28 && body[1] == 0xB5 && body[2] == 0x2F && body[3] == 0xFD
                case .deflate: !body.isEmpty
                case .unknown: !body.isEmpty
                }
            }
            guard hasMagic else { continue }
            switch coding {
            case .unknown: return .encoding
            case .gzip: if let fault = expand(.gzip) { return fault }
            case .deflate: if let fault = expand(isZlib ? .zlib : .raw) { return fault }
            case .zstd: if let fault = expandZstd() { return fault }
            }
        }
        return nil
    }

    /// Whether the body begins with the two bytes of a zlib header (RFC 1950), as `deflate` should.
    private var isZlib: Bool {
        withBody { body in
            guard body.count >= 2, body[0] & 0x0F == 8 else { return false }
            return (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
        }
    }

    private mutating func keepExpanded() {
        swap(&body, &spareBody)
        isBodyDecoded = true
    }

    private mutating func expand(_ format: Inflater.Format) -> WARCFault.Kind? {
        var inflater = Inflater(format)
        var output = spareBody
        spareBody = []
        output.removeAll(keepingCapacity: true)
        let limit = limits.recordMaxBytes
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        var isPartial = false
        let isTooLarge = withBody { input in
            var position = 0
            while output.count <= limit {
                let step = input.withUnsafeBufferPointer { input in
                    piece.withUnsafeMutableBufferPointer { piece in
                        inflater.inflate(UnsafeBufferPointer(rebasing: input[position...]), into: piece)
                    }
                }
                output.append(contentsOf: piece[..<step.produced])
                position += step.consumed
                switch step.outcome {
                case .finished:
                    // Only gzip has members; what follows a zlib stream is nothing that browsers look at.
                    guard format == .gzip, Self.hasMagic(input, at: position) else { return false }
                    inflater.reset()
                case .more where step.produced == piece.count: continue
                case .more, .damaged, .checksum:
                    isPartial = true
                    return false
                }
            }
            return true
        }
        spareBody = output
        if isTooLarge { return .bodyTooLarge }
        if isPartial, spareBody.isEmpty, format == .raw {
            // Not compressed at all: any bytes could be the beginning of a raw stream.
            return nil
        }
        record.isBodyPartial = record.isBodyPartial || isPartial
        keepExpanded()
        return nil
    }

    private mutating func expandZstd() -> WARCFault.Kind? {
        var unzstd = Unzstd()
        var output = spareBody
        spareBody = []
        output.removeAll(keepingCapacity: true)
        let limit = limits.recordMaxBytes
        var isPartial = false
        withBody { input in
            do throws(StreamFault) {
                var position = 0
                while output.count <= limit {
                    let before = output.count
                    position += try unzstd.decompress(
                        input.extracting(position...),
                        isLast: true,
                        into: &output,
                        outputMax: limit + 1 - output.count
                    )
                    if position == input.count, output.count == before { break }
                }
            } catch {
                isPartial = true
            }
        }
        spareBody = output
        guard spareBody.count <= limit else { return .bodyTooLarge }
        record.isBodyPartial = record.isBodyPartial || isPartial
        keepExpanded()
        return nil
    }

    /// Undoes the chunked transfer encoding (RFC 9112, section 7.1), if the payload really has it.
    private mutating func dechunk() {
        let payload = record.payload
        var output = spareBody
        spareBody = []
        output.removeAll(keepingCapacity: true)
        var index = payload.lowerBound
        var isFirst = true
        var isWhole = false
        while let size = Self.chunkSize(bytes, &index, payload.upperBound) {
            isFirst = false
            if size == 0 {
                isWhole = true
                break
            }
            let stop = index + min(size, payload.upperBound - index)
            output.append(contentsOf: bytes[index..<stop])
            guard stop - index == size else { break }
            index = stop
            if index < payload.upperBound, bytes[index] == 13 { index += 1 }
            guard index < payload.upperBound, bytes[index] == 10 else { break }
            index += 1
        }
        spareBody = output
        guard !isFirst else { return }
        record.isBodyPartial = !isWhole
        keepExpanded()
    }

    /// Reads the line with the size of a chunk, and moves behind it.
    private static func chunkSize(_ bytes: [UInt8], _ index: inout Int, _ end: Int) -> Int? {
        var size = 0
        var digits = 0
        var at = index
        while at < end, let digit = hexDigit(bytes[at]) {
            guard digits < 15 else { return nil }
            size = size << 4 | digit
            digits += 1
            at += 1
        }
        guard digits > 0 else { return nil }
        // Extensions follow a semicolon. A line that goes on in any other way is not one of these.
        while at < end, bytes[at] == 32 || bytes[at] == 9 { at += 1 }
        if at < end, bytes[at] == UInt8(ascii: ";") {
            let lineEnd = min(end, at + 4_096)
            while at < lineEnd, bytes[at] != 13 { at += 1 }
        }
        // Strictly, since the first such line is what tells a chunked payload from one that is only said to be.
        guard end - at >= 2, bytes[at] == 13, bytes[at + 1] == 10 else { return nil }
        index = at + 2
        return size
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case 48...57: Int(byte) - 48
        case 65...70: Int(byte) - 55
        case 97...102: Int(byte) - 87
        default: nil
        }
    }
}
