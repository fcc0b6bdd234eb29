import CSupervise
import Client
import Core
import Corpora
import Wire

extension Parcel {
    /// A parcel that is named by a text alone.
    init(of text: String) {
        self.init()
        add(Array(text.utf8), as: "text")
    }

    /// This program as an algorithm: the executable with the libraries that it runs with here, so that it starts on any
    /// Linux machine of the same processor, whatever is installed there. Blocks.
    ///
    /// - Parameter revisions: How many sources are read from repositories.
    static func program(revisions: Int) throws -> Parcel {
        var parcel = Parcel()
        try parcel.add(file: Assembly.executable(), as: PipelineWorkflow.programName, isExecutable: true)
        var loader: String?
        for path in try libraries() {
            let name = String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...])
            let isLoader = name.hasPrefix("ld-") || name.hasPrefix("ld.so")
            if isLoader { loader = name }
            try parcel.add(file: path, as: "\(PipelineWorkflow.libraryFolder)/\(name)", isExecutable: isLoader)
        }
        parcel.add(Array(PipelineWorkflow.script(loader: loader).utf8), as: PipelineWorkflow.scriptName)
        let manifest = PipelineWorkflow.manifest(version: productVersion, revisions: revisions)
        parcel.add(Array(manifest.utf8), as: AlgorithmManifest.fileName)
        return parcel
    }

    /// Absolute paths, each name once, in order.
    private static func libraries() throws -> [String] {
        var text = [CChar](repeating: 0, count: 1 << 16)
        let count = onepoint_libraries(&text, text.count)
        guard count <= text.count else { throw Failure(.internal, "This program has too many libraries to name them.") }
        let paths = String(decoding: text[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Set(paths.split(separator: "\n").map(String.init)).sorted()
    }
}
