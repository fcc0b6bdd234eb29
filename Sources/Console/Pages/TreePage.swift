import Core
import Entry
import Wire

/// A folder by content: its files.
struct TreePage: Sendable {
    var name: String
    var digest: Digest
    var tree: TreeManifest

    /// Files beyond this many are not listed.
    static let filesShownMax = 2000

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let rows = tree.files.prefix(Self.filesShownMax).html { file in
            let last = file.path.split(separator: "/").last.map(String.init) ?? file.path
            return """
                <tr><td class="main"><a href="\(Form([("name", last)]).on("/console/blobs/\(file.digest)"))">\(file.path)</a></td>
                <td class="soft wide"><code>\(String(file.digest.hex.prefix(12)))</code></td>
                <td class="n">\(file.size.description)</td></tr>

                """
        }
        return frame.page(
            title: name,
            section: .jobs,
            """
            <div class="title"><div><h1>\(name)</h1>
            <ul class="meta"><li>\(w(.filesCount, w.count(tree.files.count)))</li><li>\(tree.size.description)</li>\
            <li><code>\(digest)</code></li></ul></div></div>
            \(frame.table(w(.files), head: """
                <th scope="col">\(w(.name))</th><th scope="col" class="wide">\(w(.digest))</th>\
                <th scope="col" class="n">\(w(.size))</th>
                """, rows: rows))
            """
        )
    }
}
