public import Core

extension AuditPack {
    /// Holds a pack against its manifest: what an auditor does first, after checking the signature over the manifest.
    ///
    /// - Parameter files: All files but the manifest, in any order.
    /// - Returns: What is missing, changed or too much; empty when all is well.
    public static func faults(of files: [File], manifest: JSON, hash: @escaping MerkleHash) -> [Violation] {
        let digests = files.map { (path: $0.path, digest: hash($0.bytes.span)) }
        return faults(ofDigests: digests, manifest: manifest, hash: hash)
    }

    /// The same for files of which only the digests are at hand.
    ///
    /// - Parameter digests: Of all files but the manifest and its signature, by their paths in the pack, in any order.
    public static func faults(
        ofDigests digests: [(path: String, digest: Digest)],
        manifest: JSON,
        hash: @escaping MerkleHash
    ) -> [Violation] {
        var faults: [Violation] = []
        guard case .array(let listed)? = manifest["files"],
            let root = manifest["root"]?.stringValue.flatMap(Digest.init)
        else {
            return [Violation("", "is no manifest of an audit pack")]
        }
        let byPath = Dictionary(digests.map { ($0.path, $0.digest) }) { first, _ in first }
        var tree = MerkleTree(hash: hash)
        var paths: Set<String> = []
        for (index, entry) in listed.enumerated() {
            guard let path = entry["path"]?.stringValue, let hex = entry["sha256"]?.stringValue,
                let named = Digest(hex: hex)
            else {
                faults.append(Violation("/files/\(index)", "names no file and digest"))
                continue
            }
            paths.insert(path)
            var leaf = Array(path.utf8)
            leaf.append(0)
            named.append(to: &leaf)
            tree.append(leaf.span)
            if let digest = byPath[path] {
                if digest != named { faults.append(Violation("/files/\(index)", "\(path) was changed")) }
            } else {
                faults.append(Violation("/files/\(index)", "\(path) is missing"))
            }
        }
        for (path, _) in digests where !paths.contains(path) {
            faults.append(Violation("/files", "\(path) is not in the manifest"))
        }
        if tree.root != root { faults.append(Violation("/root", "is not the root of these files")) }
        return faults
    }

    /// Holds a sample of a pack against the root of the list that it claims to be drawn from: whether its items are those
    /// that the root, the purpose and the count draw, and whether each stands in the list.
    ///
    /// - Parameters:
    ///   - sample: One of the files in `samples/`.
    ///   - root: As it was published before anybody judged.
    /// - Returns: What does not hold; empty when all is well.
    public static func faults(ofSample sample: JSON, root: Digest, hash: @escaping MerkleHash) -> [Violation] {
        let check: SpotCheck
        do { check = try SpotCheck(sample["check"] ?? .null) } catch {
            return error.violations.map { Violation("/check" + $0.pointer, $0.message) }
        }
        var faults: [Violation] = []
        if check.draw.root != root {
            faults.append(Violation("/check/draw/root", "is not the root that was published"))
        }
        if !check.isRedrawn(hash: hash) {
            faults.append(Violation("/check/work/items", "are not those that the root, the purpose and the count draw"))
        }
        var reader = FieldReader()
        let proofs = (sample["proofs"]?.arrayValue ?? []).enumerated().map {
            InclusionProof.read($0.element, at: "/proofs/\($0.offset)", &reader)
        }
        faults += reader.violations
        if proofs.count != check.work.items.count {
            faults.append(Violation("/proofs", "must be one for each item"))
        }
        for (index, (item, proof)) in zip(check.work.items, proofs).enumerated() {
            guard let proof else { continue }
            let isIt = proof.index == item.place && proof.count == check.draw.population
            if !isIt || !proof.holds(for: item.digest, root: root, hash: hash) {
                faults.append(Violation("/proofs/\(index)", "does not show that item \(item.place) is in the list"))
            }
        }
        return faults
    }
}
