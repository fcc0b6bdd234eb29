public import Core
import Curation
public import Wire

/// A crawl as it stands in a file.
public struct CrawlFile: Sendable {
    public let document: CrawlDocument
    public let path: String
    /// Where everything of the crawl is written.
    public let outputFolder: String
    let previousFolder: String?
    let policy: CrawlPolicy
    let seeds: [CrawlEntry]
    /// Hosts whose addresses may be private.
    let privateHosts: Set<String>

    /// Reads a crawl's file and everything in it that is an address.
    ///
    /// - Throws: ``Failure`` with every fault.
    public init(_ path: String) throws(Failure) {
        self.path = path
        let folder = Disk.folder(of: path)
        let document = try CrawlDocument.read(yaml: Disk.read(path, bytesMax: YAMLDocument.bytesMax), file: path)
        func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : folder + "/" + path }
        self.document = document
        outputFolder = resolve(document.output)
        previousFolder = document.previous.map(resolve)

        var faults: [Violation] = []
        var seeds: [CrawlEntry] = []
        for (name, list, purpose) in [
            ("sitemaps", document.sitemaps, CrawlEntry.Purpose.sitemap), ("seeds", document.seeds, .page),
        ] {
            for (index, text) in list.enumerated() {
                if let url = WebURL(text) {
                    seeds.append(CrawlEntry(url, purpose: purpose))
                } else {
                    faults.append(Violation("/\(name)/\(index)", "'\(text)' is no address that can be asked"))
                }
            }
        }
        var hosts: [String] = []
        var privateHosts: Set<String> = []
        for (index, host) in document.scope.hosts.enumerated() {
            let isBelow = host.name.hasPrefix("*.")
            let name = isBelow ? String(host.name.dropFirst(2)) : host.name
            guard let url = WebURL("http://\(name)/"), url.port == 80, url.path == "/", url.query == nil else {
                faults.append(Violation("/scope/hosts/\(index)", "'\(host.name)' is no host's name"))
                continue
            }
            hosts.append(isBelow ? "*." + url.host : url.host)
            if host.allowPrivate { privateHosts.insert(url.host) }
        }
        if document.scope.hosts.isEmpty {
            for seed in seeds where !hosts.contains(seed.url.host) { hosts.append(seed.url.host) }
        }
        var policy = CrawlPolicy(product: document.product, hosts: hosts)
        policy.pathPrefixes = document.scope.paths.compactMap { WebURL("http://h\($0)")?.path }
        policy.delayMin = .milliseconds(Int64((document.delay * 1000).rounded(.up)))
        policy.depthMax = document.limits.depth
        policy.pagesMax = document.limits.pages
        policy.hostPagesMax = document.limits.hostPages
        policy.bytesMax = document.limits.bytes
        policy.requestsMax = document.limits.requests
        policy.attemptsMax = document.limits.attempts
        for seed in seeds where seed.purpose == .page ? !policy.includes(seed.url) : !policy.includesHost(seed.url) {
            faults.append(Violation("/scope", "leaves out \(seed.url.text)"))
        }
        guard faults.isEmpty else {
            throw Failure(
                .invalid,
                "\(path): \(faults.count == 1 ? "a fault" : "\(faults.count) faults").",
                violations: faults
            )
        }
        self.policy = policy
        self.seeds = seeds
        self.privateHosts = privateHosts
    }

    /// How the crawler names itself to servers.
    var userAgent: String { "\(document.product)/1 (Onepoint; +\(document.contact))" }
}
