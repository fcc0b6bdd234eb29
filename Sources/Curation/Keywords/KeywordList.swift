/// The normal form of a word.
struct KeywordForm: Sendable {
    var count: Int
    var needsStart: Bool
    var needsEnd: Bool
}

/// A keyword pack being read.
struct KeywordList {
    private(set) var words: [Keyword] = []
    private(set) var categories: [String] = []
    private(set) var forms: [KeywordForm] = []
    /// The normal forms, one behind the other.
    private(set) var pool: [UInt8] = []
    private(set) var duplicateCount = 0
    private var view: NormalizedText
    private var seen: Set<[UInt8]> = []
    private var categoryIndexes: [String: Int] = [:]
    private static let reportLimit = 100
    private static let weightLimit = 1_000_000

    init(table: NormalizationTable) { view = NormalizedText(table: table) }

    mutating func read(_ file: Span<UInt8>) throws(KeywordError) {
        var bad: [Int] = []
        var line = 0
        var start = 0
        if file.count >= 3, file[0] == 0xEF, file[1] == 0xBB, file[2] == 0xBF { start = 3 }
        while start < file.count {
            var end = start
            while end < file.count, file[end] != 0x0A { end += 1 }
            line += 1
            var last = end
            if last > start, file[last - 1] == 0x0D { last -= 1 }
            if last > start, file[start] != 0x23 {
                let isGood = try readLine(file.extracting(start..<last))
                if !isGood, bad.count < Self.reportLimit { bad.append(line) }
            }
            start = end + 1
        }
        if !bad.isEmpty { throw .badLines(bad) }
        if words.isEmpty { throw .noWords }
    }

    private mutating func readLine(_ line: Span<UInt8>) throws(KeywordError) -> Bool {
        guard line.count <= 3 * KeywordPack.wordLimitBytes else { return false }
        var copy: [UInt8] = []
        copy.reserveCapacity(line.count)
        for i in 0..<line.count { copy.append(line[i]) }
        guard let text = String(validating: copy, as: UTF8.self) else { return false }
        let fields = text.split(separator: "\t", omittingEmptySubsequences: false)
        guard fields.count <= 3, let word = fields.first, !word.isEmpty else { return false }
        var weight = 1
        if fields.count == 3, !fields[2].isEmpty {
            guard let value = Int(fields[2]), (1...Self.weightLimit).contains(value) else { return false }
            weight = value
        }
        let bytes = Array(word.utf8)
        view.set(bytes.span)
        guard view.count > 0, view.count <= KeywordPack.wordLimitBytes else { return false }
        var form: [UInt8] = []
        for i in 0..<view.count { form.append(view.buffer[i]) }
        guard form.contains(where: { $0 > 0x20 }) else { return false }
        guard seen.insert(form).inserted else {
            duplicateCount += 1
            return true
        }
        if words.count == KeywordPack.wordLimit { throw .tooManyWords }
        let name = fields.count > 1 ? String(fields[1]) : ""
        let category: Int
        if let known = categoryIndexes[name] {
            category = known
        } else {
            if categories.count == KeywordPack.categoryLimit { throw .tooManyCategories }
            category = categories.count
            categoryIndexes[name] = category
            categories.append(name)
        }
        words.append(Keyword(text: String(word), category: category, weight: weight))
        forms.append(
            KeywordForm(
                count: form.count,
                needsStart: KeywordScanner.isAlphabetic(form.span, at: 0),
                needsEnd: KeywordScanner.isAlphabetic(form.span, before: form.count)
            )
        )
        pool.append(contentsOf: form)
        return true
    }
}
