import Core
import Glibc
import Wire

extension PipelineFile {
    /// Sources that would read what the run itself writes: the next run would take its own output in.
    ///
    /// - Parameters:
    ///   - output: Its folder, which need not be there yet.
    ///   - folder: Where relative patterns begin.
    static func outputFaults(
        _ document: PipelineDocument,
        _ sources: [Source],
        output: String,
        folder: String
    ) throws(Failure) -> [Violation] {
        let output = real(output)
        var faults: [Violation] = []
        // What was fetched of a repository lies there by right.
        for (index, source) in document.sources.enumerated() where source.repository == nil {
            for (place, pattern) in source.files.enumerated() {
                let folders = try matches(resolve(pattern, from: literal(folder))).filter(Disk.isFolder)
                guard folders.contains(where: { isBelow(output, real($0)) }) else { continue }
                faults.append(
                    Violation(
                        "/sources/\(index)/files/\(place)",
                        "'\(pattern)' has the output's folder in it, so that a run would read what it writes"
                    )
                )
            }
        }
        // A pattern may name what is in the output's folder without naming the folder.
        for (index, source) in sources.enumerated() where faults.isEmpty && source.revision == nil {
            guard let file = source.files.first(where: { isBelow(real($0.path), output) }) else { continue }
            faults.append(
                Violation("/sources/\(index)/files", "\(file.path) is in the output's folder, which the run writes to")
            )
        }
        return faults
    }

    private static func isBelow(_ path: String, _ folder: String) -> Bool {
        path == folder || path.hasPrefix(folder.hasSuffix("/") ? folder : folder + "/")
    }

    /// A path without links and dots, as far as it is there.
    private static func real(_ path: String) -> String {
        if let found = realpath(path, nil) {
            defer { free(found) }
            return String(cString: found)
        }
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return path }
        return real(String(path[..<slash])) + path[slash...]
    }
}
