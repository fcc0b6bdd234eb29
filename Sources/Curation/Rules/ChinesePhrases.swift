import CCuration

/// Phrases of pages about themselves: rights, registration, navigation, placeholders. In both scripts.
///
/// A strong one makes its sentence boilerplate; a weak one does where the sentence is hardly more than itself.
enum ChinesePhrases {
    enum Strength {
        case strong
        case weak
    }

    private static let strong: [StaticString] = [
        "版权所有", "版權所有", "保留所有权利", "保留所有權利", "未经授权", "未經授權", "转载请注明", "轉載請註明",
        "备案号", "備案號", "ICP备", "ICP備", "ICP证", "公网安备", "增值电信业务", "网络文化经营许可证",
        "免责声明", "免責聲明", "隐私政策", "隱私政策", "用户协议", "使用條款", "联系我们", "聯絡我們", "关于我们",
        "關於我們", "网站地图", "網站地圖", "友情链接", "友情連結", "返回首页", "返回首頁", "返回顶部", "返回列表",
        "上一篇", "下一篇", "阅读全文", "閱讀全文", "展开全文", "查看更多", "查看原文", "相关推荐", "相關推薦",
        "热门推荐", "猜你喜欢", "责任编辑", "責任編輯", "扫一扫", "掃一掃", "扫码", "扫描二维码", "关注公众号",
        "微信公众号", "官方微信", "分享到", "加入收藏", "设为首页", "下载客户端", "下载APP", "客服热线", "客服電話",
        "加载中", "載入中", "请稍候", "请稍后再试", "敬请期待", "敬請期待", "暂无内容", "暂无数据", "暂无评论",
        "此处省略", "占位符", "示例文本", "在此输入", "请输入关键词", "您的浏览器", "请启用JavaScript", "验证码",
        "忘记密码", "忘記密碼", "立即注册", "立即註冊", "免费注册", "立即购买", "加入购物车", "点击这里", "點擊這裡",
        "点击查看", "点击下载", "点击进入",
    ]

    private static let weak: [StaticString] = [
        "点击", "點擊", "登录", "登入", "登錄", "注册", "註冊", "广告", "廣告", "首页", "首頁", "下载", "下載", "更多",
        "分享", "收藏", "评论", "評論", "点赞", "点讚", "搜索", "搜尋", "订阅", "訂閱",
    ]

    /// First characters of phrases, and those that broken text has, a bit for each scalar below U+10000.
    static let firsts: [UInt64] = {
        var bits = [UInt64](repeating: 0, count: 1024)
        for phrase in strong + weak {
            let scalar =
                phrase.utf8Start[0] < 0x80
                ? UInt32(phrase.utf8Start[0]) : QualityTables.decode(phrase.utf8Start).scalar
            bits[Int(scalar >> 6) & 1023] |= 1 << UInt64(scalar & 63)
        }
        for scalar in ChineseMeasure.brokenHan { bits[Int(scalar >> 6) & 1023] |= 1 << UInt64(scalar & 63) }
        return bits
    }()

    /// The beginnings of phrases, six bytes each, a bit for each hash.
    private static let beginnings: [UInt64] = {
        var bits = [UInt64](repeating: 0, count: 64)
        for phrase in strong + weak {
            let hash = beginning(phrase.utf8Start)
            bits[hash >> 6] |= 1 << UInt64(hash & 63)
        }
        return bits
    }()

    /// A hash of six bytes, below 4,096.
    @inline(__always)
    private static func beginning(_ bytes: UnsafePointer<UInt8>) -> Int {
        let raw = UnsafeRawPointer(bytes)
        let four = UInt64(raw.loadUnaligned(as: UInt32.self))
        let two = UInt64(raw.loadUnaligned(fromByteOffset: 4, as: UInt16.self))
        return Int(truncatingIfNeeded: ((two << 32 | four) &* 0x9E37_79B9_7F4A_7C15) >> 52)
    }

    /// What phrase begins at `at` with `scalar`, if one does.
    @inline(__always)
    static func find(_ text: UnsafePointer<UInt8>, _ at: Int, _ count: Int, _ scalar: UInt32) -> Strength? {
        guard scalar < 0x10000, firsts[Int(scalar >> 6)] >> UInt64(scalar & 63) & 1 != 0 else { return nil }
        return look(text, at, count)
    }

    /// What phrase begins at `at`, if one does. Six bytes are readable there.
    static func look(_ text: UnsafePointer<UInt8>, _ at: Int, _ count: Int) -> Strength? {
        let hash = beginning(text + at)
        guard beginnings[hash >> 6] >> UInt64(hash & 63) & 1 != 0 else { return nil }
        for phrase in strong where stands(phrase, text, at, count) { return .strong }
        for phrase in weak where stands(phrase, text, at, count) { return .weak }
        return nil
    }

    private static func stands(
        _ phrase: StaticString,
        _ text: UnsafePointer<UInt8>,
        _ at: Int,
        _ count: Int
    ) -> Bool {
        let length = phrase.utf8CodeUnitCount
        return length <= count - at && onepoint_bytes_equal(text + at, phrase.utf8Start, length)
    }
}
