public import Core

/// How far two people agree who labelled the same items, beyond what chance would bring about.
///
/// > Source: Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological Measurement 20 (1960);
/// > Krippendorff, "Computing Krippendorff's alpha-reliability" (2011), section C: nominal data, two observers.
public struct Agreement: Hashable, Sendable {
    /// Items that both labelled.
    public let items: Int
    /// Items with the same label twice.
    public let agreed: Int
    /// Cohen's kappa: 1 where they always agree, 0 where they do as often as two who choose by the frequencies of their
    /// labels. It tells the first from the second, so it is for two persons; where many take turns as first and second
    /// it speaks of the roles. `nil` where chance alone would agree always, or where there is nothing.
    public let kappa: Double?
    /// Krippendorff's alpha: the same of observers that are not told apart; `nil` where all labels are one.
    public let alpha: Double?

    /// - Parameter pairs: For each item what the first said and what the second.
    public init(_ pairs: [(first: String, second: String)]) {
        items = pairs.count
        agreed = pairs.count { $0.first == $0.second }
        guard !pairs.isEmpty else {
            (kappa, alpha) = (nil, nil)
            return
        }
        var firsts: [String: Int] = [:]
        var seconds: [String: Int] = [:]
        for pair in pairs {
            firsts[pair.first, default: 0] += 1
            seconds[pair.second, default: 0] += 1
        }
        let count = Double(items)
        // Whole numbers as long as they can be, so that the order of labels has no say in the last digit.
        let byChance = firsts.reduce(0) { $0 + $1.value * (seconds[$1.key] ?? 0) }
        let expected = Double(byChance) / (count * count)
        kappa = byChance == items * items ? nil : (Double(agreed) / count - expected) / (1 - expected)
        let all = firsts.merging(seconds, uniquingKeysWith: +)
        let unlike = 4 * items * items - all.values.reduce(0) { $0 + $1 * $1 }
        alpha =
            unlike == 0
            ? nil : 1 - Double(2 * items - 1) * Double(2 * (items - agreed)) / Double(unlike)
    }

    public var json: JSON {
        .sorted([
            ("items", .count(items)), ("agreed", .count(agreed)), ("cohen_kappa", kappa.map { .fraction($0) }),
            ("krippendorff_alpha", alpha.map { .fraction($0) }),
        ])
    }
}

extension AnnotationBatch {
    /// Of all items that two have labelled, whatever a third said afterwards.
    public var agreement: Agreement {
        Agreement(
            work.items.compactMap { item in
                let steps = item.state.steps
                guard steps.count >= 2 else { return nil }
                return (first: steps[0].judgement.answer, second: steps[1].judgement.answer)
            }
        )
    }

    /// Of the items that were settled, those whose first label did not stand: what a sample by reviewers says of all.
    public var corrected: Proportion {
        let settled = work.items.compactMap { item in
            item.verdict.map { (stood: item.state.steps[0].judgement.answer == $0.answer, ()) }
        }
        return Proportion(settled.count { !$0.stood }, of: settled.count)
    }

    /// What an audit pack has of it: the batch, how far it is, and how far its people agree.
    ///
    /// - Parameters:
    ///   - confidence: At which the bound of corrected labels holds; `nil` without one.
    ///   - withItems: Whether the batch itself is told, with all of its items.
    public func report(confidence: Double?, withItems: Bool = true) -> JSON {
        let corrected = corrected
        let bound = confidence.map {
            Binomial.upperBound(corrected.count, of: corrected.total, confidence: $0)
        }
        return .sorted([
            ("name", .string(name)), ("batch", withItems ? json : nil), ("tally", work.tally.json),
            ("agreement", agreement.json), ("corrected", corrected.json),
            ("corrected_upper_bound", bound.map { .fraction($0) }), ("confidence", confidence.map { .fraction($0) }),
        ])
    }
}
