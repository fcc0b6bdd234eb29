import Core
import Entry
import Wire

/// What is kept in advance at a centre.
struct ReservationsSection: Sendable {
    var reservations: [ReservationView]
    /// Whether there are more than are shown.
    var hasMore: Bool

    func render(_ frame: Frame) -> HTML {
        let w = frame.words
        let title: HTML =
            "<h2>\(w.reservations) <span class=\"count\">\(reservations.count)\(hasMore ? "+" : "")</span></h2>"
        guard !reservations.isEmpty else { return "<section>\(title)\(frame.nothing(w.noReservations))</section>" }
        let rows = reservations.html { view in
            let note: HTML? = view.note.map { "<span class=\"sub\">\($0)</span>" }
            let changes = w.changes(of: view).html { "<span class=\"sub\">\($0)</span>" }
            return """
                <tr><td class="main">\(view.name)\(note)</td><td>\(w.purpose(of: view))</td><td>\(chip(view, w))</td>\
                <td>\(w.time(view.startsAt))</td><td>\(w.time(view.endsAt))</td><td class="soft">\(w.room(of: view))\(changes)</td></tr>

                """
        }
        return """
            <section>\(title)
            \(frame.table(w.reservations, head: """
                <th scope="col">\(w(.name))</th><th scope="col">\(w.reservedFor)</th><th scope="col">\(w(.state))</th>\
                <th scope="col">\(w.reservedFrom)</th><th scope="col">\(w.reservedUntil)</th>\
                <th scope="col">\(w.reservedRoom)</th>
                """, rows: rows))</section>
            """
    }

    private func chip(_ view: ReservationView, _ w: Words) -> HTML {
        switch view.state {
        case .planned: Frame.chip("queued", w.name(view.state))
        case .active: Frame.chip("active", w.name(view.state))
        case .ended: Frame.chip("succeeded", w.name(view.state))
        case .cancelled: Frame.chip("cancelled", w.name(view.state))
        }
    }
}
