public import Core

extension AuditFacts {
    /// Rows of what was kept and dropped: source, language, rule, documents, bytes; `null` is the rule of what was kept.
    var funnel: JSON {
        let rows = counts.sorted { a, b in
            (a.source, a.language, a.rule ?? "") < (b.source, b.language, b.rule ?? "")
        }
        return .sorted([
            ("columns", .texts(["source", "language", "rule", "documents", "bytes"])),
            (
                "rows",
                .array(
                    rows.map { row in
                        .array([
                            .string(row.source), .string(row.language), row.rule.map { .string($0) } ?? .null,
                            .integer(Int64(row.documents)), .integer(Int64(row.bytes)),
                        ])
                    }
                )
            ),
            (
                "by_rule",
                .array(
                    byRule.map { row in
                        .sorted([
                            ("rule", row.rule.map { .string($0) } ?? .null), ("documents", .count(row.documents)),
                            ("bytes", .count(row.bytes)),
                        ])
                    }
                )
            ),
        ])
    }

    /// For each source what its licence is where it was made, and where it was taken from, and how much of the release it is.
    var licences: JSON {
        let kept = kept
        let documents = kept.reduce(0) { $0 &+ $1.documents }
        let bytes = kept.reduce(0) { $0 &+ $1.bytes }
        func share(_ part: Int, _ whole: Int) -> JSON { .fraction(whole > 0 ? Double(part) / Double(whole) : 0) }
        let rows = zip(dossiers, kept).map { dossier, kept in
            JSON.sorted([
                ("source", .string(dossier.name)), ("at_origin", .text(dossier.licence.atOrigin)),
                ("as_claimed", .text(dossier.licence.asClaimed)),
                ("comparison", .string(dossier.licence.comparison.rawValue)), ("owner", .text(dossier.owner)),
                ("records", .array(dossier.records.filter { $0.kind == .licence || $0.kind == .contract }.map(\.json))),
                ("documents", .count(kept.documents)), ("bytes", .count(kept.bytes)),
                ("share_of_documents", share(kept.documents, documents)), ("share_of_bytes", share(kept.bytes, bytes)),
            ])
        }
        return .sorted([
            ("release_licence", .string(release.licence)), ("documents", .count(documents)), ("bytes", .count(bytes)),
            ("sources", .array(rows)),
        ])
    }

    /// Which block of which source went into which file, and the root by which every document can be shown to be in it.
    var lineage: JSON {
        let places = Dictionary(outputs.enumerated().map { ($0.element.digest, $0.offset) }) { first, _ in first }
        let configurations = Array(Set(blocks.map(\.configuration))).sorted()
        let configurationPlaces = Dictionary(configurations.enumerated().map { ($0.element, $0.offset) }) { first, _ in
            first
        }
        return .sorted([
            (
                "items",
                items.map {
                    .sorted([
                        ("root", .digest($0.root)), ("count", .count($0.count)), ("tree", .string("RFC 6962, SHA-256")),
                    ])
                }
            ),
            (
                "outputs",
                .array(
                    outputs.map {
                        .sorted([
                            ("path", .string($0.path)), ("digest", .digest($0.digest)), ("bytes", .count($0.bytes)),
                            ("records", .count($0.records)),
                        ])
                    }
                )
            ),
            ("configurations", .array(configurations.compactMap { .digest($0) })),
            // By places in the two lists above: there are thousands of blocks.
            (
                "block_columns",
                blocks.isEmpty ? nil : .texts(["source", "input", "configuration", "outputs", "documents", "kept"])
            ),
            (
                "blocks",
                .array(
                    blocks.map { block in
                        .array([
                            .string(block.source), .string(block.input.description),
                            .integer(Int64(configurationPlaces[block.configuration] ?? 0)),
                            .array(block.outputs.compactMap { places[$0] }.map { .integer(Int64($0)) }),
                            .integer(Int64(block.documents)), .integer(Int64(block.kept)),
                        ])
                    }
                )
            ),
        ])
    }

    var riskCounts: JSON {
        let titles = Dictionary((taxonomy?.risks ?? []).map { ($0.id, $0.title) }) { first, _ in first }
        return .sorted([
            ("taxonomy", .text(taxonomy?.name)),
            (
                "risks",
                .array(
                    risks.sorted { $0.risk < $1.risk }.map {
                        .sorted([
                            ("risk", .string($0.risk)), ("title", titles[$0.risk]?.json), ("found", .count($0.found)),
                            ("removed", .count($0.removed)),
                        ])
                    }
                )
            ),
        ])
    }

    var admissionVerdicts: JSON {
        .array(admissions.map { .sorted([("source", .string($0.source)), ("verdict", $0.verdict.json)]) })
    }
}

extension AuditFacts.Sample {
    /// The draw, the items with who said what, the verdict, and the proof of each item.
    var json: JSON {
        .sorted([
            ("name", .string(name)), ("check", check.json), ("tally", check.work.tally.json),
            ("verdict", rule.map { check.verdict($0).json }),
            ("proofs", .array(proofs.map(\.json))),
        ])
    }
}

extension SpotCheck.Verdict {
    public var json: JSON {
        .sorted([
            ("outcome", .string(outcome.rawValue)), ("good", good.json), ("open", .count(open)),
            ("items_min", .count(rule.itemsMin)), ("pass_min", .fraction(rule.passMin)), ("bad_left", .count(badLeft)),
            ("bad_upper_bound", .fraction(badUpperBound)), ("confidence", .fraction(rule.confidence)),
            ("sentence", .string(sentence)),
        ])
    }
}

extension Admission {
    public var json: JSON {
        .sorted([
            ("stage", .string(stage.rawValue)), ("basis", .string(basis.rawValue)),
            ("outcome", .string(outcome.rawValue)), ("bad", bad.json),
            ("limit", .fraction(limit)), ("confidence", .fraction(confidence)), ("upper_bound", .fraction(upperBound)),
            ("lower_bound", .fraction(lowerBound)), ("acceptance_number", .count(acceptanceNumber)),
            ("items_needed", .count(itemsNeeded)), ("sentence", .string(sentence)),
        ])
    }
}

extension Profile {
    func json(with results: [CheckResult]) -> JSON {
        .sorted([
            ("profile", .string(name)), ("version", .count(version)), ("standard", .string(standard)),
            ("title", title.json), ("note", note?.json), ("checks", .array(results.map(\.json))),
            (
                "summary",
                .sorted(
                    CheckResult.Outcome.allCases.map { outcome in
                        (outcome.rawValue, .count(results.count { $0.outcome == outcome }))
                    }
                )
            ),
        ])
    }
}
