import Core
import Testing

@testable import Curation

@Suite struct AgreementTests {
    private static func agreement(_ first: String, _ second: String) -> Agreement {
        Agreement(zip(first, second).map { (first: String($0), second: String($1)) })
    }

    @Test("Krippendorff's examples of two observers give his figures")
    func alpha() throws {
        // Krippendorff (2011), sections A and B; he tells three places.
        let binary = Self.agreement("0100000010", "1110010000")
        #expect(abs(try #require(binary.alpha) - 0.095) < 0.0005 && binary.agreed == 6)
        let nominal = Self.agreement("aabbdcccedda", "babbbccceddd")
        #expect(abs(try #require(nominal.alpha) - 0.692) < 0.0005)
    }

    @Test("kappa is what it is by hand, and what cannot be told is not")
    func kappa() throws {
        // 20 and 15 of 50 alike, 5 and 10 not: 0.7 observed, 0.5 by chance.
        let first = String(repeating: "y", count: 25) + String(repeating: "n", count: 25)
        let second = String(repeating: "y", count: 20) + "nnnnn" + String(repeating: "y", count: 10)
        let agreement = Self.agreement(first, second + String(repeating: "n", count: 15))
        #expect(abs(try #require(agreement.kappa) - 0.4) < 1e-12)
        #expect(Self.agreement("abab", "abab").kappa == 1 && Self.agreement("abab", "abab").alpha == 1)
        #expect(Self.agreement("aaa", "aaa").kappa == nil && Self.agreement("aaa", "aaa").alpha == nil)
        #expect(Self.agreement("", "").alpha == nil && Self.agreement("", "").items == 0)
        #expect(try #require(Self.agreement("ab", "ba").kappa) == -1)
    }
}
