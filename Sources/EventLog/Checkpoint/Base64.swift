/// Base64 with the standard alphabet and padding (RFC 4648 §4), read strictly: each value has exactly one spelling.
package enum Base64 {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")

    /// The ASCII text of `bytes`, padded to a multiple of four characters.
    package static func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let count = min(3, bytes.count - start)
            var group: UInt32 = 0
            for position in 0..<3 {
                group = group << 8 | (position < count ? UInt32(bytes[start + position]) : 0)
            }
            for position in 0..<4 {
                let digit = Int(group >> UInt32(18 - 6 * position) & 63)
                text.append(position <= count ? alphabet[digit] : padding)
            }
        }
        return text
    }

    /// The bytes that `text` spells; nil for other characters, white space, missing padding, or unused bits that are
    /// not zero (RFC 4648 §3.3 and §3.5).
    package static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
        let characters = Array(text)
        guard characters.count.isMultiple(of: 4) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        for start in stride(from: 0, to: characters.count, by: 4) {
            let isLast = start + 4 == characters.count
            var digits = 4
            if isLast, characters[start + 3] == padding {
                digits = characters[start + 2] == padding ? 2 : 3
            }
            var group: UInt32 = 0
            for position in 0..<4 {
                var value: UInt32 = 0
                if position < digits {
                    guard let digit = self.value(of: characters[start + position]) else { return nil }
                    value = digit
                }
                group = group << 6 | value
            }
            let count = digits - 1
            // The bits behind the last whole byte must be zero, or one value would have several spellings.
            guard count == 3 || group & (0xFF_FFFF >> UInt32(8 * count)) == 0 else { return nil }
            for position in 0..<count {
                bytes.append(UInt8(truncatingIfNeeded: group >> UInt32(16 - 8 * position)))
            }
        }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a") + 26)
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0") + 52)
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
