import CCuration
import CZstd
import Core

/// The file of a model, whose numbers are little-endian:
///
/// | bytes | what |
/// | --- | --- |
/// | 8 | `ONELINR1` |
/// | 4 | the length of the card, at most 64 KiB |
/// | … | the card: JSON with the members that ``LinearModel/cardJSON`` makes |
/// | 4 | the length of the weights |
/// | … | the weights: one Zstandard frame of `labels` biases (32-bit floating point) and, label by label, `1 << bits` weights of 8 bits |
/// | 8 | XXH3 of 64 bits of all that stands before |
extension LinearModel {
    /// How many labels a model may have.
    public static let labelsRange = 2...512
    /// The weights of no model take more, in bytes.
    public static let tableBytesMax = 1 << 27

    private static let magic = Array("ONELINR1".utf8)
    private static let cardBytesMax = 1 << 16

    /// Reads a model. The bytes may be anybody's: whatever they are, the result is a model or an error.
    ///
    /// - Throws: ``LinearModelError``; take the file again from where it came from.
    public init(reading bytes: Span<UInt8>) throws(LinearModelError) {
        guard bytes.count >= Self.magic.count + 16 else { throw LinearModelError("The file is too short for a model.") }
        for (place, byte) in Self.magic.enumerated() where bytes[place] != byte {
            throw LinearModelError("The file does not begin as a model of version 1 does.")
        }
        let end = bytes.count - 8
        guard TextHash.hash64(bytes.extracting(0..<end)) == Self.number(bytes, at: end, width: 8) else {
            throw LinearModelError("The file is damaged: its checksum is another.")
        }
        let cardBytes = Int(Self.number(bytes, at: 8, width: 4))
        guard cardBytes <= Self.cardBytesMax, 12 + cardBytes + 4 <= end else {
            throw LinearModelError("The card of the model is longer than the file or than 64 KiB.")
        }
        var text: [UInt8] = []
        for place in 12..<12 + cardBytes { text.append(bytes[place]) }
        let json: JSON
        do { json = try JSON(parsing: text, depthMax: 8) } catch {
            throw LinearModelError("The card of the model cannot be read: it \(error.message).")
        }
        let start = 12 + cardBytes + 4
        guard start + Int(Self.number(bytes, at: start - 4, width: 4)) == end else {
            throw LinearModelError("The weights of the model do not end where the file does.")
        }
        try self.init(json, packed: bytes.extracting(start..<end))
    }

    private init(_ json: JSON, packed: Span<UInt8>) throws(LinearModelError) {
        let card = try LinearModelCard(json)
        guard let bits = json["bits"]?.integerValue, let grams = json["grams"]?.integerValue,
            let words = json["words"]?.boolValue, let pairs = json["pairs"]?.boolValue,
            let oneScript = json["one_script"]?.boolValue,
            let features = LinearFeatures(
                bits: Int(clamping: bits),
                grams: Int(clamping: grams),
                words: words,
                pairs: pairs,
                oneScript: oneScript
            )
        else { throw LinearModelError("The card of the model does not say which features it uses.") }
        guard let step = json["step"]?.numberValue, let sharpness = json["sharpness"]?.numberValue,
            step > 0, step < 1e6, sharpness > 0, sharpness < 1e3
        else { throw LinearModelError("The card of the model does not say what its weights are worth.") }
        let labels = card.labels.count
        let stride = Self.stride(labels: labels)
        // Both fit: there are at most 2^22 rows of 512.
        guard features.rows * stride <= Self.tableBytesMax else { throw LinearModelError("The model is too large.") }
        let plain = try Self.unpack(packed, count: 4 * labels + features.rows * labels)
        var bias: [Float] = []
        for label in 0..<labels {
            bias.append(Float(bitPattern: UInt32(Self.number(plain.span, at: 4 * label, width: 4))))
        }
        guard bias.allSatisfy({ abs($0) < 1e6 }) else { throw LinearModelError("A bias of the model is no number.") }
        var table = [Int8](repeating: 0, count: features.rows * stride)
        table.withUnsafeMutableBufferPointer { table in
            plain.withUnsafeBufferPointer { plain in
                // Both have the sizes checked above.
                let columns = plain.baseAddress.map { $0 + 4 * labels }
                onepoint_linear_lay_out(columns, features.rows, labels, stride, table.baseAddress)
            }
        }
        self.init(
            card: card,
            features: features,
            bias: bias,
            step: Float(step),
            sharpness: Float(sharpness),
            stride: stride,
            table: table
        )
    }

    /// The file of this model: the same bytes for the same model and version of Zstandard.
    ///
    /// - Throws: ``LinearModelError`` when there is no memory to pack it.
    public func file() throws(LinearModelError) -> [UInt8] {
        var plain: [UInt8] = []
        plain.reserveCapacity(bias.count * (features.rows + 4))
        for bias in bias { Self.append(UInt64(bias.bitPattern), width: 4, to: &plain) }
        for label in bias.indices {
            for row in 0..<features.rows { plain.append(UInt8(bitPattern: table[row * stride + label])) }
        }
        let packed = try Self.pack(plain)
        let text = Array(cardJSON.text.utf8)
        var out = Self.magic
        Self.append(UInt64(text.count), width: 4, to: &out)
        out += text
        Self.append(UInt64(packed.count), width: 4, to: &out)
        out += packed
        Self.append(TextHash.hash64(out.span), width: 8, to: &out)
        return out
    }

    private var cardJSON: JSON {
        var members = card.members
        members += [
            ("bits", .integer(Int64(features.bits))), ("grams", .integer(Int64(features.grams))),
            ("words", .bool(features.words)), ("pairs", .bool(features.pairs)),
            ("one_script", .bool(features.oneScript)),
            ("step", .number(Double(step))), ("sharpness", .number(Double(sharpness))),
        ]
        return .object(members)
    }

    private static func number(_ bytes: Span<UInt8>, at place: Int, width: Int) -> UInt64 {
        var value: UInt64 = 0
        for index in 0..<width { value |= UInt64(bytes[place + index]) << UInt64(8 * index) }
        return value
    }

    private static func append(_ value: UInt64, width: Int, to out: inout [UInt8]) {
        for index in 0..<width { out.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * index))) }
    }

    private static func unpack(_ packed: Span<UInt8>, count: Int) throws(LinearModelError) -> [UInt8] {
        // Into exactly the room that the card asks for: a frame of any other size fails before it can take more.
        let plain = [UInt8](unsafeUninitializedCapacity: count) { plain, made in
            let written = packed.withUnsafeBytes {
                ZSTD_decompress(plain.baseAddress, count, $0.baseAddress, $0.count)
            }
            made = ZSTD_isError(written) == 0 ? written : 0
        }
        guard plain.count == count else { throw LinearModelError("The weights of the model cannot be unpacked.") }
        return plain
    }

    private static func pack(_ plain: [UInt8]) throws(LinearModelError) -> [UInt8] {
        let bound = ZSTD_compressBound(plain.count)
        let packed = [UInt8](unsafeUninitializedCapacity: bound) { packed, made in
            let written = plain.withUnsafeBytes {
                ZSTD_compress(packed.baseAddress, bound, $0.baseAddress, $0.count, 19)
            }
            made = ZSTD_isError(written) == 0 ? written : 0
        }
        guard !packed.isEmpty else { throw LinearModelError("The weights of the model cannot be packed.") }
        return packed
    }
}
