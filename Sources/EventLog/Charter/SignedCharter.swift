/// A version of the charter exactly as it was written, with the signatures collected under it.
///
/// Two signed charters with equal bytes of the version are the same version, whoever's signatures they carry: equality is
/// of the hash.
public struct SignedCharter: Hashable, Sendable {
    /// The bytes that are signed, never encoded again.
    public let charterBytes: [UInt8]
    /// What they say.
    public let charter: Charter
    /// SHA-256 over the domain and the bytes.
    public let hash: Hash
    /// The signatures, valid or not; a ``CharterChain`` checks them.
    public let signatures: [CharterSignature]

    /// Joins the bytes of a version and signatures.
    ///
    /// - Throws: ``CharterError`` where the bytes are no charter, or there are too many signatures.
    public init(charterBytes: [UInt8], signatures: [CharterSignature]) throws(CharterError) {
        guard signatures.count <= CharterLimit.signatures else {
            throw .tooMany(.signatures, limit: CharterLimit.signatures)
        }
        charter = try Charter(bytes: charterBytes)
        self.charterBytes = charterBytes
        self.signatures = signatures
        hash = Charter.hash(of: charterBytes)
    }

    /// Writes a version and signs it.
    ///
    /// - Throws: the rule of ``Charter/checkAlone()`` that is broken, or ``CharterError/tooLarge(byteCount:limit:)``.
    public init(signing charter: Charter, with keys: [AdministratorKey]) throws(CharterError) {
        try charter.checkAlone()
        let bytes = charter.bytes
        let hash = Charter.hash(of: bytes)
        try self.init(charterBytes: bytes, signatures: keys.map { $0.sign(charterHash: hash) })
    }

    /// The same version with one more administrator's signature; unchanged where that administrator signed already.
    ///
    /// - Throws: ``CharterError/tooMany(_:limit:)``.
    public func adding(_ signature: CharterSignature) throws(CharterError) -> SignedCharter {
        guard !signatures.contains(where: { $0.key == signature.key }) else { return self }
        return try SignedCharter(charterBytes: charterBytes, signatures: signatures + [signature])
    }

    /// A copy to prepare the next version in: number and previous hash are set, it settles nothing, all else is as it was.
    public var successor: Charter {
        var next = charter
        // A chain refuses numbers that do not follow, so wrapping round does no harm; trapping on foreign bytes would.
        next.number &+= 1
        next.previous = hash
        next.settles = []
        return next
    }

    /// Checks that more than half of `signers` signed. Signatures of others are passed over, so that other kinds of
    /// signers can be added later; a wrong one under the name of a signer is refused.
    ///
    /// - Throws: ``CharterError/signatureInvalid(_:)`` or ``CharterError/signaturesMissing(valid:needed:)``.
    func checkSignatures(by signers: Charter) throws(CharterError) {
        let administrators = Set(signers.administrators)
        var valid: Set<AdministratorPublicKey> = []
        for signature in signatures where administrators.contains(signature.key) && !valid.contains(signature.key) {
            guard signature.isValid(forCharterHash: hash) else { throw .signatureInvalid(signature.key) }
            valid.insert(signature.key)
        }
        guard valid.count >= signers.signaturesNeeded else {
            throw .signaturesMissing(valid: valid.count, needed: signers.signaturesNeeded)
        }
    }

    /// Equal hashes.
    public static func == (left: SignedCharter, right: SignedCharter) -> Bool { left.hash == right.hash }

    /// Hashes the hash.
    public func hash(into hasher: inout Hasher) { hasher.combine(hash) }
}

extension SignedCharter {
    /// The bytes of a file or message: `varde.v0.SignedCharter`, its format version first.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: charterBytes.count + signatures.count * 104 + 16)
        writer.unsigned(1, always: Charter.formatVersion)
        writer.data(2, charterBytes)
        for signature in signatures {
            writer.message(3) { inner in
                inner.identifier(1, signature.key)
                inner.data(2, signature.value)
            }
        }
        return writer.bytes
    }

    /// Reads what ``bytes`` wrote. Signatures are not checked here.
    ///
    /// - Throws: ``CharterError/tooLarge(byteCount:limit:)``, ``CharterError/tooMany(_:limit:)`` or
    ///   ``CharterError/unreadable(_:)``.
    public init(bytes: [UInt8]) throws(CharterError) {
        guard bytes.count <= CharterLimit.signedBytes else {
            throw .tooLarge(byteCount: bytes.count, limit: CharterLimit.signedBytes)
        }
        var charterBytes: [UInt8] = []
        var signatures: [CharterSignature] = []
        do throws(WireError) {
            var reader = WireReader(bytes)
            try reader.readFormatVersion(Charter.formatVersion)
            // One more than allowed is read, so that the initialiser below can say what is wrong.
            while signatures.count <= CharterLimit.signatures, let field = try reader.next() {
                switch field {
                case 2: charterBytes = try reader.data()
                case 3:
                    var inner = try reader.message()
                    signatures.append(try CharterSignature(from: &inner))
                default: try reader.skip()
                }
            }
        } catch {
            throw .unreadable(error)
        }
        try self.init(charterBytes: charterBytes, signatures: signatures)
    }
}

extension CharterSignature {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var key: AdministratorPublicKey?
        var value: [UInt8] = []
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.identifier()
            case 2: value = try reader.data()
            default: try reader.skip()
            }
        }
        guard let key else { throw .missing(field: 1) }
        guard value.count == Ed25519.signatureByteCount else { throw .outOfRange(field: 2) }
        self.init(key: key, value: value)
    }
}
