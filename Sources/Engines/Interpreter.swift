internal import CSupervise
internal import Core

/// The Python that environments are made with.
struct Interpreter: Sendable, Equatable {
    var path: String
    /// Where its own files lie.
    var prefix: String
    var version: String

    /// The first of: what was configured, the system's, those in PATH — that can make environments.
    static func find(configured: String?) -> Interpreter? {
        var candidates: [String] = configured.map { [$0] } ?? ["/usr/bin/python3"]
        if configured == nil, let own = Tool("python3") { candidates.append(own.path) }
        for path in candidates where Disk.isExecutable(path) {
            let script =
                "import sys, ensurepip, venv; print(sys.executable); print(sys.base_prefix); "
                + "print('.'.join(map(str, sys.version_info[:3])))"
            guard let text = Tool(path: path).output(["-I", "-c", script]) else { continue }
            let lines = text.split(separator: "\n").map(String.init)
            if lines.count == 3 { return Interpreter(path: lines[0], prefix: lines[1], version: lines[2]) }
        }
        return nil
    }
}

/// A Python environment named by its content.
struct PythonEnvironment: Sendable, Equatable {
    var folder: String
    var complete: String { folder + ".complete" }
    var lock: String { folder + ".lock" }

    /// The longest requirements file that is read.
    private static let requirementsBytesMax = 1 << 20

    /// - Parameter requirements: The text of a pip requirements file.
    init(requirements: String, interpreter: Interpreter, below root: String) {
        let key = Array("\(interpreter.path)\n\(interpreter.version)\n\(requirements)".utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        onepoint_sha256(key, key.count, &digest)
        folder = "\(root)/environments/\((Digest(bytes: digest)?.hex ?? "").prefix(32))"
    }

    /// Reads a requirements file; `name` is what people call it.
    static func requirements(at path: String, named name: String) throws(EngineError) -> String {
        guard let bytes = Disk.read(path, bytesMax: requirementsBytesMax),
            let text = String(validating: bytes, as: UTF8.self), !text.utf8.contains(0)
        else {
            throw .refused("The requirements file '\(name)' cannot be read: it must be UTF-8 text of at most 1 MiB.")
        }
        if let line = foreignLines(text).first {
            throw .refused("The requirements file '\(name)' refers to other files ('\(line)'); list packages only.")
        }
        return text
    }

    /// Lines that refer to files beside the requirements, which its hash would not cover.
    private static func foreignLines(_ requirements: String) -> [Substring] {
        requirements.split(whereSeparator: \.isNewline).filter { line in
            let text = line.drop { $0 == " " || $0 == "\t" }
            return ["-r", "-c", "-e", "--requirement", "--constraint", "--editable", ".", "/", "file:"]
                .contains { text.hasPrefix($0) } || text.contains("@ file:")
        }
    }

    /// The command that builds it from nothing. An unfinished folder of an earlier attempt is thrown away; what that
    /// attempt downloaded is in pip's cache.
    func command(interpreter: Interpreter, requirementsFile: String) -> [String] {
        let script = """
            set -e
            rm -rf "$2"
            "$1" -I -m venv "$2"
            exec "$2/bin/python" -I -m pip --disable-pip-version-check --no-input install \
            --progress-bar off --no-warn-script-location -r "$3"
            """
        return ["/bin/sh", "-c", script, "onepoint", interpreter.path, folder, requirementsFile]
    }

    /// The variables of the host that pip may need to reach its index and its cache.
    static func variables(of all: [String]) -> [String] {
        let names: Set<Substring> = [
            "HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
            "REQUESTS_CA_BUNDLE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "PYENV_ROOT",
        ]
        return all.filter { text in
            guard let name = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).first else {
                return false
            }
            return names.contains(name) || name.hasPrefix("PIP_") || name.lowercased().hasSuffix("_proxy")
        }
    }
}
