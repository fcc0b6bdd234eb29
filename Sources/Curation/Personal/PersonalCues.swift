/// The words that ``PersonalScanner`` looks for near a number, and what they say of it.
final class PersonalCues: Sendable {
    /// Not a phone, a card or an account: a number of a thing.
    let number = CueWords(
        "编号 单号 流水号 订单 序列号 时间戳 工单 批号 货号 条码 书号 标号 文号 案号 票号 serial order invoice isbn timestamp"
    )
    /// A phone, even in a shape that is not known.
    let phone = CueWords(
        """
        电话 手机 联系方式 致电 来电 拨打 热线 座机 传真 短信 號碼 電話 手機 phone tel telephone call mobile cell fax contact \
        whatsapp sms dial hotline answering reach desk
        """
    )
    /// An identity number, even an old one.
    let identity = CueWords("身份证 证件号 证号 身份號 身份証")
    /// A bank card, even of an issuer that is unknown.
    let card = CueWords("银行卡 信用卡 储蓄卡 卡号 账户 账号 card cc visa")
    /// A travel document of any letter.
    let passport = CueWords("护照 護照 passport 通行证 通行證 台胞证 回乡证")
    /// A plate, even one of letters only.
    let plate = CueWords("车牌 牌照 号牌 车号 车辆 車牌 驾驶 plate")
    /// 加我微信: what follows is an account.
    let adding = CueWords("加")
    /// What follows is an address, even one whose city is unknown.
    let address = CueWords("址 住 位于 居住 户籍 寄 送")
    /// A social security number, even with spaces.
    let ssn = CueWords("ssn social security")
    /// Four numbers with dots are a version or a section.
    let version = CueWords(
        """
        v ver version release 版本 升级到 版 固件 更新到 build oid linux kernel section \
        chapter clause errata 章节 条款
        """
    )
    /// Four small numbers with dots are an address.
    let host = CueWords("ip 地址 服务器 主机 网关 server host dns ping address")
}
