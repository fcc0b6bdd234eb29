import Glibc

/// Hands bytes to one reader. What libFuzzer looks for is a crash, a time-out, or memory beyond the limit; what a target
/// promises of its output beyond that it checks with `precondition`.
struct FuzzTarget: Sendable {
    let name: String
    /// Reads one input.
    let run: @Sendable ([UInt8]) -> Void
}

nonisolated(unsafe) private var chosen: FuzzTarget?

/// `Fuzz TARGET [OPTIONS OF LIBFUZZER] [CORPUS …]`; without a target it lists them.
///
/// libFuzzer's `main` calls it first, with its arguments.
@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>
) -> CInt {
    let name = count.pointee > 1 ? arguments.pointee[1].map { String(cString: $0) } : nil
    guard let name, let target = targets.first(where: { $0.name == name }) else {
        for target in targets { puts(target.name) }
        exit(name == nil ? 0 : 2)
    }
    chosen = target
    // The name goes; libFuzzer takes whatever is no option for a folder.
    arguments.pointee[1] = arguments.pointee[0]
    arguments.pointee += 1
    count.pointee -= 1
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen?.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
