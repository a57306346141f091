/// A proof that a leaf stands in a log under a signed head, as the text of a C2SP tlog-proof.
///
/// ```
/// c2sp.org/tlog-proof@v1
/// extra <base64>            only where there is any
/// index <decimal>
/// <hash, base64>            as many as the inclusion proof has, from the leaf's neighbour upwards
///
/// <the signed checkpoint, as it was written>
/// ```
///
/// Invariant: `bytes` is the only spelling of the other properties.
public struct LogProof: Hashable, Sendable {
    /// What an application put beside the proof; nothing vouches for it.
    public let extra: [UInt8]?
    /// The index of the leaf.
    public let index: UInt64
    /// The inclusion proof, from the leaf's neighbour upwards (RFC 9162 §2.1.3).
    public let path: [Hash]
    /// The signed head, with the cosignatures under it.
    public let checkpoint: SignedCheckpoint
    /// The text.
    public let bytes: [UInt8]

    /// No proof has more bytes than this.
    public static let maximumByteCount = SignedCheckpoint.maximumByteCount + 16_384
    /// No extra data has more bytes than this.
    public static let maximumExtraByteCount = 4_096
    /// An inclusion proof in a log of at most 2^63 - 1 entries has no more hashes.
    public static let maximumPathCount = 63

    private static let firstLine = [UInt8]("c2sp.org/tlog-proof@v1".utf8)

    /// States a proof.
    ///
    /// - Throws: ``LogProofError/tooLong(byteCount:)`` or ``LogProofError/pathTooLong``.
    public init(
        extra: [UInt8]? = nil, index: UInt64, path: [Hash], checkpoint: SignedCheckpoint
    ) throws(LogProofError) {
        guard path.count <= LogProof.maximumPathCount else { throw .pathTooLong }
        guard (extra?.count ?? 0) <= LogProof.maximumExtraByteCount else { throw .malformedExtra }
        var text = LogProof.firstLine + [0x0A]
        if let extra { text += [UInt8]("extra ".utf8) + Base64.encode(extra) + [0x0A] }
        text += [UInt8]("index \(index)\n".utf8)
        for hash in path { text += Base64.encode(hash.bytes) + [0x0A] }
        bytes = text + [0x0A] + checkpoint.bytes
        guard bytes.count <= LogProof.maximumByteCount else { throw .tooLong(byteCount: bytes.count) }
        self.extra = extra
        self.index = index
        self.path = path
        self.checkpoint = checkpoint
    }

    /// Reads the text of a proof. Nothing is verified yet: see ``verify(leafHash:)``.
    ///
    /// - Throws: the rule that is broken.
    public init(bytes: [UInt8]) throws(LogProofError) {
        guard bytes.count <= LogProof.maximumByteCount else { throw .tooLong(byteCount: bytes.count) }
        var rest = bytes[...]
        func line() throws(LogProofError) -> ArraySlice<UInt8> {
            guard let end = rest.firstIndex(of: 0x0A) else { throw .cutOff }
            defer { rest = rest[(end + 1)...] }
            return rest[..<end]
        }
        guard try line() == LogProof.firstLine[...] else { throw .otherFormat }
        var next = try line()
        var extra: [UInt8]?
        if let value = LogProof.value(of: "extra ", in: next) {
            guard let decoded = Base64.decode(value), decoded.count <= LogProof.maximumExtraByteCount else {
                throw .malformedExtra
            }
            extra = decoded
            next = try line()
        }
        // Only the spelling that we would write ourselves is an index: no sign, no zeros in front.
        guard let value = LogProof.value(of: "index ", in: next),
            let index = UInt64(String(decoding: value, as: UTF8.self)), "\(index)".utf8.elementsEqual(value)
        else { throw .malformedIndex }
        var path: [Hash] = []
        while true {
            let next = try line()
            if next.isEmpty { break }
            guard path.count < LogProof.maximumPathCount else { throw .pathTooLong }
            guard let decoded = Base64.decode(next), let hash = Hash(bytes: decoded) else {
                throw .malformedHash(number: path.count + 1)
            }
            path.append(hash)
        }
        do throws(CheckpointError) {
            checkpoint = try SignedCheckpoint(bytes: Array(rest))
        } catch {
            throw .checkpoint(error)
        }
        self.extra = extra
        self.index = index
        self.path = path
        self.bytes = bytes
    }

    private static func value(of name: String, in line: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        line.starts(with: name.utf8) ? line.dropFirst(name.utf8.count) : nil
    }

    /// Checks that the leaf stands at ``index`` under the checkpoint. The checkpoint's signature is checked apart:
    /// ``SignedCheckpoint/verify(with:)``.
    ///
    /// - Throws: ``LogProofError/inclusion(_:)``.
    public func verify(leafHash: Hash) throws(LogProofError) {
        let proof = InclusionProof(index: index, size: checkpoint.checkpoint.size, path: path)
        do throws(MerkleProofError) {
            try proof.verify(leafHash: leafHash, root: checkpoint.checkpoint.root)
        } catch {
            throw .inclusion(error)
        }
    }
}

/// Why a proof was refused; each case is one rule of C2SP tlog-proof.
public enum LogProofError: Error, Hashable, Sendable {
    /// The text is longer than ``LogProof/maximumByteCount``.
    case tooLong(byteCount: Int)
    /// The text does not begin with the format's name.
    case otherFormat
    /// The text ends before its checkpoint.
    case cutOff
    /// The line `extra` is no base64, or holds too much.
    case malformedExtra
    /// The line `index` is missing, or is no plain decimal number.
    case malformedIndex
    /// A line of the inclusion proof, counted from 1, is not the base64 of 32 bytes.
    case malformedHash(number: Int)
    /// The inclusion proof has more hashes than any log needs.
    case pathTooLong
    /// The checkpoint breaks a rule.
    case checkpoint(CheckpointError)
    /// The leaf and the inclusion proof do not lead to the checkpoint.
    case inclusion(MerkleProofError)
}

extension LogProofError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .tooLong(let byteCount):
            "the log proof has \(byteCount) bytes; at most \(LogProof.maximumByteCount) are read"
        case .otherFormat: "the log proof does not begin with 'c2sp.org/tlog-proof@v1'; is it one, and of this version?"
        case .cutOff: "the log proof ends before its checkpoint; get the whole file"
        case .malformedExtra: "the line 'extra' of the log proof is not the base64 of a few bytes"
        case .malformedIndex: "the line 'index' of the log proof is missing or not a plain decimal number"
        case .malformedHash(let number): "hash \(number) of the log proof is not the base64 of 32 bytes"
        case .pathTooLong: "the log proof has more than \(LogProof.maximumPathCount) hashes; no log needs so many"
        case .checkpoint(let error): error.description
        case .inclusion(let error): error.description
        }
    }
}
