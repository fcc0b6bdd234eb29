import Core
import Glibc

/// What the tests of classifiers and token counters share.
enum ClassifierSupport {
    /// A seed to draw with: of the environment, or a new one. Printed, so that a failure can be drawn again.
    static func seed(_ test: StaticString = #function) -> UInt64 {
        let given = getenv("ONEPOINT_TEST_SEED").flatMap { UInt64(String(cString: $0)) }
        let seed = given ?? UInt64.random(in: 0...UInt64.max)
        print("\(test): ONEPOINT_TEST_SEED=\(seed)")
        return seed
    }

    /// A file of the fixtures.
    static func fixture(_ name: String, file: StaticString = #filePath) -> [UInt8]? {
        let folder = "\(file)".split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        return bytes(at: folder + "/Fixtures/Tokens/" + name)
    }

    static func bytes(at path: String) -> [UInt8]? {
        guard let stream = fopen(path, "rb") else { return nil }
        defer { fclose(stream) }
        var out: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            guard count > 0 else { return out }
            out += buffer[..<count]
        }
    }
}
