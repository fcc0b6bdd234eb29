import Core

/// Which files are large by their name: the lines of a `.gitattributes` with `filter=lfs` (gitattributes(5)).
public struct GitAttributes: Sendable {
    private var rules: [(pattern: PathPattern, isLarge: Bool)] = []

    /// Reads at most ``bytesMax`` bytes; lines that cannot be understood are passed over, as git does.
    public init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard let pattern = words.first, !pattern.hasPrefix("#") else { continue }
            let attributes = words.dropFirst()
            if attributes.contains("filter=lfs") {
                rules.append((PathPattern(pattern), true))
            } else if attributes.contains("-filter") || attributes.contains("!filter") {
                rules.append((PathPattern(pattern), false))
            }
        }
    }

    public static let bytesMax = 64 << 10

    /// The last rule that matches counts.
    public func isLarge(_ path: FilePath) -> Bool {
        rules.last { $0.pattern.matches(path.text) }?.isLarge ?? false
    }

    /// What a new repository begins with: formats of weights, archives and columns.
    public static let standard: String = {
        let patterns = [
            "*.7z", "*.arrow", "*.bin", "*.bz2", "*.ckpt", "*.ftz", "*.gguf", "*.gz", "*.h5", "*.joblib", "*.keras",
            "*.lz4", "*.mlmodel", "*.model", "*.msgpack", "*.npy", "*.npz", "*.onnx", "*.ot", "*.parquet", "*.pb",
            "*.pickle", "*.pkl", "*.pt", "*.pth", "*.rar", "*.safetensors", "saved_model/**/*", "*.tar", "*.tar.*",
            "*.tflite", "*.tgz", "*.wasm", "*.xz", "*.zip", "*.zst", "*tfevents*",
        ]
        return patterns.map { "\($0) filter=lfs diff=lfs merge=lfs -text\n" }.joined()
    }()
}

/// Which files clients are not to upload: a `.gitignore` (gitignore(5)).
public struct GitIgnore: Sendable {
    private var rules: [(pattern: PathPattern, isIgnored: Bool)] = []

    public init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            var line = line
            while line.last == " " { line.removeLast() }
            guard let first = line.first, first != "#" else { continue }
            let isIgnored = first != "!"
            if !isIgnored { line.removeFirst() }
            if !line.isEmpty { rules.append((PathPattern(line), isIgnored)) }
        }
    }

    /// Whether a file, or a folder that it is in, is ignored.
    public func ignores(_ path: FilePath) -> Bool {
        let names = path.names
        for depth in 1...names.count {
            let part = names.prefix(depth).joined(separator: "/")
            let isFolder = depth < names.count
            if rules.last(where: { $0.pattern.matches(part, isFolder: isFolder) })?.isIgnored ?? false { return true }
        }
        return false
    }
}

/// A pattern as git has them: `*`, `?` and `[…]` within a name, `**` across names, a slash ties it to the root.
struct PathPattern: Sendable {
    private let parts: [[UInt8]]
    private let isFolderOnly: Bool

    init(_ text: some StringProtocol) {
        var text = String(text)
        isFolderOnly = text.hasSuffix("/")
        if isFolderOnly { text.removeLast() }
        let isAnchored = text.contains("/")
        if text.hasPrefix("/") { text.removeFirst() }
        var parts = text.split(separator: "/").map { Array($0.utf8) }
        if !isAnchored { parts.insert(Array("**".utf8), at: 0) }
        self.parts = parts
    }

    func matches(_ path: String, isFolder: Bool = false) -> Bool {
        guard isFolder || !isFolderOnly else { return false }
        return Self.matches(parts[...], path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }[...])
    }

    private static func matches(_ parts: ArraySlice<[UInt8]>, _ names: ArraySlice<[UInt8]>) -> Bool {
        guard let part = parts.first else { return names.isEmpty }
        if part == Array("**".utf8) {
            let rest = parts.dropFirst()
            if rest.isEmpty { return !names.isEmpty }
            return names.indices.contains { matches(rest, names[$0...]) }
        }
        guard let name = names.first, matchesName(part[...], name[...]) else { return false }
        return matches(parts.dropFirst(), names.dropFirst())
    }

    /// One name, by going back to the last star: linear in practice, and at worst the product of the lengths.
    private static func matchesName(_ pattern: ArraySlice<UInt8>, _ name: ArraySlice<UInt8>) -> Bool {
        var (p, n) = (pattern.startIndex, name.startIndex)
        var star: (p: Int, n: Int)?
        while n < name.endIndex {
            if p < pattern.endIndex, pattern[p] == UInt8(ascii: "*") {
                star = (p, n)
                p += 1
            } else if p < pattern.endIndex, let next = single(pattern, p, name[n]) {
                p = next
                n += 1
            } else if let last = star {
                star = (last.p, last.n + 1)
                p = last.p + 1
                n = last.n + 1
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Where the pattern goes on after it has matched one byte; `nil` when it does not.
    private static func single(_ pattern: ArraySlice<UInt8>, _ p: Int, _ byte: UInt8) -> Int? {
        switch pattern[p] {
        case UInt8(ascii: "?"): return p + 1
        case UInt8(ascii: "["):
            guard let end = pattern[(p + 1)...].dropFirst().firstIndex(of: UInt8(ascii: "]")) else { break }
            var set = pattern[(p + 1)..<end]
            let isNegated = set.first == UInt8(ascii: "!") || set.first == UInt8(ascii: "^")
            if isNegated { set = set.dropFirst() }
            var found = false
            var index = set.startIndex
            while index < set.endIndex {
                if index + 2 < set.endIndex, set[index + 1] == UInt8(ascii: "-") {
                    found = found || (set[index] <= byte && byte <= set[index + 2])
                    index += 3
                } else {
                    found = found || set[index] == byte
                    index += 1
                }
            }
            return found != isNegated ? end + 1 : nil
        case UInt8(ascii: "\\"):
            guard p + 1 < pattern.endIndex else { break }
            return pattern[p + 1] == byte ? p + 2 : nil
        default: break
        }
        return pattern[p] == byte ? p + 1 : nil
    }
}
