import Core
import Curation
import Testing

@Suite struct LanguageTests {
    private static func guess(_ text: String) throws -> LanguageGuess {
        var identifier = try LanguageIdentifier()
        let bytes = Array(text.utf8)
        return identifier.identify(bytes.span)
    }

    @Test(
        "a sentence is in its language",
        arguments: [
            ("en", "Nobody had told the children that the library would be closed on the first day of the holidays."),
            ("de", "Niemand hatte den Kindern gesagt, dass die Bücherei am ersten Ferientag geschlossen bleibt."),
            ("fr", "Personne n'avait dit aux enfants que la bibliothèque serait fermée le premier jour des vacances."),
            ("es", "Nadie les había dicho a los niños que la biblioteca estaría cerrada el primer día de vacaciones."),
            ("pt", "Ninguém tinha dito às crianças que a biblioteca estaria fechada no primeiro dia das férias."),
            (
                "it",
                "Nessuno aveva detto ai bambini che la biblioteca sarebbe rimasta chiusa il primo giorno di vacanza."
            ),
            ("nl", "Niemand had de kinderen verteld dat de bibliotheek op de eerste vakantiedag gesloten zou zijn."),
            ("pl", "Nikt nie powiedział dzieciom, że biblioteka będzie zamknięta w pierwszym dniu wakacji."),
            ("ru", "Никто не сказал детям, что библиотека будет закрыта в первый день каникул."),
            ("uk", "Ніхто не сказав дітям, що бібліотека буде зачинена в перший день канікул."),
            ("el", "Κανείς δεν είχε πει στα παιδιά ότι η βιβλιοθήκη θα ήταν κλειστή την πρώτη μέρα των διακοπών."),
            ("ja", "休みの初日に図書館が閉まっていることを、誰も子供たちに教えていなかった。"),
            ("ko", "방학 첫날에 도서관이 문을 닫는다는 것을 아무도 아이들에게 말해 주지 않았다."),
            ("zh", "没有人告诉孩子们，假期的第一天图书馆不开门。"),
            ("ar", "لم يخبر أحد الأطفال أن المكتبة ستكون مغلقة في اليوم الأول من العطلة."),
            ("tr", "Kimse çocuklara kütüphanenin tatilin ilk gününde kapalı olacağını söylememişti."),
            ("vi", "Không ai nói với bọn trẻ rằng thư viện sẽ đóng cửa vào ngày đầu tiên của kỳ nghỉ."),
            ("th", "ไม่มีใครบอกเด็ก ๆ ว่าห้องสมุดจะปิดในวันแรกของวันหยุด"),
        ]
    ) func sentences(code: String, text: String) throws {
        let guess = try Self.guess(text)
        #expect(guess.code == code && guess.probability > 0.6, "\(guess)")
    }

    @Test("Chinese says which characters it is written in") func script() throws {
        #expect(try Self.guess("我们今天学习怎么写这个字，明天还要来上课。").script == .simplified)
        #expect(try Self.guess("我們今天學習怎麼寫這個字，明天還要來上課。").script == .traditional)
        let neither = try Self.guess("大地上有山有水，人人安心。")
        #expect(neither.code == "zh" && neither.script == nil)
    }

    @Test("of a long text of two languages both are named with their shares") func shares() throws {
        let chinese = String(repeating: "没有人告诉孩子们，假期的第一天图书馆不开门，所以他们在门口等了很久。", count: 40)
        let english = String(repeating: "Nobody had told the children that the library would be closed. ", count: 65)
        let guess = try Self.guess(chinese + english)
        #expect(Set([guess.code, guess.second]) == ["zh", "en"], "\(guess)")
        #expect(guess.secondProbability > 0.25, "\(guess)")
        // Names in another script do not change what a text is in.
        let names = try Self.guess("请先安装 Visual Studio Code，然后打开 Terminal 运行程序，最后检查输出是否正确。")
        #expect(names.code == "zh", "\(names)")
    }

    @Test("a text without letters has no language") func letterless() throws {
        for text in ["", " ", "12 + 30 = 42", "\u{1F600}\u{1F600}", "。、！"] {
            let guess = try Self.guess(text)
            #expect(guess.code == "und" && guess.probability == 0 && guess.second == "und")
        }
    }

    @Test("any bytes of any length have an answer whose figures are probabilities") func anyBytes() throws {
        var identifier = try LanguageIdentifier()
        var chance = SplitMix(seed: ClassifierSupport.seed())
        for count in [1, 2, 3, 255, 511, 512, 513, 767, 768, 1024, 2047, 2048, 100_001] {
            let noise = (0..<count).map { _ in UInt8.random(in: 0...255, using: &chance) }
            for bytes in [noise, [UInt8](repeating: UInt8(ascii: "e"), count: count)] {
                let guess = identifier.identify(bytes.span)
                #expect((0...1.001).contains(guess.probability) && guess.secondProbability <= guess.probability)
            }
        }
    }

    @Test("the model that ships says how it did on texts held out") func card() throws {
        let card = try LanguageIdentifier().model.card
        #expect(card.labels.count >= 75 && Set(card.labels).isSuperset(of: ["zh", "en", "bs", "hr", "sr", "ms", "id"]))
        #expect(try #require(card.heldOut).accuracy >= 0.957)
    }
}
