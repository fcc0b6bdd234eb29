import CCuration

/// Collects evaluation texts and makes a ``ContaminationIndex`` of them.
public struct ContaminationBuilder {
    /// Tokens of all items together.
    public static let tokenLimit = 1 << 30
    /// A run that more items than this have is the evaluation's own phrasing ("choose the right answer"), not an item's.
    public static let commonLimit = 10
    private static let chunk = 512

    struct Run {
        var hash: UInt64
        var item: UInt32
        var lastToken: UInt32
        var tokens: UInt32
    }

    private let grams: ContaminationGrams
    private var view: NormalizedText
    private var runs: [Run] = []
    private var itemTokens: [Int] = []
    private var isShort: [Bool] = []
    private var shortItems: [Int] = []
    private var tokenCount = 0
    private var state = onepoint_grams_state()
    private var chunk: [onepoint_gram]

    public init(table: NormalizationTable, grams: ContaminationGrams = .standard) {
        self.grams = grams
        view = NormalizedText(table: table)
        chunk = Array(repeating: onepoint_gram(), count: Self.chunk)
        onepoint_grams_begin(&state, UInt32(grams.words), UInt32(grams.characters), UInt32(grams.shortWeight))
    }

    /// Adds the text of an item: its question, and its answers if they are to be found too.
    ///
    /// - Returns: The item's number, from 0; `nil` when it would take the index beyond ``tokenLimit``, and it was not added.
    public mutating func add(_ item: Span<UInt8>) -> Int? {
        view.set(item)
        let first = runs.count
        var hasLong = false
        var longRuns: [Run] = []
        onepoint_grams_restart(&state)
        let number = itemTokens.count
        while state.next < view.count {
            let count = fill()
            guard tokenCount + Int(state.tokens) <= Self.tokenLimit else {
                runs.removeLast(runs.count - first)
                return nil
            }
            for gram in chunk[0..<count] {
                let run = Run(
                    hash: gram.hash,
                    item: UInt32(number),
                    lastToken: UInt32(gram.last_token),
                    tokens: gram.tokens
                )
                if gram.kind == 0 {
                    hasLong = true
                    longRuns.append(run)
                } else if !hasLong {
                    runs.append(run)
                }
            }
        }
        if hasLong {
            runs.removeLast(runs.count - first)
            runs.append(contentsOf: longRuns)
        }
        if runs.count == first { shortItems.append(number) }
        isShort.append(!hasLong)
        itemTokens.append(Int(state.tokens))
        tokenCount += Int(state.tokens)
        return number
    }

    /// The next windows of the view, to `chunk`.
    private mutating func fill() -> Int {
        let count = view.count
        return view.buffer.withUnsafeBufferPointer { bytes in
            chunk.withUnsafeMutableBufferPointer { chunk in
                onepoint_grams_scan(&state, bytes.baseAddress, count, nil, chunk.baseAddress, chunk.count)
            }
        }
    }

    /// The index of the items so far.
    public consuming func index() -> ContaminationIndex {
        runs.sort { ($0.hash, $0.item, $0.lastToken) < ($1.hash, $1.item, $1.lastToken) }
        let common = dropCommon()
        let ownTokens = countOwnTokens()
        var bits: UInt64 = 1
        while bits < 30, 1 << (bits + 2) < runs.count { bits += 1 }
        let shift = 64 - bits
        var starts = [UInt32](repeating: 0, count: 1 << Int(bits) + 1)
        for run in runs { starts[Int(run.hash >> shift) + 1] += 1 }
        for bucket in 1..<starts.count { starts[bucket] += starts[bucket - 1] }
        let short = runs.filter { isShort[Int($0.item)] }
        let long = runs.filter { !isShort[Int($0.item)] }
        return ContaminationIndex(
            grams: grams,
            itemTokens: ownTokens,
            shortItems: shortItems,
            commonRunCount: common,
            table: view.table,
            hashes: runs.map(\.hash),
            items: runs.map(\.item),
            lastTokens: runs.map(\.lastToken),
            isShort: isShort,
            starts: starts,
            shift: shift,
            filters: [Self.filter(long), Self.filter(short)]
        )
    }

    /// The tokens of each item that the runs that are left reach: those that can be found.
    private func countOwnTokens() -> [Int] {
        var counts = [Int](repeating: 0, count: itemTokens.count)
        var free: UInt32 = 0
        var item: UInt32?
        for run in runs.sorted(by: { ($0.item, $0.lastToken) < ($1.item, $1.lastToken) }) {
            if run.item != item {
                item = run.item
                free = 0
            }
            let end = run.lastToken + 1
            counts[Int(run.item)] += Int(end - max(free, end - run.tokens))
            free = end
        }
        return counts
    }

    /// Sixteen bits for each run; none when there are no runs.
    private static func filter(_ runs: [Run]) -> [UInt64] {
        guard !runs.isEmpty else { return [] }
        var words = 64
        while words < runs.count / 4 { words *= 2 }
        var filter = [UInt64](repeating: 0, count: words)
        filter.withUnsafeMutableBufferPointer { filter in
            for run in runs { onepoint_grams_filter_add(filter.baseAddress, UInt64(words - 1), run.hash) }
        }
        return filter
    }

    /// Takes out the runs that more than ``commonLimit`` items have, and says how many they were; of one item's repeats of a run
    /// keeps the first, so that a text and an item of one repeated character do not meet in every pair of places.
    private mutating func dropCommon() -> Int {
        var kept = 0
        var common = 0
        var start = 0
        while start < runs.count {
            var end = start
            var items = 0
            while end < runs.count, runs[end].hash == runs[start].hash {
                if end == start || runs[end].item != runs[end - 1].item { items += 1 }
                end += 1
            }
            if items > Self.commonLimit {
                common += 1
            } else {
                for i in start..<end where i == start || runs[i].item != runs[i - 1].item {
                    runs[kept] = runs[i]
                    kept += 1
                }
            }
            start = end
        }
        runs.removeLast(runs.count - kept)
        return common
    }
}
