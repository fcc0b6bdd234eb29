/// A page's elements and runs of text in document order, in flat arrays.
///
/// Node 0 is `html`. A node's descendants are the nodes from its successor up to `next`, so that the tree is walked by
/// counting: forwards for what comes down from ancestors, backwards for what is summed up in them.
struct HTMLTree {
    struct Node {
        var tag: HTMLTag
        /// Of a text: its bytes stand in `decoded`, not in the page.
        var isDecoded = false
        var parent: Int32
        /// The first node behind this one's descendants.
        var next: Int32
        /// Of a text: its bytes. Of an element: its attributes.
        var start: Int32
        var end: Int32
    }

    struct Attribute {
        var name: HTMLAttribute
        var isDecoded: Bool
        var start: Int32
        var end: Int32
    }

    var nodes: [Node] = []
    var attributes: [Attribute] = []
    /// Text and attribute values that had character references, with those resolved.
    var decoded: [UInt8] = []

    mutating func removeAll() {
        nodes.removeAll(keepingCapacity: true)
        attributes.removeAll(keepingCapacity: true)
        decoded.removeAll(keepingCapacity: true)
    }

    /// The index of an element's attribute, or -1.
    func attribute(_ name: HTMLAttribute, of node: Int) -> Int {
        var index = Int(nodes[node].start)
        while index < Int(nodes[node].end) {
            if attributes[index].name == name { return index }
            index += 1
        }
        return -1
    }

    /// Appends an attribute's value.
    func appendValue(of attribute: Int, in page: Span<UInt8>, to out: inout [UInt8]) {
        let attribute = attributes[attribute]
        append(Int(attribute.start), Int(attribute.end), attribute.isDecoded, page, to: &out)
    }

    /// Appends bytes of the page or of `decoded`.
    func append(_ start: Int, _ end: Int, _ isDecoded: Bool, _ page: Span<UInt8>, to out: inout [UInt8]) {
        if isDecoded {
            out.append(contentsOf: decoded[start..<end])
        } else {
            page.extracting(start..<end).withUnsafeBufferPointer { out.append(contentsOf: $0) }
        }
    }
}
