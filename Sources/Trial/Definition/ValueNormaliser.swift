// Foundation's canonical composition is the only Unicode normalisation that the platform offers in public.
import Foundation

/// Gives each value one spelling by which equal data are recognised (DESIGN §5, "Value").
///
/// The normal form of a normal form is itself. Numbers lose needless zeros and signs and never pass through binary
/// floating point; dates and times are kept as typed; text is composed (Unicode NFC) and otherwise kept, its leading and
/// trailing white space too. White space around values of every other type is not part of them (XML Schema part 2, 4.3.6).
public enum ValueNormaliser {
    /// The greatest number of bytes in a value, as UTF-8.
    public static let maximumValueBytes = 65_536
    /// The greatest number of digits in an integer.
    public static let maximumIntegerDigits = 18

    /// The normal form of `typed` as a value of `type`.
    /// - Throws: ``ValueProblem`` where it is no value of the type.
    public static func normalForm(of typed: String, as type: ItemDataType) throws(ValueProblem) -> String {
        guard typed.utf8.count <= maximumValueBytes else { throw .tooLarge(maximumBytes: maximumValueBytes) }
        guard isLegal(typed) else { throw .illegalCharacter }
        if type.isText { return composed(typed) }
        let trimmed = withoutSurroundingSpace(typed)
        guard !trimmed.isEmpty else { throw .empty(type) }
        switch type {
        case .text, .string: return composed(typed)
        case .integer: return try integer(trimmed)
        case .float: return try decimal(trimmed, as: .float).description
        case .double: return try double(trimmed)
        case .boolean:
            switch trimmed {
            case "true", "1": return "true"
            case "false", "0": return "false"
            default: throw .wrongType(.boolean)
            }
        case .date, .time, .datetime, .partialDate, .partialTime, .partialDatetime, .incompleteDate, .incompleteTime,
            .incompleteDatetime, .durationDatetime, .intervalDatetime:
            guard ISO8601Text.isWellFormed(trimmed, as: type) else { throw .wrongType(type) }
            return String(trimmed)
        case .uri: return try uri(trimmed)
        case .hexBinary, .hexFloat: return try hexadecimal(trimmed, as: type)
        case .base64Binary, .base64Float: return try base64(trimmed, as: type)
        }
    }

    /// Whether every character is one that XML 1.0 can hold (production `Char`).
    public static func isLegal(_ text: String) -> Bool {
        var previous: (UInt8, UInt8) = (0, 0)
        for byte in text.utf8 {
            if byte < 0x20 && byte != 0x09 && byte != 0x0A && byte != 0x0D { return false }
            // U+FFFE and U+FFFF are EF BF BE and EF BF BF.
            if previous == (0xEF, 0xBF) && byte >= 0xBE { return false }
            previous = (previous.1, byte)
        }
        return true
    }

    /// The text with every character that XML 1.0 cannot hold shown as U+FFFD: entries that other software wrote may hold some.
    public static func legal(_ text: String) -> String {
        if isLegal(text) { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isLegal(String($0)) ? $0 : "\u{FFFD}" }))
    }

    private static func composed(_ text: String) -> String {
        // Below U+0300 nothing composes with anything.
        if text.unicodeScalars.allSatisfy({ $0.value < 0x300 }) { return text }
        return text.precomposedStringWithCanonicalMapping
    }

    static func withoutSurroundingSpace(_ text: String) -> Substring {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
        let bytes = text.utf8
        guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return "" }
        return Substring(bytes[first...last])
    }

    private static func integer(_ text: Substring) throws(ValueProblem) -> String {
        var digits = text.utf8[...]
        let isNegative = digits.first == 0x2D
        if isNegative || digits.first == 0x2B { digits.removeFirst() }
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .wrongType(.integer) }
        while digits.count > 1 && digits.first == 0x30 { digits.removeFirst() }
        guard digits.count <= maximumIntegerDigits else { throw .numberTooLarge(.integer) }
        let magnitude = String(decoding: digits, as: UTF8.self)
        return isNegative && magnitude != "0" ? "-" + magnitude : magnitude
    }

    private static func decimal(_ text: Substring, as type: ItemDataType) throws(ValueProblem) -> DecimalNumber {
        do throws(DecimalNumber.Problem) {
            let number = try DecimalNumber(text, allowingExponent: type == .double)
            // Written out in full, a plain number must stay short.
            if type == .float && number.plainDigitCount > DecimalNumber.maximumDigits {
                throw DecimalNumber.Problem.tooLarge
            }
            return number
        } catch {
            throw error == .malformed ? .wrongType(type) : .numberTooLarge(type)
        }
    }

    private static func double(_ text: Substring) throws(ValueProblem) -> String {
        if text == "INF" || text == "-INF" || text == "NaN" { return String(text) }
        return try decimal(text, as: .double).descriptionWithExponent
    }

    private static func uri(_ text: Substring) throws(ValueProblem) -> String {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F && $0 != 0x3C && $0 != 0x3E && $0 != 0x22 }) else {
            throw .wrongType(.uri)
        }
        return String(text)
    }

    private static func hexadecimal(_ text: Substring, as type: ItemDataType) throws(ValueProblem) -> String {
        let digits = text.utf8
        guard digits.count.isMultiple(of: 2), type == .hexBinary || digits.count <= 16 else { throw .wrongType(type) }
        let isHexadecimal = digits.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x46).contains($0) || (0x61...0x66).contains($0)
        }
        guard isHexadecimal else { throw .wrongType(type) }
        return text.uppercased()
    }

    private static func base64(_ text: Substring, as type: ItemDataType) throws(ValueProblem) -> String {
        let characters = text.utf8.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        let padding = characters.reversed().prefix { $0 == 0x3D }.count
        let isAlphabetic = characters.dropLast(padding).allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2B
                || $0 == 0x2F
        }
        guard characters.count.isMultiple(of: 4), padding <= 2, isAlphabetic,
            type == .base64Binary || characters.count <= 12
        else { throw .wrongType(type) }
        return String(decoding: characters, as: UTF8.self)
    }
}
