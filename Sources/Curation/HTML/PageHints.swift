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
    /// What introduces an article: its lead or abstract.
    static let lead = PageHints(rawValue: 32768)
    /// A page or post as blog software marks it, whose classes also name its tags and whatever it has.
    static let post = PageHints(rawValue: 65536)

    /// What marks an element as no part of the article.
    static let foreign: PageHints = [
        .navigation, .footer, .side, .comment, .related, .share, .advertisement, .byline, .promotion, .caption, .hidden,
    ]

    /// Of those, what is hardly ever said of the article's own element.
    static let sure: PageHints = [.navigation, .footer, .comment, .related, .share, .advertisement]

    private static let lists: [(PageHints, String)] = [
        (
            .body,
            """
            articlebody articlecontent articletext articlecopy articlecontents articledetail articlecon articlemain \
            artibody artcontent artcon arttext articletxt entrycontent entrybody entrytext postcontent postbody \
            posttext postentry postcopy storybody storycontent storytext storycopy contentbody bodycontent bodycopy \
            bodytext textbody newscontent newsbody newstext newsdetail newscon newstxt blogcontent blogbody \
            singlecontent contenttext textcontent contentdetail detailcontent contentarticle contenttxt txtcon \
            textcon richtext zhengwen neirong wenzhang trseditor rmtxtcon postmessage dpostcontent bbscontent \
            mainbody fulltext markdownbody mwparseroutput mwcontenttext fieldnamebody fieldbody bodymain jnewsbody \
            articlemaintext textarticle contentnews articlesection ueditor trsueditor ucapcontent contentviews \
            richmediacontent jscontent ztext showcontent viewcontent pagescontent lemmasummary newsxq xwnr nrcon \
            mainnr
            """
        ),
        (.main, "article post entry story content main text body copy blog news detail hentry single prose page"),
        (.post, "hentry typepost typepage"),
        (
            .lead,
            """
            lead intro introduction abstract excerpt standfirst chapo chapeau vorspann sapo daodu daoyu zhaiyao \
            description sommario summary subline subtitle subheadline einleitung anreisser deck dek synopsis
            """
        ),
        (
            .navigation,
            """
            nav navi navigation navbar menu submenu megamenu breadcrumb breadcrumbs crumb crumbs topbar toolbar \
            daohang mianbaoxie mbx skiplink sitemap pager pagination paging pagenav pagenavi prevnext nextprev \
            postnav navlinks toc tableofcontents subnav topnav nextpost prevpost crumbnav weizhi
            """
        ),
        (.header, "header masthead siteheader pageheader head hd"),
        (
            .footer,
            """
            footer foot copyright banquan yejiao dibu colophon siteinfo sitefooter pagefooter disclaimer legal \
            postfooter entryfooter
            """
        ),
        (
            .side,
            """
            sidebar sidenav side rail rightcol leftcol rightcolumn leftcolumn aside rightrail leftrail complementary \
            youce zuoce cebian cebianlan sidebox sidecol rightbar leftbar
            """
        ),
        (
            .comment,
            """
            comment comments commentlist commentform commentbox disqus respond replies reply pinglun liuyan \
            discussion livefyre feedback guestbook trackback trackbacks pingback kommentar kommentare commentaires \
            comentarios opinionstage usercomments cmt cmts
            """
        ),
        (
            .related,
            """
            related relatedposts relatedarticles relatednews relatedcontent recommended recommend recommends \
            recommendation recommendations recirc recirculation morefrom morestories morenews readnext mostread \
            mostpopular mostviewed popular trending outbrain taboola xiangguan tuijian remen paihang paihangbang \
            hotnews latest latestnews latestposts teaser teasers zergnet upnext suggested suggestions promoted \
            similar relatedpost relatedcoverage nextstory nextarticle prevstory prevarticle interestingarticles \
            nextread alsoread youmaylike youmightlike jinxuan xgxw xgyd seealso alsolike furtherreading recent \
            recentposts
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
            ad ads adv advert adverts advertisement advertisements advertising adsense adbox adslot adunit \
            adcontainer adwrapper banner banners dfp sponsor sponsored sponsors guanggao promo promos promotion \
            promobox adsbygoogle adblock marketing commercial anzeige werbung publicidad reklama
            """
        ),
        (
            .byline,
            """
            byline bylines author authors authorbio aboutauthor authorinfo authorbox bio timestamp datetime pubdate \
            published postdate postmeta entrymeta articlemeta meta metadata postinfo articleinfo dateline metaline \
            authordate articledate tags tagcloud taglist categories cats rating ratings license licence zebian \
            laiyuan biaoqian zuozhe fabushijian autor auteur
            """
        ),
        (
            .promotion,
            """
            popmake cookieconsent cookienotice cookielaw newsletter newsletters subscribe subscription subscriptions \
            signup signin login logon register registration paywall cookie cookies cookiebar gdpr consent onetrust \
            privacy popup modal overlay lightbox donate donation cta calltoaction optin mailchimp survey poll quiz \
            search searchbox searchform denglu zhuce dingyue appdownload erweima qrcode saoma weixin wechat ewm
            """
        ),
        (
            .caption,
            "caption wpcaption credit credits photocredit imagecaption imgcaption figcaption wpcaptiontext imagedescription imagesubtitle bildunterschrift imgdescr imgdesc photodesc imgcap tushuo tuzhu tupianshuoming"
        ),
        (
            .media,
            """
            gallery slideshow carousel slider thumb thumbnail thumbnails videoplayer player jwplayer infobox audio
            """
        ),
        (
            .hidden,
            """
            screenreadertext visuallyhidden sronly displaynone noprint printonly
            """
        ),
    ]

    /// Words that say so much only when they stand alone.
    private static let wholes: [(PageHints, String)] = [
        (.hidden, "hidden hide invisible dnone"),
        (.promotion, "widget widgets"),
        (.side, "secondary"),
        (.byline, "tag category label date"),
        (.footer, "bottom"),
    ]

    /// After these a word says that something is there, or is not, but not what this element is.
    private static let negators = "has with no not without show is hide enable can"
    private static let negator: UInt64 = 1 << 31

    /// By the hash of a word, or of two or three neighbouring words written together: its hints, and above them by 32
    /// bits those it has when it stands alone.
    private static let table: [UInt64: UInt64] = {
        var table: [UInt64: UInt64] = [:]
        func add(_ words: String, _ value: UInt64) {
            for word in words.split(separator: " ") {
                let hash = word.utf8.reduce(HTMLNames.basis) { ($0 ^ UInt64($1)) &* HTMLNames.prime }
                table[hash, default: 0] |= value
            }
        }
        for (hint, words) in lists { add(words, UInt64(hint.rawValue)) }
        for (hint, words) in wholes { add(words, UInt64(hint.rawValue) << 32) }
        add(negators, negator)
        return table
    }()

    /// An open-addressed copy of the table, for the extractor to hold.
    struct Table: Sendable {
        private var keys: [UInt64]
        private var values: [UInt64]
        private let mask: Int

        init() {
            mask = 4095
            keys = [UInt64](repeating: 0, count: mask + 1)
            values = [UInt64](repeating: 0, count: mask + 1)
            for (hash, hints) in PageHints.table {
                var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
                while keys[slot] != 0 { slot = (slot + 1) & mask }
                keys[slot] = hash
                values[slot] = hints
            }
        }

        @inline(__always) private func value(ofHash hash: UInt64) -> UInt64 {
            var slot = Int(truncatingIfNeeded: hash ^ (hash >> 32)) & mask
            while keys[slot] != 0 {
                if keys[slot] == hash { return values[slot] }
                slot = (slot + 1) & mask
            }
            return 0
        }

        /// The hints of all words in `bytes[start ..< end]`: runs of letters, also cut where a capital follows a small one.
        func hints(of bytes: Span<UInt8>, _ start: Int, _ end: Int) -> PageHints {
            var found: UInt64 = 0
            // The hashes of the present word alone, behind the last, and behind the last two.
            var one = HTMLNames.basis
            var two = HTMLNames.basis
            var three = HTMLNames.basis
            // How many words of the present token (what white space sets apart) came before.
            var before = 0
            var length = 0
            var isNegated = false
            var wasSmall = false
            var at = start
            while at <= end {
                let byte = at < end ? bytes[at] : 0x20
                let isWord = isLetter(byte)
                let isCapital = isWord && byte & 32 == 0
                if length > 0 && (!isWord || (isCapital && wasSmall)) {
                    let value = value(ofHash: one)
                    if !isNegated {
                        found |= value
                        if before == 0 && isSpace(byte) { found |= value >> 32 }
                        if before > 0 { found |= self.value(ofHash: two) }
                        if before > 1 { found |= self.value(ofHash: three) }
                    }
                    // "nav--comments": what follows two hyphens tells variants of the same element apart.
                    isNegated =
                        value & PageHints.negator != 0
                        || (isNegated && !isSpace(byte))
                        || (byte == 0x2D && at + 1 < end && bytes[at + 1] == 0x2D)
                    three = two
                    two = one
                    one = HTMLNames.basis
                    before += 1
                    length = 0
                }
                if isWord {
                    let letter = UInt64(byte | 32)
                    one = (one ^ letter) &* HTMLNames.prime
                    two = (two ^ letter) &* HTMLNames.prime
                    three = (three ^ letter) &* HTMLNames.prime
                    length += 1
                } else if isSpace(byte) {
                    before = 0
                    isNegated = false
                }
                wasSmall = isWord && !isCapital
                at += 1
            }
            return PageHints(rawValue: UInt32(truncatingIfNeeded: found & 0x7FFF_FFFF))
        }
    }
}
