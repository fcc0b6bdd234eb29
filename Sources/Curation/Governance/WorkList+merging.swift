extension WorkList {
    /// The same items, with steps that were kept elsewhere put to those that stand in the list.
    ///
    /// A list travels as a file while people judge at a point: both may have steps of one item. A step that was kept
    /// stands for the one of that item in the list, since it cannot be taken back; then the steps of each item are taken in
    /// their order up to the first that cannot follow.
    /// - Parameter events: What was kept, in any order; what is about no item of the list is left out.
    public func merging(_ events: [Event]) -> WorkList {
        var kept: [Int: [Step: Judgement]] = [:]
        for event in events { kept[event.place, default: [:]][event.step] = event.judgement }
        var merged = WorkList(items: items.map { Item(place: $0.place, digest: $0.digest, id: $0.id) })
        for item in items {
            var steps = Dictionary(item.state.steps.map { ($0.step, $0.judgement) }) { first, _ in first }
            if let others = kept[item.place] { steps.merge(others) { $1 } }
            for step in Step.allCases {
                guard let judgement = steps[step],
                    (try? merged.apply(Event(step, place: item.place, judgement: judgement))) != nil
                else { break }
            }
        }
        return merged
    }

    /// The item at a place of the list that it was drawn from.
    public func item(at place: Int) -> Item? { position(of: place).map { items[$0] } }
}
