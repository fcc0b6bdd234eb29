extension RandomAccessCollection where Index == Int {
    /// Where the elements begin that meet a condition, when all from the first such element on meet it; the end where
    /// none does.
    ///
    /// - Complexity: O(log count).
    @inlinable
    public func partitioningIndex(where belongs: (Element) -> Bool) -> Int {
        var low = startIndex
        var high = endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if belongs(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
