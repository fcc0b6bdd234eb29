import Core
import HTTPTypes
public import Hummingbird

extension Request {
    /// Whether the caller speaks to us, or to the proxy before us, over TLS.
    public var isSecure: Bool { headers[values: .forwardedProtocol].last?.lowercased() == "https" }

    /// What an absolute address of ours begins with, as this caller reaches us: `https://point.example:7070`. A caller who
    /// lies here only misleads themselves.
    public var origin: String {
        let host = head.authority ?? "localhost"
        let isPlain = host.utf8.count <= 255 && host.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x22 }
        return (isSecure ? "https://" : "http://") + (isPlain ? host : "localhost")
    }
}

extension HTTPField.Name {
    /// A name that is a constant of ours and a valid token.
    package static func constant(_ text: String) -> HTTPField.Name {
        guard let name = HTTPField.Name(text) else { preconditionFailure("\(text) is not a header name") }
        return name
    }

    package static let forwardedProtocol = constant("X-Forwarded-Proto")
    package static let link = constant("Link")
}
