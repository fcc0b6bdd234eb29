import Curation
import Testing

@Suite struct TextHashTests {
    // The empty input's hashes as the specification of xxHash has them.
    @Test("hashes are those of the specification") func vectors() {
        let empty: [UInt8] = []
        #expect(TextHash.hash64(empty.span) == 0x2D06_8005_38D3_94C2)
        #expect(TextHash(empty.span) == TextHash(high: 0x99AA_06D3_0147_98D8, low: 0x6001_C324_468D_497F))
    }
}
