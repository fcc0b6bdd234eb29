import Core

/// Says in Chinese what the point says in English: reasons, outcomes, memos.
///
/// The point keeps its sentences as it said them, some of them in its log, and they are English. They are made from few
/// patterns, so each is found again by its pattern, and what stood in its gaps is carried over, itself translated where
/// it follows a pattern.
struct Sentence: Sendable {
    /// The text of a pattern between its gaps, and which gap follows each piece but the last.
    private let literals: [[UInt8]]
    private let gaps: [Int]
    /// Gaps that hold a list: `a, b and c`.
    private let lists: Set<Int>
    private let translation: String

    /// - Parameters:
    ///   - english: Such as `Project {0} has {1} credits left`; `{0…}` stands for a list.
    ///   - chinese: The same gaps in any order.
    init(_ english: some StringProtocol, _ chinese: some StringProtocol) {
        var literals: [[UInt8]] = []
        var gaps: [Int] = []
        var lists: Set<Int> = []
        var rest = english[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            let inside = rest[rest.index(after: open)..<close]
            guard let number = Int(inside.prefix { $0.isNumber }) else { break }
            literals.append(Array(rest[..<open].utf8))
            gaps.append(number)
            if inside.hasSuffix("…") { lists.insert(number) }
            rest = rest[rest.index(after: close)...]
        }
        literals.append(Array(rest.utf8))
        (self.literals, self.gaps, self.lists) = (literals, gaps, lists)
        translation = String(chinese)
    }

    private var weight: Int { literals.reduce(0) { $0 + $1.count } }

    /// What stands in the gaps; `nil` when the text does not follow the pattern.
    private func match(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>]? {
        guard text.starts(with: literals[0]) else { return nil }
        return match(text.dropFirst(literals[0].count), from: 0)
    }

    /// `text` begins with gap number `gap`; the shortest filling that lets the rest match.
    private func match(_ text: ArraySlice<UInt8>, from gap: Int) -> [ArraySlice<UInt8>]? {
        guard gap < gaps.count else { return text.isEmpty ? [] : nil }
        let literal = literals[gap + 1]
        if gap + 1 == gaps.count {
            guard text.count > literal.count, text.suffix(literal.count).elementsEqual(literal) else { return nil }
            return [text.dropLast(literal.count)]
        }
        var end = text.startIndex + 1
        while end + literal.count <= text.endIndex {
            if text[end...].starts(with: literal), let rest = match(text[(end + literal.count)...], from: gap + 1) {
                return [text[text.startIndex..<end]] + rest
            }
            end += 1
        }
        return nil
    }

    /// Deeper than this nothing is nested; longer texts are no sentences of ours.
    private static let depthMax = 6
    private static let bytesMax = 4000

    /// The sentence in Chinese; `nil` when it follows no pattern.
    static func chinese(_ english: String) -> String? {
        guard english.utf8.count <= bytesMax else { return nil }
        return chinese(Array(english.utf8)[...], depth: 0)
    }

    private static func chinese(_ text: ArraySlice<UInt8>, depth: Int) -> String? {
        // A single word in a gap is a name, also where it happens to be a word of ours.
        guard depth < depthMax, depth == 0 || text.contains(UInt8(ascii: " ")) else { return nil }
        for pattern in patterns {
            guard let found = pattern.match(text) else { continue }
            var out = pattern.translation
            for (gap, piece) in zip(pattern.gaps, found) {
                let filling = pattern.lists.contains(gap) ? list(piece, depth + 1) : filling(piece, depth + 1)
                out = out.replacing("{\(gap)}", with: filling)
            }
            return out
        }
        return nil
    }

    private static func filling(_ text: ArraySlice<UInt8>, _ depth: Int) -> String {
        chinese(text, depth: depth) ?? String(decoding: text, as: UTF8.self)
    }

    /// `a, b and c`, parted outside brackets only.
    private static func list(_ text: ArraySlice<UInt8>, _ depth: Int) -> String {
        var parts: [ArraySlice<UInt8>] = []
        var start = text.startIndex
        var place = start
        var brackets = 0
        while place < text.endIndex {
            let separator = [Array(", ".utf8), Array(" and ".utf8)].first { text[place...].starts(with: $0) }
            switch text[place] {
            case UInt8(ascii: "("): brackets += 1
            case UInt8(ascii: ")"): brackets -= 1
            default: break
            }
            guard brackets == 0, let separator else {
                place += 1
                continue
            }
            parts.append(text[start..<place])
            place += separator.count
            start = place
        }
        parts.append(text[start...])
        return parts.map { filling($0, depth) }.joined(separator: "、")
    }

    /// Those that say most come first, so that a general one never hides a special one.
    private static let patterns: [Sentence] = catalogue.split(separator: "\n").flatMap { line -> [Sentence] in
        let parts = line.split(separator: " ¦ ", maxSplits: 1)
        guard parts.count == 2 else { preconditionFailure("a pattern without a translation: \(line)") }
        guard parts[0].contains("(s)") else { return [Sentence(parts[0], parts[1])] }
        return ["", "s"].map { Sentence(parts[0].replacing("(s)", with: $0), parts[1]) }
    }.sorted { $0.weight > $1.weight }
}
