public import Core

/// What `algorithm.yaml` says of an algorithm: how it starts, what it can be told, what it takes and leaves.
public struct AlgorithmManifest: Sendable, Hashable {
    /// One thing that a job can set.
    public struct Parameter: Sendable, Hashable {
        public enum Kind: String, Sendable, Hashable, CaseIterable { case string, integer, number, boolean }

        public var name: String
        public var kind: Kind
        /// `nil` means that every job has to give it.
        public var fallback: JSON?
        public var minimum: Double?
        public var maximum: Double?
        /// The only values allowed, where there are such.
        public var choices: [JSON]
        public var description: String
    }

    public struct Input: Sendable, Hashable {
        public var name: String
        public var description: String
        /// Whether a job cannot do without it.
        public var required: Bool
    }

    public struct Output: Sendable, Hashable {
        public var name: String
        public var description: String
    }

    public var name: String
    public var version: String
    public var summary: String
    /// An SPDX expression by convention.
    public var licence: String
    /// The command; `{algorithm}` stands for the folder at the centre.
    public var entryPoint: [String]
    /// Path of the requirements file inside the folder.
    public var requirements: String?
    public var parameters: [Parameter]
    public var inputs: [Input]
    public var outputs: [Output]

    /// Where the manifest lies in the folder.
    public static let fileName = "algorithm.yaml"
    /// Bytes of a manifest.
    public static let bytesMax = 262_144

    /// The values a job runs with: what it gave, and for the rest the defaults.
    ///
    /// - Parameter pointer: Where `given` stands in the document, for the faults.
    /// - Returns: The values in full, and every fault: an unknown name, a missing value, a wrong type or range.
    public func resolve(
        parameters given: [String: JSON],
        at pointer: String = "/parameters"
    ) -> (values: [String: JSON], violations: [Violation]) {
        var values: [String: JSON] = [:]
        var violations: [Violation] = []
        for parameter in parameters {
            let place = pointer + "/" + escaped(parameter.name)
            if let value = given[parameter.name] {
                if let problem = parameter.problem(with: value) {
                    violations.append(Violation(place, problem))
                } else {
                    values[parameter.name] = value
                }
            } else if let fallback = parameter.fallback {
                values[parameter.name] = fallback
            } else {
                violations.append(Violation(place, "is missing; the algorithm '\(name)' has no default for it"))
            }
        }
        let known = parameters.map(\.name)
        for key in given.keys.sorted() where !known.contains(key) {
            let close = nearest(to: key, among: known).map { "; did you mean '\($0)'?" }
            let list = known.isEmpty ? "; it has none" : "; it has " + known.joined(separator: ", ")
            violations.append(
                Violation(
                    pointer + "/" + escaped(key),
                    "is not a parameter of the algorithm '\(name)'" + (close ?? list)
                )
            )
        }
        return (values, violations)
    }

    /// What is wrong with a job's inputs and outputs for this algorithm.
    ///
    /// - Parameter base: Where the job stands in the document: empty, or `/jobs/3`.
    public func violations(of spec: JobSpec, at base: String = "") -> [Violation] {
        var violations: [Violation] = []
        let given = Set(spec.inputs.map(\.name))
        for input in inputs where input.required && !given.contains(input.name) {
            violations.append(
                Violation("\(base)/inputs/\(input.name)", "is missing; the algorithm '\(name)' cannot do without it")
            )
        }
        let knownInputs = inputs.map(\.name)
        for input in spec.inputs where !knownInputs.contains(input.name) {
            let list = knownInputs.isEmpty ? "it has none" : "it has " + knownInputs.joined(separator: ", ")
            violations.append(
                Violation("\(base)/inputs/\(input.name)", "is not an input of the algorithm '\(name)'; \(list)")
            )
        }
        let knownOutputs = outputs.map(\.name)
        for (index, output) in spec.outputs.enumerated() where !knownOutputs.contains(output) {
            let list = knownOutputs.isEmpty ? "it has none" : "it has " + knownOutputs.joined(separator: ", ")
            violations.append(
                Violation(
                    "\(base)/outputs/\(index)",
                    "\(shown(output)) is not an output of the algorithm '\(name)'; \(list)"
                )
            )
        }
        return violations
    }
}

extension AlgorithmManifest.Parameter {
    /// Why a value cannot be given; `nil` when it can.
    public func problem(with value: JSON) -> String? {
        let fits =
            switch (kind, value) {
            case (.string, .string), (.boolean, .bool), (.number, .integer), (.number, .number): true
            case (.integer, _): whole(value) != nil
            case (.string, _), (.boolean, _), (.number, _): false
            }
        guard fits else {
            let wanted =
                switch kind {
                case .string: "a string"
                case .integer: "an integer"
                case .number: "a number"
                case .boolean: "true or false"
                }
            return "must be \(wanted), not \(shown(value))"
        }
        if let number = value.numberValue {
            if let minimum, number < minimum {
                return "must be at least \(JSON.number(minimum).plain), not \(value.text)"
            }
            if let maximum, number > maximum {
                return "must be at most \(JSON.number(maximum).plain), not \(value.text)"
            }
        }
        if !choices.isEmpty, !choices.contains(where: { $0 == value || $0.isSameNumber(as: value) }) {
            return "must be one of \(choices.map(\.text).joined(separator: ", ")), not \(shown(value))"
        }
        return nil
    }
}

extension JSON {
    /// A number without a needless `.0`.
    fileprivate var plain: String { whole(self).map { "\($0)" } ?? text }

    fileprivate func isSameNumber(as other: JSON) -> Bool {
        guard let a = numberValue, let b = other.numberValue else { return false }
        return a == b
    }
}
