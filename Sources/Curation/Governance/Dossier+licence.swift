extension Dossier.Licence {
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case same
        /// The place it was taken from says something else than whoever made it.
        case different
        /// Nobody found out what whoever made it says.
        case originUnknown = "origin_unknown"
        /// The place says nothing.
        case notClaimed = "not_claimed"
        case unknown
    }

    /// Whether both places say the same, but for case, and for spaces or underscores where identifiers have hyphens.
    ///
    /// Identifiers are not resolved any further: `GPL-2.0` and `GPL-2.0-only` differ here, since somebody should look.
    public var comparison: Comparison {
        switch (atOrigin, asClaimed) {
        case (nil, nil): .unknown
        case (nil, _?): .originUnknown
        case (_?, nil): .notClaimed
        case (let origin?, let claim?): Self.folded(origin) == Self.folded(claim) ? .same : .different
        }
    }

    private static func folded(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): out.append(byte | 0x20)
            case UInt8(ascii: " "), UInt8(ascii: "_"), UInt8(ascii: "-"):
                if !out.isEmpty, out.last != UInt8(ascii: "-") { out.append(UInt8(ascii: "-")) }
            default: out.append(byte)
            }
        }
        while out.last == UInt8(ascii: "-") { out.removeLast() }
        return out
    }

    /// The page of SPDX on a licence that looks like one of its identifiers; addresses stay as they are.
    static func address(of licence: String) -> String? {
        if licence.hasPrefix("https://") || licence.hasPrefix("http://") { return licence }
        guard FieldReader.isName(licence), licence.utf8.contains(where: { $0 < 0x40 || $0 == UInt8(ascii: "-") }) else {
            return nil
        }
        return "https://spdx.org/licenses/\(licence).html"
    }
}
