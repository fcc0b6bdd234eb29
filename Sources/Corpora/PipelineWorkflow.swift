public import Core
import Wire

/// A pipeline as a workflow: an array of jobs that judge a part of the blocks each, and a job that takes their results,
/// finds duplicates and writes.
///
/// The jobs' program is an algorithm like any other, see ``script(loader:)`` and ``manifest(version:revisions:)``: named by
/// its content, sent to a point once and to a centre once, and the same at all of them.
public struct PipelineWorkflow: Sendable {
    /// Of the pipeline.
    public var name: String
    public var project: String?
    public var parts: Int
    /// Of the program's folder, and what it is.
    public var program: (version: String, tree: Digest)
    /// Of the folder with the pipeline and its files, and the pipeline's path in it.
    public var freight: (tree: Digest, pipeline: String)
    /// The sources that are read from repositories.
    public var revisions: [Revision]
    /// Where the corpus is published.
    public var destination: (repository: String, branch: String)?
    public var resources: Resources
    public var tiers: [String] = []
    public var centres: [String] = []
    /// Whether only centres that isolate jobs are wanted; there sources are not copied for each.
    public var isIsolated = false

    /// A source that is a revision of a repository.
    public struct Revision: Sendable, Hashable {
        /// Of the source.
        public var name: String
        /// As in `datasets/demo/pages`.
        public var repository: String
        /// A branch, a tag or, in a workflow that is submitted, a commit.
        public var revision: String
    }

    /// Of each job, as a job document says them.
    public struct Resources: Sendable, Hashable {
        public var cores: Int
        public var memory: String
        public var timeLimit: String

        public init(cores: Int, memory: String, timeLimit: String) {
            (self.cores, self.memory, self.timeLimit) = (cores, memory, timeLimit)
        }
    }

    /// The sources of a pipeline that are revisions of a repository.
    public static func revisions(of path: String) throws(Failure) -> [Revision] {
        let document = try PipelineDocument.read(yaml: Disk.read(path, bytesMax: YAMLDocument.bytesMax), file: path)
        return document.sources.compactMap { source in
            source.repository.map {
                Revision(name: source.name, repository: $0, revision: source.revision ?? ReferenceName.main.name)
            }
        }
    }

    /// Attempts after a job's first.
    private static let retries = 3

    public init(
        name: String,
        project: String?,
        parts: Int,
        program: (version: String, tree: Digest),
        freight: (tree: Digest, pipeline: String),
        revisions: [Revision],
        destination: (repository: String, branch: String)? = nil,
        resources: Resources
    ) {
        (self.name, self.project, self.parts) = (name, project, parts)
        (self.program, self.freight, self.revisions) = (program, freight, revisions)
        (self.destination, self.resources) = (destination, resources)
    }

    /// The workflow's document.
    public var yaml: String {
        var text = "workflow: \(workflowName)\n"
        if let project { text += "project: \(project)\n" }
        text += "jobs:\n"
        text += job("judge", "array: \(parts)", inputs: [], outputs: ["results"])
        text += job("join", nil, inputs: ["results: {job: judge, output: results}"], outputs: ["corpus", "run"])
        if let destination {
            text += "    publish:\n"
            text +=
                "      corpus: {repository: \(quoted(destination.repository)), branch: \(quoted(destination.branch)), "
                + "replace: true}\n"
        }
        return text
    }

    private func job(_ name: String, _ array: String?, inputs: [String], outputs: [String]) -> String {
        var lines = ["  - name: \(name)"]
        lines.append(
            "    algorithm: {name: \(Self.algorithm), version: \(quoted(program.version)), tree: \(quoted("\(program.tree)"))}"
        )
        if let array { lines.append("    \(array)") }
        lines.append("    environment:")
        lines.append("      \(Self.pipelineVariable): \(quoted(freight.pipeline))")
        for (index, source) in revisions.enumerated() {
            lines.append("      \(Self.sourceVariable)\(index + 1): \(quoted(source.name + "@" + source.revision))")
        }
        lines.append(
            "    resources: {cores: \(resources.cores), memory: \(quoted(resources.memory)), "
                + "time_limit: \(quoted(resources.timeLimit))}"
        )
        var placement: [String] = []
        for (key, values) in [("tiers", tiers), ("centres", centres)] where !values.isEmpty {
            placement.append("\(key): [\(values.map(quoted).joined(separator: ", "))]")
        }
        if !placement.isEmpty { lines.append("    placement: {\(placement.joined(separator: ", "))}") }
        if isIsolated { lines.append("    isolation: required") }
        // What a job makes is a function of its inputs, so that a repeat is never wrong.
        lines.append(
            "    retries: {limit: \(Self.retries), on: [exit, out_of_memory, node_failure, lost, rejected], backoff: 10s}"
        )
        lines.append("    on_centre_loss: {requeue_after: 15m}")
        lines.append("    inputs:")
        lines.append("      pipeline: {digest: \(quoted("\(freight.tree)")), kind: tree}")
        for (index, source) in revisions.enumerated() {
            let address = "repository: \(quoted(source.repository)), revision: \(quoted(source.revision))"
            lines.append("      \(Self.sourceInput)\(index + 1): {\(address)}")
        }
        for input in inputs { lines.append("      \(input)") }
        lines.append("    outputs: [\(outputs.joined(separator: ", "))]")
        return lines.joined(separator: "\n") + "\n"
    }

    /// A JSON text is one of YAML, too.
    private func quoted(_ text: String) -> String { JSON.string(text).text }

    /// The pipeline's name as a workflow may be called.
    private var workflowName: String {
        let letters = name.lowercased().map { character in
            character.isASCII && (character.isLetter || character.isNumber) ? character : "-"
        }
        let words = String(letters).split(separator: "-").joined(separator: "-")
        let short = String(("curate-" + words).prefix(63))
        return short.split(separator: "-").joined(separator: "-")
    }

    // MARK: the program

    private static let algorithm = "curate"
    private static let pipelineVariable = "CURATE_PIPELINE"
    private static let sourceVariable = "CURATE_SOURCE_"
    private static let sourceInput = "source-"

    /// Names of files in the program's folder.
    public static let scriptName = "curate"
    public static let programName = "onepoint"
    /// Has the shared libraries.
    public static let libraryFolder = "lib"

    /// `algorithm.yaml` of the program's folder.
    ///
    /// - Parameter revisions: How many sources are read from repositories.
    public static func manifest(version: String, revisions: Int) -> String {
        var text = """
            name: \(algorithm)
            version: \(JSON.string(version).text)
            summary: Judges a part of a pipeline's blocks, or joins what the parts left, by onepoint data run
            licence: Apache-2.0
            entry_point: [/bin/sh, "{algorithm}/\(scriptName)"]
            inputs:
              pipeline: {description: "The pipeline's file and what it names", required: true}
              results: {description: "Output 'results' of the array that judged", required: false}

            """
        for index in 0..<revisions {
            text += "  \(sourceInput)\(index + 1): {description: \"A source that is a revision\"}\n"
        }
        return text + """
            outputs:
              results: {description: "An element's: what it found of its blocks"}
              corpus: {description: "What is published: data and governance"}
              run: {description: "The run's whole output folder, for onepoint data"}

            """
    }

    /// What a job of the workflow runs. A shell that knows POSIX is enough.
    ///
    /// - Parameter loader: The name of the loader among the libraries, which starts a program on machines that lack some
    ///   of them, or have other versions; `nil` for a program that needs none.
    public static func script(loader: String?) -> String {
        let start = loader.map { "\"$here/\(libraryFolder)/\($0)\" --library-path \"$here/\(libraryFolder)\" " } ?? ""
        return #"""
            #!/bin/sh
            # A job of a pipeline. An element of the array judges its part; the job after it joins what the parts left.
            set -eu
            here=$ONEPOINT_ALGORITHM
            folder=$ONEPOINT_INPUTS/pipeline
            # Sources that are revisions, which are inputs.
            set --
            number=1
            while eval "source=\${\#(sourceVariable)$number:-}" && [ -n "$source" ]; do
                set -- "$@" --source "$source=$ONEPOINT_INPUTS/\#(sourceInput)$number"
                number=$((number + 1))
            done
            run() {
                \#(start)"$here/\#(programName)" data run "$folder/$\#(pipelineVariable)" --workers "${OMP_NUM_THREADS:-1}" "$@"
            }
            if [ -n "${ONEPOINT_ARRAY_INDEX:-}" ]; then
                run --part "$((ONEPOINT_ARRAY_INDEX + 1))/$ONEPOINT_ARRAY_COUNT" --output "$ONEPOINT_OUTPUTS/results" "$@"
                exit
            fi
            out=$ONEPOINT_OUTPUTS/run
            corpus=$ONEPOINT_OUTPUTS/corpus
            run --results "$ONEPOINT_INPUTS/results" --output "$out" "$@"
            mkdir -p "$corpus/governance"
            # By links where the disk has them: the bytes are the run's already.
            cp -Rl "$out/data" "$corpus/" 2> /dev/null || { rm -rf "$corpus/data"; cp -R "$out/data" "$corpus/"; }
            cp "$out/run.json" "$out/blocks.jsonl" "$corpus/governance/"
            cp "$folder/$\#(pipelineVariable)" "$corpus/governance/pipeline.yaml"

            """#
    }
}
