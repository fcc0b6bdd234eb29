import Core
import HTTPTypes
import Hummingbird
import Testing

@testable import Console

@Suite struct SessionTests {
    @Test("only paths of the console are gone back to")
    func back() {
        #expect(Console.back("/console/jobs?state=queued") == "/console/jobs?state=queued")
        #expect(Console.back("/console") == "/console" && Console.back("/console?project=x") == "/console?project=x")
        for path in [
            nil, "", "/", "//evil.example", "https://evil.example", "/consoles", "/console/\\evil", "/console/a b",
            "/console/\u{7}",
        ] {
            #expect(Console.back(path) == "/console", "\(path ?? "nothing")")
        }
    }

    @Test("the form's token depends on the cookie and does not reveal it")
    func formToken() {
        let (a, b) = (Session.formToken(of: "op_a_secret"), Session.formToken(of: "op_b_secret"))
        #expect(a != b && a.count == 64 && a == Session.formToken(of: "op_a_secret"))
        #expect(!a.contains("secret"))
    }

    @Test("the session's cookie is out of reach of scripts and other sites")
    func cookie() {
        let cookie = Session.cookie("op_x_y", isSecure: true)
        #expect(cookie == "onepoint_session=op_x_y; Path=/; HttpOnly; SameSite=Lax; Secure")
        #expect(Session.cookie("", isSecure: false).contains("Max-Age=0"))
    }

    @Test("the identifier of a token is read from its text")
    func tokenIdentifier() {
        let id = TokenID(high: 0x019a_b1f3_2c40_4444, low: 7)
        #expect(Console.token(of: "op_\(id.base32)_\(String(repeating: "a", count: 52))") == id)
        #expect(Console.token(of: "op_short_x") == nil && Console.token(of: "") == nil)
    }

    @Test("files have the hash of their content in their names and are kept for ever")
    func assets() throws {
        let files = AssetFiles()
        #expect(files.names == AssetFiles().names)
        let name = try #require(files.names.style.split(separator: "/").last.map(String.init))
        #expect(name.hasPrefix("style-") && name.hasSuffix(".css"))
        let answer = try files.answer(name)
        #expect(answer.headers[.cacheControl] == "public, max-age=31536000, immutable")
        #expect(throws: Failure.self) { try files.answer("style-0000.css") }
    }
}
