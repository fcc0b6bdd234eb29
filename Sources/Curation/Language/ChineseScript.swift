/// How Chinese is written, by its name in ISO 15924.
public enum ChineseScript: String, Sendable, Hashable, CaseIterable {
    /// As in mainland China and Singapore.
    case simplified = "Hans"
    /// As in Taiwan, Hong Kong and Macau.
    case traditional = "Hant"

    /// Common characters that only one way of writing has, pair by pair in the same order. Frequent enough that hardly
    /// any sentence lacks them all.
    private static let simplifiedOnly =
        "这国们来会时说为对学过发经现问还实开长体让应该进样种见无员机关动从电车门东两边书业义乐习买乱争产亲亿仅众优传伤价侧"
        + "养写军农决况几击创别劳势区协单卖卫压厂厅历县参双变吗听启响图团场坏块"
        + "处备够头夺妇妈孙宁宝审宽宾导将尔层岁岛帐师带帮庄庆库庙废异张弹强归录总战户护报担"
    private static let traditionalOnly =
        "這國們來會時說為對學過發經現問還實開長體讓應該進樣種見無員機關動從電車門東兩邊書業義樂習買亂爭產親億僅眾優傳傷價側"
        + "養寫軍農決況幾擊創別勞勢區協單賣衛壓廠廳歷縣參雙變嗎聽啟響圖團場壞塊"
        + "處備夠頭奪婦媽孫寧寶審寬賓導將爾層歲島帳師帶幫莊慶庫廟廢異張彈強歸錄總戰戶護報擔"

    /// Of each character from ``firstHan`` on: 1 for one that only simplified text has, -1 for a traditional one.
    private static let balances = {
        var balances = [Int8](repeating: 0, count: 0x5200)
        func add(_ text: String, _ balance: Int8) {
            for scalar in text.unicodeScalars { balances[Int(scalar.value) - firstHan] = balance }
        }
        add(simplifiedOnly, 1)
        add(traditionalOnly, -1)
        return balances
    }()
    private static let firstHan = 0x4E00

    /// The script that more characters of the text are of; `nil` when neither has more.
    static func most(in text: Span<UInt8>) -> ChineseScript? {
        let table = balances
        let balances = table.span
        var balance = 0
        var place = 0
        while place + 2 < text.count {
            // Every character above is of three bytes.
            guard text[place] & 0xF0 == 0xE0 else {
                place += 1
                continue
            }
            let scalar = Int(text[place] & 0x0F) << 12 | Int(text[place + 1] & 0x3F) << 6 | Int(text[place + 2] & 0x3F)
            let index = scalar - firstHan
            if index >= 0, index < balances.count { balance += Int(balances[index]) }
            place += 3
        }
        return balance == 0 ? nil : balance > 0 ? .simplified : .traditional
    }
}
