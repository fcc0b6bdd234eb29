import Core
import Curation
import Glibc

/// The files of a crawl, written so that whatever ends the process costs no more than the requests under way.
///
/// An archive's records are written first, then the collection record, then the journal's line that tells how far the
/// others are whole. What goes beyond the last line is cut off at the next start. Lines reach the disk in small groups.
final class CrawlJournal {
    private var pages: ArchiveSeries
    private var evidence: ArchiveSeries
    private var collection: AppendFile
    private var journal: AppendFile
    private var unflushed = 0

    private static let groupMax = 16
    static let name = "journal.jsonl"

    /// Opens an output folder, with the lines that are whole.
    static func open(
        _ folder: String,
        name: String,
        facts: String,
        archiveMaxBytes: Int
    ) throws(Failure) -> (CrawlJournal, lines: [CrawlLine]) {
        var lines: [CrawlLine] = []
        let path = folder + "/work/" + Self.name
        var end = 0
        if Disk.exists(path) {
            var sizes: [String: Int] = [:]
            try read(path) { (line, lineEnd) throws(Failure) in
                // After a loss of power the journal may be ahead of what it speaks of.
                guard isThere(line, folder, name, &sizes) else {
                    try refuseMissing(line, folder, name)
                    return false
                }
                lines.append(line)
                end = lineEnd
                return true
            }
        } else {
            try refuseOrphans(folder, name, path)
        }
        let last = lines.last
        return (
            CrawlJournal(
                pages: try ArchiveSeries(
                    folder + "/warc",
                    name: name,
                    facts: facts,
                    from: .init(file: last?.pages ?? 0, end: last?.pagesEnd ?? 0),
                    fileMaxBytes: archiveMaxBytes
                ),
                evidence: try ArchiveSeries(
                    folder + "/evidence",
                    name: name,
                    facts: facts,
                    from: .init(file: last?.evidence ?? 0, end: last?.evidenceEnd ?? 0),
                    fileMaxBytes: archiveMaxBytes
                ),
                collection: try AppendFile(folder + "/collection.jsonl", keeping: last?.collectionEnd ?? 0),
                journal: try AppendFile(path, keeping: end)
            ),
            lines
        )
    }

    /// A loss of power leaves an archive short. One that is gone was moved, and everything behind it must not go too.
    private static func refuseMissing(_ line: CrawlLine, _ folder: String, _ name: String) throws(Failure) {
        let archives = [("warc", line.pages, line.pagesEnd), ("evidence", line.evidence, line.evidenceEnd)]
        for (part, number, size) in archives where size > 0 {
            let archive = ArchiveSeries.path("\(folder)/\(part)", name, number)
            guard Disk.exists(archive) else {
                throw Failure(
                    .conflict,
                    "\(archive) is gone, or the crawl had another name. Put it back, or crawl into another folder."
                )
            }
        }
    }

    /// Archives without the journal that tells of them would be written over.
    private static func refuseOrphans(_ folder: String, _ name: String, _ journal: String) throws(Failure) {
        for part in ["warc", "evidence"] {
            let archive = ArchiveSeries.path("\(folder)/\(part)", name, 0)
            guard Disk.exists(archive), try InputFile(archive).count > 0 else { continue }
            throw Failure(
                .conflict,
                "\(archive) is there, but \(journal) is not. Put it back, or crawl into another folder."
            )
        }
    }

    private init(
        pages: consuming ArchiveSeries,
        evidence: consuming ArchiveSeries,
        collection: consuming AppendFile,
        journal: consuming AppendFile
    ) {
        self.pages = pages
        self.evidence = evidence
        self.collection = collection
        self.journal = journal
    }

    /// Hands every whole line to `take`, with where it ends, until that has enough.
    static func read(
        _ path: String,
        _ take: (CrawlLine, Int) throws(Failure) -> Bool
    ) throws(Failure) {
        let file = try InputFile(path)
        var window: [UInt8] = []
        var start = 0
        while true {
            let got = try file.read(into: &window, at: start + window.count, countMax: 4 << 20)
            var from = 0
            while let end = window[from...].firstIndex(of: 10) {
                let json = try? JSON(parsing: window[from..<end])
                guard let json, let line = try? json.decode(CrawlLine.self) else { return }
                guard try take(line, start + end + 1) else { return }
                from = end + 1
            }
            window.removeFirst(from)
            start += from
            if got == 0 { return }
        }
    }

    private static func isThere(
        _ line: CrawlLine,
        _ folder: String,
        _ name: String,
        _ sizes: inout [String: Int]
    ) -> Bool {
        func size(_ path: String) -> Int {
            if let size = sizes[path] { return size }
            var status = stat()
            let size = stat(path, &status) == 0 ? Int(status.st_size) : 0
            sizes[path] = size
            return size
        }
        return size(ArchiveSeries.path(folder + "/warc", name, line.pages)) >= line.pagesEnd
            && size(ArchiveSeries.path(folder + "/evidence", name, line.evidence)) >= line.evidenceEnd
            && size(folder + "/collection.jsonl") >= line.collectionEnd
    }

    /// Keeps an exchange: of pages for the corpus, of the rest as evidence.
    func archive(
        _ exchange: PageFetcher.Exchange,
        _ answer: PageFetcher.Answer
    ) throws(Failure) -> (file: String, offset: Int, id: String) {
        if exchange.entry.purpose == .page {
            let (place, id) = try pages.append(exchange, answer)
            return ("warc/" + ArchiveSeries.fileName(pages.name, place.file), place.offset, id)
        }
        let (place, id) = try evidence.append(exchange, answer)
        return ("evidence/" + ArchiveSeries.fileName(evidence.name, place.file), place.offset, id)
    }

    /// Writes what was collected and how, for whoever has to answer for it.
    func collect(_ record: JSON) throws(Failure) {
        var bytes: [UInt8] = []
        record.write(to: &bytes)
        bytes.append(10)
        try collection.append(bytes.span)
    }

    func append(_ line: CrawlLine) throws(Failure) {
        var line = line
        (line.pages, line.pagesEnd) = (pages.mark.file, pages.mark.end)
        (line.evidence, line.evidenceEnd) = (evidence.mark.file, evidence.mark.end)
        line.collectionEnd = collection.count
        var bytes: [UInt8] = []
        do {
            try JSON(encoding: line).write(to: &bytes)
        } catch {
            throw Failure(.internal, "A line of the crawl's journal cannot be written.", note: "\(error)")
        }
        bytes.append(10)
        try journal.append(bytes.span)
        unflushed += 1
        if unflushed >= Self.groupMax { try flush() }
    }

    func flush() throws(Failure) {
        guard unflushed > 0 else { return }
        try pages.flush()
        try evidence.flush()
        try collection.flush()
        try journal.flush()
        unflushed = 0
    }
}
