extension PersonalScanner {
    /// Passes over masked text until nothing more is found in it; each takes away at least one finding.
    private static let passLimit = 8

    /// Finds personal data and does with it what `policy` says.
    ///
    /// Masking is repeated on its own output until no kind to mask is left, so that masking the output again changes nothing;
    /// eight passes at most, of which ordinary text needs two.
    ///
    /// - Parameters:
    ///   - matches: What was found in `text` is appended, whatever is done with it.
    ///   - output: Replaced by the masked text when the outcome is `masked`; otherwise emptied.
    public mutating func redact(
        _ text: Span<UInt8>,
        policy: PersonalPolicy,
        matches: inout [PersonalMatch],
        into output: inout [UInt8]
    ) -> PersonalOutcome {
        output.removeAll(keepingCapacity: true)
        let first = matches.count
        scan(text, into: &matches)
        var hasMask = false
        for i in first..<matches.count {
            switch policy[matches[i].kind] {
            case .report: continue
            case .mask: hasMask = true
            case .drop: return .dropped
            }
        }
        guard hasMask else { return .unchanged }
        Self.mask(text, matches[first...], policy, into: &output)
        // Both are taken out of `self` while it scans, and put back with their capacity.
        var left = remaining
        var from = previous
        remaining = []
        previous = []
        for _ in 1..<Self.passLimit {
            left.removeAll(keepingCapacity: true)
            scan(output.span, into: &left)
            guard left.contains(where: { policy[$0.kind] != .report }) else { break }
            swap(&from, &output)
            output.removeAll(keepingCapacity: true)
            Self.mask(from.span, left[...], policy, into: &output)
        }
        remaining = left
        previous = from
        return .masked
    }

    /// A kind to drop documents for that only masking uncovered is masked: the document was judged as it came.
    private static func mask(
        _ text: Span<UInt8>,
        _ matches: ArraySlice<PersonalMatch>,
        _ policy: PersonalPolicy,
        into output: inout [UInt8]
    ) {
        output.reserveCapacity(text.count)
        var from = 0
        for match in matches where policy[match.kind] != .report {
            text.extracting(from..<match.start).withUnsafeBufferPointer { output.append(contentsOf: $0) }
            match.kind.placeholder.withUTF8Buffer { output.append(contentsOf: $0) }
            from = match.end
        }
        text.extracting(from..<text.count).withUnsafeBufferPointer { output.append(contentsOf: $0) }
    }
}
