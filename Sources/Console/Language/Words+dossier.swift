import Curation

/// What the forms of dossiers name by a word of a closed list. The two languages stand side by side, as in ``Message``.
extension Words {
    private func pick(_ english: String, _ chinese: String) -> String { language == .zh ? chinese : english }

    func name(_ kind: Dossier.Kind) -> String {
        switch kind {
        case .open: pick("open source of data", "开源数据")
        case .selfCollected: pick("collected by oneself", "自行采集")
        case .commercial: pick("bought", "商业购买")
        case .userInput: pick("what users typed", "用户输入")
        case .synthetic: pick("made by a program", "合成数据")
        }
    }

    func name(_ region: Dossier.Region) -> String {
        switch region {
        case .domestic: pick("domestic", "境内")
        case .foreign: pick("foreign", "境外")
        }
    }

    func name(_ kind: Dossier.Record.Kind) -> String {
        switch kind {
        case .licence: pick("licence", "许可证")
        case .contract: pick("contract", "合同")
        case .promise: pick("promise of the seller", "卖方承诺")
        case .review: pick("own check", "自行核查")
        case .collection: pick("collection record", "采集记录")
        case .authorisation: pick("users' permission", "用户授权")
        case .generation: pick("how it was made", "生成说明")
        case .rights: pick("rights of others", "他人权利核查")
        case .assessment: pick("assessed by a sample", "采集前抽样评估")
        case .verification: pick("verified by a sample", "采集后抽样核验")
        }
    }

    func name(_ verdict: Dossier.Robots.Verdict) -> String {
        switch verdict {
        case .allowed: pick("allowed", "允许")
        case .forbidden: pick("forbidden", "禁止")
        case .absent: pick("no such file", "无此文件")
        case .unreachable: pick("could not be had", "无法获取")
        }
    }

    func name(_ presence: Dossier.PersonalData.Presence) -> String {
        switch presence {
        case .none: pick("none found", "未发现")
        case .ordinary: pick("ordinary", "一般个人信息")
        case .sensitive: pick("sensitive", "敏感个人信息")
        }
    }

    func name(_ basis: Dossier.PersonalData.Basis) -> String {
        switch basis {
        case .consent: pick("consent", "个人同意")
        case .contract: pick("contract", "履行合同")
        case .duty: pick("duty by law", "法定职责")
        case .emergency: pick("emergency", "紧急情况")
        case .news: pick("news", "新闻报道")
        case .published: pick("lawfully published", "已合法公开")
        case .otherLaw: pick("other law", "其他法律规定")
        }
    }

    func name(_ gap: Dossier.Gap) -> String {
        switch gap {
        case .licenceAtOrigin: pick("licence at origin", "原始许可")
        case .licenceAsClaimed: pick("licence as claimed", "所称许可")
        case .owner: pick("who holds the rights", "权利人")
        case .complaints: pick("where to complain", "投诉渠道")
        case .country: pick("country", "国家")
        case .languages: pick("languages", "语种")
        case .records: pick("any record", "存证")
        case .collectionRecord: pick("record of the collection", "采集记录")
        case .robots: pick("what robots.txt said", "robots.txt 存证")
        case .contract: pick("contract", "合同")
        case .authorisation: pick("users' permission", "用户授权")
        case .generation: pick("how it was made", "生成说明")
        case .personalBasis: pick("by what right personal data is in it", "个人信息的处理依据")
        case .consentRecord: pick("record of the consent", "同意记录")
        case .separateConsent: pick("separate consent to sensitive data", "敏感信息的单独同意")
        case .assessment: pick("who assessed it", "评估人")
        case .collectedWhen: pick("when it was collected", "采集时间")
        }
    }
}
