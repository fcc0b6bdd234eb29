import Core
import Crypto

/// Signs with an Ed25519 private key (RFC 8032).
struct Signer {
    private let key: Curve25519.Signing.PrivateKey

    /// What stands before the 32 bytes of the key in PKCS #8 (RFC 8410, section 7).
    private static let prefix: [UInt8] = [
        0x30, 0x2E, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
    ]

    /// - Parameter path: Of a PEM file as `openssl genpkey -algorithm ed25519` writes it.
    init(_ path: String) throws(Failure) {
        let text = String(decoding: try Disk.read(path, bytesMax: 1 << 16), as: UTF8.self)
        let body = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        guard text.contains("-----BEGIN PRIVATE KEY-----"), let bytes = Self.base64(body),
            bytes.starts(with: Self.prefix), bytes.count == Self.prefix.count + 32,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes.dropFirst(Self.prefix.count))
        else {
            throw Failure(
                .invalid,
                "\(path) is no Ed25519 private key in PEM. 'openssl genpkey -algorithm ed25519' makes one."
            )
        }
        self.key = key
    }

    func signature(of bytes: [UInt8]) throws(Failure) -> [UInt8] {
        do {
            return Array(try key.signature(for: bytes))
        } catch {
            throw Failure(.internal, "The manifest cannot be signed.", note: "\(error)")
        }
    }

    private static func base64(_ text: String) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in text.utf8 where byte != UInt8(ascii: "=") && byte != UInt8(ascii: "\r") {
            let value: UInt32
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = UInt32(byte) - 65
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = UInt32(byte) - 71
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = UInt32(byte) + 4
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
