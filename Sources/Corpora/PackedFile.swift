import Core
import Curation

/// The plain bytes of a file, whatever it is packed with, from its beginning to its end.
struct PackedFile: ~Copyable {
    private let file: InputFile
    private let packing: PipelineFile.Format.Packing
    // Both, since an enumeration of what cannot be copied cannot be changed in place.
    private var gunzip = Gunzip()
    private var unzstd = Unzstd()
    private var window: [UInt8] = []
    /// How much of the window was unpacked.
    private var used = 0
    /// How much of the file was read.
    private(set) var fileOffset = 0
    private(set) var isAtEnd = false

    private static let windowBytes = 1 << 20

    init(_ file: PipelineFile.Source.File) throws(Failure) {
        self.file = try InputFile(file.path)
        packing = file.format.packing
    }

    /// How many bytes are still to come, if the file is not packed; of one that is nobody knows, and it says so many.
    var expectedCount: Int { packing == .none ? max(0, file.count - fileOffset) : .max }

    /// Appends the next bytes, at least one unless this is the end.
    ///
    /// - Returns: Why no more can be had of a damaged file; `nil` when all is well.
    mutating func read(into bytes: inout [UInt8], countMax: Int) throws(Failure) -> String? {
        if packing == .none {
            let got = try file.read(into: &bytes, at: fileOffset, countMax: countMax)
            fileOffset += got
            isAtEnd = got == 0
            return nil
        }
        let before = bytes.count
        while bytes.count == before, !isAtEnd {
            if used == window.count {
                window.removeAll(keepingCapacity: true)
                used = 0
                fileOffset += try file.read(into: &window, at: fileOffset, countMax: Self.windowBytes)
            }
            let isLast = fileOffset >= file.count || window.isEmpty
            let window = window
            let rest = window.span.extracting(used...)
            do throws(StreamFault) {
                used +=
                    packing == .gzip
                    ? try gunzip.decompress(rest, isLast: isLast, into: &bytes, outputMax: countMax)
                    : try unzstd.decompress(rest, isLast: isLast, into: &bytes, outputMax: countMax)
                isAtEnd = isLast && used == window.count && bytes.count == before
            } catch {
                isAtEnd = true
                return error.name
            }
        }
        return nil
    }
}

extension StreamFault {
    /// As reports count it.
    var name: String {
        switch kind {
        case .truncated: "truncated-file"
        case .damaged: "damaged-file"
        case .checksum: "wrong-checksum"
        case .garbage: "garbage-in-file"
        case .window: "zstd-window-too-large"
        case .expansion: "expands-too-far"
        }
    }
}

/// Bytes of our own, packed with Zstandard.
enum Packed {
    static func pack(_ bytes: [UInt8]) -> [UInt8] { Zstd.compress(bytes.span) }

    static func unpack(_ packed: [UInt8], _ path: String) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        var used = 0
        var unzstd = Unzstd()
        do throws(StreamFault) {
            while true {
                let before = bytes.count
                let consumed = try unzstd.decompress(
                    packed.span.extracting(used...),
                    isLast: true,
                    into: &bytes,
                    outputMax: 64 << 20
                )
                used += consumed
                if consumed == 0, bytes.count == before { return bytes }
            }
        } catch {
            throw Failure(.invalid, "\(path) is damaged (\(error.name)). Remove it and run the pipeline again.")
        }
    }
}
