/// A kind of personal data that ``PersonalScanner`` knows.
///
/// The order is that of priority: where two findings overlap, the earlier kind stands (an 18-digit identity number is not
/// a bank card, even when it passes Luhn).
public enum PersonalKind: UInt8, Sendable, CaseIterable {
    /// An address of RFC 5321's common form: `local@domain.tld`.
    case email
    /// ISO 13616 with the country's length and ISO 7064 MOD 97-10.
    case iban
    /// Unified social credit code, GB 32100-2015, by its check character.
    case creditCode
    /// Resident identity number, GB 11643-1999: region, birth date, check character by ISO 7064 MOD 11-2.
    case nationalID
    /// The 15-digit identity number from before 1999. It has no check character, so it needs a cue such as 身份证.
    case oldNationalID
    case ipv6
    case ipv4
    /// ISO/IEC 7812: issuer prefix, length and Luhn.
    case bankCard
    /// Mobile numbers of the mainland, and numbers of other countries.
    case phone
    /// Fixed lines of the mainland: area code and number.
    case landline
    /// Social security number of the United States, by its grouping and the rules for its parts.
    case ssn
    case passport
    /// Licence plates of the mainland, GA 36-2018.
    case plate
    case wechat
    case qq
    case address
    /// Names in Han characters, by cues.
    case name

    /// What stands in the text instead of a finding: brackets and capitals, in which no kind can be found again.
    public var placeholder: StaticString {
        switch self {
        case .email: "[EMAIL]"
        case .iban: "[IBAN]"
        case .creditCode: "[CREDIT_CODE]"
        case .nationalID, .oldNationalID: "[NATIONAL_ID]"
        case .ipv6, .ipv4: "[IP]"
        case .bankCard: "[BANK_CARD]"
        case .phone, .landline: "[PHONE]"
        case .ssn: "[SSN]"
        case .passport: "[PASSPORT]"
        case .plate: "[PLATE]"
        case .wechat: "[WECHAT]"
        case .qq: "[QQ]"
        case .address: "[ADDRESS]"
        case .name: "[NAME]"
        }
    }
}
