import Core
import Curation
import Wire

/// The card of a release: what the Hub's clients read of a dataset, and what people do.
struct ReleaseCard {
    let pipeline: PipelineDocument
    let record: RunRecord
    let lineage: ReleaseLineage
    let release: ReleaseDocument?
    let members: ReleaseMembers
    /// Project and name.
    let repository: String

    var text: String { "---\n\(head)---\n\(body)" }

    // MARK: head

    /// YAML that `datasets` reads: only the parts are data, whatever else is JSON Lines here.
    private var head: String {
        var lines = ["pretty_name: \(quoted(title))"]
        if let licence = release?.licence { lines += Self.licence(licence) }
        let languages = languages
        if !languages.isEmpty { lines += ["language:"] + languages.map { "- \(quoted($0))" } }
        lines += ["size_categories:", "- \(Self.size(lineage.records))"]
        let tags = release?.keywords ?? []
        if !tags.isEmpty { lines += ["tags:"] + tags.map { "- \(quoted($0))" } }
        lines += [
            "configs:", "- config_name: default", "  data_files:", "  - split: train",
            "    path: \(quoted("data/part-*.\(pipeline.output.format.ending)"))",
        ]
        if !members.isUniform, let columns = members.columns {
            lines += ["dataset_info:", "  features:"]
            for column in columns {
                lines += ["  - name: \(quoted(column.name))", "    dtype: \(quoted(column.type.rawValue))"]
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var title: String { release.map { "\($0.name) \($0.version)" } ?? pipeline.name }

    private var languages: [String] {
        let asked = release?.languages ?? pipeline.languages?.keep ?? []
        return Set(asked).sorted()
    }

    /// In the Hub's words where it has one: its identifiers are SPDX's in lower case.
    private static func licence(_ text: String) -> [String] {
        let isIdentifier = text.utf8.allSatisfy {
            $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
        if isIdentifier { return ["license: \(quoted(text.lowercased()))"] }
        return ["license: other", (text.contains("://") ? "license_link: " : "license_name: ") + quoted(text)]
    }

    private static func size(_ count: Int) -> String {
        let steps = [
            (1000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
            (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
            (10_000_000_000, "1B<n<10B"), (100_000_000_000, "10B<n<100B"), (1_000_000_000_000, "100B<n<1T"),
        ]
        return steps.first { count < $0.0 }?.1 ?? "n>1T"
    }

    // MARK: body

    private var body: String {
        var sections = ["# \(line(title))"]
        if let release { sections += [release.descriptionEnglish, release.descriptionChinese].filter { !$0.isEmpty } }
        sections.append(
            """
            \(grouped(record.written.count)) records with \(megabytes(record.written.bytes)) of text, in \
            \(grouped(record.parts.count)) \(record.parts.count == 1 ? "file" : "files"), made by the pipeline \
            `\(lineage.pipeline.name)` with \(line(lineage.tool)).
            """
        )
        if let release {
            var facts = [("Licence", release.licence), ("Made by", release.creator), ("To be had at", release.url)]
            if !release.purposes.isEmpty { facts.append(("Meant for", release.purposes.joined(separator: ", "))) }
            sections.append(facts.map { "- \($0.0): \(line($0.1))" }.joined(separator: "\n"))
        }
        sections += ["## Sources", sources, "## What was taken out", rules, "## Duplicates", duplicates]
        sections += ["## Personal data", personal, "## Loading", loading, "## Checking", checking]
        return "\n" + sections.joined(separator: "\n\n") + "\n"
    }

    private var sources: String {
        let written = lineage.sources.filter { !$0.isReference }
        var parts = [
            table(
                ["source", "kind", "licence at origin", "licence as claimed", "files", "documents", "kept"],
                written.map {
                    [
                        $0.title ?? $0.name, $0.kind ?? "-", $0.licenceAtOrigin ?? "-",
                        $0.licenceAsClaimed ?? "-", grouped($0.files), grouped($0.documents), grouped($0.kept),
                    ]
                }
            )
        ]
        let fetched = lineage.sources.compactMap { source in
            source.repository.map { "`\(source.name)` is `\($0)` at `\(source.revision ?? "?")`" }
        }
        if !fetched.isEmpty { parts.append("Of the repository: \(fetched.joined(separator: ", ")).") }
        let silent = written.filter { $0.dossier == nil }.map { "`\($0.name)`" }
        if !silent.isEmpty {
            parts.append("Without a dossier, so that nobody answers for it: \(silent.joined(separator: ", ")).")
        }
        let compared = lineage.sources.filter(\.isReference).map { "`\($0.name)`" }
        if !compared.isEmpty {
            parts.append("Only compared with, and not in here: \(compared.joined(separator: ", ")).")
        }
        return parts.joined(separator: "\n\n")
    }

    private var rules: String {
        let dropped = record.summary.dropped.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        var rows = dropped.map { rule, tally in [code(rule), grouped(tally.count), megabytes(tally.bytes)] }
        for (reason, count) in record.summary.setAside.sorted(by: { $0.key < $1.key }) {
            rows.append(["set aside: " + code(reason), grouped(count), "-"])
        }
        let read = "\(grouped(record.summary.documents.count)) documents were read."
        guard !rows.isEmpty else { return read + " No rule dropped any." }
        return read + " Each was dropped by the first rule that it failed:\n\n"
            + table(["rule", "documents", "text"], rows)
    }

    private var duplicates: String {
        guard let asked = pipeline.duplicates else { return "They were not looked for." }
        var rows = record.duplicates.sorted { $0.key < $1.key }.map { kind, tally in
            [kind, grouped(tally.count), megabytes(tally.bytes)]
        }
        for (kind, tally) in record.repeats.sorted(by: { $0.key < $1.key }) {
            rows.append(["lost repeated \(kind)", grouped(tally.count), megabytes(tally.bytes)])
        }
        let near = asked.near.map { " Near is a Jaccard similarity of runs of five words of \($0.jaccardMin) or more." }
        return "Of several that are alike the first stays." + (near ?? "")
            + (rows.isEmpty ? " None were found." : "\n\n" + table(["kind", "documents", "text"], rows))
    }

    private var personal: String {
        guard let asked = pipeline.personal else { return "It was not looked for." }
        let how =
            switch asked.action {
            case .report: "It was counted and left in place."
            case .mask: "It was masked by placeholders such as `[PHONE]`."
            case .drop: "Documents with any of it were left out."
            }
        let others = asked.types.sorted { $0.key < $1.key }.map { "`\($0.key)`: \($0.value.rawValue)" }
        let exceptions = others.isEmpty ? "" : " Otherwise for \(others.joined(separator: ", "))."
        let found = record.summary.personal.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let lead = "It was looked for in the texts by shape, check characters and cues. \(how)\(exceptions)"
        guard !found.isEmpty else { return lead + " None was found in what was kept." }
        return lead + " Found in what was kept, before duplicates went:\n\n"
            + table(["type", "hits"], found.map { [code($0.key), grouped($0.value)] })
    }

    private var loading: String {
        let zstd = pipeline.output.format == .jsonlZstd ? "\n\n`datasets` needs `zstandard` for these files." : ""
        return """
            With `HF_ENDPOINT` at the point that has it:

            ```python
            from datasets import load_dataset
            data = load_dataset("\(repository)", split="train")
            data = load_dataset("\(repository)", split="train", streaming=True)
            ```\(zstd)
            """
    }

    private var checking: String {
        let of =
            pipeline.output.format == .parquet
            ? "the line that its row was made of" : "its line, without the line feed"
        return """
            Every record is named by the SHA-256 of \(of). The Merkle root over them in order (RFC 6962) is

            `\(lineage.root)`

            - `governance/items.json` has this root and the SHA-256 of each part.
            - `governance/lineage.json` leads from the source files, by digest, over blocks to the parts, and names \
            everything that rules were made of.
            - `governance/pipeline.yaml` is the pipeline: the same sources and the same program give the same bytes.
            - `governance/decisions` says of every document what the rules made of it, `governance/taken` what duplicates \
            and repeated stretches took of those that they kept, `governance/run.json` how many there were.
            - `governance/samples` has what was drawn for people to judge, and their verdicts so far.
            - `governance/sources` has the dossiers, `governance/pack` the audit pack, where there is one.
            """
    }

    // MARK: Markdown

    private func table(_ titles: [String], _ rows: [[String]]) -> String {
        let lines = [titles, titles.map { _ in "---" }] + rows
        return lines.map { "| " + $0.map(line).joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    /// A text in one line of which no character is markup of tables or HTML.
    private func line(_ text: String) -> String {
        text.reduce(into: "") { line, character in
            switch character {
            case "|": line += "\\|"
            case "<": line += "&lt;"
            case _ where character.isNewline: line += " "
            default: line.append(character)
            }
        }
    }

    private func code(_ text: String) -> String { "`\(text.filter { $0 != "`" && !$0.isNewline })`" }
    private func grouped(_ number: Int) -> String { groupedDigits(number) }
    private func megabytes(_ bytes: Int) -> String { "\((Double(bytes) / 10_000).rounded() / 100) MB" }
}

/// A text as YAML (and JSON) have it between quotes.
private func quoted(_ text: String) -> String { JSON.string(text).text }

extension UInt8 {
    fileprivate var isLetterOrDigit: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
