/// A decimal number taken apart from its text, exact and without binary floating point.
///
/// Its value is 0.d₁d₂d₃… × 10^`exponent`.
///
/// Invariants:
/// - `digits` are 0…9, at most ``maximumDigits``, and neither the first nor the last is 0;
/// - zero has no digits, exponent 0 and no minus sign.
public struct DecimalNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    private let isNegative: Bool
    private let digits: [UInt8]
    private let exponent: Int

    /// The greatest number of digits, leading and trailing zeros not counted.
    public static let maximumDigits = 64
    /// The greatest power of ten either way.
    public static let maximumExponent = 9_999

    /// Why text is no decimal number.
    public enum Problem: Error, Hashable, Sendable {
        /// It does not look like one.
        case malformed
        /// It has more digits, or a greater exponent, than is read.
        case tooLarge
    }

    /// Reads `xs:decimal`, with `allowingExponent` also `1.5E+3`: an optional sign, digits with at most one point, at
    /// least one digit. White space is not skipped.
    /// - Throws: ``Problem``.
    public init(_ text: some StringProtocol, allowingExponent: Bool = false) throws(Problem) {
        var digits: [UInt8] = []
        var exponent = 0
        var isNegative = false
        var hasPoint = false
        var hasDigit = false
        var exponentText: [UInt8]?
        for (position, byte) in text.utf8.enumerated() {
            if exponentText != nil {
                exponentText?.append(byte)
                continue
            }
            switch byte {
            case 0x2B where position == 0: break
            case 0x2D where position == 0: isNegative = true
            case 0x2E where !hasPoint: hasPoint = true
            case 0x30...0x39:
                hasDigit = true
                let digit = byte - 0x30
                if digits.isEmpty && digit == 0 {
                    // Zeros before the first digit only move the point.
                    if hasPoint { exponent -= 1 }
                } else {
                    digits.append(digit)
                    if !hasPoint { exponent += 1 }
                }
            case 0x45, 0x65, 0x44, 0x64:
                guard allowingExponent, hasDigit else { throw .malformed }
                exponentText = []
            default: throw .malformed
            }
        }
        guard hasDigit else { throw .malformed }
        if let exponentText { exponent += try DecimalNumber.exponent(exponentText) }
        while digits.last == 0 { digits.removeLast() }
        guard !digits.isEmpty else {
            self.init(isNegative: false, digits: [], exponent: 0)
            return
        }
        guard digits.count <= DecimalNumber.maximumDigits, abs(exponent) <= DecimalNumber.maximumExponent else {
            throw .tooLarge
        }
        self.init(isNegative: isNegative, digits: digits, exponent: exponent)
    }

    private init(isNegative: Bool, digits: [UInt8], exponent: Int) {
        self.isNegative = isNegative
        self.digits = digits
        self.exponent = exponent
    }

    private static func exponent(_ text: [UInt8]) throws(Problem) -> Int {
        var digits = text[...]
        var sign = 1
        if let first = digits.first, first == 0x2B || first == 0x2D {
            if first == 0x2D { sign = -1 }
            digits.removeFirst()
        }
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { throw .malformed }
        while digits.count > 1 && digits.first == 0x30 { digits.removeFirst() }
        guard digits.count <= 5 else { throw .tooLarge }
        return sign * digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// The number of digits it is written with in plain form, point and sign not counted.
    public var plainDigitCount: Int {
        digits.isEmpty ? 1 : max(exponent, 1) + max(digits.count - exponent, 0)
    }

    /// The canonical text in plain form: no needless zeros, no plus sign, no exponent (`-0` is `0`, `1.50` is `1.5`).
    public var description: String {
        guard !digits.isEmpty else { return "0" }
        let characters = digits.map { Character(Unicode.Scalar($0 + 0x30)) }
        let sign = isNegative ? "-" : ""
        if exponent <= 0 { return sign + "0." + String(repeating: "0", count: -exponent) + String(characters) }
        if exponent >= digits.count {
            return sign + String(characters) + String(repeating: "0", count: exponent - digits.count)
        }
        return sign + String(characters[..<exponent]) + "." + String(characters[exponent...])
    }

    /// The canonical text, in plain form where that is short, else as `1.5E3` with one digit before the point.
    public var descriptionWithExponent: String {
        if (-6...21).contains(exponent) || digits.isEmpty { return description }
        let characters = digits.map { Character(Unicode.Scalar($0 + 0x30)) }
        let fraction = characters.count > 1 ? "." + String(characters[1...]) : ""
        return "\(isNegative ? "-" : "")\(characters[0])\(fraction)E\(exponent - 1)"
    }

    /// Orders by value.
    public static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
        if left.sign != right.sign { return left.sign < right.sign }
        return left.sign < 0 ? right.isSmallerInMagnitude(than: left) : left.isSmallerInMagnitude(than: right)
    }

    private var sign: Int { digits.isEmpty ? 0 : (isNegative ? -1 : 1) }

    private func isSmallerInMagnitude(than other: DecimalNumber) -> Bool {
        if exponent != other.exponent { return exponent < other.exponent }
        return digits.lexicographicallyPrecedes(other.digits)
    }
}
