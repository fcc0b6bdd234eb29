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

    /// Identifiers of SPDX by which data and the texts in it are licensed most; others are written as they are.
    ///
    /// > Source: SPDX License List 3.
    private static let identifiers = [
        "0BSD", "AGPL-3.0-only", "AGPL-3.0-or-later", "Apache-2.0", "Artistic-2.0", "BSD-2-Clause", "BSD-3-Clause",
        "BSL-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
        "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "CC-BY-ND-3.0", "CC-BY-ND-4.0",
        "CC-BY-SA-2.0", "CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-PDDC", "CC0-1.0", "CDLA-Permissive-1.0",
        "CDLA-Permissive-2.0", "CDLA-Sharing-1.0", "DL-DE-BY-2.0", "EPL-2.0", "EUPL-1.2", "etalab-2.0",
        "GFDL-1.2-only", "GFDL-1.2-or-later", "GFDL-1.3-only", "GFDL-1.3-or-later", "GPL-2.0-only", "GPL-2.0-or-later",
        "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "LGPL-2.1-only", "LGPL-2.1-or-later", "LGPL-3.0-only",
        "LGPL-3.0-or-later", "MIT", "MPL-2.0", "MulanPSL-2.0", "MulanPubL-2.0", "ODbL-1.0", "ODC-By-1.0", "OGL-UK-3.0",
        "PDDL-1.0", "Python-2.0", "Unlicense", "W3C", "Zlib",
    ]

    /// The page of SPDX on a licence, by its identifier in any case; `nil` for others than the most usual ones.
    ///
    /// An address stays as it is.
    static func address(of licence: String) -> String? {
        if licence.hasPrefix("https://") || licence.hasPrefix("http://") { return licence }
        let name = folded(licence)
        return identifiers.first { folded($0) == name }.map { "https://spdx.org/licenses/\($0).html" }
    }
}
