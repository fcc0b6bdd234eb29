/// Names of nodes as Slurm writes many of them.
enum SlurmHosts {
    /// More are not made of one text.
    private static let countMax = 100_000
    private static let depthMax = 4

    /// The nodes that `a[1-3,07],b` stands for, in that order; none when it is not such a list, as `None assigned` is not.
    ///
    /// > Source: `scontrol(1)`, show hostnames.
    static func expanded(_ text: some StringProtocol) -> [String] {
        var names: [String] = []
        for item in parts(text) {
            guard let more = one(Substring(item), depth: 0), names.count + more.count <= countMax else { return [] }
            names += more
        }
        return names.contains { $0.isEmpty || $0.contains(" ") || $0.hasPrefix("(") } ? [] : names
    }

    /// Split at the commas that stand in no brackets.
    private static func parts(_ text: some StringProtocol) -> [String] {
        var parts = [""]
        var depth = 0
        for character in text {
            if character == "[" { depth += 1 } else if character == "]" { depth -= 1 }
            if character == ",", depth == 0 { parts.append("") } else { parts[parts.count - 1].append(character) }
        }
        return parts.filter { !$0.isEmpty }
    }

    private static func one(_ text: Substring, depth: Int) -> [String]? {
        guard let open = text.firstIndex(of: "[") else { return text.contains("]") ? nil : [String(text)] }
        guard depth < depthMax, let close = text[open...].firstIndex(of: "]"),
            let rest = one(text[text.index(after: close)...], depth: depth + 1)
        else { return nil }
        var names: [String] = []
        for range in text[text.index(after: open)..<close].split(separator: ",") {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false)
            guard let first = ends.first, ends.count <= 2, let low = Int(first), let high = Int(ends.last ?? ""),
                low >= 0, low <= high, high - low < countMax, names.count + (high - low + 1) * rest.count <= countMax
            else { return nil }
            for number in low...high {
                let digits = String(number)
                let name = text[..<open] + String(repeating: "0", count: max(0, first.count - digits.count)) + digits
                names += rest.map { name + $0 }
            }
        }
        return names
    }
}
