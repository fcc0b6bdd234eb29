import Curation
import Dispatch
import Glibc

/// The addresses of a host, looked up and checked before anybody is connected to.
enum HostAddresses {
    enum Fault: Error, Equatable {
        case unknown
        /// Its address is this machine's, or of a network of its own.
        case isPrivate(String)
    }

    /// All of them as text, none of them private unless that is allowed.
    ///
    /// The lookup blocks, so it runs on a thread of its own.
    static func find(_ host: String, allowsPrivate: Bool) async -> Result<[String], Fault> {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: look(host, allowsPrivate)) }
        }
    }

    private static func look(_ host: String, _ allowsPrivate: Bool) -> Result<[String], Fault> {
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return .failure(.unknown) }
        defer { freeaddrinfo(list) }
        var found: [String] = []
        var next = list
        while let each = next, found.count < 16 {
            defer { next = each.pointee.ai_next }
            guard let (bytes, text) = address(each.pointee) else { continue }
            guard allowsPrivate || IPAddress.isPublic(bytes) else { return .failure(.isPrivate(text)) }
            if !found.contains(text) { found.append(text) }
        }
        return found.isEmpty ? .failure(.unknown) : .success(found)
    }

    private static func address(_ entry: addrinfo) -> (bytes: [UInt8], text: String)? {
        guard let pointer = UnsafeRawPointer(entry.ai_addr) else { return nil }
        let bytes: [UInt8]
        switch entry.ai_family {
        case AF_INET: bytes = withUnsafeBytes(of: pointer.loadUnaligned(as: sockaddr_in.self).sin_addr) { Array($0) }
        case AF_INET6: bytes = withUnsafeBytes(of: pointer.loadUnaligned(as: sockaddr_in6.self).sin6_addr) { Array($0) }
        default: return nil
        }
        var text = [CChar](repeating: 0, count: 64)
        guard inet_ntop(entry.ai_family, bytes, &text, 64) != nil else { return nil }
        return (bytes, String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
}
