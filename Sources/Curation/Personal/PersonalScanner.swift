import CCuration

/// Finds personal data in UTF-8 text: Chinese and international identifiers, addresses and names.
///
/// A first pass in C finds the few places where personal data can be: digits, `@`, colons and characters of cue words. What is
/// there is then judged by shape, check characters and the words before it. Overlaps are resolved by ``PersonalKind``'s order.
/// Linear in the text: each place looks at a bounded neighbourhood.
///
/// Keep one per thread and reuse it; it owns its scratch. Any bytes are taken; text that is not UTF-8 is only searched less well.
public struct PersonalScanner: Sendable {
    static let eventLimit = 1024

    let tables = PersonalTables()
    let cues = PersonalCues()
    private var events: [onepoint_personal_event]
    /// The cluster of digits being judged: ASCII, whatever the width was.
    var digits: [UInt8]
    /// Where each of `digits` begins, and the last ends, from `clusterStart` on.
    var offsets: [UInt16]
    var pieces: [onepoint_personal_group]
    /// Whether a digit is full-width.
    var isWide = false
    var clusterStart = 0
    var groups: [DigitGroup] = []
    var found: [PersonalMatch] = []
    /// Nothing before this offset may become part of another address.
    var addressFloor = 0
    /// An IBAN in capitals and without spaces.
    var code: [UInt8] = []
    /// The text of the pass before, and what is left in it, while masking.
    var previous: [UInt8] = []
    var remaining: [PersonalMatch] = []

    public init() {
        let room = Int(ONEPOINT_PERSONAL_CLUSTER_MAX) + 1
        digits = Array(repeating: 0, count: room)
        offsets = Array(repeating: 0, count: room)
        pieces = Array(repeating: onepoint_personal_group(start: 0, end: 0, separator: 0, has_letters: 0), count: room)
        events = Array(repeating: onepoint_personal_event(start: 0, end: 0, kind: 0), count: Self.eventLimit)
    }

    /// Appends what is found in `text` to `matches`: disjoint, in order of their place, at character boundaries.
    public mutating func scan(_ text: Span<UInt8>, into matches: inout [PersonalMatch]) {
        found.removeAll(keepingCapacity: true)
        addressFloor = 0
        var from = 0
        while from < text.count {
            var next = 0
            let count = text.withUnsafeBufferPointer { bytes in
                tables.flags.withUnsafeBufferPointer { flags in
                    events.withUnsafeMutableBufferPointer { events in
                        onepoint_personal_scan(
                            bytes.baseAddress,
                            bytes.count,
                            from,
                            flags.baseAddress,
                            events.baseAddress,
                            events.count,
                            &next
                        )
                    }
                }
            }
            for i in 0..<count { judge(events[i], in: text) }
            from = next
        }
        resolve(into: &matches)
    }

    private mutating func judge(_ event: onepoint_personal_event, in text: Span<UInt8>) {
        switch Int(event.kind) {
        case Int(ONEPOINT_PERSONAL_NUMBER): judgeNumber(event.start, event.end, in: text)
        case Int(ONEPOINT_PERSONAL_AT): judgeEmail(at: event.start, end: event.end, in: text)
        case Int(ONEPOINT_PERSONAL_COLON): judgeIPv6(colon: event.start, in: text)
        case Int(ONEPOINT_PERSONAL_DOOR): judgeAddress(door: event.start, end: event.end, in: text)
        default: judgeCharacter(at: event.start, in: text)
        }
    }

    mutating func add(_ kind: PersonalKind, _ start: Int, _ end: Int) {
        found.append(PersonalMatch(start: start, end: end, kind: kind))
    }

    /// Sorts what was found and keeps, of two that overlap, the one of the earlier kind, then the longer, then the first.
    private mutating func resolve(into matches: inout [PersonalMatch]) {
        found.sort { ($0.start, $0.kind.rawValue, $1.end) < ($1.start, $1.kind.rawValue, $0.end) }
        let first = matches.count
        for match in found {
            guard matches.count > first, let last = matches.last, last.end > match.start else {
                matches.append(match)
                continue
            }
            if match.kind.rawValue < last.kind.rawValue
                || (match.kind == last.kind && match.end - match.start > last.end - last.start)
            {
                matches[matches.count - 1] = match
            }
        }
    }
}
