import Core
import Wire

/// What the console says of simulations. The two languages stand side by side, as in ``Message``.
extension Words {
    private func pick(_ english: String, _ chinese: String) -> String { language == .zh ? chinese : english }

    var simulations: String { pick("Simulations", "调度仿真") }
    var simulationsLead: String {
        pick(
            "What other policies would have made of the jobs of a real machine, replayed in virtual time.",
            "在虚拟时间中重放真实作业记录，比较不同调度策略的效果。"
        )
    }
    var noSimulations: String { pick("Nothing is published yet.", "尚无已发布的仿真。") }
    var publishHow: String { pick("An operator publishes one on the command line:", "运维人员可在命令行发布：") }
    var otherPolicies: String { pick("What other policies would do: simulations", "其他调度策略的效果：调度仿真") }

    var trace: String { pick("Trace", "作业记录") }
    var policies: String { pick("Policies", "策略") }
    var policy: String { pick("Policy", "策略") }
    var published: String { pick("Published", "发布") }
    var publishedAt: String { pick("published", "发布于") }
    func publishedBy(_ user: String) -> String { pick("by \(user)", "发布者 \(user)") }

    func replayed(_ summary: SimulationSummary) -> String {
        let jobs = pick(summary.jobs == 1 ? "1 job" : "\(count(summary.jobs)) jobs", "\(count(summary.jobs)) 个作业")
        let centres = self(.centresCount, count(summary.centres))
        return pick("\(jobs) on \(centres)", "\(jobs)，\(centres)")
    }

    func machine(cards: Int) -> String { pick(cards == 1 ? "1 card" : "\(count(cards)) cards", "\(count(cards)) 张加速卡") }

    func machine(cores: Int, cards: Int) -> String {
        let cores = pick("\(count(cores)) cores", "\(count(cores)) 核")
        return cards > 0 ? cores + pick(", \(count(cards)) cards", "，\(count(cards)) 张加速卡") : cores
    }

    var deleteSimulation: String { pick("Delete", "删除") }
    func deleteSimulationQuestion(_ name: String) -> String {
        pick(
            "Delete simulation \(name)? It is gone from here; the log keeps what it said.",
            "删除仿真 \(name)？它将不再显示；日志仍保留其内容。"
        )
    }

    // MARK: Sections

    var figures: String { pick("Figures", "指标") }
    var figureTitle: String { pick("Figure", "指标") }
    var bestInBold: String { pick("The best of each row is in bold.", "每行最优值以粗体显示。") }
    var impossibleJobs: String { pick("Jobs that fit no centre or limit", "任何中心或限额都无法容纳的作业") }
    var interruptedRuns: String { pick("Runs that an outage ended", "因离线中断的运行") }
    func differences(to base: String) -> String {
        pick("Difference to \(base), job by job", "与 \(base) 逐作业比较的差异")
    }
    var differencesLead: String {
        pick(
            "Mean difference over the very same jobs, and between what it lies with 95 per cent confidence. Less is better.",
            "同一批作业的平均差异及其 95% 置信区间，越小越好。"
        )
    }
    var wait: String { pick("Wait", "等待") }
    var slowdown: String { pick("Slowdown", "减速比") }
    func interval(_ low: String, _ high: String) -> String { pick("\(low) to \(high)", "\(low) 至 \(high)") }
    var queueOverTime: String { pick("Jobs that wait", "等待中的作业") }
    func use(_ unit: SimulationReport.Unit) -> String {
        switch unit {
        case .cards: pick("Cards in use, by tier", "各层级加速卡使用率")
        case .cores: pick("Cores in use, by tier", "各层级核使用率")
        }
    }
    func useByCentre(_ unit: SimulationReport.Unit) -> String {
        switch unit {
        case .cards: pick("Cards in use, by centre", "各算力中心加速卡使用率")
        case .cores: pick("Cores in use, by centre", "各算力中心核使用率")
        }
    }
    func onlyLargest(_ shown: Int, of all: Int) -> String {
        pick("The \(shown) largest of \(all) centres.", "共 \(all) 个算力中心，此处为最大的 \(shown) 个。")
    }
    var waitsBySize: String { pick("Mean wait by size of job", "不同规模作业的平均等待") }
    func size(_ upTo: Int, _ unit: SimulationReport.Unit) -> String {
        let (low, high) = (upTo / 2 + 1, upTo)
        let range = low >= high ? count(high) : "\(count(low))–\(count(high))"
        return switch unit {
        case .cards: pick(high == 1 ? "1 card" : "\(range) cards", "\(range) 张卡")
        case .cores: pick(high == 1 ? "1 core" : "\(range) cores", "\(range) 核")
        }
    }
    var sizeTitle: String { pick("Size", "规模") }
    var startedJobs: String { pick("Jobs", "作业") }
    var sharesByProject: String { pick("Projects and their shares", "各项目的份额") }
    func fairnessOfProjects(_ value: String) -> String {
        pick("Jain's index of their mean slowdowns: \(value).", "各项目平均减速比的 Jain 指数：\(value)。")
    }
    var shareTitle: String { pick("Share", "份额") }
    var held: String { pick("Held", "实际占用") }
    var ofDue: String { pick("Of what was due", "应得比例") }
    func moreProjects(_ number: Int) -> String {
        pick(
            number == 1 ? "One more is not shown." : "\(count(number)) more are not shown.",
            "另有 \(count(number)) 个未显示。"
        )
    }
    var foretold: String { pick("Forecasts that held", "预测命中率") }
    var foretoldStarts: String { pick("Starts", "启动时间") }
    var foretoldRuns: String { pick("Run times", "运行时长") }
    var foretoldCount: String { pick("Forecasts", "预测数") }

    // MARK: Setting

    var setting: String { pick("What was replayed", "仿真设置") }
    var skippedJobs: String { pick("Skipped", "跳过的作业") }
    var loadScale: String { pick("Times between submissions divided by", "提交间隔除以") }
    var eventOrder: String { pick("Events of one second", "同一秒内的事件") }
    func name(_ order: SimulationReport.EventOrder) -> String {
        switch order {
        case .batch: pick("together", "一并处理")
        case .sequential: pick("one after the other", "逐个处理")
        }
    }
    var stayedHome: String { pick("Jobs stayed at the centre they were sent to", "作业留在其提交的中心") }
    var projectsAre: String { pick("Who counts as a project", "项目的划分") }
    func name(_ owner: SimulationReport.Owner) -> String {
        switch owner {
        case .user: pick("each user", "按用户")
        case .group: pick("each group", "按用户组")
        case .project: pick("each project of the trace", "按记录中的项目")
        case .home: pick("each centre that jobs were sent to", "按提交的中心")
        }
    }
    var outages: String { pick("Centres that were away", "离线的中心") }
    func outage(_ centre: String, after: String, lasting: String) -> String {
        pick("\(centre), after \(after), for \(lasting)", "\(centre)，\(after)后离线 \(lasting)")
    }
    var nodesTitle: String { pick("Nodes", "节点") }
    var scheduleHash: String { pick("Schedule hash", "调度哈希") }
    var processorTime: String { pick("CPU time", "CPU 时间") }

    // MARK: Figures

    func name(_ figure: SimulationReport.Figure) -> String {
        switch figure {
        case .meanWait: pick("Wait, mean", "平均等待")
        case .medianWait: pick("Wait, median", "等待中位数")
        case .p95Wait: pick("Wait, 95th percentile", "等待第 95 百分位")
        case .p99Wait: pick("Wait, 99th percentile", "等待第 99 百分位")
        case .maxWait: pick("Wait, longest", "最长等待")
        case .meanSlowdown: pick("Bounded slowdown, mean", "平均有界减速比")
        case .p95Slowdown: pick("Bounded slowdown, 95th percentile", "有界减速比第 95 百分位")
        case .areaWait: pick("Wait, weighted by size and run time", "按规模与时长加权的等待")
        case .largeWait: pick("Wait of jobs above 8 cards", "8 卡以上作业的等待")
        case .utilisation: pick("Utilisation", "利用率")
        case .fairness: pick("Fairness between users (Jain)", "用户间公平性（Jain）")
        case .movedJobs: pick("Jobs away from their home", "异地运行的作业")
        case .movedBytes: pick("Data moved", "迁移数据量")
        case .fragmentation: pick("Free card time of no use to typical jobs", "典型作业无法使用的空闲卡时")
        case .energy: pick("Energy", "能耗")
        case .credits: pick("Cost in credits", "费用（积分）")
        case .makespan: pick("First submission to last end", "总时长")
        case .preemptedRuns: pick("Runs preempted", "被抢占的运行")
        case .relocatedRuns: pick("Runs moved within their centre", "中心内迁移的运行")
        case .lostHours: pick("Work that both lost, in card hours (else core hours)", "二者损失的工作量（卡时，无卡则为核时）")
        }
    }

    func value(_ value: Double, of figure: SimulationReport.Figure) -> String {
        switch figure {
        case .meanWait, .medianWait, .p95Wait, .p99Wait, .maxWait, .areaWait, .largeWait, .makespan: seconds(value)
        case .utilisation, .fragmentation: percent(value)
        case .meanSlowdown, .p95Slowdown, .fairness, .credits, .lostHours: self.figure(value)
        case .movedJobs, .preemptedRuns, .relocatedRuns: count(Int64(value))
        case .movedBytes: "\(Bytes(Int64(value)))"
        case .energy: "\(self.figure(value)) kWh"
        }
    }

    func seconds(_ value: Double) -> String { duration(.milliseconds(Int64((value * 1000).rounded()))) }

    func percent(_ part: Double) -> String { "\(figure((part * 1000).rounded() / 10)) %" }

    /// With its sign.
    func signedSeconds(_ value: Double) -> String { sign(value) + seconds(value.magnitude) }

    func signedFigure(_ value: Double) -> String { sign(value) + figure(value.magnitude) }

    private func sign(_ value: Double) -> String { value < 0 ? "−" : value > 0 ? "+" : "" }

    var eventSimulationPublished: String { pick("Simulation published", "已发布仿真") }
    var eventSimulationRemoved: String { pick("Simulation deleted", "已删除仿真") }
}

extension SimulationReport.Figure {
    /// Whether more of it is better; `nil` where neither is.
    var isBetterHigh: Bool? {
        switch self {
        case .utilisation, .fairness: true
        case .movedJobs: nil
        case .meanWait, .medianWait, .p95Wait, .p99Wait, .maxWait, .meanSlowdown, .p95Slowdown, .areaWait, .largeWait,
            .movedBytes, .fragmentation, .energy, .credits, .makespan, .preemptedRuns, .relocatedRuns, .lostHours:
            false
        }
    }
}
