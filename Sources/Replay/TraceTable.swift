/// A CSV file whose first line names its columns: traces of GPU clusters, and lists of nodes.
struct TraceTable {
    private let columns: [String: Int]
    private let rows: [[Substring]]

    /// `nil` for what does not begin with a line of names.
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        var lines = text.split(whereSeparator: \.isNewline).makeIterator()
        guard let first = lines.next(), first.contains(","), first.first?.isLetter == true else { return nil }
        var columns: [String: Int] = [:]
        for (index, name) in Self.cells(first).enumerated() { columns[String(name)] = index }
        self.columns = columns
        var rows: [[Substring]] = []
        while let line = lines.next() { rows.append(Self.cells(line)) }
        self.rows = rows
    }

    private static func cells(_ line: Substring) -> [Substring] {
        line.split(separator: ",", omittingEmptySubsequences: false)
    }

    private func column(_ names: String...) -> Int? { names.lazy.compactMap { columns[$0] }.first }

    /// The jobs of the shapes known here: what was submitted when, how long it ran, how many cards it had.
    func trace(name: String) -> Trace {
        var trace = Trace(name: name)
        let submit = column("submit", "arrival_s", "timestamp", "creation_time")
        let duration = column("duration", "service_sec")
        let end = column("deletion_time")
        guard let cards = column("gpus", "gpu_count", "num_gpus", "num_gpu") else { return trace }
        trace.hasTimes = submit != nil && (duration != nil || end != nil)
        // A list of what was asked for, without times, can still fill a federation.
        guard trace.hasTimes || column("gpu_milli") != nil else { return trace }
        let requested = column("requested_s")
        let cores = column("cpu_milli")
        let memory = column("memory_mib")
        let share = column("gpu_milli")
        let models = column("gpu_spec")
        let inputs = column("input_bytes")
        let priority = column("priority")
        let preemptible = column("preemptible")
        var owners: [(owner: TraceJob.Owner, column: Int, numbers: [Substring: Int32])] = []
        for (owner, column) in [
            (.home, column("home", "cluster")), (.user, column("user")), (.group, column("group")),
            (.project, column("project")),
        ] as [(TraceJob.Owner, Int?)] {
            if let column { owners.append((owner, column, [:])) }
        }
        var sets: [Substring: Int32] = [:]
        for row in rows {
            func number(_ column: Int?) -> Double? {
                guard let column, column < row.count, let value = Double(row[column]), value.isFinite else {
                    return nil
                }
                return max(-1e12, min(1e12, value))
            }
            func start() -> Double? {
                guard trace.hasTimes, let submit else { return 0 }
                return submit < row.count ? number(submit) ?? Self.seconds(row[submit]) : nil
            }
            guard let start = start(), let count = number(cards),
                let run = trace.hasTimes ? number(duration) ?? number(end).map({ $0 - start }) : 1
            else {
                trace.skip("cut line")
                continue
            }
            guard start >= 0, run >= 0, count >= 0, count <= 1e6 else {
                trace.skip(count < 0 || count > 1e6 ? "absurd size" : "negative time")
                continue
            }
            var job = TraceJob(submit: Int64(start), run: max(1, Int64(run)), cards: Int(count))
            if let seconds = number(requested), seconds > 0 { job.requested = Int64(seconds) }
            job.milliCores = Int(max(0, min(1e9, number(cores) ?? 0)))
            job.memoryMiB = Int(max(0, min(1e9, number(memory) ?? 0)))
            if let bytes = number(inputs), bytes >= 0 { job.inputBytes = Int64(bytes) }
            if let level = number(priority) { job.priority = Int(max(0, min(1000, level))) }
            job.preemptible = number(preemptible).map { $0 != 0 } ?? false
            if job.cards == 1, let milli = number(share), (1...1000).contains(milli) { job.cardMilli = Int(milli) }
            for index in owners.indices where owners[index].column < row.count {
                let text = row[owners[index].column]
                let number = Int32(text) ?? owners[index].numbers[text] ?? Int32(owners[index].numbers.count)
                if Int32(text) == nil { owners[index].numbers[text] = number }
                switch owners[index].owner {
                case .user: job.user = number
                case .group: job.group = number
                case .project: job.project = number
                case .home: job.home = number
                }
            }
            if let models, models < row.count, !row[models].isEmpty {
                let set = sets[row[models]] ?? Int32(trace.modelSets.count)
                if set == trace.modelSets.count {
                    trace.modelSets.append(row[models].split(separator: "|").map(String.init))
                }
                sets[row[models]] = set
                job.models = set
            }
            guard job.cards > 0 || job.milliCores > 0 else {
                trace.skip("asked for nothing")
                continue
            }
            trace.jobs.append(job)
        }
        for (owner, _, numbers) in owners {
            trace.names[owner] = Dictionary(uniqueKeysWithValues: numbers.map { ($1, String($0)) })
        }
        return trace
    }

    /// Nodes, one a row: cores, memory, cards and their model; `nil` for another table.
    func nodes() -> [Federation.Node]? {
        guard let cores = column("cpu_milli"), let memory = column("memory_mib"), let cards = column("gpu"),
            let model = column("model")
        else { return nil }
        return rows.compactMap { row in
            guard row.count > max(cores, memory, cards, model), let milli = Int(row[cores]),
                let mebi = Int(row[memory]),
                let count = Int(row[cards]), (0...1_000_000_000).contains(milli), (0...1_000_000_000).contains(mebi),
                (0...64).contains(count)
            else { return nil }
            let name = row[model].trimmingPrefix { $0 == " " }
            return Federation.Node(milliCores: milli, memoryMiB: mebi, cards: count, model: String(name))
        }
    }

    /// Seconds since 1970 of `2017-10-09 07:01:55`, as if it were UTC.
    private static func seconds(_ text: Substring) -> Double? {
        let parts = text.split { !$0.isNumber }.compactMap { Int($0) }
        guard parts.count >= 6, (1...12).contains(parts[1]), (1970...9999).contains(parts[0]) else { return nil }
        // Days from the civil calendar: years begin in March, so that the leap day is the last.
        let year = parts[1] > 2 ? parts[0] : parts[0] - 1
        let month = (parts[1] + 9) % 12
        let days = 365 * year + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + parts[2] - 1 - 719_468
        return Double(days * 86_400 + parts[3] * 3600 + parts[4] * 60 + parts[5])
    }
}
