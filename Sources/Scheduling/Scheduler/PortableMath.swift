/// Logarithms from additions and multiplications alone: a decision must be the same on every machine, and the C
/// library's are not.
public enum PortableMath {
    /// For positive finite numbers, to about 1e-15.
    public static func log2(_ value: Double) -> Double {
        var significand = value.significand
        var exponent = Double(value.exponent)
        if significand > 1.414_213_562_373_095_1 {
            significand /= 2
            exponent += 1
        }
        // ln m = 2 artanh((m - 1) / (m + 1)), a series in a number below 0.172.
        let ratio = (significand - 1) / (significand + 1)
        let square = ratio * ratio
        var sum = 0.0
        for term in stride(from: 19, through: 1, by: -2) { sum = sum * square + 1 / Double(term) }
        return exponent + 2 * ratio * sum * 1.442_695_040_888_963_4
    }

    /// For exponents between -1000 and 1000, to about 1e-15.
    public static func exp2(_ exponent: Double) -> Double {
        let whole = exponent.rounded(.down)
        let x = (exponent - whole) * 0.693_147_180_559_945_3
        var term = 1.0
        var sum = 1.0
        for index in 1...18 {
            term *= x / Double(index)
            sum += term
        }
        return sum * Double(sign: .plus, exponent: Int(whole), significand: 1)
    }
}
