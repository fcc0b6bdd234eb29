import Core

extension TokenCounter {
    /// The longest file that is read: the largest in use have some tens of megabytes.
    public static let fileBytesMax = 256 << 20
    static let vocabularyMax = 4_000_000

    /// Reads a `tokenizer.json` of Hugging Face's `tokenizers`. The bytes may be anybody's.
    ///
    /// - Throws: ``TokenizerError`` that names what is broken or not understood.
    public init(json bytes: Span<UInt8>) throws(TokenizerError) {
        guard bytes.count <= Self.fileBytesMax else {
            throw TokenizerError("The tokenizer is longer than \(Self.fileBytesMax) bytes.")
        }
        var scanner = JSONScanner()
        var members: [(key: String, range: Range<Int>)] = []
        try scanner.expect("{", bytes)
        var isFirst = true
        while try scanner.more("}", &isFirst, bytes) {
            try scanner.readString(bytes)
            let key = String(decoding: scanner.string, as: UTF8.self)
            try scanner.expect(":", bytes)
            members.append((key, try scanner.skipValue(bytes)))
        }
        func part(_ key: String) -> Range<Int>? { members.first { $0.key == key }?.range }
        func value(_ key: String) throws(TokenizerError) -> JSON {
            guard let range = part(key) else { return .null }
            var scanner = JSONScanner()
            return try scanner.readValue(bytes.extracting(range))
        }
        guard let model = part("model") else { throw TokenizerError("The tokenizer has no model.") }
        var plan = Plan()
        try plan.add(normalizer: try value("normalizer"))
        try plan.add(preTokenizer: try value("pre_tokenizer"))
        try plan.add(tokens: try value("added_tokens"))
        self.init(plan: plan, model: try Self.model(bytes.extracting(model), isOfBytes: plan.isOfBytes))
    }
}

extension TokenCounter.Plan {
    private static func refusal(_ kind: String, _ name: String) -> TokenizerError {
        TokenizerError("The tokenizer uses the \(kind) '\(name.prefix(200))', which is not understood.")
    }

    mutating func add(normalizer json: JSON, depth: Int = 0) throws(TokenizerError) {
        if json == .null { return }
        guard let type = json["type"]?.stringValue, depth < 8 else { throw Self.refusal("normalizer", json.text) }
        switch type {
        case "Sequence":
            for part in json["normalizers"]?.arrayValue ?? [] { try add(normalizer: part, depth: depth + 1) }
        case "NFC": normalizers.append(.nfc)
        case "Lowercase": normalizers.append(.lowercase)
        case "Prepend": normalizers.append(.prepend(Array((json["prepend"]?.stringValue ?? "").utf8)))
        case "Replace":
            guard let old = json["pattern"]?["String"]?.stringValue, !old.isEmpty,
                let new = json["content"]?.stringValue
            else { throw Self.refusal("normalizer", json.text) }
            normalizers.append(.replace(Array(old.utf8), with: Array(new.utf8)))
        case "BertNormalizer":
            let lowercases = json["lowercase"]?.boolValue ?? true
            normalizers.append(
                .bert(
                    cleans: json["clean_text"]?.boolValue ?? true,
                    separatesIdeographs: json["handle_chinese_chars"]?.boolValue ?? true,
                    stripsAccents: json["strip_accents"]?.boolValue ?? lowercases,
                    lowercases: lowercases
                )
            )
        default: throw Self.refusal("normalizer", type)
        }
    }

    mutating func add(preTokenizer json: JSON, depth: Int = 0) throws(TokenizerError) {
        if json == .null { return }
        guard let type = json["type"]?.stringValue, depth < 8, !isOfBytes else {
            throw Self.refusal("pre-tokenizer", json.text)
        }
        switch type {
        case "Sequence":
            for part in json["pretokenizers"]?.arrayValue ?? [] { try add(preTokenizer: part, depth: depth + 1) }
        case "ByteLevel":
            isOfBytes = true
            if json["add_prefix_space"]?.boolValue ?? true {
                // After a cut it would put a blank before every piece.
                guard patterns.isEmpty else { throw Self.refusal("pre-tokenizer", json.text) }
                prefixesBlank = true
            }
            if json["use_regex"]?.boolValue ?? true { patterns.append(.gpt2) }
        case "Split":
            guard json["behavior"]?.stringValue == "Isolated", json["invert"]?.boolValue != true,
                let regex = json["pattern"]?["Regex"]?.stringValue, let pattern = SplitPattern(regex: regex)
            else { throw Self.refusal("split pattern", json["pattern"]?["Regex"]?.stringValue ?? json.text) }
            patterns.append(pattern)
        case "Digits": patterns.append(.digits(individual: json["individual_digits"]?.boolValue ?? false))
        case "WhitespaceSplit": patterns.append(.whitespace)
        case "BertPreTokenizer": patterns.append(.bert)
        case "Metaspace":
            let scheme = json["prepend_scheme"]?.stringValue
            let prefix: TokenCounter.Metaspace.Prefix? =
                switch scheme {
                case "always": .always
                case "first": .first
                case "never": .never
                case nil: json["add_prefix_space"]?.boolValue == false ? .never : .always
                default: nil
                }
            guard let prefix, json["replacement"]?.stringValue == "▁", patterns.isEmpty, metaspace == nil else {
                throw Self.refusal("pre-tokenizer", json.text)
            }
            metaspace = TokenCounter.Metaspace(prefix: prefix)
            if json["split"]?.boolValue ?? true { patterns.append(.metaspace) }
        default: throw Self.refusal("pre-tokenizer", type)
        }
    }

    mutating func add(tokens json: JSON) throws(TokenizerError) {
        var raw: [AddedTokens.Token] = []
        var normalized: [AddedTokens.Token] = []
        for token in json.arrayValue ?? [] {
            guard let content = token["content"]?.stringValue else {
                throw TokenizerError("An added token of the tokenizer has no content.")
            }
            guard content.utf8.count <= 4096 else { throw TokenizerError("An added token is too long.") }
            var bytes = Array(content.utf8)
            let isNormalized = token["normalized"]?.boolValue ?? false
            if isNormalized {
                for normalizer in normalizers { normalizer.apply(to: &bytes, CharacterClasses.shared) }
            }
            let added = AddedTokens.Token(
                content: bytes,
                takesLeft: token["lstrip"]?.boolValue ?? false,
                takesRight: token["rstrip"]?.boolValue ?? false,
                isWord: token["single_word"]?.boolValue ?? false
            )
            if isNormalized { normalized.append(added) } else { raw.append(added) }
        }
        rawTokens = AddedTokens(raw)
        normalizedTokens = AddedTokens(normalized)
    }
}
