#!/usr/bin/env python3
"""Writes the charset samples: our own sentences in the encodings of the web, and the same as UTF-8 beside them."""
TEXTS = {
    "zh-hans": "今天上午，市图书馆的新馆正式开放。记者在现场看到，不少读者一早就来到这里，他们说，这个地方离家近，"
    "环境也很好。馆长介绍，新馆一共有三层，藏书二十万册，周末会有为孩子们办的读书会。从明年起，开放时间还要再加一个小时。",
    "zh-hant": "今天上午，市圖書館的新館正式開放。記者在現場看到，不少讀者一早就來到這裡，他們說，這個地方離家近，"
    "環境也很好。館長介紹，新館一共有三層，藏書二十萬冊，週末會有為孩子們辦的讀書會。從明年起，開放時間還要再加一個小時。",
    "ja": "今日の午前、市立図書館の新しい建物が開館しました。朝早くから多くの人が訪れ、家から近くて便利だと話していました。"
    "館長によると、三階建てで本は二十万冊あります。",
    "ko": "오늘 오전 시립 도서관의 새 건물이 문을 열었다. 아침 일찍부터 많은 사람들이 찾아왔고, 집에서 가까워서 좋다고 말했다. "
    "관장은 책이 이십만 권이고 주말에는 아이들을 위한 모임이 있다고 했다.",
    "ru": "Сегодня утром открылось новое здание городской библиотеки. Многие читатели пришли сюда рано и говорили, что это место "
    "близко к дому. Директор рассказал, что здесь двести тысяч книг.",
    "el": "Σήμερα το πρωί άνοιξε το νέο κτίριο της δημοτικής βιβλιοθήκης. Πολλοί αναγνώστες ήρθαν νωρίς και είπαν ότι είναι κοντά "
    "στο σπίτι τους.",
    "pl": "Dziś rano otwarto nowy gmach biblioteki miejskiej. Wielu czytelników przyszło tu wcześnie i mówiło, że jest blisko domu. "
    "Książki są ułożone na trzech piętrach, a w sobotę będą zajęcia dla dzieci.",
    "de": "Heute Morgen wurde das neue Gebäude der Stadtbücherei eröffnet. Viele Leser kamen früh und sagten, es läge nah und wäre "
    "schön. Der Direktor erzählte von zweihunderttausend Büchern – und „Lesestunden“ für Kinder.",
}
SAMPLES = [
    ("zh-hans", "gb18030"), ("zh-hans", "utf-16le"), ("zh-hans", "utf-16be"), ("zh-hant", "big5"), ("ja", "shift_jis"),
    ("ja", "euc-jp"), ("ko", "euc-kr"), ("ru", "windows-1251"), ("ru", "koi8-r"), ("ru", "ibm866"), ("el", "windows-1253"),
    ("pl", "windows-1250"), ("de", "windows-1252"), ("de", "utf-16le"), ("de", "utf-32be"),
]
for name, text in TEXTS.items():
    open(f"{name}.utf-8.txt", "wb").write(text.encode())
for name, encoding in SAMPLES:
    codec = {"shift_jis": "cp932", "ibm866": "cp866"}.get(encoding, encoding)
    open(f"{name}.{encoding}.txt", "wb").write(TEXTS[name].encode(codec))
