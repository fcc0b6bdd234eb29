import Foundation
import Testing

@testable import Corpora

/// A crawl of sites that speak TLS, with a certificate made for the test.
@Suite struct CrawlTLSTests {
    /// - Returns: Path of a PEM file with a key and a certificate for that address alone; `nil` without openssl.
    private static func certificate(_ address: String, in folder: String) throws -> String? {
        let openssl = "/usr/bin/openssl"
        guard FileManager.default.isExecutableFile(atPath: openssl) else {
            print("skipped: \(openssl) is not there")
            return nil
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: openssl)
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", "/CN=loopback", "-addext", "subjectAltName=IP:\(address)", "-keyout", folder + "/key.pem",
            "-out", folder + "/roots.pem",
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0)
        let both = try ["key.pem", "roots.pem"].map { try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8) }
        try both.joined().write(toFile: folder + "/site.pem", atomically: true, encoding: .utf8)
        return folder + "/site.pem"
    }

    @Test("pages come from a site whose certificate is trusted, and from no other")
    func trust() async throws {
        let folder = NSTemporaryDirectory() + "onepoint-tls-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard let certificate = try Self.certificate("127.0.0.4", in: folder) else { return }
        let site = try await CrawlSite(certificate: certificate)
        let once = "limits: {attempts: 1}"
        func crawl(_ name: String, _ host: Int, roots: String?) async throws -> CrawlRecord {
            let file = try site.crawl(name, hosts: [host], seeds: ["127.0.0.\(host)/"], delay: 0, once)
            return try await site.run(file, trustedRoots: roots)
        }
        // Nobody signed it whom the system trusts.
        let untrusted = try await crawl("untrusted", 4, roots: nil)
        #expect(untrusted.pages == 0 && untrusted.failed > 0)
        // It is trusted, but for another address.
        let other = try await crawl("other", 5, roots: folder + "/roots.pem")
        #expect(other.pages == 0 && other.failed > 0)
        #expect(try site.requests().isEmpty)
        let trusted = try await crawl("trusted", 4, roots: folder + "/roots.pem")
        #expect(trusted.pages == 24 && trusted.failed == 0 && trusted.end == "done")
        let lines = try String(contentsOfFile: site.folder + "/trusted/collection.jsonl", encoding: .utf8)
        #expect(lines.contains("https://127.0.0.4:\(site.port)/p23"))
        // A file without certificates is told of, and nothing is asked.
        let before = try site.requests().count
        await #expect(throws: (any Error).self) { _ = try await crawl("no-roots", 4, roots: folder + "/key.pem") }
        #expect(try site.requests().count == before)
    }
}
