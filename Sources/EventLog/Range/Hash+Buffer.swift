extension Hash {
    /// Reads exactly 32 bytes from memory that belongs to somebody else (a database row); nil for any other count.
    ///
    /// Reading millions of rows through the general initialiser costs more than reading them from the disk's cache.
    package init?(buffer: UnsafeRawBufferPointer) {
        guard buffer.count == Hash.byteCount else { return nil }
        func word(_ position: Int) -> UInt64 {
            UInt64(bigEndian: buffer.loadUnaligned(fromByteOffset: 8 * position, as: UInt64.self))
        }
        self.init(words: (word(0), word(1), word(2), word(3)))
    }

    /// Lends the 32 bytes without making an array of them.
    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        withUnsafeBytes(of: (words.0.bigEndian, words.1.bigEndian, words.2.bigEndian, words.3.bigEndian), body)
    }
}
