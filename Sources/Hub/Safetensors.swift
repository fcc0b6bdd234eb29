import Blobs
public import Core
import NIOCore

/// What the head of a `.safetensors` file tells: 8 bytes of length, then JSON by tensor.
public struct Safetensors: Hashable, Sendable {
    /// The JSON as it is in the file.
    public var header: JSON
    /// How many numbers there are of each type, such as `BF16`.
    public var parameters: [String: Int64]

    public var total: Int64 { parameters.values.reduce(0) { $0.addingReportingOverflow($1).partialValue } }

    /// Of the JSON.
    public static let headerBytesMax = 32 << 20

    /// - Returns: `nil` for a file that is none.
    init?(_ blob: BlobReader) async throws {
        var first = try await blob.read(offset: 0, countMax: 8)
        guard let length = first.readInteger(endianness: .little, as: UInt64.self), length >= 2,
            length <= Self.headerBytesMax, Int64(length) + 8 <= blob.size.count
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(length))
        while bytes.count < Int(length) {
            let piece = try await blob.read(offset: 8 + Int64(bytes.count), countMax: Int(length) - bytes.count)
            bytes += piece.readableBytesView
        }
        guard let header = try? JSON(parsing: bytes), case .object(let tensors) = header else { return nil }
        var parameters: [String: Int64] = [:]
        for (name, tensor) in tensors where name != "__metadata__" {
            guard let type = tensor["dtype"]?.stringValue, type.utf8.count <= 16,
                let shape = tensor["shape"]?.arrayValue
            else { return nil }
            let count = shape.reduce(Int64(1)) { product, side in
                let (next, overflow) = product.multipliedReportingOverflow(by: max(0, side.integerValue ?? 0))
                return overflow ? .max : next
            }
            parameters[type] = parameters[type, default: 0].addingReportingOverflow(count).partialValue
        }
        (self.header, self.parameters) = (header, parameters)
    }
}
