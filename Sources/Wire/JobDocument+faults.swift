import Core

/// Reads values out of a JSON document and notes every fault on the way.
///
/// Pointers are auto-closures: a document without faults builds none of them.
struct DocumentReader {
    private(set) var violations: [Violation] = []
    private var faultsBeyond = 0

    var isClean: Bool { violations.isEmpty }

    mutating func fault(_ pointer: String, _ message: String) {
        if violations.count < JobLimits.faultsMax {
            violations.append(Violation(pointer, message))
        } else {
            faultsBeyond += 1
        }
    }

    /// Throws what was noted.
    func finish(_ what: String) throws(Failure) {
        guard !violations.isEmpty else { return }
        let count = violations.count + faultsBeyond
        let listed = faultsBeyond > 0 ? " The first \(violations.count) are listed." : ""
        throw Failure(
            .invalid,
            "This \(what) has \(count == 1 ? "a fault" : "\(count) faults"); mend it and send it again.\(listed)",
            violations: violations
        )
    }

    mutating func members(_ value: JSON, at pointer: @autoclosure () -> String) -> [(key: String, value: JSON)] {
        if case .object(let members) = value { return members }
        fault(pointer(), "must be an object, not \(value.kind)")
        return []
    }

    mutating func items(
        _ value: JSON,
        of what: String,
        _ range: ClosedRange<Int>,
        at pointer: @autoclosure () -> String
    ) -> [JSON] {
        guard case .array(let items) = value else {
            fault(pointer(), "must be a list of \(what), not \(value.kind)")
            return []
        }
        guard range.contains(items.count) else {
            fault(
                pointer(),
                items.isEmpty
                    ? "must not be empty" : "may have at most \(range.upperBound) \(what); this has \(items.count)"
            )
            return []
        }
        return items
    }

    mutating func unknownKey(_ key: String, among known: [String], at base: String) {
        let close = nearest(to: key, among: known).map { "; did you mean '\($0)'?" }
        fault(
            base + "/" + escaped(key),
            "is not a known key" + (close ?? "; the known ones are " + known.joined(separator: ", "))
        )
    }

    mutating func string(
        _ value: JSON,
        _ lengthBytes: ClosedRange<Int>,
        at pointer: @autoclosure () -> String
    ) -> String? {
        guard case .string(let text) = value else {
            fault(pointer(), "must be a string, not \(value.kind)" + quoteHint(value))
            return nil
        }
        guard lengthBytes.contains(text.utf8.count) else {
            fault(
                pointer(),
                text.isEmpty
                    ? "must not be empty" : "may be \(lengthBytes.upperBound) bytes long; this has \(text.utf8.count)"
            )
            return nil
        }
        guard !text.utf8.contains(0) else {
            fault(pointer(), "must not contain a NUL character")
            return nil
        }
        return text
    }

    mutating func name<Tag>(_ value: JSON, at pointer: @autoclosure () -> String) -> Name<Tag>? {
        guard case .string(let text) = value else {
            fault(pointer(), "must be a string, not \(value.kind)" + quoteHint(value))
            return nil
        }
        if let name = Name<Tag>(text) { return name }
        fault(pointer(), "\(shown(text)) is not a name: \(Name<Tag>.rule)")
        return nil
    }

    mutating func artifactName(_ text: String, at pointer: @autoclosure () -> String) -> String? {
        if isArtifactName(text) { return text }
        fault(
            pointer(),
            "\(shown(text)) is not a name: use 1 to \(JobLimits.artifactNameBytesMax) characters of A-Z, a-z, 0-9, "
                + "'.', '_' and '-', not beginning with '.'"
        )
        return nil
    }

    mutating func bool(_ value: JSON, at pointer: @autoclosure () -> String) -> Bool? {
        if case .bool(let value) = value { return value }
        fault(pointer(), "must be true or false, not \(value.kind)")
        return nil
    }

    mutating func integer(
        _ value: JSON,
        _ range: ClosedRange<Int>,
        at pointer: @autoclosure () -> String
    ) -> Int? {
        if let integer = whole(value), range.contains(integer) { return integer }
        fault(pointer(), "must be an integer from \(range.lowerBound) to \(range.upperBound), not \(shown(value))")
        return nil
    }

    /// A whole number of seconds, or text such as `90s`, `10m`, `1h30m`, `1d`.
    mutating func seconds(
        _ value: JSON,
        _ range: ClosedRange<Int>,
        at pointer: @autoclosure () -> String
    ) -> Int? {
        let seconds: Int? = if case .string(let text) = value { WireDuration.seconds(text) } else { whole(value) }
        if let seconds, range.contains(seconds) { return seconds }
        fault(
            pointer(),
            "must be a time from \(WireDuration.text(range.lowerBound)) to \(WireDuration.text(range.upperBound)), "
                + "such as 90s, 10m, 2h, 1d or a number of seconds, not \(shown(value))"
        )
        return nil
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ value: JSON,
        at pointer: @autoclosure () -> String
    ) -> Value? where Value.RawValue == String {
        if case .string(let text) = value, let choice = Value(rawValue: text) { return choice }
        let known = Value.allCases.map(\.rawValue)
        let close = value.stringValue.flatMap { nearest(to: $0, among: known) }.map { "; did you mean '\($0)'?" } ?? ""
        fault(pointer(), "must be one of \(known.joined(separator: ", ")), not \(shown(value))\(close)")
        return nil
    }
}

/// Spans of time as people write them in job files.
public enum WireDuration {
    /// Reads `90s`, `10m`, `2h`, `1d` and sums of them from the largest unit down such as `1h30m`; `nil` otherwise.
    public static func seconds(_ text: String) -> Int? {
        var total = 0
        var number: Int?
        var smallest = Int.max
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                let next = (number ?? 0) * 10 + Int(byte - UInt8(ascii: "0"))
                guard next < 1_000_000_000 else { return nil }
                number = next
            default:
                let unit: Int
                switch byte {
                case UInt8(ascii: "s"): unit = 1
                case UInt8(ascii: "m"): unit = 60
                case UInt8(ascii: "h"): unit = 3600
                case UInt8(ascii: "d"): unit = 86_400
                default: return nil
                }
                guard let count = number, unit < smallest else { return nil }
                total += count * unit
                smallest = unit
                number = nil
            }
        }
        return number == nil && smallest != .max ? total : nil
    }

    /// The shortest such text for a whole number of seconds.
    public static func text(_ seconds: Int) -> String {
        if seconds == 0 { return "0s" }
        var rest = seconds
        var out = ""
        for (unit, letter) in [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")] where rest >= unit {
            out += "\(rest / unit)\(letter)"
            rest %= unit
        }
        return out
    }
}

func isArtifactName(_ text: String) -> Bool {
    (1...JobLimits.artifactNameBytesMax).contains(text.utf8.count) && text.utf8.first != UInt8(ascii: ".")
        && text.utf8.allSatisfy(isFileNameByte)
}

private func isFileNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
        true
    default: false
    }
}

/// A letter or `_`, then letters, digits and `_`; parameters may have `-` and `.` too.
func isIdentifier(_ text: String, allowing extra: [UInt8] = []) -> Bool {
    var isFirst = true
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): break
        case UInt8(ascii: "0")...UInt8(ascii: "9") where !isFirst: break
        case _ where !isFirst && extra.contains(byte): break
        default: return false
        }
        isFirst = false
    }
    return !isFirst
}

/// The value as a whole number; `2.0` counts, as it does in JSON Schema.
func whole(_ value: JSON) -> Int? {
    switch value {
    case .integer(let integer): Int(exactly: integer)
    case .number(let number): number.magnitude < 0x1p53 ? Int(exactly: number) : nil
    case .null, .bool, .string, .array, .object: nil
    }
}

/// A key as a part of a JSON Pointer (RFC 6901, section 3).
func escaped(_ key: String) -> String {
    let short = key.utf8.count <= 80 ? key : String(key.prefix(80)) + "…"
    guard short.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return short }
    return short.map { $0 == "~" ? "~0" : $0 == "/" ? "~1" : String($0) }.joined()
}

/// A short form of a value for a message.
func shown(_ value: JSON) -> String {
    switch value {
    case .string(let text): shown(text)
    case .integer, .number, .bool: value.text
    case .null, .array, .object: value.kind
    }
}

func shown(_ text: String) -> String {
    let short = text.prefix(40)
    return "'\(short)\(short.endIndex == text.endIndex ? "" : "…")'"
}

private func quoteHint(_ value: JSON) -> String {
    switch value {
    case .integer, .number, .bool: ": write \"\(value.text)\" in quotes"
    case .null, .string, .array, .object: ""
    }
}

/// The known word that somebody probably meant, if any is near.
func nearest(to word: String, among known: [String]) -> String? {
    guard word.utf8.count <= 64 else { return nil }
    let given = Array(word.lowercased().utf8).map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    let ranked = known.map { (word: $0, distance: editDistance(given, Array($0.utf8))) }
    guard let best = ranked.min(by: { $0.distance < $1.distance }),
        best.distance <= max(1, min(3, max(given.count, best.word.utf8.count) / 3))
    else { return nil }
    return best.word
}

/// Levenshtein's distance: insertions, deletions and substitutions that turn one into the other.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    var row = Array(0...b.count)
    for i in a.indices {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let cost = a[i] == b[j] ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
            diagonal = row[j + 1]
            row[j + 1] = cost
        }
    }
    return row[b.count]
}
