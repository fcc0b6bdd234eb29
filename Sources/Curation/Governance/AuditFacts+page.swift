import Core

extension AuditFacts {
    /// A page for people, in English and Chinese side by side: no script, nothing loaded from elsewhere.
    var page: [UInt8] {
        var page = AuditPage()
        page.begin(title: "\(release.name) \(release.version)")
        page.list([
            ("Description", "说明", release.description.english + " / " + release.description.chinese),
            ("Address", "地址", release.url), ("Licence", "许可协议", release.licence),
            ("Creator", "制作者", release.creator.name), ("Published", "发布时间", release.published.rfc3339),
            ("Files", "文件", "\(outputs.count)"),
            ("Records", "记录数", AuditPage.grouped(outputs.reduce(0) { $0 &+ $1.records })),
            ("Bytes", "字节数", AuditPage.grouped(outputs.reduce(0) { $0 &+ $1.bytes })),
            ("Root of all documents", "全部文档的默克尔根", items.map { "\($0.root) (\($0.count))" } ?? "–"),
            ("Made by", "生成工具", tool),
        ])
        sourcesTable(&page)
        admissionsTable(&page)
        funnelTable(&page)
        risksTable(&page)
        samplesTable(&page)
        for checked in profiles { checksTable(checked.profile, checked.results, &page) }
        page.table(
            "Files of the release",
            "发布文件",
            [("Path", "路径"), ("Records", "记录数"), ("Bytes", "字节数"), ("SHA-256", "SHA-256")],
            outputs.prefix(AuditPage.rowsMax).map { output in
                [output.path, AuditPage.grouped(output.records), AuditPage.grouped(output.bytes), output.digest.hex]
                    .map { .text($0) }
            },
            of: outputs.count
        )
        page.end(
            "Every statement here is in the files beside this page; manifest.json names them by their digests.",
            "本页内容均来自同目录下的文件；manifest.json 列出各文件的摘要值。"
        )
        return page.bytes
    }

    private func sourcesTable(_ page: inout AuditPage) {
        let documents = kept.reduce(0) { $0 &+ $1.documents }
        page.table(
            "Sources and licences",
            "来源与许可协议",
            [
                ("Source", "来源"), ("Kind", "类型"), ("Origin", "出处"), ("Licence at origin", "原始许可"),
                ("As claimed", "所称许可"), ("Compared", "比较"), ("Documents", "文档数"), ("Share", "占比"),
            ],
            zip(dossiers, kept).prefix(AuditPage.rowsMax).map { dossier, kept in
                let comparison = dossier.licence.comparison
                return [
                    .text(dossier.title), .text(dossier.kind.rawValue), .text(dossier.origin),
                    .text(dossier.licence.atOrigin ?? "–"), .text(dossier.licence.asClaimed ?? "–"),
                    .mark(comparison.rawValue, isGood: comparison == .same), .text(AuditPage.grouped(kept.documents)),
                    .text(Percent.text(documents > 0 ? Double(kept.documents) / Double(documents) : 0)),
                ]
            },
            of: dossiers.count
        )
    }

    private func admissionsTable(_ page: inout AuditPage) {
        page.table(
            "Admission by sampling",
            "来源抽样准入",
            [
                ("Source", "来源"), ("Stage", "阶段"), ("By", "依据"), ("Bad of judged", "不合格/已判"), ("At most", "上限"),
                ("Limit", "限值"), ("Outcome", "结论"),
            ],
            admissions.prefix(AuditPage.rowsMax).map { source, verdict in
                [
                    .text(source), .text(verdict.stage.rawValue), .text(verdict.basis.rawValue),
                    .text("\(verdict.bad.count)/\(verdict.bad.total)"),
                    .text(Percent.text(verdict.upperBound)), .text(Percent.text(verdict.limit)),
                    .mark(verdict.outcome.rawValue, isGood: verdict.outcome == .admitted),
                ]
            },
            of: admissions.count
        )
    }

    private func funnelTable(_ page: inout AuditPage) {
        let rows = byRule
        let documents = rows.reduce(0) { $0 &+ $1.documents }
        page.table(
            "Kept and dropped, by rule",
            "保留与剔除（按规则）",
            [("Rule", "规则"), ("Documents", "文档数"), ("Bytes", "字节数"), ("Share", "占比")],
            rows.prefix(AuditPage.rowsMax).map { row in
                let share = documents > 0 ? Double(row.documents) / Double(documents) : 0
                return [
                    row.rule.map { .text($0) } ?? .mark("kept / 保留", isGood: true),
                    .text(AuditPage.grouped(row.documents)), .text(AuditPage.grouped(row.bytes)), .bar(share),
                ]
            },
            of: rows.count
        )
    }

    private func risksTable(_ page: inout AuditPage) {
        let titles = Dictionary((taxonomy?.risks ?? []).map { ($0.id, $0.title) }) { first, _ in first }
        page.table(
            "Risks found",
            "发现的风险",
            [("Risk", "风险"), ("Title", "名称"), ("Found", "发现"), ("Removed", "已处理")],
            risks.sorted { $0.risk < $1.risk }.prefix(AuditPage.rowsMax).map { row in
                let title = titles[row.risk].map { "\($0.english) / \($0.chinese)" } ?? ""
                return [
                    .text(row.risk), .text(title), .text(AuditPage.grouped(row.found)),
                    .text(AuditPage.grouped(row.removed)),
                ]
            },
            of: risks.count
        )
    }

    private func samplesTable(_ page: inout AuditPage) {
        page.table(
            "Spot checks",
            "抽检",
            [
                ("Sample", "样本"), ("Purpose", "用途"), ("Drawn of", "抽取/总数"), ("Good of settled", "合格/已定"),
                ("Verdict", "结论"),
            ],
            samples.prefix(AuditPage.rowsMax).map { sample in
                let (tally, draw) = (sample.check.work.tally, sample.check.draw)
                let verdict = sample.rule.map { sample.check.verdict($0).outcome }
                return [
                    .text(sample.name), .text(draw.purpose),
                    .text("\(AuditPage.grouped(tally.drawn))/\(AuditPage.grouped(draw.population))"),
                    .text("\(tally.good)/\(tally.settled)"),
                    verdict.map { .mark($0.rawValue, isGood: $0 == .passed) } ?? .text("–"),
                ]
            },
            of: samples.count
        )
    }

    private func checksTable(_ profile: Profile, _ results: [CheckResult], _ page: inout AuditPage) {
        page.table(
            profile.standard + " — " + profile.title.english,
            profile.title.chinese,
            [
                ("Clause", "条款"), ("Asks", "要求"), ("Threshold", "数值"), ("Found", "实测"), ("Outcome", "结论"),
                ("Sure", "把握"), ("What to do", "整改"),
            ],
            results.prefix(AuditPage.rowsMax).map { result in
                let check = result.check
                let short = result.short.isEmpty ? "" : " [" + result.short.joined(separator: ", ") + "]"
                return [
                    .text(check.clause), .text(check.title.english + " / " + check.title.chinese), .text(result.asked),
                    .text(result.found + short), .mark(Self.word(result.outcome), isGood: result.outcome == .met),
                    .text(check.sure.rawValue),
                    .text(result.toDo.map { $0.english + " / " + $0.chinese } ?? ""),
                ]
            },
            of: results.count
        )
        let counts = CheckResult.Outcome.allCases.map { outcome in results.count { $0.outcome == outcome } }
        page.note(
            "\(counts[0]) met, \(counts[1]) not met, \(counts[2]) not shown.",
            "符合 \(counts[0]) 项，不符合 \(counts[1]) 项，未证明 \(counts[2]) 项。"
        )
        if let note = profile.note { page.note(note.english, note.chinese) }
    }

    private static func word(_ outcome: CheckResult.Outcome) -> String {
        switch outcome {
        case .met: "met / 符合"
        case .notMet: "not met / 不符合"
        case .notShown: "not shown / 未证明"
        }
    }
}
