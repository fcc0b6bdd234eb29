import Glibc

/// Hands bytes to one reader. What libFuzzer looks for is a crash, a time-out, or memory beyond the limit; what a target
/// promises of its output beyond that it checks with `precondition`.
struct FuzzTarget: Sendable {
    let name: String
    /// Reads one input.
    let run: @Sendable ([UInt8]) -> Void
}

nonisolated(unsafe) private var chosen: FuzzTarget?

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ argc: UnsafeMutablePointer<CInt>,
    _ argv: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ callback: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

/// `Fuzz TARGET [OPTIONS OF LIBFUZZER] [CORPUS …]`; without a target it lists them.
///
/// SwiftPM makes the function of this name the program's `main`.
@_cdecl("Fuzz_main")
public func fuzzMain(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> CInt {
    let name = count > 1 ? arguments[1].map { String(cString: $0) } : nil
    guard let name, let target = targets.first(where: { $0.name == name }) else {
        for target in targets { puts(target.name) }
        return name == nil ? 0 : 2
    }
    chosen = target
    // The name goes; libFuzzer takes whatever is no option for a folder.
    arguments[1] = arguments[0]
    var shifted: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = arguments + 1
    var left = count - 1
    return runDriver(&left, &shifted) { testOneInput($0, $1) }
}

/// What libFuzzer's own `main`, which is linked too but never called, would run.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen?.run(Array(UnsafeBufferPointer(start: bytes, count: count)))
    return 0
}
