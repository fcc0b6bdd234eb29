extension Profile {
    /// Checks what was gathered: for each check, met, not met or not shown, with the numbers.
    ///
    /// - Parameter taxonomy: The one that ``taxonomy`` names. Without it nothing that goes by risk is shown.
    public func check(_ evidence: ProfileEvidence, taxonomy: RiskTaxonomy? = nil) -> [CheckResult] {
        let risks = taxonomy?.name == self.taxonomy ? taxonomy : nil
        return checks.map { $0.result(evidence[$0.measure], risks) }
    }
}

extension Profile.Check {
    private typealias Found = (outcome: CheckResult.Outcome, text: String, short: [String])
    private static let shortMax = 20

    fileprivate func result(_ value: ProfileEvidence.Value?, _ taxonomy: RiskTaxonomy?) -> CheckResult {
        let found: Found =
            switch value {
            case nil: (.notShown, "", [])
            // Asks something of what there is none of.
            case .nothing?: (.met, "0/0", [])
            case .statement(let holds)?:
                comparison == .holds ? (holds ? .met : .notMet, holds ? "✓" : "✗", []) : (.notShown, "", [])
            case .number(let number)?: compared(number)
            case .proportion(let proportion)?: compared(proportion)
            case .proportions(let proportions)?: compared(proportions)
            case .counts(let counts)?: compared(counts, taxonomy)
            }
        return CheckResult(check: self, outcome: found.outcome, found: found.text, asked: asked, short: found.short)
    }

    /// The threshold as a sign and a number.
    private var asked: String {
        let number = unit == .percent ? Percent.text(value / 100) : ProfileEvidence.text(value)
        let days = unit == .days ? " d" : ""
        let sure = confidence.map { " (\(Percent.text($0)))" } ?? ""
        return switch comparison {
        case .atLeast: "≥ \(number)\(days)"
        case .atMost: "≤ \(number)\(days)"
        case .below: "< \(number)\(days)\(sure)"
        case .holds: "✓"
        }
    }

    private func holds(_ number: Double) -> Bool {
        switch comparison {
        case .atLeast: number >= threshold
        case .atMost: number <= threshold
        case .below: number < threshold
        case .holds: false
        }
    }

    private func compared(_ number: Double) -> Found {
        guard unit != .percent, comparison != .holds, number.isFinite else { return (.notShown, "", []) }
        return (holds(number) ? .met : .notMet, ProfileEvidence.text(number), [])
    }

    private func compared(_ proportion: Proportion) -> Found {
        guard unit == .percent, comparison != .holds, let ratio = rate(proportion) else { return (.notShown, "", []) }
        return (holds(ratio) ? .met : .notMet, text(proportion), [])
    }

    /// What is compared: the rate, or what it can be at most.
    private func rate(_ proportion: Proportion) -> Double? {
        guard let ratio = proportion.ratio else { return nil }
        guard let confidence else { return ratio }
        return Binomial.upperBound(proportion.count, of: proportion.total, confidence: confidence)
    }

    private func text(_ proportion: Proportion) -> String {
        let rate = "\(proportion.count)/\(proportion.total) = \(Percent.text(proportion.ratio ?? 0))"
        guard let confidence else { return rate }
        let bound = Binomial.upperBound(proportion.count, of: proportion.total, confidence: confidence)
        return rate + ", < \(Percent.text(bound))"
    }

    /// Every one must hold; the worst is told. One that was not measured leaves the whole unshown, unless another fails.
    private func compared(_ proportions: [(name: String, proportion: Proportion)]) -> Found {
        guard unit == .percent, comparison != .holds, !proportions.isEmpty else { return (.notShown, "", []) }
        let rated = proportions.map { (name: $0.name, proportion: $0.proportion, rate: rate($0.proportion)) }
        let failing = rated.filter { $0.rate.map { !holds($0) } ?? false }
        let unshown = rated.filter { $0.rate == nil }.map(\.name)
        let isFloor = comparison == .atLeast
        func isWorse(_ a: Double, _ b: Double) -> Bool { isFloor ? a < b : a > b }
        let worst = (failing.isEmpty ? rated : failing).filter { $0.rate != nil }.sorted { a, b in
            let (rateA, rateB) = (a.rate ?? 0, b.rate ?? 0)
            return rateA == rateB ? a.name < b.name : isWorse(rateA, rateB)
        }
        let text = worst.first.map { "\($0.name): \(self.text($0.proportion))" } ?? ""
        if !failing.isEmpty { return (.notMet, text, Array(worst.map(\.name).prefix(Self.shortMax))) }
        if !unshown.isEmpty { return (.notShown, text, Array(unshown.sorted().prefix(Self.shortMax))) }
        return (.met, text, [])
    }

    /// Every one must hold; risks that are not named have none.
    private func compared(_ counts: [(name: String, count: Int)], _ taxonomy: RiskTaxonomy?) -> Found {
        guard unit != .percent, comparison != .holds else { return (.notShown, "", []) }
        var asked = counts
        if measure.isPerRisk {
            let known = Dictionary(counts.map { ($0.name, $0.count) }) { first, _ in first }
            asked = (taxonomy?.ids(within: within) ?? []).map { ($0, known[$0] ?? 0) }
        }
        let isFloor = comparison == .atLeast
        asked.sort { a, b in a.count == b.count ? a.name < b.name : isFloor ? a.count < b.count : a.count > b.count }
        guard let worst = asked.first else { return (.notShown, "", []) }
        let failing = asked.filter { !holds(Double($0.count)) }.map(\.name)
        let text = "\(asked.count - failing.count)/\(asked.count); \(worst.name): \(worst.count)"
        return (failing.isEmpty ? .met : .notMet, text, Array(failing.prefix(Self.shortMax)))
    }
}

extension Measure {
    /// Whether its counts go by risk, so that a risk that is not named counts as none.
    var isPerRisk: Bool {
        switch self {
        case .keywordsPerRisk, .classifierRisks, .safetyRulesPerRisk, .testBankPerRisk, .refuseBankPerRisk: true
        default: false
        }
    }
}
