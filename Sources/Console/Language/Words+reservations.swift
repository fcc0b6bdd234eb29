import Core
import Wire

/// What the console says of room that is kept in advance. The two languages stand side by side, as in ``Message``.
extension Words {
    private func pick(_ english: String, _ chinese: String) -> String { language == .zh ? chinese : english }

    var reservations: String { pick("Reservations", "预约") }
    var noReservations: String { pick("Nothing is reserved here.", "此处没有预约。") }
    var reservedFor: String { pick("For", "用途") }
    var reservedFrom: String { pick("From", "开始") }
    var reservedUntil: String { pick("To", "结束") }
    var reservedRoom: String { pick("Room", "资源") }

    var waitingReserved: String { pick("Its room is reserved", "资源已被预约") }
    var eventReservationCreated: String { pick("Room reserved", "已预约资源") }
    var eventReservationMoved: String { pick("Reserved nodes replaced", "预约的节点已更换") }
    var eventReservationCancelled: String { pick("Reservation cancelled", "预约已取消") }

    /// What it is for, as far as its reader may know.
    func purpose(of view: ReservationView) -> String {
        switch view.purpose {
        case .maintenance: pick("maintenance", "维护")
        case .project: view.project?.text ?? pick("another project", "其他项目")
        }
    }

    func name(_ state: ReservationState) -> String {
        switch state {
        case .planned: pick("planned", "未开始")
        case .active: pick("active", "生效中")
        case .ended: pick("ended", "已结束")
        case .cancelled: pick("cancelled", "已取消")
        }
    }

    /// Which nodes took the place of others, and which are missing; empty when all is as it was made.
    func changes(of view: ReservationView) -> [String] {
        var lines: [String] = []
        let moved = view.nodes.compactMap { part in part.insteadOf.map { (part.node, $0) } }
        if !moved.isEmpty {
            let some = moved.prefix(4).map { pick("\($0.0) instead of \($0.1)", "\($0.0) 代替 \($0.1)") }
            let more = moved.count > 4 ? pick(" and \(moved.count - 4) more", " 等 \(moved.count) 个") : ""
            lines.append(some.joined(separator: pick(", ", "，")) + more)
        }
        if !view.missing.isEmpty {
            let some = view.missing.prefix(4).joined(separator: pick(", ", "、"))
            let more = view.missing.count > 4 ? pick(" and \(view.missing.count - 4) more", " 等") : ""
            lines.append(
                pick(
                    "\(view.missing.count) of its nodes \(view.missing.count == 1 ? "is" : "are") down or gone, and no "
                        + "other of that kind can be had: \(some)\(more)",
                    "其中 \(view.missing.count) 个节点停机或已移除，暂无同类节点可替换：\(some)\(more)"
                )
            )
        }
        return lines
    }

    /// What is kept, in short.
    func room(of view: ReservationView) -> String {
        guard !view.wholeCentre else { return pick("the whole centre", "整个中心") }
        let count = view.nodes.count
        let nodes = pick(count == 1 ? "1 node" : "\(count) nodes", "\(count) 个节点")
        let cards = view.nodes.reduce(0) { $0 + ($1.cards ?? 0) }
        if cards > 0 { return pick("\(cards) card\(cards == 1 ? "" : "s") on \(nodes)", "\(nodes)上的 \(cards) 张卡") }
        let cores = view.nodes.reduce(MilliCores(0)) { $0 + ($1.cores ?? 0) }
        if cores > 0 { return pick("\(cores) core\(cores == 1000 ? "" : "s") on \(nodes)", "\(nodes)上的 \(cores) 核") }
        return nodes
    }
}
