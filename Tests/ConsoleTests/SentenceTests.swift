import Core
import Foundation
import Testing

@testable import Console
@testable import Scheduling

@Suite struct SentenceTests {
    private let centre = CentreName("c-1").unsafelyUnwrapped
    private let project = ProjectName("p-1").unsafelyUnwrapped
    private let job = JobID(base32: "00000000000000000000000001").unsafelyUnwrapped
    private let time = Instant(milliseconds: 1_800_000_000_000)

    /// Fails unless the sentence has a translation without a rest of English in it.
    private func expectChinese(_ english: String, _ location: SourceLocation = #_sourceLocation) {
        let chinese = Sentence.chinese(english)
        #expect(chinese != nil, "no pattern for: \(english)", sourceLocation: location)
        let rest = chinese?.firstMatch(of: /[A-Za-z]{2,} [A-Za-z]+/)
        #expect(rest == nil, "\(english) → \(chinese ?? "")", sourceLocation: location)
        #expect(chinese?.contains(/\{\d/) != true, "\(chinese ?? "")", sourceLocation: location)
    }

    private func lacks() -> [Lack] {
        Dimension.allCases.flatMap {
            [Lack(dimension: $0, need: 1000, have: 1), Lack(dimension: $0, need: 1 << 31, have: 1 << 30)]
        }
    }

    private func window(_ project: ProjectName?) -> Reason.Window {
        Reason.Window(
            Reservation(
                name: ReservationName("power-2").unsafelyUnwrapped,
                centre: centre,
                project: project,
                startsAt: time,
                endsAt: time + .seconds(3600),
                shares: nil,
                user: UserName("root").unsafelyUnwrapped
            )
        )
    }

    private func obstacles() -> [Obstacle] {
        [
            .notNamed, .tier(.edge), .removed, .draining, .unseen(since: time), .notReported, .noIsolation, .noCards,
            .onlyEmulated, .otherCards(["a100-80gb"]), .otherCards(["a100-80gb", "l40s"]),
            .dear(need: 12_500_000, balance: 1), .held(for: job, from: time), .reserved(window(nil)),
            .reserved(window(project)),
        ]
            + lacks().flatMap { [.tooSmall($0), .nodesDown($0), .busy($0), .taken($0)] }
    }

    private func causes() -> [Reason.Cause] {
        let fit = "best fit of 2 possible centres: leaves 3.5 cores on node n-1; price 0.02 credits an hour"
        var causes: [Reason.Cause] = [
            .ready(centre: centre, why: fit),
            .ready(
                centre: centre,
                why:
                    "best fit of 2 possible centres, with 12 GiB of its inputs: leaves 3.5 cores on node n-1; price 0.02 "
                    + "credits an hour"
            ),
            .ready(
                centre: centre,
                why: "no room now; waits for its turn in c-1's own queue, whose other users hold 15 of 16 cards; such "
                    + "waits took 40 s of late; price 1 credits an hour"
            ),
            .ready(
                centre: centre,
                why: "no room now; waits for its turn in c-1's own queue, whose other users hold 1.5 of 16 cores; "
                    + "price 1 credits an hour"
            ),
            .ready(
                centre: centre,
                why: "the only possible centre: leaves 1 GiB of memory on 2 nodes; price 1 credits an hour; 2 of 4 "
                    + "centres out: c-2 has other cards (l4, l40s), c-3 lacks cores (1 of 2 cores free) and c-4 "
                    + "has no cards"
            ),
            .dependency(waitingFor: [], count: 1), .dependency(waitingFor: ["a"], count: 1),
            .dependency(waitingFor: ["a", "b", "d"], count: 7), .backoff(until: time), .impossible, .centres,
            .voucher(project: project, balance: 1, need: 2_000_000, centre: centre),
            .behind(ahead: 1, heldFor: job), .behind(ahead: 12, heldFor: nil),
            .fairShare(project: project, ahead: 1, heldFor: job), .fairShare(project: project, ahead: 3, heldFor: nil),
            .reserved(centre: centre, window(nil)), .reserved(centre: centre, window(project)),
        ]
        for dimension in Dimension.allCases {
            causes.append(.quota(project: project, dimension: dimension, used: 1000, limit: 2000, need: 3000))
        }
        for lack in lacks() {
            for (freeAt, after, preempting) in [
                (nil, nil, []), (time, nil, []), (time, job, [RunKey(job: job, number: 2)]),
            ]
                as [(Instant?, JobID?, [RunKey])]
            {
                for isReserved in [true, false] {
                    let busy = Reason.Busy(
                        centre: centre,
                        lack: lack,
                        freeAt: freeAt,
                        after: after,
                        isReserved: isReserved,
                        ahead: preempting.count,
                        preempting: preempting,
                        moving: 0,
                        others: isReserved ? nil : lack
                    )
                    causes.append(.capacity(busy))
                    for moving in 1...2 {
                        var made = busy
                        made.moving = moving
                        causes.append(.capacity(made))
                    }
                }
            }
        }
        return causes
    }

    private func waysOut() -> [Reason.WayOut] {
        let large = Request(
            tasks: 4,
            resources: TaskResources(cores: 8000, memory: .gibi(4), cards: 2, card: "a100-80gb"),
            isolation: .required
        )
        var small = large
        small.tasks = 1
        small.resources = TaskResources(cores: 1500, memory: .gibi(1), cards: 1, card: nil)
        small.placement.emulated = true
        small.isolation = Isolation.none
        var anyCard = large
        anyCard.resources.card = nil
        return [
            .nothing, .wait(until: time, after: job), .wait(until: time, after: nil), .wait(until: nil, after: nil),
            .dependencies, .smaller(instead: small, of: large, centre: centre, now: true),
            .smaller(instead: small, of: large, centre: centre, now: false),
            .smaller(instead: anyCard, of: large, centre: centre, now: true),
            .shorter(seconds: 60, insteadOf: 3600, centre: centre), .elsewhere(centre: centre, tier: .hub),
            .elsewhere(centre: centre, tier: nil),
            .quota(project: project, dimension: .cores, from: 1000, to: 64_000),
            .quota(project: project, dimension: .runs, from: 1, to: 2),
            .voucher(project: project, missing: 3_500_000), .centre(centre, .draining),
            .centre(centre, .unseen(since: time)), .centre(centre, .notReported),
            .centre(centre, .nodesDown(lacks()[0])), .centre(nil, nil),
        ]
    }

    @Test("every reason that scheduling can give is said in Chinese, whole")
    func reasons() {
        let findings = obstacles().map { Finding(centre: centre, obstacle: $0) }
        for cause in causes() {
            for start in [nil, time] {
                let reason = Reason(cause, findings: findings, way: .nothing, predictedStart: start)
                expectChinese(reason.headline)
                for line in reason.evidence { expectChinese(line) }
            }
        }
        for way in waysOut() { expectChinese(Reason(.impossible, way: way).wayOut) }
    }

    @Test("every outcome is said in Chinese, with what the platform adds to it")
    func outcomes() {
        let kinds: [RunOutcome.Kind] = [
            .succeeded, .exit, .signal, .timeLimit, .outOfMemory, .rejected, .missingOutput, .nodeFailure, .cancelled,
            .preempted, .lost,
        ]
        for kind in kinds {
            let code: Int? = kind == .exit || kind == .signal ? 9 : nil
            expectChinese(RunOutcome(kind, code: code).summary)
            expectChinese("attempt 2 \(RunOutcome(kind, code: code).summary)")
            guard kind != .succeeded else { continue }
            expectChinese(RunOutcome(kind, code: code, detail: "cancelled by alice").summary)
            for detail in StopReason.allCases.compactMap(\.detail) {
                expectChinese("attempt 2 \(RunOutcome(kind, code: code, detail: detail).summary)")
            }
            expectChinese("It failed: \(RunOutcome(kind, code: code, detail: "before it started").summary).")
        }
    }

    @Test(
        "what the point says of a job or a booking is said in Chinese",
        arguments: [
            "waits for its turn", "waits for its turn, or for other jobs to succeed", "waits for 1 other to succeed",
            "waits for other jobs to succeed", "waits for 3 others to succeed", "It waits at the engine of 'north'.",
            "It is running at 'north'.",
            "Centre 'north' has it: staging model.bin: 1.2 GiB of 3.4 GiB, 85 MiB/s",
            "Centre 'north' has it: its inputs do not come: 磁盘已满",
            "It has ended at 'north', its outputs are still to arrive: uploading model.bin: 1.2 GiB of 3.4 GiB, 85 MiB/s",
            "It has ended at 'north', its outputs are still to arrive: its outputs do not arrive: 磁盘已满",
            "It is being moved to other nodes of centre 'north', where room is kept for it, so that another job finds its "
                + "place.",
            "attempt 2 was placed at north at 2026-11-25T10:00:00Z: moved here from other nodes so that another job finds "
                + "its place: leaves 3 cores on node n-1; price 0.02 credits an hour",
            "It is being taken back from the queue of 'north', as it can start at another centre now.",
            "attempt 2 was placed at south at 2026-11-25T10:00:00Z: taken back from the queue of north's own engine, as "
                + "there is room here: leaves 3 cores on node n-1; price 0.02 credits an hour",
            "it was taken back before it started, as there was room elsewhere",
            "It was asked to stop (preempt) and has not ended yet.", "It succeeded at 'north'.",
            "It was cancelled: '1-collect', which it waits for, failed.",
            "attempt 1 was placed at north at 2026-11-25T10:00:00Z: best fit of 2 possible centres: leaves 3 cores on "
                + "node n-1; price 0.02 credits an hour",
            "it started at 2026-11-25T10:00:00Z, 0.12 s after it was submitted",
            "Its centre 'north' has been silent since 2026-11-25T10:00:00Z; the run may well be going on.",
            "It is waited for. Submit with on_centre_loss: {requeue_after: …} if it may be run again elsewhere.",
            "voucher for demo", "voucher for demo: 春季", "set aside for job-1.1", "settled for job-1.1",
            "card.json was changed", "line 4: is missing", "data/part-000001.jsonl is missing",
            "manifest.json is missing, or no manifest", "notes.txt is not in the manifest", "has more than 4096 files",
            "is no manifest of an audit pack", "names no file and digest", "is not the root of these files",
        ]
    )
    func others(_ english: String) { expectChinese(english) }

    @Test("what is no sentence of ours stays as it is, and a name is never translated")
    func foreign() {
        #expect(Sentence.chinese("libcuda.so.1: cannot open shared object file") == nil)
        #expect(Sentence.chinese("") == nil)
        #expect(Sentence.chinese(String(repeating: "x and ", count: 10_000)) == nil)
        #expect(Sentence.chinese("It succeeded at 'succeeded'.") == "它在 succeeded 成功了。")
        #expect(
            Sentence.chinese("was cancelled: libcuda.so.1: cannot open shared object file")
                == "被取消：libcuda.so.1: cannot open shared object file"
        )
    }
}
