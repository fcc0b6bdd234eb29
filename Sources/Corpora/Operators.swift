import Core
import Curation
import Wire

/// What the operators of one pipeline are made of: settings and files that are read once and never change.
struct Operators: Sendable {
    /// Every file that they were made of, in the order of the pipeline.
    private(set) var ingredients: [Ingredient] = []
    private(set) var languages: PipelineDocument.Languages?
    /// Read once, since its model is large; `nil` where nobody asks for the language.
    private(set) var identifier: LanguageIdentifier?
    private(set) var rules: QualityRules.Configuration?
    private(set) var classifiers: [Classifier] = []
    private(set) var keywords: [KeywordPack] = []
    let keywordWeightMin: Double
    let dropsByKeywords: Bool
    private(set) var contamination: (index: ContaminationIndex, policy: ContaminationPolicy)?
    private(set) var personal: PersonalPolicy?
    private(set) var tokenizer: TokenCounter?
    let near: NearDuplicateSettings?
    let findsExact: Bool
    let lines: RepeatedLineSettings?
    let paragraphs: RepeatedLineSettings?
    let passages: PassageSelector?

    /// A file that operators are made of.
    struct Ingredient: Sendable, Hashable {
        enum Kind: String, Sendable { case classifier, tokenizer, keywords, evaluation }

        let kind: Kind
        let path: String
        let digest: Digest
    }

    /// SHA-256 of the files that they were made of.
    var files: [Digest] { ingredients.map(\.digest) }

    struct Classifier: Sendable {
        let name: String
        let model: LinearModel
        /// By label, whether a document may have it.
        let keeps: [Bool]
        let probabilityMin: Double
    }

    /// - Throws: ``Failure`` with what the pipeline asks for and there is not.
    init(_ file: PipelineFile) throws(Failure) {
        let document = file.document
        var violations: [Violation] = []
        near = document.duplicates?.near.flatMap { near in
            let standard = NearDuplicateSettings.standard
            return NearDuplicateSettings(bands: standard.bands, rows: standard.rows, threshold: near.jaccardMin)
        }
        findsExact = document.duplicates?.exact == true
        lines = document.duplicates?.lines.map { RepeatedLineSettings(.line, $0) }
        paragraphs = document.duplicates?.paragraphs.map { RepeatedLineSettings(.paragraph, $0) }
        passages = document.duplicates?.substrings.map { PassageSelector(bytesMin: $0.bytesMin) }
        languages = document.languages
        keywordWeightMin = document.keywords?.weightMin ?? 1
        dropsByKeywords = document.keywords?.action == .drop
        // Rules for Chinese and for English need to know which it is.
        if document.languages != nil || document.rules != nil { identifier = try Self.languageIdentifier() }
        let known = identifier?.model.card.labels ?? []
        for (index, code) in (document.languages?.keep ?? []).enumerated() where !known.contains(code) {
            violations.append(Violation("/languages/keep/\(index)", "'\(code)' is no language that is told apart"))
        }
        try readModels(file, &violations)
        let table = NormalizationTable()
        readKeywords(file, table, &violations)
        try readEvaluations(file, table)
        rules = document.rules.map { Self.configuration($0, &violations) }
        personal = document.personal.map { Self.policy($0, &violations) }
        guard violations.isEmpty else {
            throw Failure(.invalid, "\(file.path) asks for what there is not.", violations: violations)
        }
    }

    /// Bytes that each kept document has among a block's sketches: whether it has an identity, the identity, band keys.
    var sketchByteCount: Int {
        if let near { return 24 + 8 * near.bands }
        return findsExact ? 24 : 0
    }

    private static func languageIdentifier() throws(Failure) -> LanguageIdentifier {
        do {
            return try LanguageIdentifier()
        } catch {
            throw Failure(.internal, "The program is damaged: its language model cannot be read.", note: "\(error)")
        }
    }

    private mutating func readModels(_ file: PipelineFile, _ violations: inout [Violation]) throws(Failure) {
        for (index, asked) in file.document.classifiers.enumerated() {
            let path = file.resolve(asked.model)
            let bytes = try Disk.read(path)
            ingredients.append(.init(kind: .classifier, path: path, digest: Disk.sha256(bytes.span)))
            let model: LinearModel
            do throws(LinearModelError) {
                model = try LinearModel(reading: bytes.span)
            } catch {
                throw Failure(.invalid, "\(path) is no model. \(error.message)")
            }
            for (place, label) in asked.keep.enumerated() where !model.card.labels.contains(label) {
                violations.append(
                    Violation(
                        "/classifiers/\(index)/keep/\(place)",
                        "'\(label)' is no label of this model; they are \(model.card.labels.joined(separator: ", "))"
                    )
                )
            }
            classifiers.append(
                Classifier(
                    name: model.card.name,
                    model: model,
                    keeps: model.card.labels.map { asked.keep.contains($0) },
                    probabilityMin: asked.probabilityMin
                )
            )
        }
        guard let asked = file.document.tokenizer else { return }
        let path = file.resolve(asked)
        let bytes = try Disk.read(path)
        ingredients.append(.init(kind: .tokenizer, path: path, digest: Disk.sha256(bytes.span)))
        do throws(TokenizerError) {
            tokenizer = try TokenCounter(json: bytes.span)
        } catch {
            throw Failure(.invalid, "\(path) cannot be used. \(error.message)")
        }
    }

    /// Makes an index of the texts of evaluation sets: the strings of JSON Lines, or whole lines of other files.
    private mutating func readEvaluations(_ file: PipelineFile, _ table: NormalizationTable) throws(Failure) {
        guard let asked = file.document.contamination else { return }
        var builder = ContaminationBuilder(table: table)
        for pattern in asked.against {
            let paths = try PipelineFile.expand(file.resolvePattern(pattern))
            guard !paths.isEmpty else { throw Failure(.notFound, "\(file.path): no file fits '\(pattern)'.") }
            for path in paths {
                let bytes = try Disk.read(path, bytesMax: 1 << 32)
                ingredients.append(.init(kind: .evaluation, path: path, digest: Disk.sha256(bytes.span)))
                for line in bytes.split(separator: 0x0A) {
                    let text = Self.text(ofItem: line)
                    guard builder.add(text.span) != nil else {
                        throw Failure(.tooLarge, "\(path) and the files before it have too much text to be looked for.")
                    }
                }
            }
        }
        let action: ContaminationPolicy.Action =
            switch asked.action {
            case .report: .report
            case .cut: .cut
            case .drop: .drop
            }
        contamination = (builder.index(), ContaminationPolicy(action))
    }

    /// All strings of a JSON object one after another, or the line itself where it is none.
    private static func text(ofItem line: ArraySlice<UInt8>) -> [UInt8] {
        guard let json = try? JSON(parsing: line), case .object(let members) = json else { return Array(line) }
        var text: [UInt8] = []
        for member in members {
            guard case .string(let value) = member.value else { continue }
            text.append(contentsOf: value.utf8)
            text.append(0x0A)
        }
        return text
    }

    private mutating func readKeywords(
        _ file: PipelineFile,
        _ table: NormalizationTable,
        _ violations: inout [Violation]
    ) {
        for (index, pack) in (file.document.keywords?.packs ?? []).enumerated() {
            let place = "/keywords/packs/\(index)"
            let bytes: [UInt8]
            do throws(Failure) {
                bytes = try Disk.read(file.resolve(pack))
            } catch {
                violations.append(Violation(place, error.detail))
                continue
            }
            ingredients.append(.init(kind: .keywords, path: file.resolve(pack), digest: Disk.sha256(bytes.span)))
            do throws(KeywordError) {
                keywords.append(try KeywordPack(bytes.span, table: table))
            } catch {
                violations.append(Violation(place, "'\(pack)' is no list of keywords: \(error.text)"))
            }
        }
    }

    private static func configuration(
        _ asked: PipelineDocument.Rules,
        _ violations: inout [Violation]
    ) -> QualityRules.Configuration {
        var configuration = QualityRules.Configuration(
            filters: Set(asked.sets.compactMap { QualityFilter(name: $0.rawValue) })
        )
        for (name, threshold) in asked.thresholds.sorted(by: { $0.key < $1.key }) {
            if let rule = QualityRule.allCases.first(where: { $0.fullName == name }) {
                configuration.thresholds[rule] = threshold
            } else {
                let known = QualityRule.allCases.map(\.fullName).joined(separator: ", ")
                violations.append(Violation("/rules/thresholds/\(pointer(name))", "is no rule; the rules are \(known)"))
            }
        }
        return configuration
    }

    private static func policy(
        _ asked: PipelineDocument.Personal,
        _ violations: inout [Violation]
    ) -> PersonalPolicy {
        var policy = PersonalPolicy(.init(asked.action))
        for (name, action) in asked.types.sorted(by: { $0.key < $1.key }) {
            if let kind = PersonalKind.allCases.first(where: { $0.name == name }) {
                policy[kind] = .init(action)
            } else {
                let known = PersonalKind.allCases.map(\.name).joined(separator: ", ")
                violations.append(Violation("/personal/types/\(pointer(name))", "is no type; the types are \(known)"))
            }
        }
        return policy
    }
}

extension RepeatedLineSettings {
    fileprivate init(_ unit: Unit, _ asked: PipelineDocument.Duplicates.Repeats) {
        self.init(unit: unit, seenMax: asked.countMin - 1, letterBytesMin: asked.bytesMin, keepsFirst: true)
    }
}

/// A key as a part of a JSON Pointer (RFC 6901, section 3).
private func pointer(_ key: String) -> String { key.replacing("~", with: "~0").replacing("/", with: "~1") }

extension PersonalPolicy.Action {
    fileprivate init(_ action: PipelineDocument.Personal.Action) {
        self =
            switch action {
            case .report: .report
            case .mask: .mask
            case .drop: .drop
            }
    }
}

extension KeywordError {
    fileprivate var text: String {
        switch self {
        case .badLines(let lines):
            "lines \(lines.prefix(10).map(String.init).joined(separator: ", ")) are no word, category and weight with tabs between"
        case .noWords: "it has no words"
        case .tooManyWords: "it has more than \(KeywordPack.wordLimit) words"
        case .tooManyCategories: "it has more than \(KeywordPack.categoryLimit) categories"
        case .cannotCompile(let why): why
        }
    }
}
