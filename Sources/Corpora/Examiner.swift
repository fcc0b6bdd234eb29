import Core
import Curation
import Wire

/// What the operators of one pipeline say of one text.
///
/// They run in one order: language, rules, classifiers, keywords, contamination, personal data; the first that will not have a text
/// ends it, unless all are to be listed. What duplicates are found by is made of the text as it will be written.
struct Examiner: ~Copyable {
    /// Of the last text.
    private(set) var outcome = Outcome()
    /// Whether it goes on after the first rule that would drop a text, and lists every rule.
    private let listsAll: Bool

    private var identifier: LanguageIdentifier?
    private let languages: PipelineDocument.Languages?
    private var rules: QualityRules?
    private let classifiers: [Operators.Classifier]
    private var classifierScratch = LinearScratch()
    private var keywords: [KeywordScanner]
    private let keywordWeightMin: Double
    private let dropsByKeywords: Bool
    private var contamination: (scanner: ContaminationScanner, policy: ContaminationPolicy)?
    private var personal: PersonalScanner?
    private let policy: PersonalPolicy
    private var tokenizer: TokenCounter?
    private var sketcher: DocumentSketcher?
    private var hasher: ExactHasher?
    private var repeatable: Stretches

    private var findings: [QualityFinding] = []
    private var matches: [PersonalMatch] = []
    private var edited: [UInt8] = []
    private var masked: [UInt8] = []
    private var words: [KeywordMatch] = []
    private var stretches: [ContaminationMatch] = []
    private var cut: [UInt8] = []
    /// What ``writeSketch(to:)`` writes.
    private var identity = TextHash(high: 0, low: 0)
    private var hasIdentity = false

    struct Outcome: Sendable {
        /// Of the text after all edits.
        var hash = TextHash(high: 0, low: 0)
        /// After all edits.
        var textBytes = 0
        var language: (code: String, probability: Double)?
        /// The first rule that would not have it.
        var dropped: Drop?
        var edits = TextEdits()
        var personal: [(name: String, count: Int)] = []
        var keywords: [(name: String, count: Int)] = []
        var tokens = 0
        /// Whether it has enough of an evaluation item.
        var isContaminated = false
        /// Every rule that was asked, where all were to be listed.
        var findings: [Explanation.Finding] = []
    }

    struct Drop: Sendable {
        var rule: String
        var value: Double?
        var threshold: Double?
    }

    /// - Throws: ``Failure`` when there is no memory for the operators.
    init(_ operators: Operators, listsAll: Bool = false) throws(Failure) {
        self.listsAll = listsAll
        do {
            keywords = try operators.keywords.map { try KeywordScanner(pack: $0) }
        } catch {
            throw Failure(.internal, "The operators cannot be made.", note: "\(error)")
        }
        identifier = operators.identifier
        languages = operators.languages
        classifiers = operators.classifiers
        tokenizer = operators.tokenizer
        keywordWeightMin = operators.keywordWeightMin
        dropsByKeywords = operators.dropsByKeywords
        repeatable = Stretches(operators)
        if var configuration = operators.rules {
            configuration.stopsAtFirstFailure = !listsAll
            rules = QualityRules(configuration)
        } else {
            rules = nil
        }
        contamination = operators.contamination.map { (ContaminationScanner(index: $0.index), $0.policy) }
        personal = operators.personal == nil ? nil : PersonalScanner()
        policy = operators.personal ?? PersonalPolicy()
        sketcher = operators.near.map { DocumentSketcher($0) }
        hasher = operators.near == nil && operators.findsExact ? ExactHasher() : nil
    }

    /// Judges a text; ``outcome`` has what was found.
    mutating func examine(_ text: Span<UInt8>) {
        outcome = Outcome()
        hasIdentity = false
        edited.removeAll(keepingCapacity: true)
        judgeLanguage(text)
        if outcome.dropped != nil, !listsAll { return seal(text) }
        let isEdited = judgeQuality(text)
        if outcome.dropped != nil, !listsAll { return seal(text) }
        guard isEdited else { return examineEdited(text) }
        let replacements =
            TextEdits.losses(from: text, to: edited.span) ?? [.init(range: 0..<text.count, bytes: edited)]
        outcome.edits.layers.append(replacements)
        let shorter = edited
        edited = []
        examineEdited(shorter.span)
        edited = shorter
    }

    /// The operators after the rules, on the text that they left.
    private mutating func examineEdited(_ text: Span<UInt8>) {
        classify(text)
        if outcome.dropped != nil, !listsAll { return seal(text) }
        lookForKeywords(text)
        if outcome.dropped != nil, !listsAll { return seal(text) }
        guard contamination != nil else { return mask(text) }
        stretches.removeAll(keepingCapacity: true)
        var output = cut
        cut = []
        defer { cut = output }
        let policy = contamination?.policy
        let result =
            contamination?.scanner.clean(text, policy: policy ?? .init(.report), matches: &stretches, into: &output)
            ?? .unchanged
        noteContamination(result)
        switch result {
        case .unchanged: mask(text)
        case .dropped: listsAll ? mask(text) : seal(text)
        case .cut:
            outcome.edits.layers.append(
                TextEdits.losses(from: text, to: output.span) ?? [.init(range: 0..<text.count, bytes: output)]
            )
            mask(output.span)
        }
    }

    private mutating func noteContamination(_ result: ContaminationOutcome) {
        let share = stretches.map(\.share).max() ?? 0
        let threshold = contamination?.policy.shareMin ?? 0
        outcome.isContaminated = share > 0 && share >= threshold
        if result == .dropped, outcome.dropped == nil {
            outcome.dropped = Drop(rule: "contamination/evaluation", value: share, threshold: threshold)
        }
        guard listsAll else { return }
        outcome.findings.append(
            .init(
                rule: "contamination/evaluation",
                version: 1,
                value: rounded(share),
                threshold: threshold,
                passed: result != .dropped
            )
        )
    }

    private mutating func mask(_ text: Span<UInt8>) {
        guard personal != nil else { return seal(text) }
        matches.removeAll(keepingCapacity: true)
        var output = masked
        masked = []
        defer { masked = output }
        let result =
            personal?.redact(text, policy: policy, matches: &matches, into: &output) ?? PersonalOutcome.unchanged
        if !matches.isEmpty {
            var counts = [Int](repeating: 0, count: PersonalKind.allCases.count)
            for match in matches { counts[Int(match.kind.rawValue)] += 1 }
            for kind in PersonalKind.allCases where counts[Int(kind.rawValue)] > 0 {
                outcome.personal.append((kind.name, counts[Int(kind.rawValue)]))
            }
        }
        switch result {
        case .unchanged: seal(text)
        case .dropped:
            let kind = matches.first { policy[$0.kind] == .drop }?.kind
            if outcome.dropped == nil { outcome.dropped = Drop(rule: "personal/\(kind?.name ?? "unknown")") }
            seal(text)
        case .masked:
            outcome.edits.layers.append(replacements(from: text, to: output))
            seal(output.span)
        }
    }

    /// What masking did, by the findings; as a whole where masking uncovered more.
    private func replacements(from text: Span<UInt8>, to output: [UInt8]) -> [TextEdits.Replacement] {
        var replacements: [TextEdits.Replacement] = []
        for match in matches where policy[match.kind] == .mask {
            let placeholder = PersonalKind.placeholders[Int(match.kind.rawValue)]
            replacements.append(.init(range: match.start..<match.end, bytes: placeholder))
        }
        var again: [UInt8] = []
        TextEdits.apply(replacements, to: text, into: &again)
        return again == output ? replacements : [.init(range: 0..<text.count, bytes: output)]
    }

    private mutating func judgeLanguage(_ text: Span<UInt8>) {
        guard let guess = identifier?.identify(text) else { return }
        outcome.language = (guess.code, Double(guess.probability))
        guard let languages else { return }
        let isSure = Double(guess.probability) >= languages.probabilityMin
        let passed = isSure && languages.keep.contains(guess.code)
        if !passed {
            outcome.dropped = Drop(
                rule: isSure ? "language/other" : "language/unsure",
                value: Double(guess.probability),
                threshold: languages.probabilityMin
            )
        }
        guard listsAll else { return }
        outcome.findings.append(
            .init(
                rule: "language/\(guess.code)",
                version: 1,
                value: rounded(Double(guess.probability)),
                threshold: languages.probabilityMin,
                passed: passed
            )
        )
    }

    private mutating func classify(_ text: Span<UInt8>) {
        for classifier in classifiers {
            // A text without a letter is of no kind.
            guard classifier.model.classify(text, scratch: &classifierScratch) != nil else { continue }
            var kept = 0.0
            for (label, keeps) in classifier.keeps.enumerated() where keeps {
                kept += Double(classifierScratch.probabilities[label])
            }
            let passed = kept >= classifier.probabilityMin
            let rule = "classifier/\(classifier.name)"
            if !passed, outcome.dropped == nil {
                outcome.dropped = Drop(rule: rule, value: kept, threshold: classifier.probabilityMin)
            }
            guard listsAll else { continue }
            outcome.findings.append(
                .init(
                    rule: rule,
                    version: 1,
                    value: rounded(kept),
                    threshold: classifier.probabilityMin,
                    passed: passed
                )
            )
        }
    }

    private mutating func lookForKeywords(_ text: Span<UInt8>) {
        guard !keywords.isEmpty else { return }
        var weight = 0
        var counts: [String: Int] = [:]
        for index in keywords.indices {
            words.removeAll(keepingCapacity: true)
            keywords[index].scan(text, into: &words)
            let pack = keywords[index].pack
            for match in words {
                let word = pack.words[match.word]
                weight += word.weight
                counts[pack.categories[word.category], default: 0] += 1
            }
        }
        outcome.keywords = counts.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let passed = Double(weight) < keywordWeightMin || !dropsByKeywords
        if !passed, outcome.dropped == nil {
            outcome.dropped = Drop(rule: "keywords/weight", value: Double(weight), threshold: keywordWeightMin)
        }
        guard listsAll else { return }
        outcome.findings.append(
            .init(
                rule: "keywords/weight",
                version: 1,
                value: Double(weight),
                threshold: keywordWeightMin,
                passed: passed
            )
        )
    }

    /// - Returns: Whether the text to keep is another: in ``edited``, which may be empty.
    private mutating func judgeQuality(_ text: Span<UInt8>) -> Bool {
        guard rules != nil else { return false }
        let language = QualityRules.Language(code: outcome.language?.code ?? "en")
        guard let verdict = rules?.judge(text, language: language, into: &findings, edited: &edited) else {
            return false
        }
        let isEdited = verdict == .keptEdited
        if case .dropped(let rule) = verdict, outcome.dropped == nil {
            let finding = findings.first { $0.rule == rule }
            outcome.dropped = Drop(rule: rule.fullName, value: finding?.measured, threshold: finding?.threshold)
        }
        guard listsAll else { return isEdited }
        for finding in findings {
            outcome.findings.append(
                .init(
                    rule: finding.rule.fullName,
                    version: Int(finding.rule.version),
                    value: rounded(finding.measured),
                    threshold: rounded(finding.threshold),
                    passed: finding.passed
                )
            )
        }
        return isEdited
    }

    /// Notes what the text is in the end.
    private mutating func seal(_ text: Span<UInt8>) {
        // A record has a text; what edits took all of is no document any more.
        if text.count == 0, outcome.dropped == nil { outcome.dropped = Drop(rule: "edits/nothing-left") }
        outcome.hash = TextHash(text)
        outcome.textBytes = text.count
        guard outcome.dropped == nil else { return }
        outcome.tokens = tokenizer?.count(text) ?? 0
        repeatable.look(at: text)
        if sketcher != nil {
            sketcher?.sketch(text)
            hasIdentity = sketcher?.wordCount ?? 0 > 0
            identity = sketcher?.identity ?? identity
        } else if hasher != nil {
            hasIdentity = true
            identity = hasher?.hash(text) ?? identity
        }
    }

    // MARK: sketches

    /// Appends what the last text's lines, paragraphs and passages are known by; see ``Stretches/write(rank:to:)``.
    func writeStretches(rank: Int, to result: inout BlockResult) { repeatable.write(rank: rank, to: &result) }

    /// Appends what ``Operators/sketchByteCount`` counts.
    mutating func writeSketch(to bytes: inout [UInt8]) {
        guard sketcher != nil || hasher != nil else { return }
        let keys = sketcher?.bandKeys ?? []
        bytes.appendRaw(count: 24 + 8 * keys.count) { row in
            row.storeBytes(of: UInt64(hasIdentity ? 1 : 0).littleEndian, toByteOffset: 0, as: UInt64.self)
            row.storeBytes(of: identity.high.littleEndian, toByteOffset: 8, as: UInt64.self)
            row.storeBytes(of: identity.low.littleEndian, toByteOffset: 16, as: UInt64.self)
            for (band, key) in keys.enumerated() {
                row.storeBytes(of: key.littleEndian, toByteOffset: 24 + 8 * band, as: UInt64.self)
            }
        }
    }
}

extension QualityRule {
    /// Its filter's name and its own, as configurations and reports have it.
    var fullName: String { filter.name + "/" + name }
}

extension PersonalKind {
    /// As configurations and reports have it: `national-id`.
    var name: String { Self.names[Int(rawValue)] }

    /// The bytes of each ``placeholder``, by `rawValue`.
    fileprivate static let placeholders = allCases.map { $0.placeholder.withUTF8Buffer { Array($0) } }

    /// By `rawValue`. Made once: every document with findings asks for some.
    private static let names = allCases.map { kind in
        var name = ""
        var wasUpper = true
        for character in "\(kind)" {
            if character.isUppercase, !wasUpper { name.append("-") }
            wasUpper = character.isUppercase
            name += character.lowercased()
        }
        return name
    }
}
