/// What the words of an element's `class`, `id`, `role` and `itemprop` say about its content.
struct PageHints: OptionSet, Sendable {
    let rawValue: UInt32

    /// The text of an article itself.
    static let body = PageHints(rawValue: 1)
    /// About an article, or the main part of the page.
    static let main = PageHints(rawValue: 2)
    static let navigation = PageHints(rawValue: 4)
    static let header = PageHints(rawValue: 8)
    static let footer = PageHints(rawValue: 16)
    static let side = PageHints(rawValue: 32)
    static let comment = PageHints(rawValue: 64)
    static let related = PageHints(rawValue: 128)
    static let share = PageHints(rawValue: 256)
    static let advertisement = PageHints(rawValue: 512)
    static let byline = PageHints(rawValue: 1024)
    static let promotion = PageHints(rawValue: 2048)
    static let caption = PageHints(rawValue: 4096)
    static let hidden = PageHints(rawValue: 8192)
    static let media = PageHints(rawValue: 16384)

    /// What marks an element as no part of the article.
    static let foreign: PageHints = [
        .navigation, .footer, .side, .comment, .related, .share, .advertisement, .byline, .promotion, .caption, .hidden,
        .media,
    ]

    private static let lists: [(PageHints, String)] = [
        (
            .body,
            """
            articlebody articlecontent articletext articlecopy articlecontents articledetail articlecon articlemain \
            artibody artcontent artcon arttext articletxt entrycontent entrybody entrytext postcontent postbody posttext \
            postentry postcopy storybody storycontent storytext storycopy contentbody bodycontent bodycopy bodytext \
            textbody newscontent newsbody newstext newsdetail newscon newstxt blogcontent blogbody singlecontent \
            contenttext textcontent contentdetail detailcontent contentarticle contenttxt txtcon textcon richtext \
            zhengwen neirong wenzhang trseditor rmtxtcon postmessage dpostcontent bbscontent mainbody fulltext \
            markdownbody mwparseroutput mwcontenttext fieldnamebody fieldbody bodymain jnewsbody articlemaintext \
            textarticle contentnews articlesection pagebody documentbody docbody ueditor
            """
        ),
        (.main, "article post entry story content main text body copy blog news detail hentry single prose page neirong"),
        (
            .navigation,
            """
            nav navi navigation navbar menu submenu megamenu breadcrumb breadcrumbs crumb crumbs topbar toolbar daohang \
            mianbaoxie mbx skip skiplink sitemap pager pagination paging pagenav pagenavi prevnext nextprev postnav \
            navlinks tabs toc tableofcontents subnav topnav nextpost prevpost crumbnav location weizhi position
            """
        ),
        (.header, "header masthead siteheader pageheader head hd"),
        (
            .footer,
            """
            footer foot bottom copyright banquan yejiao dibu colophon siteinfo sitefooter pagefooter disclaimer legal \
            postfooter entryfooter
            """
        ),
        (
            .side,
            """
            sidebar sidenav side rail rightcol leftcol rightcolumn leftcolumn aside rightrail leftrail complementary \
            youce zuoce cebian cebianlan sidebox sidecol secondary rightbar leftbar
            """
        ),
        (
            .comment,
            """
            comment comments commentlist commentform commentbox disqus respond replies reply pinglun liuyan discussion \
            livefyre feedback guestbook trackback trackbacks pingback kommentar kommentare commentaires comentarios \
            opinionstage usercomments
            """
        ),
        (
            .related,
            """
            related relatedposts relatedarticles relatednews relatedcontent recommended recommend recommends \
            recommendation recommendations recirc recirculation morefrom morestories morenews readmore readnext mostread \
            mostpopular mostviewed popular trending outbrain taboola xiangguan tuijian remen paihang paihangbang \
            hotnews latest latestnews latestposts teaser teasers zergnet upnext suggested suggestions promoted similar \
            alsoread youmaylike youmightlike jinxuan xgxw xgyd seealso alsolike furtherreading recent recentposts
            """
        ),
        (
            .share,
            """
            share sharing social socials sharebar sharebox addthis sharedaddy sharethis addtoany fenxiang \
            bdsharebuttonbox bdshare jiathis follow followus sociallinks socialmedia socialbar shariff
            """
        ),
        (
            .advertisement,
            """
            ad ads adv advert adverts advertisement advertisements advertising adsense adbox adslot adunit adcontainer \
            adwrapper banner banners dfp sponsor sponsored sponsors guanggao promo promos promotion promobox \
            adsbygoogle adblock marketing commercial anzeige werbung publicidad reklama
            """
        ),
        (
            .byline,
            """
            byline bylines author authors authorbio aboutauthor authorinfo authorbox bio timestamp date datetime pubdate \
            published postdate postmeta entrymeta articlemeta meta metadata postinfo articleinfo tags tag tagcloud \
            taglist category categories cats rating ratings zebian laiyuan biaoqian zuozhe fabushijian autor auteur
            """
        ),
        (
            .promotion,
            """
            newsletter newsletters subscribe subscription subscriptions signup signin login logon register registration \
            paywall cookie cookies cookiebar gdpr consent onetrust privacy popup modal overlay lightbox donate donation \
            cta calltoaction optin mailchimp survey poll quiz search searchbox searchform widget widgets denglu zhuce \
            dingyue appdownload erweima qrcode saoma weixin wechat ewm shop cart buy product products
            """
        ),
        (.caption, "caption wpcaption credit credits photocredit imagecaption imgcaption figcaption wpcaptiontext"),
        (
            .media,
            """
            gallery slideshow carousel slider thumb thumbnail thumbnails videoplayer player jwplayer infobox audio
            """
        ),
        (
            .hidden,
            """
            hidden hide screenreadertext visuallyhidden sronly invisible displaynone noprint offscreen
            """
        ),
    ]

    /// The hints by the hash of the word, or of two or three neighbouring words written together.
    private static let table: [UInt64: PageHints] = {
        var table: [UInt64: PageHints] = [:]
        for (hint, words) in lists {
            for word in words.split(separator: " ") {
                var hash = HTMLNames.basis
                for byte in word.utf8 { hash = (hash ^ UInt64(byte)) &* HTMLNames.prime }
                table[hash, default: []].insert(hint)
            }
        }
        return table
    }()

    /// An open-addressed copy of the table, for the extractor to hold.
    struct Table: Sendable {
        private var keys: [UInt64]
        private var values: [UInt32]
        private let mask: Int

        init() {
            mask = 4095
            keys = [UInt64](repeating: 0, count: mask + 1)
            values = [UInt32](repeating: 0, count: mask + 1)
            for (hash, hints) in PageHints.table {
                var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
                while keys[slot] != 0 { slot = (slot + 1) & mask }
                keys[slot] = hash
                values[slot] = hints.rawValue
            }
        }

        @inline(__always) private func hints(ofHash hash: UInt64) -> UInt32 {
            var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
            while keys[slot] != 0 {
                if keys[slot] == hash { return values[slot] }
                slot = (slot + 1) & mask
            }
            return 0
        }

        /// The hints of all words in `bytes[start ..< end]`: runs of letters, also cut where a capital follows a small one.
        func hints(of bytes: Span<UInt8>, _ start: Int, _ end: Int) -> PageHints {
            var found: UInt32 = 0
            // The hashes of the present word alone, behind the last, and behind the last two.
            var one = HTMLNames.basis
            var two = HTMLNames.basis
            var three = HTMLNames.basis
            var hasTwo = false
            var hasThree = false
            var length = 0
            var wasSmall = false
            var at = start
            while at <= end {
                let byte = at < end ? bytes[at] : 0x20
                let isWord = isLetter(byte)
                let isCapital = isWord && byte & 32 == 0
                if length > 0 && (!isWord || (isCapital && wasSmall)) {
                    found |= hints(ofHash: one)
                    if hasTwo { found |= hints(ofHash: two) }
                    if hasThree { found |= hints(ofHash: three) }
                    three = two
                    two = one
                    hasThree = hasTwo
                    hasTwo = true
                    one = HTMLNames.basis
                    length = 0
                }
                if isWord {
                    let letter = UInt64(byte | 32)
                    one = (one ^ letter) &* HTMLNames.prime
                    two = (two ^ letter) &* HTMLNames.prime
                    three = (three ^ letter) &* HTMLNames.prime
                    length += 1
                } else if isSpace(byte) {
                    hasTwo = false
                    hasThree = false
                }
                wasSmall = isWord && !isCapital
                at += 1
            }
            return PageHints(rawValue: found)
        }
    }
}
