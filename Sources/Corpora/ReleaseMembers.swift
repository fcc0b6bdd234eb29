import Core
import Curation

/// What the records of a release are made of, for readers that want one form for all of them.
///
/// `datasets` guesses the columns by the first records and gives up at one that is new. Where records differ, the card
/// has to say what all of them may have.
struct ReleaseMembers {
    /// The type of a column, in the words of `datasets`.
    enum Column: String, Hashable {
        case null, string, bool, int64, float64
        /// Of any kind; kept as JSON.
        case json
        /// Text that begins with a day. Where all of a column does, readers take it for times and write them otherwise
        /// than they stood.
        case time
    }

    private struct Member {
        var name: [UInt8]
        var kinds: Set<Column> = []
        var records = 0
        /// The record that had it last, so that a repeated key counts once.
        var last = -1

        init(_ name: [UInt8]) { self.name = name }
    }

    private var members: [Member] = []
    private var places: [[UInt8]: Int] = [:]
    /// By place in the line, the member that the last record had there: most records are like the one before.
    private var recent: [Int] = []
    private var records = 0
    private var line = JSONLine()
    private var hasTooMany = false

    /// More columns than these describe nothing any more: some member's names are data.
    static let columnsMax = 500

    /// Takes in the lines of a part.
    mutating func take(_ lines: [UInt8]) {
        var start = 0
        while start < lines.count, !hasTooMany {
            let end = lines.lineEnd(from: start)
            defer { start = end + 1 }
            guard (try? line.read(lines.span, start..<end)) != nil else { continue }
            for (index, field) in line.fields.enumerated() {
                let place = place(of: field.key, at: index, in: lines)
                members[place].kinds.insert(Self.column(field, in: lines))
                if members[place].last != records {
                    members[place].last = records
                    members[place].records += 1
                }
            }
            records += 1
            hasTooMany = members.count > Self.columnsMax
        }
    }

    private mutating func place(of key: Range<Int>, at index: Int, in lines: [UInt8]) -> Int {
        if index < recent.count, members[recent[index]].name.elementsEqual(lines[key]) { return recent[index] }
        let name = Array(lines[key])
        let place = places[name] ?? members.count
        if place == members.count {
            members.append(Member(name))
            places[name] = place
        }
        if index < recent.count { recent[index] = place } else { recent.append(place) }
        return place
    }

    /// Whether all records have the same members, of the same kinds.
    var isUniform: Bool {
        !hasTooMany
            && members.allSatisfy { member in
                member.records == records && (member.kinds.count == 1 || member.kinds == [.string, .time])
            }
    }

    /// The columns that all records fit in, by name; `nil` where they are too many.
    var columns: [(name: String, type: Column)]? {
        guard !hasTooMany else { return nil }
        return members.map { member in
            // It stood between quotation marks, with escapes as JSON has them.
            let quoted = [UInt8(ascii: "\"")] + member.name + [UInt8(ascii: "\"")]
            let name = (try? JSON(parsing: quoted))?.stringValue ?? String(decoding: member.name, as: UTF8.self)
            return (name, Self.joined(member.kinds))
        }.sorted { $0.name < $1.name }
    }

    private static func joined(_ kinds: Set<Column>) -> Column {
        let kinds = kinds.subtracting([.null])
        switch kinds {
        case []: return .null
        case [.time]: return .json
        case [.time, .string]: return .string
        case [.int64, .float64]: return .float64
        default: return kinds.count == 1 ? kinds.first ?? .json : .json
        }
    }

    private static func column(_ field: JSONLine.Field, in bytes: [UInt8]) -> Column {
        switch field.kind {
        case .plainString: return isDay(bytes[field.value]) ? .time : .string
        case .escapedString: return .string
        case .object, .array: return .json
        case .literal: return bytes[field.value.lowerBound] == UInt8(ascii: "n") ? .null : .bool
        case .number:
            let isWhole = bytes[field.value].allSatisfy {
                $0 == UInt8(ascii: "-") || $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
            }
            // 18 digits fit for certain.
            return isWhole && field.value.count <= 18 ? .int64 : .float64
        }
    }

    /// Whether a string, quotation marks and all, begins as ISO 8601 writes days.
    private static func isDay(_ value: ArraySlice<UInt8>) -> Bool {
        let day = value.dropFirst().prefix(10)
        return day.count == 10
            && day.enumerated().allSatisfy { index, byte in
                index == 4 || index == 7
                    ? byte == UInt8(ascii: "-") : (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }
}
