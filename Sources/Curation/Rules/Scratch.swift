/// Memory with one owner, kept from text to text: an array without sharing and its counts and copies.
///
/// Loops over every byte and word of a corpus write here. Indices are checked in debug builds only.
///
/// `@unchecked Sendable`: the memory has one owner, which this value is.
struct Scratch<Element: BitwiseCopyable>: ~Copyable, @unchecked Sendable {
    private(set) var base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private var capacity: Int

    init() {
        capacity = 16
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    subscript(index: Int) -> Element {
        @inline(__always) get {
            assert(index >= 0 && index < count, "read beyond scratch memory")
            return base[index]
        }
        @inline(__always) set {
            assert(index >= 0 && index < count, "write beyond scratch memory")
            base[index] = newValue
        }
    }

    var isEmpty: Bool { count == 0 }

    @inline(__always)
    mutating func append(_ element: Element) {
        if count == capacity { grow(to: count &+ 1) }
        base[count] = element
        count &+= 1
    }

    mutating func append(_ elements: UnsafePointer<Element>, count added: Int) {
        if count + added > capacity { grow(to: count + added) }
        (base + count).update(from: elements, count: added)
        count += added
    }

    mutating func append(repeating element: Element, count added: Int) {
        if count + added > capacity { grow(to: count + added) }
        (base + count).update(repeating: element, count: added)
        count += added
    }

    mutating func removeAll() { count = 0 }

    mutating func removeLast(_ removed: Int) { count = max(0, count - removed) }

    /// Makes it `count` times the same element.
    mutating func reset(to element: Element, count: Int) {
        removeAll()
        append(repeating: element, count: count)
    }

    /// Makes room for `count` elements, whose values are whatever they are.
    mutating func resize(to count: Int) {
        if count > capacity { grow(to: count) }
        self.count = count
    }

    private mutating func grow(to count: Int) {
        let larger = max(count, capacity * 2)
        let grown = UnsafeMutablePointer<Element>.allocate(capacity: larger)
        grown.update(from: base, count: self.count)
        base.deallocate()
        base = grown
        capacity = larger
    }
}
