import Core

/// What other runs, or parts of this one, left in their output folders: taken where it is of the same block and the same
/// configuration, and whole.
struct EarlierResults: Sendable {
    private var folders: [String] = []
    /// By the result's name the folders that have it.
    private var blocks: [Digest: [Int]] = [:]
    private var pages: [Digest: [Int]] = [:]

    /// Output folders below all that were given.
    static let foldersMax = 100_000

    /// - Parameter given: Output folders of runs, or folders of such, as an array of jobs leaves one for each element.
    /// - Throws: ``Failure`` naming a folder in which nothing was ever run.
    init(_ given: [String]) throws(Failure) {
        for folder in given {
            if Self.isOutput(folder) {
                folders.append(folder)
                continue
            }
            guard Disk.isFolder(folder) else {
                throw Failure(.notFound, "The folder of results \(folder) is not there.")
            }
            let below = try Disk.names(in: folder).map { folder + "/" + $0 }.filter { Self.isOutput($0) }
            guard !below.isEmpty else {
                throw Failure(
                    .notFound,
                    "\(folder) has no results. Name the output folder of a run, or a folder that has such folders."
                )
            }
            folders += below
        }
        guard folders.count <= Self.foldersMax else {
            throw Failure(.tooLarge, "\(folders.count) folders have results; at most \(Self.foldersMax) are read.")
        }
        for (index, folder) in folders.enumerated() {
            for name in Self.names(below: folder + "/work/blocks") {
                if let key = Digest(hex: name) { blocks[key, default: []].append(index) }
            }
            for name in Self.names(below: folder + "/work/pages") where name.hasSuffix(Self.pagesEnding) {
                if let key = Digest(hex: String(name.dropLast(Self.pagesEnding.count))) {
                    pages[key, default: []].append(index)
                }
            }
        }
    }

    private static let pagesEnding = ".jsonl.zst"

    /// A part that no block fell to leaves nothing but its record.
    private static func isOutput(_ folder: String) -> Bool {
        Disk.isFolder(folder + "/work/blocks") || Disk.exists(folder + "/run.json")
    }

    /// What stands in the folders of a folder, whose names are the first two digits of what they have.
    private static func names(below folder: String) -> [String] {
        // What is not there or cannot be read is made anew.
        let folders = (try? Disk.names(in: folder)) ?? []
        return folders.flatMap { (try? Disk.names(in: folder + "/" + $0)) ?? [] }
    }

    /// Brings a block's result into a cache.
    ///
    /// - Parameter ordinal: Of the block.
    func bring(_ key: Digest, to cache: BlockCache, by ordinal: Int) throws(Failure) -> Arrival {
        guard let having = blocks[key] else { return .unknown }
        for index in having {
            let other = BlockCache(folder: folders[index] + "/work/blocks")
            if try cache.take(key, from: other, by: ordinal) { return .brought }
        }
        return .damaged
    }

    enum Arrival: Sendable {
        case brought
        case unknown
        /// Whoever has it has something else under its name.
        case damaged
    }

    /// Where pages' records may be, by the name that they are kept under.
    func pagePaths(_ name: Digest) -> [String] {
        (pages[name] ?? []).map { "\(folders[$0])/work/pages/\(name.hex.prefix(2))/\(name.hex)\(Self.pagesEnding)" }
    }
}
