import Core
import Curation
import Glibc

/// What tests of governance share.
enum Governance {
    static func seed(_ test: String) -> UInt64 {
        let given = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): ONEPOINT_TEST_SEED=\(seed)")
        return seed
    }

    static func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

    static func digest(_ text: String) -> Digest {
        let bytes = Array(text.utf8)
        return sha256(bytes.span)
    }

    static func time(_ text: String) -> Instant { Instant(rfc3339: text) ?? Instant(milliseconds: 0) }

    /// Every violation of a thrown failure as `POINTER: MESSAGE`.
    static func faults(_ body: () throws -> Void) -> [String] {
        do {
            try body()
            return []
        } catch let failure as Failure {
            return failure.violations.map { "\($0.pointer): \($0.message)" }
        } catch {
            return ["\(error)"]
        }
    }

    /// SHA-256 by FIPS 180-4, since the target under test brings none along.
    static let sha256: MerkleHash = { input in
        var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        var bytes: [UInt8] = []
        for index in input.indices { bytes.append(input[index]) }
        let bits = UInt64(bytes.count) * 8
        bytes.append(0x80)
        while bytes.count % 64 != 56 { bytes.append(0) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: bits >> shift))
        }
        func rotated(_ x: UInt32, _ n: UInt32) -> UInt32 { x >> n | x << (32 - n) }
        var w = [UInt32](repeating: 0, count: 64)
        for start in stride(from: 0, to: bytes.count, by: 64) {
            for i in 0..<16 {
                let at = start + i * 4
                w[i] =
                    UInt32(bytes[at]) << 24 | UInt32(bytes[at + 1]) << 16 | UInt32(bytes[at + 2]) << 8
                    | UInt32(bytes[at + 3])
            }
            for i in 16..<64 {
                let s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3
                let s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10
                w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
            }
            var v = state
            for i in 0..<64 {
                let s1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25)
                let t1 = v[7] &+ s1 &+ (v[4] & v[5] ^ ~v[4] & v[6]) &+ constants[i] &+ w[i]
                let s0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22)
                let t2 = s0 &+ (v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2])
                v = [t1 &+ t2, v[0], v[1], v[2], v[3] &+ t1, v[4], v[5], v[6]]
            }
            for i in 0..<8 { state[i] &+= v[i] }
        }
        let out = state.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> UInt32($0)) } }
        return Digest(bytes: out) ?? Digest(hex: String(repeating: "0", count: 64))!
    }

    private static let constants: [UInt32] = {
        // The first 32 bits of the fractional parts of the cube roots of the first 64 primes.
        var (primes, candidate) = ([UInt32](), UInt32(2))
        while primes.count < 64 {
            if !primes.contains(where: { candidate % $0 == 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map { prime in
            let root = cbrt(Double(prime))
            return UInt32((root - root.rounded(.down)) * 4_294_967_296)
        }
    }()

    /// Reads a file of `profiles/`: block maps and lists, with texts in double quotes or plain. The driver reads them as
    /// YAML; here it is enough to see what they say.
    static func profile(_ name: String, file: String = #filePath) throws -> JSON {
        let root = file.split(separator: "/").dropLast(3).joined(separator: "/")
        let bytes = try bytes(of: "/\(root)/profiles/\(name).yaml")
        let all: [Substring] = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        let texts = all.filter { !$0.hasPrefix("#") }
        var lines = texts.map { (indent: $0.prefix { $0 == " " }.count, text: $0.drop { $0 == " " }) }[...]
        return try block(&lines, indent: 0)
    }

    private static func block(_ lines: inout ArraySlice<(indent: Int, text: Substring)>, indent: Int) throws -> JSON {
        if lines.first?.text.hasPrefix("- ") == true {
            var items: [JSON] = []
            while let line = lines.first, line.indent == indent, line.text.hasPrefix("- ") {
                lines[lines.startIndex] = (indent + 2, line.text.dropFirst(2))
                items.append(try block(&lines, indent: indent + 2))
            }
            return .array(items)
        }
        var members: [(key: String, value: JSON)] = []
        while let line = lines.first, line.indent == indent, let colon = line.text.firstIndex(of: ":") {
            lines.removeFirst()
            let value = line.text[line.text.index(after: colon)...].drop { $0 == " " }
            let json: JSON =
                if value.isEmpty {
                    try block(&lines, indent: lines.first?.indent ?? 0)
                } else if let json = try? JSON(parsing: Array(value.utf8)) {
                    json
                } else {
                    .string(String(value))
                }
            members.append((String(line.text[..<colon]), json))
        }
        return .object(members)
    }

    private struct Unreadable: Error { let path: String }

    private static func bytes(of path: String) throws -> [UInt8] {
        guard let file = fopen(path, "r") else { throw Unreadable(path: path) }
        defer { fclose(file) }
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            if count == 0 { return all }
            all += buffer[..<count]
        }
    }
}
