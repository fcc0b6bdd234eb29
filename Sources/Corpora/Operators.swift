import Core
import Curation
import Wire

/// What the operators of one pipeline are made of: settings and files that are read once and never change.
struct Operators: Sendable {
    /// SHA-256 of every file that they were made of, in the order of the pipeline.
    private(set) var files: [Digest] = []
    private(set) var rules: QualityRules.Configuration?
    private(set) var personal: PersonalPolicy?
    let near: NearDuplicateSettings?
    let findsExact: Bool

    /// - Throws: ``Failure`` with what the pipeline asks for and there is not.
    init(_ file: PipelineFile) throws(Failure) {
        let document = file.document
        var violations: [Violation] = []
        near = document.duplicates?.near.flatMap { near in
            let standard = NearDuplicateSettings.standard
            return NearDuplicateSettings(bands: standard.bands, rows: standard.rows, threshold: near.jaccardMin)
        }
        findsExact = document.duplicates?.exact == true
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
                violations.append(Violation("/rules/thresholds/\(name)", "is no rule; the rules are \(known)"))
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
                violations.append(Violation("/personal/types/\(name)", "is no type; the types are \(known)"))
            }
        }
        return policy
    }
}

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
