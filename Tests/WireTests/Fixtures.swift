import Core
import Foundation
import Testing

@testable import Wire

/// A generator that repeats: SplitMix64, so that a printed seed shows the same documents again.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64
    let seed: UInt64

    init() {
        let given = ProcessInfo.processInfo.environment["ONEPOINT_TEST_SEED"].flatMap { UInt64($0) }
        seed = given ?? UInt64.random(in: 0 ... .max)
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The folder that holds `Package.swift`.
let repository = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

func text(of path: String) throws -> String {
    try String(contentsOf: repository.appending(path: path), encoding: .utf8)
}

func json(_ text: String) throws -> JSON { try JSON(parsing: Array(text.utf8)) }

let someDigest = "sha256:" + String(repeating: "ab", count: 32)
let someJobID = "job-01j00000000000000000000000"
let someArrayID = "arr-01j00000000000000000000000"

/// The faults of a document, as `pointer: message`.
func faults(_ body: () throws -> Void) -> [String] {
    do {
        try body()
        return []
    } catch let failure as Failure {
        return failure.violations.map { "\($0.pointer): \($0.message)" }
    } catch {
        return ["unexpected error: \(error)"]
    }
}

func jobFaults(_ text: String, origin: DocumentOrigin = .request) -> [String] {
    faults { _ = try SubmissionDraft.read(try json(text), from: origin) }
}
