import Core
import FoundationEssentials
import NIOPosix
import Wire

/// A file that people wrote, with the place of everything in it.
struct DocumentFile: Sendable {
    /// As the user named it.
    var path: String
    var document: YAMLDocument
    /// What is read and sent: the document with what the command line changed.
    var json: JSON

    /// The folder that paths in the file are relative to.
    var folder: String {
        guard path != "-", let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Reads a file, or standard input for `-`.
    ///
    /// - Throws: ``LocatedFailure`` with the line of each fault of syntax.
    static func load(_ path: String, bytesMax: Int = YAMLDocument.bytesMax) async throws -> DocumentFile {
        let bytes = try await NIOThreadPool.singleton.runIfActive { () -> [UInt8] in
            guard path != "-" else { return try readAll(0, "standard input", bytesMax: bytesMax) }
            return try contents(of: path, bytesMax: bytesMax)
        }
        do {
            let document = try YAMLDocument.parse(utf8: bytes, bytesMax: bytesMax)
            return DocumentFile(path: path, document: document, json: document.json)
        } catch {
            throw LocatedFailure(
                detail: "\(path) cannot be read.",
                code: .invalid,
                lines: error.faults.map { "\(path):\($0.position.line):\($0.position.column): \($0.message)" }
            )
        }
    }

    /// The failure with each fault at its place in this file.
    func located(_ failure: Failure) -> LocatedFailure {
        LocatedFailure(
            detail: failure.detail,
            code: failure.code,
            lines: lines(failure.violations)
        )
    }

    func lines(_ violations: [Violation]) -> [String] {
        let placed = violations.map { ($0, document.position(of: $0.pointer)) }
        // In the order of the file; a stable one for faults at one place.
        return placed.enumerated().sorted { ($0.element.1, $0.offset) < ($1.element.1, $1.offset) }.map { _, fault in
            let (violation, position) = fault
            let pointer = violation.pointer.isEmpty ? "" : violation.pointer + ": "
            return "\(path):\(position.line):\(position.column): \(pointer)\(violation.message)"
        }
    }
}

/// A whole file of limited size. Blocks.
func contents(of path: String, bytesMax: Int) throws(Failure) -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw unreadable(path) }
    defer { close(file) }
    return try readAll(file, path, bytesMax: bytesMax)
}

/// Everything from a descriptor, pipes too. Blocks.
func readAll(_ file: Int32, _ name: String, bytesMax: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= bytesMax {
        let count = read(file, &piece, piece.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw unreadable(name) }
        if count == 0 { return bytes }
        bytes += piece[..<count]
    }
    throw Failure(.tooLarge, "\(printable(name)) is longer than \(bytesMax) bytes; a document this long is not read.")
}

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
