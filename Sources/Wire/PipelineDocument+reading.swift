public import Core

extension PipelineDocument {
    static let keys = [
        "name", "sources", "languages", "rules", "classifiers", "keywords", "tokenizer", "personal", "contamination",
        "duplicates", "output",
    ]
    static let sourceKeys = [
        "name", "files", "repository", "revision", "format", "fields", "dossier", "reference",
    ]

    /// Reads a pipeline file.
    ///
    /// - Throws: ``Failure`` of code `invalid` with every fault; messages name the line.
    public static func read(yaml bytes: [UInt8], file: String) throws(Failure) -> PipelineDocument {
        try YAMLDocument.read(bytes, file) { json throws(Failure) in
            var reader = DocumentReader()
            let pipeline = reader.pipeline(json)
            try reader.finish("pipeline")
            return pipeline
        }
    }
}

extension DocumentReader {
    fileprivate mutating func pipeline(_ json: JSON) -> PipelineDocument {
        var pipeline = PipelineDocument(name: "", sources: [], output: .init(folder: "", format: .jsonlZstd))
        var missing = ["name", "sources", "output"]
        for (key, value) in members(json, at: "") {
            missing.removeAll { $0 == key }
            let base = "/" + escaped(key)
            switch key {
            case "name":
                if let name: Name<PipelineDocument> = name(value, at: base) { pipeline.name = name.text }
            case "sources": pipeline.sources = sources(value, at: base)
            case "languages": pipeline.languages = languages(value, at: base)
            case "rules": pipeline.rules = rules(value, at: base)
            case "classifiers": pipeline.classifiers = classifiers(value, at: base)
            case "tokenizer": pipeline.tokenizer = path(value, at: base)
            case "keywords": pipeline.keywords = keywords(value, at: base)
            case "personal": pipeline.personal = personal(value, at: base)
            case "contamination": pipeline.contamination = contamination(value, at: base)
            case "duplicates": pipeline.duplicates = duplicates(value, at: base)
            case "output": pipeline.output = output(value, at: base) ?? pipeline.output
            default: unknownKey(key, among: PipelineDocument.keys, at: "")
            }
        }
        if case .object = json { for key in missing { fault("/" + key, "is missing") } }
        return pipeline
    }

    private mutating func path(_ value: JSON, at base: String) -> String? {
        string(value, 1...PipelineLimits.pathBytesMax, at: base)
    }

    private mutating func paths(_ value: JSON, _ countMax: Int, at base: String) -> [String] {
        items(value, of: "paths", 1...countMax, at: base).enumerated().compactMap { path($1, at: "\(base)/\($0)") }
    }

    private mutating func number(_ value: JSON, _ range: ClosedRange<Double>, at base: String) -> Double? {
        if let number = value.numberValue, range.contains(number) { return number }
        fault(base, "must be a number from \(range.lowerBound) to \(range.upperBound), not \(shown(value))")
        return nil
    }

    private mutating func sources(_ value: JSON, at base: String) -> [PipelineDocument.Source] {
        var sources: [PipelineDocument.Source] = []
        for (index, value) in items(value, of: "sources", 1...PipelineLimits.sourcesMax, at: base).enumerated() {
            let source = source(value, at: "\(base)/\(index)")
            if sources.contains(where: { $0.name == source.name }), !source.name.isEmpty {
                fault("\(base)/\(index)/name", "is the name of another source")
            }
            sources.append(source)
        }
        return sources
    }

    private mutating func source(_ json: JSON, at base: String) -> PipelineDocument.Source {
        var source = PipelineDocument.Source(name: "", files: [])
        var missing = ["name", "files"]
        for (key, value) in members(json, at: base) {
            missing.removeAll { $0 == key }
            let place = base + "/" + escaped(key)
            switch key {
            case "name":
                if let name: Name<PipelineDocument.Source> = name(value, at: place) { source.name = name.text }
            case "files": source.files = paths(value, PipelineLimits.patternsMax, at: place)
            case "repository":
                source.repository = string(value, 1...256, at: place)
                if let text = source.repository, RepositoryShelf.address(text).map({ $0.shelf == .images }) ?? true {
                    fault(place, "must name a dataset or a model, such as datasets/demo/corpus, not \(shown(value))")
                }
            case "revision": source.revision = string(value, 1...256, at: place)
            case "format": source.format = choice(value, at: place)
            case "fields":
                for (key, value) in members(value, at: place) {
                    let text = string(value, 1...256, at: place + "/" + escaped(key)) ?? ""
                    switch key {
                    case "text": source.fields.text = text
                    case "id": source.fields.id = text
                    case "url": source.fields.url = text
                    default: unknownKey(key, among: ["text", "id", "url"], at: place)
                    }
                }
            case "dossier": source.dossier = path(value, at: place)
            case "reference": source.isReference = bool(value, at: place) ?? false
            default: unknownKey(key, among: PipelineDocument.sourceKeys, at: base)
            }
        }
        if source.repository == nil, source.revision != nil {
            fault(base + "/revision", "is one of a repository, which is not named")
        }
        if source.repository != nil {
            for (index, path) in source.files.enumerated() where !TreeManifest.isSafe(path: path) {
                fault("\(base)/files/\(index)", "must be a path within the repository, not '\(path)'")
            }
        }
        if case .object = json { for key in missing { fault(base + "/" + key, "is missing") } }
        return source
    }

    private mutating func languages(_ json: JSON, at base: String) -> PipelineDocument.Languages {
        var languages = PipelineDocument.Languages(keep: [], probabilityMin: 0.5)
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "keep":
                let codes = items(value, of: "languages", 1...PipelineLimits.languagesMax, at: place)
                languages.keep = codes.enumerated().compactMap { string($1, 2...16, at: "\(place)/\($0)") }
            case "probability_min": languages.probabilityMin = number(value, 0...1, at: place) ?? 0.5
            default: unknownKey(key, among: ["keep", "probability_min"], at: base)
            }
        }
        if case .object = json, json["keep"] == nil { fault(base + "/keep", "is missing") }
        return languages
    }

    private mutating func rules(_ json: JSON, at base: String) -> PipelineDocument.Rules {
        var rules = PipelineDocument.Rules(sets: [], thresholds: [:])
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "sets":
                let names = items(value, of: "rule sets", 1...PipelineDocument.RuleSet.allCases.count, at: place)
                rules.sets = names.enumerated().compactMap { choice($1, at: "\(place)/\($0)") }
            case "thresholds":
                let given = members(value, at: place)
                guard given.count <= PipelineLimits.thresholdsMax else {
                    fault(place, "may have at most \(PipelineLimits.thresholdsMax) entries")
                    continue
                }
                for (key, value) in given {
                    rules.thresholds[key] = number(value, -1e9...1e9, at: place + "/" + escaped(key))
                }
            default: unknownKey(key, among: ["sets", "thresholds"], at: base)
            }
        }
        if case .object = json, json["sets"] == nil { fault(base + "/sets", "is missing") }
        return rules
    }

    private mutating func classifiers(_ json: JSON, at base: String) -> [PipelineDocument.Classifier] {
        items(json, of: "classifiers", 1...PipelineLimits.classifiersMax, at: base).enumerated().map { index, json in
            let base = "\(base)/\(index)"
            var classifier = PipelineDocument.Classifier(model: "", keep: [], probabilityMin: 0.5)
            for (key, value) in members(json, at: base) {
                let place = base + "/" + escaped(key)
                switch key {
                case "model": classifier.model = path(value, at: place) ?? ""
                case "keep":
                    let labels = items(value, of: "labels", 1...100, at: place)
                    classifier.keep = labels.enumerated().compactMap { string($1, 1...64, at: "\(place)/\($0)") }
                case "probability_min": classifier.probabilityMin = number(value, 0...1, at: place) ?? 0.5
                default: unknownKey(key, among: ["model", "keep", "probability_min"], at: base)
                }
            }
            if case .object = json {
                for key in ["model", "keep"] where json[key] == nil { fault("\(base)/\(key)", "is missing") }
            }
            return classifier
        }
    }

    private mutating func keywords(_ json: JSON, at base: String) -> PipelineDocument.Keywords {
        var keywords = PipelineDocument.Keywords(packs: [], action: .drop, weightMin: 1)
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "packs": keywords.packs = paths(value, PipelineLimits.packsMax, at: place)
            case "action": keywords.action = choice(value, at: place) ?? .drop
            case "weight_min": keywords.weightMin = number(value, 0...1e9, at: place) ?? 1
            default: unknownKey(key, among: ["packs", "action", "weight_min"], at: base)
            }
        }
        if case .object = json, json["packs"] == nil { fault(base + "/packs", "is missing") }
        return keywords
    }

    private mutating func personal(_ json: JSON, at base: String) -> PipelineDocument.Personal {
        var personal = PipelineDocument.Personal(action: .mask, types: [:])
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "action": personal.action = choice(value, at: place) ?? .mask
            case "types":
                for (key, value) in members(value, at: place) {
                    personal.types[key] = choice(value, at: place + "/" + escaped(key))
                }
            default: unknownKey(key, among: ["action", "types"], at: base)
            }
        }
        return personal
    }

    private mutating func contamination(_ json: JSON, at base: String) -> PipelineDocument.Contamination {
        var contamination = PipelineDocument.Contamination(against: [], action: .drop)
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "against": contamination.against = paths(value, PipelineLimits.patternsMax, at: place)
            case "action": contamination.action = choice(value, at: place) ?? .drop
            default: unknownKey(key, among: ["against", "action"], at: base)
            }
        }
        if case .object = json, json["against"] == nil { fault(base + "/against", "is missing") }
        return contamination
    }

    private mutating func duplicates(_ json: JSON, at base: String) -> PipelineDocument.Duplicates {
        var duplicates = PipelineDocument.Duplicates(exact: true)
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "exact": duplicates.exact = bool(value, at: place) ?? true
            case "near":
                duplicates.near = .init(jaccardMin: 0.8)
                for (key, value) in members(value, at: place) {
                    if key == "jaccard_min" {
                        duplicates.near?.jaccardMin = number(value, 0.5...1, at: place + "/jaccard_min") ?? 0.8
                    } else {
                        unknownKey(key, among: ["jaccard_min"], at: place)
                    }
                }
            case "lines": duplicates.lines = repeats(value, .init(countMin: 3, bytesMin: 30), at: place)
            case "paragraphs": duplicates.paragraphs = repeats(value, .init(countMin: 3, bytesMin: 100), at: place)
            case "substrings":
                duplicates.substrings = .init(bytesMin: 200)
                for (key, value) in members(value, at: place) {
                    if key == "bytes_min" {
                        let bytes = integer(value, PipelineLimits.substringBytes, at: place + "/bytes_min")
                        duplicates.substrings?.bytesMin = bytes ?? 200
                    } else {
                        unknownKey(key, among: ["bytes_min"], at: place)
                    }
                }
            default: unknownKey(key, among: ["exact", "near", "lines", "paragraphs", "substrings"], at: base)
            }
        }
        return duplicates
    }

    private mutating func repeats(
        _ json: JSON,
        _ standard: PipelineDocument.Duplicates.Repeats,
        at base: String
    ) -> PipelineDocument.Duplicates.Repeats {
        var repeats = standard
        for (key, value) in members(json, at: base) {
            switch key {
            case "count_min":
                repeats.countMin = integer(value, 2...1_000_000_000, at: base + "/count_min") ?? standard.countMin
            case "bytes_min":
                repeats.bytesMin = integer(value, 1...1_000_000, at: base + "/bytes_min") ?? standard.bytesMin
            default: unknownKey(key, among: ["count_min", "bytes_min"], at: base)
            }
        }
        return repeats
    }

    private mutating func output(_ json: JSON, at base: String) -> PipelineDocument.Output? {
        var output = PipelineDocument.Output(folder: "", format: .jsonlZstd)
        for (key, value) in members(json, at: base) {
            let place = base + "/" + escaped(key)
            switch key {
            case "folder": output.folder = path(value, at: place) ?? ""
            case "format": output.format = choice(value, at: place) ?? .jsonlZstd
            default: unknownKey(key, among: ["folder", "format"], at: base)
            }
        }
        if case .object = json, json["folder"] == nil { fault(base + "/folder", "is missing") }
        return output
    }
}
