extension WARCReader {
    enum Carving {
        case record
        case fault(WARCFault)
        /// Nothing more can be cut out of what was read.
        case none
    }

    /// Whether no more bytes will follow those that were read, as far as the records among them are concerned.
    private var isCut: Bool {
        if pending != nil { return true }
        if case .ended = source { return true }
        return false
    }

    /// Whether all of a gzip member was read and no other was begun.
    private var isAtMemberEnd: Bool {
        if case .boundary = source { return form == .gzip }
        return false
    }

    /// Cuts the next record out of what was read.
    mutating func carve() -> Carving {
        while true {
            switch expectation {
            case .record:
                guard let result = carveHead() else { continue }
                return result
            case .block:
                guard let result = carveBlock() else { continue }
                return result
            case .skip(let left):
                let count = min(left, end - begin)
                begin += count
                if left == count {
                    expectation = .record
                    continue
                }
                expectation = .skip(left - count)
                if case .ended = source { return returnToSkipped() }
                return .none
            case .anyRecord:
                guard findRecord() else { return .none }
                expectation = .record
            }
        }
    }

    /// At the place where a record should begin. Nothing when something else is expected now.
    private mutating func carveHead() -> Carving? {
        while begin < end, bytes[begin] == 13 || bytes[begin] == 10 { begin += 1 }
        if scanned == 0 { noteResumption() }
        guard begin < end else { return Carving.none }
        let available = end - begin
        guard available >= 8 || isCut else { return Carving.none }
        guard Self.hasVersion(bytes.span.extracting(begin..<end), at: 0) else {
            if pending != nil, available < 8 { return Carving.none }
            return lose(available < 8 ? .truncated : .garbage, after: 0)
        }
        let searched = begin..<(begin + min(available, limits.headMaxBytes))
        guard let length = Self.endOfHead(bytes.span.extracting(searched), from: scanned) else {
            if available > limits.headMaxBytes {
                // Not by one line only: every line of what was searched might look like a record's first.
                return lose(.head, after: limits.headMaxBytes * 3 / 4)
            }
            if isCut {
                // The damage of the member is the reason, and is told by itself.
                if pending != nil { return Carving.none }
                return lose(.truncated, after: 8)
            }
            scanned = max(0, available - 3)
            return Carving.none
        }
        scanned = 0
        record = WARCRecord()
        record.offset = position
        record.head = begin..<(begin + length)
        let kind = parseHead()
        guard let count = Self.number(bytes, field("content-length")) else { return lose(.noLength, after: length) }
        record.block = record.head.upperBound..<record.head.upperBound
        if form == .plain, let knownEnd, count > knownEnd - (position + length) {
            return lose(.length, after: length)
        }
        skipOffset = position + length
        guard let kind else {
            skipped += 1
            begin += length
            expectation = .skip(count)
            return nil
        }
        record.kind = kind
        guard count <= limits.recordMaxBytes else {
            begin += length
            expectation = .skip(count)
            return .fault(WARCFault(kind: .tooLarge(bytes: count), offset: record.offset))
        }
        record.block = record.head.upperBound..<(record.head.upperBound + count)
        expectation = .block
        return nil
    }

    private mutating func carveBlock() -> Carving? {
        guard end >= record.block.upperBound else {
            guard isCut else { return Carving.none }
            if pending != nil { return Carving.none }
            if let next = nextRecord(in: record.block.lowerBound..<end) { return cutShort(at: next) }
            begin = end
            expectation = .record
            return .fault(WARCFault(kind: .truncated, offset: record.offset))
        }
        var after = record.block.upperBound
        while after < end, bytes[after] == 13 || bytes[after] == 10 { after += 1 }
        if end - after < 8, !isCut, !isAtMemberEnd { return Carving.none }
        let isFollowed = after == end || Self.hasVersion(bytes.span.extracting(after..<end), at: 0)
        if !isFollowed, let next = nextRecord(in: record.block) { return cutShort(at: next) }
        begin = after
        expectation = .record
        noteResumption()
        if let kind = openBlock() { return .fault(WARCFault(kind: kind, offset: record.offset)) }
        return .record
    }

    /// The record's length is wrong, since another record begins inside its block.
    private mutating func cutShort(at next: Int) -> Carving {
        begin = next
        expectation = .record
        return .fault(WARCFault(kind: .length, offset: record.offset))
    }

    /// Gives up the record at `begin` and looks for another one from so many bytes later on.
    private mutating func lose(_ kind: WARCFault.Kind, after count: Int) -> Carving {
        let fault = WARCFault(kind: kind, offset: position)
        scanned = 0
        begin += count
        expectation = .anyRecord
        return .fault(fault)
    }

    /// The file has ended inside a record that was to be skipped: its length is wrong, or the file was cut off.
    private mutating func returnToSkipped() -> Carving {
        let fault = WARCFault(kind: .truncated, offset: record.offset)
        expectation = .anyRecord
        if form == .plain {
            // Its bytes may hold other records. Not a second time: the file's end is known from now on.
            offset = skipOffset
            begin = 0
            end = 0
            source = .boundary
        }
        return .fault(fault)
    }

    // MARK: - Looking for records

    /// Moves to the next place that may begin a record. What comes before is dropped.
    private mutating func findRecord() -> Bool {
        if let found = nextVersion(in: begin..<end) {
            begin = found
            return true
        }
        // Nothing was read of the next member yet.
        if isAtMemberEnd {
            // The next member begins with a record.
            begin = end
            return true
        }
        if isCut {
            begin = end
        } else {
            begin = max(begin, end - 9)
        }
        return false
    }

    /// Where a record begins after an empty line, as it does between records.
    private func nextRecord(in range: Range<Int>) -> Int? {
        var from = range.lowerBound
        while let found = nextVersion(in: from..<range.upperBound) {
            if found - range.lowerBound >= 2, bytes[found - 1] == 10,
                bytes[found - 2] == 10
                    || (bytes[found - 2] == 13 && found - range.lowerBound >= 3 && bytes[found - 3] == 10)
            {
                return found
            }
            from = found + 1
        }
        return nil
    }

    /// Where a version with a line's end after it stands. Not only at the beginning of a line, since what comes before
    /// it may be anything.
    private func nextVersion(in range: Range<Int>) -> Int? {
        let span = bytes.span.extracting(range)
        var index = 0
        while index < span.count {
            if span[index] == UInt8(ascii: "W"), Self.beginsVersionLine(span, at: index) {
                return range.lowerBound + index
            }
            index += 1
        }
        return nil
    }

    /// The length of a header with its empty line, or nothing when the empty line is not there.
    static func endOfHead(_ bytes: Span<UInt8>, from: Int) -> Int? {
        var index = from
        while index < bytes.count {
            if bytes[index] == 10 {
                if index + 1 < bytes.count, bytes[index + 1] == 10 { return index + 2 }
                if index + 2 < bytes.count, bytes[index + 1] == 13, bytes[index + 2] == 10 { return index + 3 }
            }
            index += 1
        }
        return nil
    }

    mutating func shiftRecord(by count: Int) {
        guard case .block = expectation else { return }
        func shift(_ range: inout Range<Int>) {
            guard range.lowerBound >= count else { return }
            range = (range.lowerBound - count)..<(range.upperBound - count)
        }
        shift(&record.targetURI)
        shift(&record.date)
        shift(&record.id)
        shift(&record.payloadDigest)
        shift(&record.blockDigest)
        shift(&record.language)
        shift(&record.truncated)
        shift(&record.contentType)
        shift(&record.charset)
        shift(&record.head)
        shift(&record.block)
        for index in fields.indices {
            let field = fields[index]
            var name = field.name
            var value = field.value
            shift(&name)
            shift(&value)
            fields[index] = WARCField(name: name, value: value)
        }
    }
}
