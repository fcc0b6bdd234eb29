import Core
import Wire

/// What a client of the Hub asks to be run, read from its request.
///
/// Centres pull no images. The names of plain ones stand for a centre's own environment; any other is refused, and so is
/// everything else that would be promised and not kept ([decision 29](docs/decisions/0029-hf-jobs.md)).
struct HubJobRequest: Sendable {
    private(set) var image = ""
    private(set) var command: [String] = []
    private(set) var arguments: [String] = []
    private(set) var flavor = "cpu-basic"
    private(set) var labels: [(key: String, value: String)] = []
    private(set) var volumes: [HubVolume] = []
    private(set) var timeoutSeconds: Int64?
    private(set) var attempts: Int64?
    private var environment: JSON?
    private var faults: [String] = []
    /// The request without what is kept elsewhere in the job.
    private var kept: [(key: String, value: JSON)] = []

    /// Where a job keeps what it was asked with, among its parameters.
    static let parameter = "hub_job"
    static let volumesMax = 64
    private static let labelLengthMax = 100
    /// Of a job that says nothing about it.
    static let timeoutSecondsDefault: Int64 = 30 * 60

    /// Images without programs of their own to speak of.
    private static let plainImages: Set<String> = ["python", "debian", "ubuntu", "bash", "busybox"]

    /// - Throws: `.invalid` with all that is wrong in one text.
    init(_ json: JSON) throws(Failure) {
        guard case .object(let members) = json else { throw Failure(.malformed, "A job is a JSON object.") }
        for (key, value) in members where value != .null { read(key, value) }
        if image.isEmpty, faults.isEmpty { faults.append("'dockerImage' is missing.") }
        if command.isEmpty, arguments.isEmpty {
            faults.append("'command' is missing: images are not asked for theirs.")
        }
        for (index, volume) in volumes.enumerated()
        where volumes[..<index].contains(where: { $0.inputName == volume.inputName }) {
            faults.append("Two volumes are mounted at '\(volume.mountPath)', or at paths that read the same.")
        }
        guard faults.isEmpty else { throw Failure(.invalid, faults.joined(separator: " ")) }
    }

    /// What a job was asked with; `nil` for one that came another way.
    init?(of spec: JobSpec) {
        guard case .object(var members)? = spec.parameters[Self.parameter] else { return nil }
        members.append((key: "environment", value: spec.sortedEnvironment))
        guard let request = try? HubJobRequest(.object(members)) else { return nil }
        self = request
    }

    private mutating func read(_ key: String, _ value: JSON) {
        switch key {
        case "command": command = words(value, key)
        case "arguments": arguments = words(value, key)
        case "environment":
            environment = value
            return
        case "secrets":
            if value != .object([]) {
                faults.append(
                    "Onepoint has no store of secrets yet, and an environment variable can be read by everybody in the "
                        + "project: 'secrets' are refused."
                )
            }
            return
        case "flavor": flavor = text(value, key)
        case "dockerImage": readImage(text(value, key))
        case "spaceId": faults.append("There are no spaces here: name an image such as 'python:3.12'.")
        case "timeoutSeconds": timeoutSeconds = count(value, key)
        case "attempts": attempts = count(value, key)
        case "labels": readLabels(value)
        case "volumes": readVolumes(value)
        case "expose", "ssh", "network":
            if value["enabled"] == false { return }
            faults.append("'\(key)' is refused: nobody outside can reach a job here, and it reaches no other.")
        case "resourceGroupId":
            faults.append("There are no resource groups here: a project's quota says what it may use.")
        case "tags", "arch": if value == .array([]) { return } else { faults.append("'\(key)' is not known here.") }
        default: faults.append("'\(key.prefix(40))' is not known here.")
        }
        kept.append((key, value))
    }

    private mutating func text(_ value: JSON, _ key: String) -> String {
        if let text = value.stringValue, !text.isEmpty { return text }
        faults.append("'\(key)' must be a text.")
        return ""
    }

    private mutating func words(_ value: JSON, _ key: String) -> [String] {
        let words = value.arrayValue?.compactMap(\.stringValue)
        if let words, words.count == value.arrayValue?.count { return words }
        faults.append("'\(key)' must be a list of texts.")
        return []
    }

    private mutating func count(_ value: JSON, _ key: String) -> Int64? {
        if let count = value.integerValue, count > 0 { return count }
        faults.append("'\(key)' must be a whole number above 0.")
        return nil
    }

    private mutating func readImage(_ text: String) {
        image = text
        guard !text.isEmpty, !Self.plainImages.contains(Self.parts(of: text).name) else { return }
        let names = Self.plainImages.sorted().map { "'\($0)'" }.joined(separator: ", ")
        faults.append(
            "Image '\(text.prefix(200))' cannot be run: centres pull no images. \(names) are taken to mean a centre's own "
                + "environment, with Python 3."
        )
    }

    /// The name without registry, and the tag.
    private static func parts(of image: String) -> (name: String, tag: String) {
        var rest = Substring(image)
        for prefix in ["docker.io/", "index.docker.io/", "library/"] where rest.hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.count)
        }
        let name = rest.prefix { $0 != ":" && $0 != "@" }
        return (String(name), String(rest.dropFirst(name.count + 1).prefix { $0 != "@" }))
    }

    private mutating func readLabels(_ value: JSON) {
        guard case .object(let members) = value else {
            faults.append("'labels' must be an object.")
            return
        }
        for (key, value) in members {
            guard let text = value.stringValue, key.count <= Self.labelLengthMax, text.count <= Self.labelLengthMax
            else {
                faults.append("A label and its value have up to \(Self.labelLengthMax) characters each.")
                return
            }
            labels.append((key, text))
        }
    }

    private mutating func readVolumes(_ value: JSON) {
        let list = value.arrayValue ?? []
        guard list.count <= Self.volumesMax else {
            faults.append("A job has up to \(Self.volumesMax) volumes.")
            return
        }
        for item in list {
            do { volumes.append(try HubVolume(item)) } catch { faults.append(error.detail) }
        }
    }
}

extension HubJobRequest {
    /// The same as one of our own job documents.
    func document(on flavor: HubFlavor) -> JSON {
        var resources: [(key: String, value: JSON)] = [
            ("cores", .number(flavor.resources.cores.cores)), ("memory", .integer(flavor.resources.memory.count)),
            ("time_limit", .integer(timeoutSeconds ?? Self.timeoutSecondsDefault)),
        ]
        if let card = flavor.resources.card {
            resources += [("cards", .integer(Int64(flavor.resources.cards))), ("card", .string(card))]
        }
        return .members([
            "name": .string(name), "command": .list(["/bin/sh", "-c", script]), "environment": environment,
            "resources": .object(resources),
            "placement": .members([
                "tiers": flavor.tier.map { .list([$0.rawValue]) }, "emulated": flavor.isEmulated ? true : nil,
            ]),
            "retries": attempts.map {
                .members([
                    "limit": .integer($0 - 1),
                    "on": .list(RetryPolicy.Cause.allCases.filter { $0 != .timeLimit }.map(\.rawValue)),
                ])
            },
            "inputs": .object(volumes.map { (key: $0.inputName, value: $0.input) }),
            "parameters": .members([Self.parameter: .object(kept)]),
        ])
    }

    /// The label `name` as a name of ours.
    private var name: String {
        let label = labels.first { $0.key == "name" }?.value ?? ""
        let word = label.lowercased().utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): byte
            default: UInt8(ascii: "-")
            }
        }
        let rest = word.drop { $0 == UInt8(ascii: "-") }.prefix(63)
        let end = rest.lastIndex { $0 != UInt8(ascii: "-") }.map { rest[...$0] }
        return end.map { String(decoding: $0, as: UTF8.self) } ?? "job"
    }

    /// What the run's shell does: it makes `python` known where only `python3` is, says so when the version is another
    /// than the image's, and becomes the command, with folders in place of mount paths.
    var script: String {
        let (name, tag) = Self.parts(of: image)
        var lines: [String] = []
        if name == "python" {
            lines.append(
                #"command -v python >/dev/null 2>&1 || { mkdir -p "$HOME/.hub" && ln -sf "$(command -v python3)" "#
                    + #""$HOME/.hub/python" && PATH="$HOME/.hub:$PATH"; }"#
            )
            let wanted = tag.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".").prefix(2)
            if wanted.count == 2 {
                let version = wanted.joined(separator: ".")
                lines.append(
                    #"have=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])') && [ "$have" = "#
                        + version + #" ] || echo "onepoint: Python "# + version
                        + #" was asked for, this centre has ${have:-none}" >&2"#
                )
            }
        }
        let words = (command + arguments).map { word in
            HubVolume.pieces(of: word, volumes).map { piece in
                switch piece {
                case .text(let text): "'" + text.replacing("'", with: #"'\''"#) + "'"
                case .mount(let name): "\"$ONEPOINT_INPUTS/\(name)\""
                }
            }.joined()
        }
        return (lines + ["exec " + words.joined(separator: " ")]).joined(separator: "\n")
    }
}

/// A revision of a repository, or a part of it, that a job reads below a path.
///
/// There is no container to mount it in: it is an input, in the folder `$ONEPOINT_INPUTS`, and its mount path is put in
/// place in the command.
struct HubVolume: Hashable, Sendable {
    let type: String
    let source: RepositoryPath
    let mountPath: String
    let revision: String?
    let path: String?

    init(_ json: JSON) throws(Failure) {
        func fault(_ text: String) -> Failure { Failure(.invalid, text) }
        guard var mountPath = json["mountPath"]?.stringValue, let source = json["source"]?.stringValue else {
            throw fault("A volume has a 'source' and a 'mountPath'.")
        }
        if mountPath.hasSuffix("/") { mountPath.removeLast() }
        let type = json["type"]?.stringValue ?? "model"
        guard type == "model" || type == "dataset" else {
            throw fault("A volume of type '\(type.prefix(40))' is refused: only models and datasets can be read here.")
        }
        guard let repository = RepositoryPath(source) else {
            throw fault("'\(source.prefix(200))' is no repository: write the project and the name.")
        }
        if json["readOnly"] == false {
            throw fault(
                "Volume '\(mountPath)' is refused: a revision can be read and not be written. What a job leaves is published "
                    + "by 'publish' in a job file of Onepoint."
            )
        }
        let parts = mountPath.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let isSafe = parts.allSatisfy { part in
            !part.isEmpty && part.first != "."
                && part.utf8.allSatisfy { $0 < 0x80 && HubVolume.isNameByte($0) }
        }
        guard mountPath.hasPrefix("/"), isSafe, !parts.isEmpty, mountPath.utf8.count <= 64 else {
            throw fault(
                "'\(mountPath.prefix(200))' is no path to mount at: it begins with '/', has up to 64 letters, digits, '.', "
                    + "'_' and '-' between slashes, and no part that begins with '.'."
            )
        }
        (self.type, self.source, self.mountPath) = (type, repository, mountPath)
        revision = json["revision"]?.stringValue
        path = json["path"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
    }

    /// What the input is called: `/data/text` is `data-text`.
    var inputName: String { String(mountPath.dropFirst().map { $0 == "/" ? "-" : $0 }) }

    var input: JSON {
        .members([
            "repository": .string("\(type)s/\(source)"), "revision": revision.map { .string($0) },
            "path": path.map { .string($0) },
        ])
    }

    enum Piece: Hashable, Sendable {
        case text(String)
        /// The folder of the input of that name.
        case mount(String)
    }

    /// A word of a command, taken apart where it names a mount path as a whole path or as the beginning of one.
    static func pieces(of word: String, _ volumes: [HubVolume]) -> [Piece] {
        let mounts = volumes.map { (path: Array($0.mountPath.utf8), name: $0.inputName) }
            .sorted { $0.path.count > $1.path.count }
        let bytes = Array(word.utf8)
        var pieces: [Piece] = []
        var (start, place) = (0, 0)
        while place < bytes.count {
            let mount = mounts.first { mount in
                let end = place + mount.path.count
                return end <= bytes.count && bytes[place..<end].elementsEqual(mount.path)
                    && (place == 0 || !isNameByte(bytes[place - 1]))
                    && (end == bytes.count || bytes[end] == UInt8(ascii: "/") || !isNameByte(bytes[end]))
            }
            guard let mount else {
                place += 1
                continue
            }
            if start < place { pieces.append(.text(String(decoding: bytes[start..<place], as: UTF8.self))) }
            pieces.append(.mount(mount.name))
            place += mount.path.count
            start = place
        }
        if start < bytes.count || pieces.isEmpty {
            pieces.append(.text(String(decoding: bytes[start...], as: UTF8.self)))
        }
        return pieces
    }

    /// What names of files are made of, so that `/model` is not found in `/models` or in `my/model`.
    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-")...UInt8(ascii: "/"), UInt8(ascii: "_"):
            true
        default: byte >= 0x80
        }
    }
}

extension JobSpec {
    /// As an object, the same for the same variables.
    var sortedEnvironment: JSON {
        .object(environment.sorted { $0.key < $1.key }.map { (key: $0.key, value: .string($0.value)) })
    }
}
