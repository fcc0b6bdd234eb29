import Core
import Curation
import Glibc
import Wire

/// Holds what a run says against what is on the disk now.
struct ReleaseCheck {
    private let run: PipelineRun
    private let record: RunRecord
    private let progress: @Sendable (Int, Int) -> Void
    private let total: Int
    private var done = 0

    private var file: PipelineFile { run.file }

    /// A source file that was looked at.
    struct SourceFile {
        var path: String
        var digest: Digest
        var bytes: Int
    }

    init(_ run: PipelineRun, _ record: RunRecord, progress: @escaping @Sendable (Int, Int) -> Void) {
        (self.run, self.record, self.progress) = (run, record, progress)
        let sources = run.file.sources.reduce(0) { $0 + $1.files.reduce(0) { $0 + $1.bytes } }
        total = 2 * sources + record.parts.reduce(0) { $0 + $1.bytes }
    }

    /// Whether the pipeline's file still asks for what was done.
    func pipeline() throws(Failure) {
        let format = file.document.output.format.ending
        guard record.configuration == run.configuration.hex, record.pipeline == file.document.name,
            record.parts.allSatisfy({ $0.path == "data/part-\($0.number).\(format)" })
        else { throw PipelineRun.edited(file) }
        guard record.written.count > 0 else {
            throw Failure(.conflict, "The run in \(file.outputFolder) kept nothing; there is nothing to publish.")
        }
    }

    /// Looks at every source file, and whether the same blocks come of it.
    ///
    /// - Returns: The files of each source, and the blocks with their paths from the pipeline file's folder.
    mutating func sources() throws(Failure) -> (files: [[SourceFile]], blocks: [JudgedBlock]) {
        var files: [[SourceFile]] = []
        for source in file.sources {
            var looked: [SourceFile] = []
            for input in source.files {
                let (digest, bytes) = try sha256(input.path)
                looked.append(SourceFile(path: file.relative(input.path, in: source), digest: digest, bytes: bytes))
            }
            files.append(looked)
        }
        let judged = try PipelineRun.judgedBlocks(file)
        var reader = SourceReader(file, limits: run.limits)
        var (count, before) = (0, done)
        while let block = try reader.next() {
            guard count < judged.count, judged[count].ordinal == count, judged[count].source == block.source,
                judged[count].check == block.check
            else { throw changed(block.path) }
            let fields =
                switch block.content {
                case .lines: file.sources[block.source].fields
                case .pages, .keptPages: PipelineDocument.Fields()
                }
            guard run.key(of: block, judged[count].digest, fields).hex == judged[count].key else {
                throw PipelineRun.edited(file)
            }
            count += 1
            done = max(done, before + block.bytesBefore)
            progress(done, total)
        }
        before += files.joined().reduce(0) { $0 + $1.bytes }
        done = max(done, before)
        guard count == judged.count else { throw changed(judged[count].path) }
        let merged = "\(file.outputFolder)/work/merge/\(try PipelineRun.mergeName(judged, file))"
        guard Disk.exists(merged + "/removals.json") else { throw PipelineRun.edited(file) }
        return (files, judged)
    }

    /// Looks at every part.
    ///
    /// - Returns: What their records have, where they are JSON Lines.
    mutating func parts() throws(Failure) -> ReleaseMembers {
        var members = ReleaseMembers()
        for part in record.parts {
            let path = "\(file.outputFolder)/\(part.path)"
            guard Disk.exists(path), case let bytes = try Disk.read(path, bytesMax: 1 << 34),
                Disk.sha256(bytes.span).hex == part.sha256
            else {
                throw Failure(.conflict, "\(path) has changed since the run. Remove it and run the pipeline again.")
            }
            switch file.document.output.format {
            case .jsonl: members.take(bytes)
            case .jsonlZstd: members.take(try Packed.unpack(bytes, path))
            case .parquet: break
            }
            done += bytes.count
            progress(done, total)
        }
        return members
    }

    private mutating func sha256(_ path: String) throws(Failure) -> (Digest, Int) {
        var done = done
        let found = try Disk.sha256(file: path) { count in
            done += count
            progress(done, total)
        }
        self.done = done
        return found
    }

    private func changed(_ path: String) -> Failure {
        Failure(.conflict, "\(path) has changed since the run. Run the pipeline again, and publish what comes of it.")
    }
}

extension ReleaseLineage {
    /// Says of which files, by which rules.
    ///
    /// - Parameters:
    ///   - files: Of each source.
    ///   - judged: All blocks.
    mutating func fill(
        _ run: PipelineRun,
        _ record: RunRecord,
        _ files: [[ReleaseCheck.SourceFile]],
        _ judged: [JudgedBlock],
        _ parts: [Part]
    ) {
        var listed: [File] = []
        var partOf: [Substring: RunRecord.Part] = [:]
        for part in record.parts { partOf[part.number] = part }
        for (index, source) in run.file.sources.enumerated() {
            var entry = Source(name: source.name, isReference: source.isReference)
            (entry.repository, entry.revision) = (source.revision?.repository, source.revision?.revision)
            entry.files = files[index].count
            entry.bytes = files[index].reduce(0) { $0 + $1.bytes }
            var list: [UInt8] = []
            for file in files[index] {
                list += Array("\(file.digest.hex)  \(file.path)\n".utf8)
                listed.append(
                    File(source: source.name, path: file.path, bytes: file.bytes, sha256: file.digest.hex)
                )
            }
            entry.sha256 = Disk.sha256(list.span).hex
            sources.append(entry)
        }
        var blocks: [Block] = []
        for block in judged {
            let part = partOf[PipelineRun.digits(block.ordinal)[...]]
            sources[block.source].documents += block.documents
            sources[block.source].kept += part?.documents ?? 0
            blocks.append(
                Block(
                    source: block.sourceName,
                    path: block.path,
                    digest: block.digest,
                    key: block.key,
                    documents: block.documents,
                    part: part?.path
                )
            )
        }
        self.files = listed
        self.blocks = blocks
        self.parts = parts
        models = run.operators.ingredients.map {
            Model(kind: $0.kind.rawValue, path: run.file.relative($0.path), sha256: $0.digest.hex)
        }
        var rules = record.summary.dropped.map { Rule(name: $0.key, documents: $0.value.count, bytes: $0.value.bytes) }
        rules += record.duplicates.map {
            Rule(name: "duplicates/\($0.key)", documents: $0.value.count, bytes: $0.value.bytes)
        }
        self.rules = rules.sorted { $0.name < $1.name }
    }
}

extension ReleaseLineage.Source {
    mutating func take(_ dossier: Dossier, sha256: String) {
        (title, kind) = (dossier.title, dossier.kind.rawValue)
        (licenceAtOrigin, licenceAsClaimed) = (dossier.licence.atOrigin, dossier.licence.asClaimed)
        self.dossier = sha256
    }
}
