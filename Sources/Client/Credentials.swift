import Core
import FoundationEssentials

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Which point to speak to, and as whom.
struct Credentials: Sendable, Hashable {
    /// Without a slash at the end.
    var url: String
    var token: String?

    /// What `--url`, the environment and `login` say, in this order.
    ///
    /// A stored token is used only with the address it was stored for: another address is another party.
    static func find(url: String?, environment: [String: String]) throws(Failure) -> Credentials {
        let stored = try stored(environment: environment)
        let given = (url ?? environment["ONEPOINT_URL"]).flatMap { $0.isEmpty ? nil : $0 }
        let address = try given.map { text throws(Failure) in try normalised(text) } ?? stored?.url
        guard let address else {
            throw Failure(
                .unauthenticated,
                "No point is known here. Use 'onepoint login URL', or set ONEPOINT_URL and ONEPOINT_TOKEN."
            )
        }
        if let token = environment["ONEPOINT_TOKEN"], !token.isEmpty { return Credentials(url: address, token: token) }
        return Credentials(url: address, token: stored?.url == address ? stored?.token : nil)
    }

    /// Where `login` stores them.
    static func path(environment: [String: String]) throws(Failure) -> String {
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            return folder + "/onepoint/credentials.json"
        }
        guard let home = environment["HOME"], !home.isEmpty else {
            throw Failure(.invalid, "There is no home folder to keep credentials in; set HOME or XDG_CONFIG_HOME.")
        }
        return home + "/.config/onepoint/credentials.json"
    }

    static func stored(environment: [String: String]) throws(Failure) -> Credentials? {
        guard let path = try? path(environment: environment), let data = FileManager.default.contents(atPath: path)
        else { return nil }
        guard let json = try? JSON(parsing: data), let url = json["url"]?.stringValue,
            let token = json["token"]?.stringValue
        else { throw Failure(.invalid, "\(path) is damaged. Use 'onepoint login URL' again.") }
        return Credentials(url: url, token: token)
    }

    /// Writes them so that only their owner can read them, all or nothing.
    func store(environment: [String: String]) throws(Failure) {
        let path = try Self.path(environment: environment)
        let folder = String(path.dropLast("/credentials.json".count))
        let broken = { (what: String) in
            Failure(.storageExhausted, "Cannot \(what) \(path): \(String(cString: strerror(errno))).")
        }
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch { throw broken("make the folder of") }
        let json = JSON.object([("url", .string(url)), ("token", .string(token ?? ""))])
        let temporary = "\(path).\(getpid())"
        unlink(temporary)
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw broken("write") }
        let bytes = Array((json.text + "\n").utf8)
        let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        guard close(file) == 0, isWritten, rename(temporary, path) == 0 else {
            let failure = broken("write")
            unlink(temporary)
            throw failure
        }
    }

    /// `point.example`, `http://127.0.0.1:8080/` and the like as an origin.
    static func normalised(_ text: String) throws(Failure) -> String {
        var url = text
        if !url.contains("://") {
            let host = url.split(separator: "/").first.map(String.init) ?? ""
            url = (isLoopback(host) ? "http://" : "https://") + url
        }
        while url.hasSuffix("/") { url.removeLast() }
        let parts = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0] == "http:" || parts[0] == "https:", !parts[2].isEmpty,
            !parts[2].contains(where: { $0 == "@" || $0 == "?" || $0 == "#" || $0.isWhitespace })
        else {
            throw Failure(.invalid, "'\(text)' is no address of a point; it looks like https://point.example.")
        }
        return url
    }

    /// Whether the token would cross a network unprotected.
    var isExposed: Bool {
        url.hasPrefix("http://") && !Self.isLoopback(String(url.dropFirst("http://".count)))
    }

    private static func isLoopback(_ host: String) -> Bool {
        let name = host.split(separator: "/").first ?? ""
        return name == "localhost" || name.hasPrefix("localhost:") || name.hasPrefix("127.") || name.hasPrefix("[::1]")
    }
}
