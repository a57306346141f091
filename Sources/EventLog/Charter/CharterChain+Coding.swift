extension CharterChain {
    /// The bytes of a file: `varde.v0.CharterChain`, its format version first.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: byteCount + versions.count * 8 + 64)
        writer.unsigned(1, always: Charter.formatVersion)
        writer.hash(2, foundingHash)
        for signed in versions { writer.data(3, always: signed.bytes) }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote and checks every version again.
    ///
    /// - Throws: the rule that is broken.
    public init(bytes: [UInt8]) throws(CharterError) {
        let limit = CharterLimit.chainBytes + CharterLimit.versions * 8 + 64
        guard bytes.count <= limit else { throw .tooLarge(byteCount: bytes.count, limit: limit) }
        var founding: Hash?
        var signed: [[UInt8]] = []
        do throws(WireError) {
            var reader = WireReader(bytes)
            try reader.readFormatVersion(Charter.formatVersion)
            // One more than allowed is read, so that appending can say what is wrong.
            while signed.count <= CharterLimit.versions, let field = try reader.next() {
                switch field {
                case 2: founding = try reader.hash()
                case 3: signed.append(try reader.data())
                default: try reader.skip()
                }
            }
        } catch {
            throw .unreadable(error)
        }
        guard let founding else { throw .unreadable(.missing(field: 2)) }
        self.init(foundingHash: founding)
        for bytes in signed { try insert(SignedCharter(bytes: bytes)) }
    }
}
