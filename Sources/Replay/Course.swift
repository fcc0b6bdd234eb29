/// The course of a schedule over time, at evenly spaced moments: what the charts of a report are drawn from.
struct Course {
    static let moments = 240

    /// Seconds from the first submission, of each moment.
    var seconds: [Double] = []
    /// Jobs that wait.
    var queued: [Double] = []
    /// By centre: the part of its cards (or cores, where it has none or no job asks for any) in use, 0 to 1.
    var used: [[Double]] = []

    init(_ jobs: [TraceJob], _ schedule: Schedule, _ federation: Federation) {
        let ran = jobs.indices.filter { schedule.start[$0] >= 0 }
        guard let first = ran.first else { return }
        let begin = jobs[first].submit
        let end = ran.reduce(begin) { max($0, schedule.start[$1] + jobs[$1].run) }
        let step = max(1, Double(end - begin) / Double(Self.moments - 1))
        func moment(_ time: Int64) -> Int { min(Self.moments, Int((Double(time - begin) / step).rounded(.up))) }
        seconds = (0..<Self.moments).map { Double($0) * step }
        var waits = [Double](repeating: 0, count: Self.moments + 1)
        let hasCards = ran.contains { jobs[$0].cards > 0 }
        var use = Array(repeating: waits, count: federation.centres.count)
        for index in ran {
            let job = jobs[index]
            let start = schedule.start[index]
            waits[moment(job.submit)] += 1
            waits[moment(start)] -= 1
            let amount = hasCards ? Double(job.cards * job.cardMilli) / 1000 : Double(job.milliCores) / 1000
            use[Int(schedule.centre[index])][moment(start)] += amount
            use[Int(schedule.centre[index])][moment(start + job.run)] -= amount
        }
        queued = Self.sums(waits)
        used = zip(use, federation.centres).map { use, centre in
            let capacity = Double(max(1, hasCards ? centre.cards : centre.cores))
            return Self.sums(use).map { $0 / capacity }
        }
    }

    private static func sums(_ changes: [Double]) -> [Double] {
        var sum = 0.0
        return changes.prefix(moments).map { change in
            sum += change
            return sum
        }
    }
}
