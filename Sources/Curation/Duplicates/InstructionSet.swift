import CCuration

/// What the processor offers the kernels beyond the baseline of its architecture. The results are the same on each.
public enum InstructionSet: Sendable, CaseIterable {
    case baseline
    case avx2

    /// Those that this processor has, the fastest last.
    public static var available: [InstructionSet] { allCases.filter { onepoint_isa_available($0.number) != 0 } }

    /// The fastest that this processor has.
    public static var best: InstructionSet { available.last ?? .baseline }

    var number: Int32 {
        switch self {
        case .baseline: Int32(ONEPOINT_BASELINE.rawValue)
        case .avx2: Int32(ONEPOINT_AVX2.rawValue)
        }
    }
}
