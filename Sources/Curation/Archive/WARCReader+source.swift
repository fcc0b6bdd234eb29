extension WARCReader {
    enum Fill {
        /// There is more in `bytes`, or `source` has changed.
        case filled
        case fault(WARCFault)
        case needMore(Int)
    }

    /// Reads on from the file, whose bytes from `offset` on are `rest`.
    mutating func fill(_ rest: Span<UInt8>, isLast: Bool) -> Fill {
        switch source {
        case .ended: .filled
        case .seeking: seek(rest, isLast: isLast)
        case .member: fillFromMember(rest, isLast: isLast)
        case .boundary:
            switch form {
            case .plain: fillPlain(rest, isLast: isLast)
            case .gzip: fillFromBoundary(rest, isLast: isLast)
            case .unknown: determineForm(rest, isLast: isLast)
            }
        }
    }

    private mutating func determineForm(_ rest: Span<UInt8>, isLast: Bool) -> Fill {
        if rest.count < 5, !isLast { return .needMore(Self.windowBytes) }
        if rest.isEmpty {
            source = .ended
        } else if Self.hasMagic(rest, at: 0) {
            form = .gzip
        } else if Self.hasVersion(rest, at: 0) || rest[0] == 13 || rest[0] == 10 {
            form = .plain
        } else {
            source = .seeking
            return .fault(WARCFault(kind: .garbage, offset: offset))
        }
        return .filled
    }

    private mutating func fillPlain(_ rest: Span<UInt8>, isLast: Bool) -> Fill {
        guard !rest.isEmpty else {
            if isLast {
                knownEnd = offset
                source = .ended
                return .filled
            }
            return .needMore(Self.windowBytes)
        }
        let count = min(rest.count, limits.windowMaxBytes)
        reserve(count)
        rest.extracting(..<count).withUnsafeBufferPointer { from in
            bytes.withUnsafeMutableBufferPointer { to in
                _ = UnsafeMutableBufferPointer(rebasing: to[end...]).update(from: from)
            }
        }
        end += count
        offset += count
        return .filled
    }

    /// At the beginning of a gzip member.
    private mutating func fillFromBoundary(_ rest: Span<UInt8>, isLast: Bool) -> Fill {
        if rest.isEmpty {
            guard isLast else { return .needMore(Self.windowBytes) }
            source = .ended
            return .filled
        }
        if rest.count < Self.probeBytes, !isLast { return .needMore(Self.windowBytes) }
        guard Self.hasMagic(rest, at: 0) else {
            pending = WARCFault(kind: .garbage, offset: offset)
            source = .seeking
            return .filled
        }
        if begin < end {
            // A record that goes on in the next member, unless another record begins there: then its length is wrong.
            if beginsRecord(rest) {
                let fault = WARCFault(kind: .length, offset: expectedOffset)
                dropPlain()
                return .fault(fault)
            }
        } else {
            if case .skip = expectation, beginsRecord(rest) {
                dropPlain()
                return .fault(WARCFault(kind: .length, offset: record.offset))
            }
            begin = 0
            end = 0
            scanned = 0
            if let done = decodeMember(rest, isLast: isLast) { return done }
        }
        memberOffset = offset
        memberBegin = end
        inflater.reset()
        source = .member
        return .filled
    }

    /// Decompresses the member at once, when it is whole and not too large.
    private mutating func decodeMember(_ rest: Span<UInt8>, isLast: Bool) -> Fill? {
        while true {
            let outcome = rest.withUnsafeBufferPointer { input in
                bytes.withUnsafeMutableBufferPointer { decoder.decode(.gzip, input, into: $0) }
            }
            switch outcome {
            case .decoded(let consumed, let produced):
                memberOffset = offset
                memberBegin = 0
                end = produced
                offset += consumed
                backtrackBytes += consumed
                return .filled
            case .noRoom:
                guard bytes.count < Self.wholeMemberMaxBytes else { return nil }
                let count = min(bytes.count * 2, Self.wholeMemberMaxBytes)
                bytes = [UInt8](repeating: 0, count: count)
            case .failed:
                // Cut off, most likely. Asked for only when much is missing, so that a window read anew is paid for by
                // what was read of the last one, however many members are damaged.
                guard !isLast, rest.count < limits.windowMaxBytes / 2 else { return nil }
                return .needMore(limits.windowMaxBytes)
            }
        }
    }

    private mutating func fillFromMember(_ rest: Span<UInt8>, isLast: Bool) -> Fill {
        if rest.isEmpty, !isLast { return .needMore(Self.windowBytes) }
        reserve(Self.pieceBytes)
        let step = rest.withUnsafeBufferPointer { input in
            bytes.withUnsafeMutableBufferPointer { output in
                inflater.inflate(
                    input,
                    into: UnsafeMutableBufferPointer(rebasing: output[end..<(end + Self.pieceBytes)])
                )
            }
        }
        end += step.produced
        offset += step.consumed
        switch step.outcome {
        case .finished:
            source = .boundary
            backtrackBytes += offset - memberOffset
        case .more:
            if step.produced < Self.pieceBytes, step.consumed == rest.count, isLast { lose(.truncated) }
        case .damaged: lose(.damaged)
        case .checksum:
            // A record that was read whole may still be the one that is wrong.
            end = max(begin, memberBegin)
            lose(.checksum)
        }
        return .filled
    }

    /// Gives up the member that is being read, and looks for another one from its beginning on.
    private mutating func lose(_ kind: WARCFault.Kind) {
        pending = WARCFault(kind: kind, offset: memberOffset)
        source = .seeking
        let back = min(offset - (memberOffset + 1), backtrackBytes, 1 << 20)
        if back > 0 {
            offset -= back
            backtrackBytes -= back
        }
    }

    /// Makes room for so many bytes after `end`.
    private mutating func reserve(_ count: Int) {
        if begin > 0 {
            let moved = end - begin
            bytes.withUnsafeMutableBufferPointer { buffer in
                guard moved > 0, let base = buffer.baseAddress else { return }
                base.update(from: base + begin, count: moved)
            }
            // Below zero when the member's beginning is gone.
            memberBegin -= begin
            shiftRecord(by: begin)
            begin = 0
            end = moved
        }
        if bytes.count - end < count {
            let wanted = max(end + count, min(bytes.count * 2, bytes.count + (64 << 20)))
            bytes.append(contentsOf: repeatElement(0, count: wanted - bytes.count))
        }
    }

    // MARK: - Finding the next record

    /// Looks for a gzip member that begins with a record, or for a plain record when the form is not known yet.
    private mutating func seek(_ rest: Span<UInt8>, isLast: Bool) -> Fill {
        var index = 0
        while index < rest.count {
            let byte = rest[index]
            if byte == 0x1F, form != .plain {
                if rest.count - index < Self.probeBytes, !isLast { break }
                if Self.hasMagic(rest, at: index), beginsRecord(rest.extracting(index...)) {
                    form = .gzip
                    break
                }
            } else if byte == UInt8(ascii: "W"), form != .gzip {
                if rest.count - index < 9, !isLast { break }
                if Self.beginsVersionLine(rest, at: index), index == 0 || rest[index - 1] == 10 {
                    form = .plain
                    break
                }
            }
            index += 1
        }
        offset += index
        if index == rest.count {
            guard isLast else { return .needMore(Self.windowBytes) }
            source = .ended
            return .filled
        }
        let isFound = form == .plain || rest.count - index >= Self.probeBytes || isLast
        guard isFound, form != .unknown else { return .needMore(Self.windowBytes) }
        source = .boundary
        expectation = .record
        resumeOffset = offset
        return .filled
    }

    /// Whether the bytes are the beginning of a gzip member whose content begins a record.
    private mutating func beginsRecord(_ rest: Span<UInt8>) -> Bool {
        var start: (UInt64, UInt64) = (0, 0)
        inflater.reset()
        let step = rest.extracting(..<min(rest.count, Self.probeBytes)).withUnsafeBufferPointer { input in
            withUnsafeMutableBytes(of: &start) { output in
                output.withMemoryRebound(to: UInt8.self) { inflater.inflate(input, into: $0) }
            }
        }
        return withUnsafeBytes(of: &start) { found in
            step.produced >= 8 && found.starts(with: "WARC/".utf8) && Self.isDigit(found[5]) && found[6] == 0x2E
        }
    }

    static func hasMagic(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        index + 2 < bytes.count && bytes[index] == 0x1F && bytes[index + 1] == 0x8B && bytes[index + 2] == 8
    }

    /// Whether `WARC/` and a version stand at the index.
    static func hasVersion(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        guard index >= 0, bytes.count - index >= 8 else { return false }
        return bytes[index] == UInt8(ascii: "W") && bytes[index + 1] == UInt8(ascii: "A")
            && bytes[index + 2] == UInt8(ascii: "R") && bytes[index + 3] == UInt8(ascii: "C")
            && bytes[index + 4] == UInt8(ascii: "/") && isDigit(bytes[index + 5])
            && bytes[index + 6] == UInt8(ascii: ".") && isDigit(bytes[index + 7])
    }

    /// Whether a line that is a version begins at the index.
    static func beginsVersionLine(_ bytes: Span<UInt8>, at index: Int) -> Bool {
        guard hasVersion(bytes, at: index), bytes.count - index >= 9 else { return false }
        return bytes[index + 8] == 13 || bytes[index + 8] == 10
    }

    static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
