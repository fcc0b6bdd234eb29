import Core

extension AuditFacts {
    /// A Croissant 1.1 card with the files, their columns and what the vocabulary for responsible AI asks.
    ///
    /// > Source: Croissant format specification 1.1 (2026-01-29); Croissant RAI 1.0.
    var croissant: JSON {
        var members: [(key: String, value: JSON?)] = [
            ("@context", Self.croissantContext), ("@type", .string("sc:Dataset")),
            ("conformsTo", .texts([Self.croissantVersion, "http://mlcommons.org/croissant/RAI/1.0"])),
            ("name", .string(release.name)), ("description", release.description.json), ("url", .string(release.url)),
            ("license", .string(Dossier.Licence.address(of: release.licence) ?? release.licence)),
            ("creator", release.creator.schemaOrg), ("publisher", release.publisher?.schemaOrg),
            ("datePublished", .string(release.published.rfc3339)), ("version", .string(release.version)),
            ("keywords", .texts(release.keywords)), ("inLanguage", .texts(release.languages)),
            ("citeAs", .string(release.citation)),
            ("rai:dataUseCases", .texts(release.purposes)),
            (
                "rai:dataCollection",
                .text(
                    dossiers.isEmpty
                        ? nil
                        : dossiers.map { "\($0.title) (\($0.kind.rawValue)): \($0.origin)" }.joined(separator: "; ")
                )
            ),
            ("rai:dataPreprocessingProtocol", .texts(byRule.compactMap(\.rule))),
            ("rai:personalSensitiveInformation", .texts(privacy.map { "\($0.tool): \($0.result)" })),
        ]
        var distribution = outputs.enumerated().map { index, output in
            JSON.sorted([
                ("@type", .string("cr:FileObject")), ("@id", .string("file-\(index + 1)")),
                ("name", .string(String(output.path.split(separator: "/").last ?? ""))),
                ("contentUrl", .string(output.path)), ("contentSize", .string("\(output.bytes) B")),
                ("encodingFormat", output.format.mediaTypes), ("sha256", .string(output.digest.hex)),
            ])
        }
        // One set of records for each format: with the files of one format as its source.
        var sets: [JSON] = []
        for format in Format.allCases where !fields.isEmpty && format.hasColumns {
            let places = outputs.indices.filter { outputs[$0].format == format }
            guard let first = places.first else { continue }
            let name = sets.isEmpty ? "records" : "records-\(sets.count + 1)"
            var source: (key: String, value: JSON) = ("fileObject", Self.reference("file-\(first + 1)"))
            if places.count > 1 {
                let id = "files-\(format.rawValue)"
                distribution.append(
                    .sorted([
                        ("@type", .string("cr:FileSet")), ("@id", .string(id)),
                        ("encodingFormat", format.mediaTypes),
                        ("includes", .texts(Self.globs(places.map { outputs[$0].path }))),
                    ])
                )
                source = ("fileSet", Self.reference(id))
            }
            let columns = fields.map { field in
                JSON.sorted([
                    ("@type", .string("cr:Field")), ("@id", .string("\(name)/\(field.name)")),
                    ("name", .string(field.name)), ("description", .string(field.description)),
                    ("dataType", .string(field.kind.rawValue)),
                    ("source", .object([("extract", .object([("column", .string(field.name))])), source])),
                ])
            }
            sets.append(
                .sorted([
                    ("@type", .string("cr:RecordSet")), ("@id", .string(name)), ("name", .string(name)),
                    ("field", .array(columns)),
                ])
            )
        }
        members.append(("distribution", .array(distribution)))
        members.append(("recordSet", .array(sets)))
        return .sorted(members)
    }

    static let croissantVersion = "http://mlcommons.org/croissant/1.1"

    private static func reference(_ id: String) -> JSON { .object([("@id", .string(id))]) }

    /// For each folder and ending one pattern: the validator reads files of a set by patterns on their paths.
    private static func globs(_ paths: [String]) -> [String] {
        var globs: Set<String> = []
        for path in paths {
            let file = path.split(separator: "/").last ?? ""
            let ending = file.firstIndex(of: ".").map { file[$0...] } ?? ""
            // What means something in a pattern stands for any character here.
            let folder = path.dropLast(file.count).map { "*?[]{}!\\".contains($0) ? "?" : $0 }
            globs.insert(String(folder) + "*" + ending.map { "*?[]{}!\\".contains($0) ? "?" : $0 })
        }
        return globs.sorted()
    }

    /// The context that the specification asks to be repeated in every card.
    private static let croissantContext: JSON = {
        let plain = [
            "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileObject", "fileProperty",
            "fileSet", "format", "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path",
            "recordSet",
            "references", "regex", "repeated", "replace", "samplingRate", "separator", "source", "subField",
            "transform",
            "arrayShape", "isArray",
        ]
        var members: [(key: String, value: JSON?)] = plain.map { ($0, .string("cr:" + $0)) }
        let byLanguage = JSON.object([("@container", .string("@language"))])
        members += [
            ("@language", .string("en")), ("@vocab", .string("https://schema.org/")),
            ("conformsTo", .string("dct:conformsTo")), ("cr", .string("http://mlcommons.org/croissant/")),
            ("rai", .string("http://mlcommons.org/croissant/RAI/")), ("dct", .string("http://purl.org/dc/terms/")),
            ("sc", .string("https://schema.org/")), ("description", byLanguage), ("name", byLanguage),
            ("data", .object([("@id", .string("cr:data")), ("@type", .string("@json"))])),
            ("examples", .object([("@id", .string("cr:examples")), ("@type", .string("@json"))])),
            ("dataType", .object([("@id", .string("cr:dataType")), ("@type", .string("@vocab"))])),
        ]
        return .sorted(members)
    }()
}

extension AuditFacts.Release {
    /// In BibTeX, as the specification recommends; braces would end a value.
    fileprivate var citation: String {
        func plain(_ text: String) -> String { text.filter { $0 != "{" && $0 != "}" } }
        let year = published.rfc3339.prefix(4)
        return "@misc{\(name), title={\(name)}, author={\(plain(creator.name))}, version={\(version)}, year={\(year)}, "
            + "url={\(plain(url))}}"
    }
}

extension AuditFacts.Party {
    fileprivate var schemaOrg: JSON {
        .sorted([
            ("@type", .string(isPerson ? "sc:Person" : "sc:Organization")), ("name", .string(name)),
            ("url", .text(url)),
        ])
    }
}

extension AuditFacts.Format {
    /// Whether records have columns that Croissant can name.
    fileprivate var hasColumns: Bool {
        switch self {
        case .jsonl, .jsonlGzip, .jsonlZstd, .parquet: true
        case .text, .warc: false
        }
    }

    fileprivate var mediaTypes: JSON {
        switch self {
        case .jsonl: .string("application/jsonlines")
        case .jsonlGzip: .texts(["application/jsonlines", "application/gzip"])
        case .jsonlZstd: .texts(["application/jsonlines", "application/zstd"])
        case .parquet: .string("application/x-parquet")
        case .text: .string("text/plain")
        case .warc: .string("application/warc")
        }
    }
}
