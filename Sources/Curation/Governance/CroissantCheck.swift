public import Core

/// Whether a Croissant card has what the specification requires; a part of what the official validator does, which this
/// needs neither network nor Python for.
///
/// > Source: Croissant format specification 1.1, "Required" properties of datasets, file objects, file sets, record sets
/// > and fields.
public enum CroissantCheck {
    /// - Returns: What is missing or wrong, with JSON Pointers; empty when all is there.
    public static func faults(of card: JSON) -> [Violation] {
        var faults: [Violation] = []
        func fault(_ pointer: String, _ message: String) { faults.append(Violation(pointer, message)) }
        func isThere(_ json: JSON?) -> Bool {
            switch json {
            case nil, .null?: false
            case .string(let text)?: !text.isEmpty
            case .array(let items)?: !items.isEmpty
            case .object(let members)?: !members.isEmpty
            case .bool?, .integer?, .number?: true
            }
        }
        func require(_ json: JSON, _ keys: [String], at pointer: String) {
            for key in keys where !isThere(json[key]) { fault("\(pointer)/\(key)", "is missing") }
        }
        guard case .object = card else { return [Violation("", "must be an object, not \(card.kind)")] }
        require(
            card,
            ["@context", "@type", "name", "description", "url", "license", "creator", "datePublished", "distribution"],
            at: ""
        )
        if let type = card["@type"]?.stringValue, type != "sc:Dataset", type != "Dataset" {
            fault("/@type", "must be sc:Dataset")
        }
        let versions = texts(card["conformsTo"] ?? card["dct:conformsTo"])
        if !versions.contains(where: { $0.hasPrefix("http://mlcommons.org/croissant/1.") }) {
            fault("/conformsTo", "must name the version of Croissant")
        }
        var ids: Set<String> = []
        func take(_ json: JSON, at pointer: String) {
            guard let id = json["@id"]?.stringValue, !id.isEmpty else { return fault(pointer + "/@id", "is missing") }
            if !ids.insert(id).inserted { fault(pointer + "/@id", "stands twice") }
        }
        for (index, file) in (card["distribution"]?.arrayValue ?? []).enumerated() {
            let pointer = "/distribution/\(index)"
            take(file, at: pointer)
            require(file, ["encodingFormat"], at: pointer)
            switch file["@type"]?.stringValue {
            case "cr:FileObject"?:
                guard !isThere(file["containedIn"]) else { continue }
                require(file, ["contentUrl", "sha256"], at: pointer)
                if let hex = file["sha256"]?.stringValue, Digest(hex: hex) == nil {
                    fault(pointer + "/sha256", "must be 64 hexadecimal digits in lower case")
                }
            case "cr:FileSet"?: require(file, ["includes"], at: pointer)
            case _: fault(pointer + "/@type", "must be cr:FileObject or cr:FileSet")
            }
        }
        let files = ids
        for (index, set) in (card["recordSet"]?.arrayValue ?? []).enumerated() {
            let pointer = "/recordSet/\(index)"
            take(set, at: pointer)
            for (number, field) in (set["field"]?.arrayValue ?? []).enumerated() {
                let pointer = "\(pointer)/field/\(number)"
                take(field, at: pointer)
                require(field, ["dataType"], at: pointer)
                let source = field["source"]
                let from = (source?["fileObject"] ?? source?["fileSet"])?["@id"]?.stringValue
                if let from, !files.contains(from) { fault(pointer + "/source", "is of no file of the distribution") }
                if source == nil, field["value"] == nil { fault(pointer + "/source", "is missing") }
            }
        }
        return faults
    }

    private static func texts(_ json: JSON?) -> [String] {
        switch json {
        case .string(let text)?: [text]
        case .array(let items)?: items.compactMap { $0.stringValue ?? $0["@id"]?.stringValue }
        case .object?: [json?["@id"]?.stringValue].compactMap { $0 }
        case nil, .null?, .bool?, .integer?, .number?: []
        }
    }
}
