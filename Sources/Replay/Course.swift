/// The course of a schedule over time, at evenly spaced moments: what the charts of a report are drawn from.
struct Course {
    /// From the first submission to the last end of several schedules, cut into moments that they have in common.
    struct Span {
        var begin: Int64
        var step: Double
        var moments: Int

        init(_ jobs: [TraceJob], _ schedules: [Schedule], moments: Int) {
            begin = jobs.first?.submit ?? 0
            var end = begin
            for schedule in schedules {
                for index in jobs.indices where schedule.start[index] >= 0 {
                    end = max(end, schedule.start[index] + jobs[index].run)
                }
            }
            self.moments = moments
            step = max(1, Double(end - begin) / Double(moments - 1))
        }

        /// Seconds from the first submission, of each moment.
        var seconds: [Double] { (0..<moments).map { Double($0) * step } }

        /// The first moment that is not before a time.
        func moment(_ time: Int64) -> Int { min(moments, Int((Double(time - begin) / step).rounded(.up))) }
    }

    /// Jobs that wait.
    var queued: [Double] = []
    /// By centre: the part of its cards (or cores, where it has none or no job asks for any) in use, 0 to 1.
    var used: [[Double]] = []

    init(_ jobs: [TraceJob], _ schedule: Schedule, _ federation: Federation, over span: Span) {
        let ran = jobs.indices.filter { schedule.start[$0] >= 0 }
        var waits = [Double](repeating: 0, count: span.moments + 1)
        let hasCards = jobs.contains { $0.cards > 0 }
        var use = Array(repeating: waits, count: federation.centres.count)
        for index in ran {
            let job = jobs[index]
            let start = schedule.start[index]
            waits[span.moment(job.submit)] += 1
            waits[span.moment(start)] -= 1
            let amount = hasCards ? Double(job.cards * job.cardMilli) / 1000 : Double(job.milliCores) / 1000
            use[Int(schedule.centre[index])][span.moment(start)] += amount
            use[Int(schedule.centre[index])][span.moment(start + job.run)] -= amount
        }
        queued = Self.sums(waits, span.moments)
        used = zip(use, federation.centres).map { use, centre in
            let capacity = Double(max(1, hasCards ? centre.cards : centre.cores))
            return Self.sums(use, span.moments).map { $0 / capacity }
        }
    }

    private static func sums(_ changes: [Double], _ moments: Int) -> [Double] {
        var sum = 0.0
        return changes.prefix(moments).map { change in
            sum += change
            return sum
        }
    }
}
