public import Core
import Crypto

/// Signs addresses that are good without credentials: for one method, one path and query, and a short time.
///
/// Clients of git-lfs and Xet send no `Authorization` with the addresses that they were given, so whoever holds such an
/// address may use it until it expires. HMAC-SHA-256 (RFC 2104) under a key of the point's own.
public struct AddressSeal: Sendable {
    private let key: SymmetricKey

    /// - Parameter key: 32 random bytes, kept over restarts.
    public init(key: [UInt8]) { self.key = SymmetricKey(data: key) }

    /// Adds `expires` and `signature` to a path and its query.
    ///
    /// - Parameters:
    ///   - method: `GET` covers `HEAD` too.
    ///   - target: As it will be asked for, such as `/lfs/repo-01…/9f86…?size=12`. Everything that the address is to be
    ///     bound to stands in it.
    public func sign(_ method: String, _ target: String, until expires: Instant) -> String {
        let dated = target + (target.contains("?") ? "&" : "?") + "expires=\(expires.milliseconds / 1000)"
        return dated + "&signature=" + signature(method, dated)
    }

    /// Whether an address was signed here and has not expired.
    ///
    /// - Parameter target: As it was asked for.
    public func admits(_ method: String, _ target: String, at now: Instant) -> Bool {
        guard let mark = target.firstRange(of: "&signature="), let start = target.firstRange(of: "expires="),
            start.upperBound <= mark.lowerBound, let expires = Int64(target[start.upperBound..<mark.lowerBound]),
            expires > now.milliseconds / 1000, let given = Self.bytes(hex: target[mark.upperBound...])
        else { return false }
        let dated = String(target[..<mark.lowerBound])
        return HMAC<SHA256>.isValidAuthenticationCode(given, authenticating: Self.text(method, dated), using: key)
    }

    private func signature(_ method: String, _ dated: String) -> String {
        HMAC<SHA256>.authenticationCode(for: Self.text(method, dated), using: key)
            .map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    private static func text(_ method: String, _ dated: String) -> [UInt8] {
        Array("\(method == "HEAD" ? "GET" : method) \(dated)".utf8)
    }

    private static func bytes(hex: Substring) -> [UInt8]? {
        guard hex.utf8.count == 64 else { return nil }
        let digits = Array(hex)
        return stride(from: 0, to: 64, by: 2).reduce(into: [UInt8]?([])) { bytes, place in
            guard let byte = UInt8(String(digits[place...(place + 1)]), radix: 16) else {
                bytes = nil
                return
            }
            bytes?.append(byte)
        }
    }
}
