/// 64-bit numbers as eight bytes, most significant first.
package enum BigEndian64 {
    /// The eight bytes of `number`.
    package static func bytes(of number: UInt64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { [UInt8]($0) }
    }

    /// The number that exactly eight bytes spell; nil for any other count.
    package static func number(in bytes: some Collection<UInt8>) -> UInt64? {
        guard bytes.count == 8 else { return nil }
        return bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}
