import CVectorscan

/// A list of words compiled for being looked for, at about the speed of memory whatever their number.
///
/// A pack is a text file, one word a line: `word`, `word<TAB>category` or `word<TAB>category<TAB>weight`; lines that are
/// empty or begin with `#` are skipped, and so are a byte order mark and `\r` at the ends of lines. Words are compared in
/// their normal form (``NormalizedText``); of those with the same form the first stands. A word that begins or ends with a
/// letter or digit of an alphabet matches only where no such character is beside it: `ass` is not in `class`, though it is
/// in `大ass大`.
///
/// Immutable, and shared by threads; each has its own ``KeywordScanner``.
///
/// `@unchecked Sendable`: Vectorscan never writes to a compiled database, and nothing else changes.
public final class KeywordPack: @unchecked Sendable {
    public static let wordLimit = 1_000_000
    public static let wordLimitBytes = 256
    public static let categoryLimit = 10_000

    /// The distinct words, in the file's order.
    public let words: [Keyword]
    /// The categories' names, in the order of their first words. Words without one are in the category `""`.
    public let categories: [String]
    /// Words that were left out because an earlier one has the same normal form.
    public let duplicateCount: Int
    let table: NormalizationTable
    let database: OpaquePointer
    /// The length of each word's normal form in bytes, and whether its ends need a boundary.
    let forms: [KeywordForm]
    let longestForm: Int

    /// Reads and compiles a pack. Takes about 25 microseconds a word.
    public init(_ file: Span<UInt8>, table: NormalizationTable) throws(KeywordError) {
        var list = KeywordList(table: table)
        try list.read(file)
        self.table = table
        words = list.words
        categories = list.categories
        duplicateCount = list.duplicateCount
        forms = list.forms
        longestForm = list.forms.map(\.count).max() ?? 0
        database = try Self.compile(list)
    }

    deinit { hs_free_database(database) }

    /// How many distinct words each category has, in the order of ``categories``.
    public var counts: [(category: String, words: Int)] {
        var counts = [Int](repeating: 0, count: categories.count)
        for word in words { counts[word.category] += 1 }
        return zip(categories, counts).map { ($0, $1) }
    }

    private static func compile(_ list: KeywordList) throws(KeywordError) -> OpaquePointer {
        var database: OpaquePointer?
        var message = ""
        let ids = (0..<UInt32(list.words.count)).map { $0 }
        let flags = [UInt32](repeating: 0, count: ids.count)
        let lengths = list.forms.map(\.count)
        let result = list.pool.withUnsafeBufferPointer { pool in
            pool.withMemoryRebound(to: CChar.self) { pool in
                var starts: [UnsafePointer<CChar>?] = []
                starts.reserveCapacity(ids.count)
                var at = 0
                for length in lengths {
                    starts.append(pool.baseAddress.map { $0 + at })
                    at += length
                }
                var error: UnsafeMutablePointer<hs_compile_error_t>?
                let result = hs_compile_lit_multi(
                    starts,
                    flags,
                    ids,
                    lengths,
                    UInt32(ids.count),
                    UInt32(HS_MODE_BLOCK),
                    nil,
                    &database,
                    &error
                )
                if let error {
                    message = error.pointee.message.map { String(cString: $0) } ?? ""
                    hs_free_compile_error(error)
                }
                return result
            }
        }
        guard result == HS_SUCCESS, let database else {
            throw .cannotCompile(message.isEmpty ? "code \(result)" : message)
        }
        return database
    }
}
