import Core
import Curation
import Wire

/// All of them, by the names that `scripts/fuzz` takes.
let targets: [FuzzTarget] = [
    FuzzTarget(name: "gzip") {
        unpack($0, Gunzip(cap: cap)) { try $0.decompress($1, isLast: $2, into: &$3, outputMax: 4096) }
    },
    FuzzTarget(name: "zstd") {
        unpack($0, Unzstd(cap: cap)) { try $0.decompress($1, isLast: $2, into: &$3, outputMax: 4096) }
    },
    FuzzTarget(name: "warc", run: warc),
    FuzzTarget(name: "jsonl", run: jsonLines),
    FuzzTarget(name: "parquet", run: parquet),
    FuzzTarget(name: "html", run: html),
    FuzzTarget(name: "charset", run: charset),
    FuzzTarget(name: "tokenizer", run: tokenizer),
    FuzzTarget(name: "yaml", run: yaml),
    FuzzTarget(name: "robots", run: robots),
    FuzzTarget(name: "sitemap", run: sitemap),
    FuzzTarget(name: "personal", run: personal),
    FuzzTarget(name: "keywords", run: keywords),
    FuzzTarget(name: "rules", run: rules),
    FuzzTarget(name: "repeats", run: repeats),
]

private let cap = ExpansionCap(outputMaxBytes: 8 << 20, ratioMax: 1 << 20)
nonisolated(unsafe) private let table = NormalizationTable()

private func isUTF8(_ bytes: [UInt8]) -> Bool { String(validating: bytes, as: UTF8.self) != nil }

/// The first byte is how many bytes come at a time.
private func split(_ bytes: [UInt8]) -> (piece: Int, rest: ArraySlice<UInt8>) {
    (Int(bytes.first ?? 0) + 1, bytes.dropFirst())
}

private func unpack<Stream: ~Copyable>(
    _ bytes: [UInt8],
    _ stream: consuming Stream,
    _ step: (inout Stream, Span<UInt8>, Bool, inout [UInt8]) throws -> Int
) {
    let (piece, rest) = split(bytes)
    let input = Array(rest)
    var output: [UInt8] = []
    var at = 0
    while true {
        let end = min(input.count, at + piece)
        let before = output.count
        guard let used = try? step(&stream, input.span.extracting(at..<end), end == input.count, &output) else {
            return
        }
        precondition(used >= 0 && used <= end - at, "no more is used than was given")
        at += used
        if at == input.count, output.count == before { return }
        precondition(used > 0 || output.count > before, "it takes what it is given, or gives something")
    }
}

private func warc(_ bytes: [UInt8]) {
    let (flags, rest) = split(bytes)
    let file = Array(rest)
    var reader = WARCReader(limits: WARCLimits(recordMaxBytes: 1 << 20), isAligned: flags % 2 == 0)
    var steps = 0
    while true {
        steps += 1
        precondition(steps < 4 * file.count + 64, "every step gets on")
        let at = min(reader.offset, file.count)
        switch reader.step(file.span.extracting(at...), isLast: true) {
        case .record:
            let record = reader.record
            for range in [record.contentType, record.targetURI, record.id, record.date, record.charset] {
                _ = reader.text(range)
            }
            reader.withBody { _ = $0.count }
        case .fault: continue
        case .needMore: return
        case .end: return
        }
    }
}

private func jsonLines(_ bytes: [UInt8]) {
    var line = JSONLine()
    for range in [0..<bytes.count, min(1, bytes.count)..<bytes.count] {
        guard (try? line.read(bytes.span, range)) != nil else { continue }
        for field in line.fields {
            precondition(field.value.lowerBound >= range.lowerBound && field.value.upperBound <= range.upperBound)
            guard field.kind == .plainString || field.kind == .escapedString else { continue }
            var text: [UInt8] = []
            _ = JSONLine.unescape(bytes.span, field.value, into: &text)
            precondition(isUTF8(text), "a string is text")
            var escaped: [UInt8] = []
            JSONLine.escape(text.span, into: &escaped)
            var again: [UInt8] = []
            _ = JSONLine.unescape(escaped.span, 0..<escaped.count, into: &again)
            precondition(again == text, "what is escaped comes back")
        }
        _ = line.field("text", in: bytes.span)
    }
    _ = try? JSON(parsing: bytes)
}

private func parquet(_ bytes: [UInt8]) {
    guard bytes.count >= ParquetFile.trailerBytes else { return }
    let trailer = Array(bytes.suffix(ParquetFile.trailerBytes))
    guard let count = try? ParquetFile.footerBytes(trailer: trailer.span, fileBytes: bytes.count) else { return }
    let footer = Array(bytes.suffix(count))
    guard let file = try? ParquetFile(footer: footer.span, fileBytes: bytes.count) else { return }
    for group in file.groupRowCounts.indices.prefix(4) {
        guard var rows = try? ParquetRows(file, group: group) else { continue }
        var window: [UInt8] = []
        var seen = 0
        while let step = try? rows.step(window.span), step != .end, seen < 100_000 {
            seen += 1
            switch step {
            case .read(let range):
                guard range.lowerBound >= 0, range.upperBound <= bytes.count else { return }
                window = Array(bytes[range])
            case .row:
                var text: [UInt8] = []
                for value in rows.row { value.write(to: &text) }
                precondition(isUTF8(text), "a row is text")
            case .end: break
            }
        }
    }
}

nonisolated(unsafe) private var extractor = PageExtractor()

private func html(_ bytes: [UInt8]) {
    // The extractor wants what charset detection makes.
    let page = Array(String(decoding: bytes, as: UTF8.self).utf8)
    var text: [UInt8] = []
    let facts = extractor.extract(page.span, into: &text)
    precondition(isUTF8(text), "a page's text is text")
    _ = facts.title
}

private func charset(_ bytes: [UInt8]) {
    let labels: [String?] = [
        nil, "utf-8", "gb18030", "gbk", "big5", "euc-kr", "shift_jis", "euc-jp", "iso-2022-jp", "windows-1252",
        "utf-16le", "utf-16be", "koi8-r", "x-user-defined", "nonsense",
    ]
    let (choice, rest) = split(bytes)
    let input = Array(rest)
    var out: [UInt8] = []
    let decoding = Charset.decode(
        input.span,
        declared: labels[choice % labels.count],
        isHTML: choice & 0x80 != 0,
        into: &out
    )
    precondition(isUTF8(out), "\(decoding.encoding) becomes UTF-8")
}

private func tokenizer(_ bytes: [UInt8]) {
    guard var counter = try? TokenCounter(json: bytes.span) else { return }
    let text = Array("Hello, 世界！ 123 \u{1F600}\n\n  of the words' end".utf8)
    precondition(counter.count(text.span) >= 0)
}

private func yaml(_ bytes: [UInt8]) {
    _ = try? PipelineDocument.read(yaml: bytes, file: "fuzz")
    _ = try? CrawlDocument.read(yaml: bytes, file: "fuzz")
    if let json = try? YAMLDocument.parse(utf8: bytes).json {
        _ = try? Dossier(json)
        _ = try? Profile(json)
    }
}

private func robots(_ bytes: [UInt8]) {
    let rules = RobotsRules(bytes.span, product: "Fuzz")
    for text in ["https://a.example/", "https://a.example/private/x.pdf?a=b", "https://a.example/%E4%B8%AD*$"] {
        if let url = WebURL(text) { _ = rules.verdict(url) }
    }
    var directives = RobotsDirectives()
    directives.read(bytes, product: "Fuzz")
}

private func sitemap(_ bytes: [UInt8]) {
    for entry in Sitemap(bytes.span).entries.prefix(100) { _ = WebURL(entry.location) }
    _ = WebURL(String(decoding: bytes, as: UTF8.self))
}

nonisolated(unsafe) private var personalScanner = PersonalScanner()

private func personal(_ bytes: [UInt8]) {
    let text = Array(String(decoding: bytes, as: UTF8.self).utf8)
    var matches: [PersonalMatch] = []
    var masked: [UInt8] = []
    let policy = PersonalPolicy(.mask)
    guard personalScanner.redact(text.span, policy: policy, matches: &matches, into: &masked) == .masked else { return }
    precondition(isUTF8(masked), "a masked text is text")
}

/// What stands before the first zero is a pack of words, the rest a text.
private func keywords(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false).map(Array.init)
    let text = Array(String(decoding: parts.last ?? [], as: UTF8.self).utf8)
    var view = NormalizedText(table: table)
    view.set(text.span)
    view.withBytes { precondition($0.count <= 4 * text.count + 64, "a normal form is no larger") }
    guard parts.count == 2, parts[0].count < 512 else { return }
    let words = parts[0]
    guard let pack = try? KeywordPack(words.span, table: table), var scanner = try? KeywordScanner(pack: pack) else {
        return
    }
    var matches: [KeywordMatch] = []
    scanner.scan(text.span, into: &matches)
    for match in matches {
        precondition(match.start >= 0 && match.start < match.end && match.end <= text.count, "a hit is in the text")
    }
}

nonisolated(unsafe) private var quality: QualityRules? = QualityRules(.init())

private func rules(_ bytes: [UInt8]) {
    let (choice, rest) = split(bytes)
    let text = Array(String(decoding: rest, as: UTF8.self).utf8)
    var findings: [QualityFinding] = []
    var edited: [UInt8] = []
    let language = QualityRules.Language(code: choice % 2 == 0 ? "en" : "zh")
    _ = quality?.judge(text.span, language: language, into: &findings, edited: &edited)
    precondition(isUTF8(edited), "what C4 leaves is text")
}

private func repeats(_ bytes: [UInt8]) {
    let text = Array(String(decoding: bytes, as: UTF8.self).utf8)
    let selector = PassageSelector(bytesMin: 40)
    var stretches: [Range<Int>] = []
    for passage in selector.passages(of: text.span) where passage.place >= (stretches.last?.upperBound ?? 0) {
        precondition(passage.place + 40 <= text.count, "a passage is in the text")
        stretches.append(passage.place..<passage.place + 40)
    }
    var left: [UInt8] = []
    TextRemoval.write(text.span, without: selector.removals(of: text.span, stretches: stretches), into: &left)
    precondition(isUTF8(left), "no character is cut")
    for unit in RepeatedLineSettings.Unit.allCases {
        let settings = RepeatedLineSettings(unit: unit, seenMax: 1, letterBytesMin: 1, keepsFirst: true)
        let scanner = LineScanner(settings)
        var entries: [LineEntry] = []
        scanner.appendLines(of: text.span, document: 0, to: &entries)
        var repeated = RepeatedLines()
        repeated.count(&entries, settings)
        let ranges = scanner.removals(of: text.span, document: 0, repeated: repeated)
        TextRemoval.write(text.span, without: ranges, into: &left)
        precondition(isUTF8(left), "no line is cut")
    }
    var collector = DocumentSketcher(.standard)
    collector.sketch(text.span)
}
