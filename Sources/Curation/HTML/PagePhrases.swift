/// Openings of short paragraphs that stand in articles but are no part of them.
struct PagePhrases: Sendable {
    /// Longer paragraphs are never taken for such a phrase.
    static let longest = 300

    /// In small letters where they are ASCII; the lists are ours, from reading pages.
    private static let lists: [String] = [
        """
        read more;read also;also read;read next;related:;related coverage;related article;related stor;related post;see also
        more:;share this;share on;share via;follow us;follow @;sign up;subscribe;click here;advertisement;photo:;photos:
        photo by;photo credit;image:;image credit;image source;credit:;source:;sources:;copyright;©;(c) 20;all rights reserved
        filed under;tagged;tags:;posted by;posted in;last updated;leave a comment;leave a reply;back to top;print this
        recommended;you may also like;you might also like;more from;more on this;most read;most popular;trending;newsletter
        get the latest;never miss;stay up to date;stay up-to-date;if you enjoyed;loading;contact us;about the author;getty
        download our app;watch:;watch now;continue reading;skip to;view comments;comments (;show comments;report a typo
        join our;like us on;find us on;email this;support our;become a member;already a subscriber;log in to
        """,
        """
        we use cookies;this website uses cookies;this site uses cookies;our website uses cookies;this website is using cookies
        by continuing to;diese website verwendet cookies;diese website benutzt cookies;diese seite verwendet cookies
        wir verwenden cookies;wir nutzen cookies;durch die weitere nutzung;cookies erleichtern;cookies helfen;was sind cookies
        en poursuivant;ce site utilise;nous utilisons des cookies;este sitio utiliza;utilizamos cookies;usamos cookies
        questo sito utilizza;ta strona używa;korzystamy z plików;本网站使用;本網站使用;本站使用;your email address will not
        deine e-mail-adresse wird;ihre e-mail-adresse wird;votre adresse e-mail ne;this article is the copyright
        """,
        """
        lesen sie auch;lesen sie mehr;lesen sie die folgenden;mehr zum thema;mehr dazu;auch interessant;weiterlesen
        weitere artikel;weitere informationen;weitere infos;zum thema;das könnte;foto:;fotos:;bild:;bilder:;bildquelle;titelbild
        beitragsbild;bildnachweis;quelle:;quellen:;anzeige;- anzeige;werbung;schlagwort;teilen;diesen artikel
        artikel teilen;möchten sie den artikel;jetzt abonnieren;abonnieren sie;über den autor;über die autor
        kommentar schreiben;schon gelesen;symbolbild;aktualisiert;mehr aus;empfohlene beiträge;ähnliche beiträge
        das könnte sie;lust auf mehr;abbildung:;zum newsletter;folge uns;folgen sie uns;jetzt teilen;kontakt:
        """,
        """
        lire aussi;à lire aussi;voir aussi;crédit photo;crédits photo;crédits :;photo :;source :;partager;abonnez-vous
        inscrivez-vous;publicité;lea también;lee también;leer más;te puede interesar;ver también;también te puede;fuente:
        suscríbete;comparte;síguenos;veja também;leia também;leia mais;siga-nos;compartilhe;leggi anche;fonte:;condividi
        czytaj także;czytaj też;czytaj również;zobacz także;zobacz też;zobacz również;fot.;źródło:;polecamy;lees ook;bron:
        läs också;läs mer;les også;læs også;lue myös;přečtěte si;zdroj:;devamını oku;kaynak:
        """,
        """
        Читайте также;Читайте ещё;Источник:;Фото:;Подписывайтесь;Поделиться;Смотрите также;Читать также;関連記事;続きを読む
        シェア;この記事を;関連リンク;관련기사;무단전재;저작권자;기사제보
        """,
        """
        责任编辑;責任編輯;责编;編輯：;编辑：;编辑:;编辑 ;来源：;来源:;來源：;文章来源;文章來源;信息来源;原标题;原標題;版权声明;版權聲明
        版权所有;版權所有;免责声明;免責聲明;特别声明;郑重声明;本文来源;本文转自;本文轉自;转载请注明;轉載請註明;未经授权;未經授權;相关阅读
        相關閱讀;延伸阅读;延伸閱讀;推荐阅读;推薦閱讀;相关新闻;相關新聞;相关链接;相關連結;相关文章;相關文章;更多精彩;更多新闻;更多新聞;上一篇
        下一篇;上一条;下一条;点击查看;点击进入;微信扫一扫;平台声明;本站所有;扫描二维码;扫一扫;扫码;长按;关注我们;关注微信;微信公众号;分享到;分享至;分享：;打印本页
        关闭窗口;返回顶部;返回首页;当前位置;您的位置;您当前的位置;网友评论;发表评论;登录后;图片来源;圖片來源;广告;廣告;热门推荐;猜你喜欢
        大家都在看;加载更多;阅读全文;纠错;我要纠错;举报;收藏;点赞;字号：;字体：;作者：;发布时间：;发布日期：;浏览次数;阅读量;责任校对;本文链接
        """,
    ]

    private let phrases: [[UInt8]]
    /// Where in `phrases` those begin whose first byte is this or a higher one.
    private let starts: [Int]

    init() {
        var all: [[UInt8]] = []
        for list in Self.lists {
            for phrase in list.split(whereSeparator: { $0 == ";" || $0 == "\n" }) { all.append(Array(phrase.utf8)) }
        }
        all.sort { $0.lexicographicallyPrecedes($1) }
        phrases = all
        starts = (0...256).map { byte in all.firstIndex { Int($0[0]) >= byte } ?? all.count }
    }

    /// Whether `bytes` open with one of the phrases, after brackets, arrows and the like.
    func open(_ bytes: Span<UInt8>) -> Bool {
        var at = 0
        while at < bytes.count {
            switch bytes[at] {
            case 0..<0x30 where bytes[at] != UInt8(ascii: "-"), 0x3A...0x40, 0x5B...0x60, 0x7B...0x7F: at += 1
            // U+00A0 to U+00BF without the copyright sign; arrows, shapes and brackets.
            case 0xC2 where at + 1 < bytes.count && bytes[at + 1] != 0xA9: at += 2
            case 0xE2: at += 3
            case 0xE3 where at + 1 < bytes.count && bytes[at + 1] == 0x80: at += 3
            case 0xEF where at + 2 < bytes.count && bytes[at + 1] == 0xBC && bytes[at + 2] == 0x88: at += 3
            default:
                return matches(bytes, at)
            }
        }
        return false
    }

    private func matches(_ bytes: Span<UInt8>, _ at: Int) -> Bool {
        let first = Int(lowered(bytes[at]))
        for index in starts[first]..<starts[first + 1] where begins(bytes, at, phrases[index]) { return true }
        return false
    }

    private func begins(_ bytes: Span<UInt8>, _ at: Int, _ phrase: [UInt8]) -> Bool {
        guard bytes.count - at >= phrase.count else { return false }
        for offset in phrase.indices where lowered(bytes[at + offset]) != phrase[offset] { return false }
        return true
    }

    @inline(__always) private func lowered(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 32 : byte
    }
}
