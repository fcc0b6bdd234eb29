import CCuration

/// Judges documents by Gopher's, C4's and FineWeb's rules on English and by rules of our own on Chinese.
///
/// Words are made once and shared by all rules. On English the decision, the value behind it and the text that C4 edits
/// are those of datatrove 0.10.1 with its English tokenizer. Keep one value for each thread: it holds the scratch memory,
/// about 100 bytes for each byte of the longest text, and is given back after a text beyond 1 MiB.
public struct QualityRules: ~Copyable, Sendable {
    /// Which rules are tried, and how.
    public struct Configuration: Sendable {
        /// The filters that judge; those for the other language than the document's do not.
        public var filters: Set<QualityFilter>
        /// Thresholds that differ from a rule's own; an infinite one in the lax direction switches a rule off.
        public var thresholds: [QualityRule: Double] = [:]
        /// C4 drops lines without a mark at their end, as its paper has it; datatrove's users mostly switch it off.
        public var c4WantsLineEnds = false
        /// Judge no further than the first rule a document fails, which is faster and explains less.
        public var stopsAtFirstFailure = false

        public init(filters: Set<QualityFilter> = Set(QualityFilter.allCases)) { self.filters = filters }
    }

    /// Whose rules apply to a document.
    public enum Language: Sendable {
        case chinese
        case other

        /// - Parameter code: Of ISO 639 or BCP 47: "zh", "zho", "cmn", "yue", "lzh", alone or with subtags, are Chinese.
        public init(code: some StringProtocol) {
            // Two or three letters in small letters as one number; longer names are of no Chinese.
            var primary: UInt32 = 0
            for byte in code.utf8 {
                if byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") { break }
                guard primary < 1 << 24 else {
                    self = .other
                    return
                }
                primary = primary << 8 | UInt32(byte &- 0x41 < 26 ? byte | 0x20 : byte)
            }
            switch primary {
            // zh, zho, chi, cmn, yue, lzh, wuu
            case 0x7A68, 0x7A_686F, 0x63_6869, 0x63_6D6E, 0x79_7565, 0x6C_7A68, 0x77_7575: self = .chinese
            default: self = .other
            }
        }
    }

    /// What came of a document.
    public enum Verdict: Sendable, Equatable {
        case kept
        /// All rules passed and C4 has dropped lines: the text to keep is in `edited`.
        case keptEdited
        /// By this rule first; by others too, perhaps.
        case dropped(QualityRule)
    }

    /// Longer texts are dropped by `QualityRule.tooLarge` unseen, so that memory stays below 256 MB whatever the text.
    ///
    /// An English one of this size has three times the words that Gopher lets through; a Chinese novel may be as long as
    /// the limit for Chinese, whose rules need less.
    public static let textLimitBytes = 2 << 20
    public static let chineseTextLimitBytes = 8 << 20

    let configuration: Configuration
    private let thresholds: [Double]
    let tables = QualityTables()
    var tokenizer = EnglishTokenizer()
    var lineTokenizer = EnglishTokenizer()
    var runs = WordRuns()
    var lines = TextLines()
    var marks = TextMarks()
    var lineMarks = TextMarks()
    var chinese = ChineseMeasure()
    var splitLines = Scratch<LineBounds>()
    var editedLine = Scratch<UInt8>()
    private var buffer = Scratch<UInt8>()

    public init(_ configuration: Configuration) {
        self.configuration = configuration
        var thresholds = [Double](repeating: 0, count: 256)
        for rule in QualityRule.allCases {
            thresholds[Int(rule.rawValue)] = configuration.thresholds[rule] ?? rule.defaultThreshold
        }
        self.thresholds = thresholds
    }

    /// Judges a document.
    ///
    /// With C4 among the filters and passed, FineWeb judges the edited text, as it does behind C4 in a pipeline of
    /// datatrove's; else it judges the text itself.
    ///
    /// - Parameters:
    ///   - text: UTF-8.
    ///   - language: Chooses between the rules for Chinese and those for English.
    ///   - findings: Replaced by one finding for each rule that was tried, in order.
    ///   - edited: Replaced by the text that C4 leaves, if the verdict is `keptEdited`; else emptied.
    /// - Complexity: Linear in the text's length.
    public mutating func judge(
        _ text: Span<UInt8>,
        language: Language,
        into findings: inout [QualityFinding],
        edited: inout [UInt8]
    ) -> Verdict {
        findings.removeAll(keepingCapacity: true)
        edited.removeAll(keepingCapacity: true)
        let limit = language == .chinese ? Self.chineseTextLimitBytes : Self.textLimitBytes
        guard text.count <= limit else {
            findings.append(
                QualityFinding(rule: .tooLarge, measured: Double(text.count), threshold: Double(limit))
            )
            return .dropped(.tooLarge)
        }
        var isEdited = false
        Self.pad(text, into: &buffer)
        let base = UnsafePointer(buffer.base)
        switch language {
        case .chinese: judgeChinese(base, text.count, &findings)
        case .other: isEdited = judgeEnglish(base, text.count, &findings, &edited)
        }
        if buffer.count > 1 << 20 { releaseScratch() }
        if let failed = findings.first(where: { !$0.passed }) {
            edited.removeAll(keepingCapacity: true)
            return .dropped(failed.rule)
        }
        if isEdited, !isSame(text, edited) { return .keptEdited }
        edited.removeAll(keepingCapacity: true)
        return .kept
    }

    /// Adds a finding; false if judging is to stop with it.
    @discardableResult
    mutating func report(_ rule: QualityRule, _ measured: Double, _ findings: inout [QualityFinding]) -> Bool {
        let finding = QualityFinding(rule: rule, measured: measured, threshold: thresholds[Int(rule.rawValue)])
        findings.append(finding)
        return finding.passed || !configuration.stopsAtFirstFailure
    }

    /// Copies a text and puts blanks behind it, so that loads of several bytes need not mind its end.
    static func pad(_ text: Span<UInt8>, into padded: inout Scratch<UInt8>) {
        padded.removeAll()
        text.withUnsafeBufferPointer {
            if let base = $0.baseAddress { padded.append(base, count: $0.count) }
        }
        padded.append(repeating: 0x20, count: EnglishTokenizer.paddingBytes)
    }

    private func isSame(_ text: Span<UInt8>, _ edited: [UInt8]) -> Bool {
        guard text.count == edited.count else { return false }
        return text.withUnsafeBufferPointer { text in
            guard let base = text.baseAddress else { return true }
            return edited.withUnsafeBufferPointer { edited in
                guard let other = edited.baseAddress else { return true }
                return onepoint_bytes_equal(base, other, text.count)
            }
        }
    }

    /// Gives back what a long text has needed.
    private mutating func releaseScratch() {
        buffer = Scratch()
        tokenizer = EnglishTokenizer()
        lineTokenizer = EnglishTokenizer()
        runs = WordRuns()
        lines = TextLines()
        chinese = ChineseMeasure()
    }
}
