public import EventLog
import Foundation

/// A version of the charter that is to follow, as a file that travels between administrators: the chain it follows, the
/// version, and the signatures collected so far.
public struct CharterProposal: Sendable {
    /// The versions before it.
    public let chain: CharterChain
    /// The version with its signatures.
    public private(set) var version: SignedCharter

    private struct File: Codable {
        var format: UInt64
        var kind: String
        var chain: String
        var version: String
    }

    private static let kind = "varde charter proposal"

    /// Proposes a version, which must be able to follow but for its signatures.
    ///
    /// - Throws: ``EventLog/CharterError``.
    public init(_ charter: Charter, after chain: CharterChain) throws {
        self.chain = chain
        version = try SignedCharter(charterBytes: charter.bytes, signatures: [])
        try check()
    }

    /// Reads a file.
    ///
    /// - Throws: ``DirectoryError``, or ``EventLog/CharterError`` where the version breaks a rule.
    public init(file path: String) throws {
        let text = try OwnerOnlyFile.read(
            path, advice: "a proposal is made by 'varde network admit', 'rotate' or 'revoke'")
        let file: File = try OwnerOnlyFile.decode(text, of: path) { _ in "it is no proposal of a charter" }
        guard file.kind == CharterProposal.kind, file.format == 0, let chain = [UInt8](hex: file.chain),
            let version = [UInt8](hex: file.version)
        else { throw DirectoryError.unreadable(path: path, reason: "it is no proposal that this software knows") }
        self.chain = try CharterChain(bytes: chain)
        self.version = try SignedCharter(bytes: version)
        try check()
    }

    /// Writes the file; one that stands is replaced.
    ///
    /// - Throws: ``DirectoryError``.
    public func write(to path: String) throws {
        let file = File(
            format: 0, kind: CharterProposal.kind, chain: chain.bytes.hex, version: version.bytes.hex)
        try OwnerOnlyFile.exchange(try OwnerOnlyFile.json(file), at: path)
    }

    /// Every rule but that of the signatures.
    private func check() throws {
        var chain = chain
        do throws(CharterError) {
            try chain.append(version)
        } catch .signaturesMissing {
            return
        }
    }

    /// How many administrators of the version before have signed, and how many must.
    public var signatures: (valid: Int, needed: Int) {
        let signers = Set(chain.newest?.administrators ?? version.charter.administrators)
        let valid = Set(
            version.signatures.filter { signers.contains($0.key) && $0.isValid(forCharterHash: version.hash) }
                .map(\.key))
        return (valid.count, chain.newest?.signaturesNeeded ?? version.charter.signaturesNeeded)
    }

    /// Whether it may be applied.
    public var isComplete: Bool { signatures.valid >= signatures.needed }

    /// Adds an administrator's signature.
    ///
    /// - Throws: ``ProposalError/notAdministrator(_:)``.
    public mutating func sign(with key: AdministratorKey) throws {
        guard chain.newest?.administrators.contains(key.publicKey) ?? true else {
            throw ProposalError.notAdministrator(key.publicKey)
        }
        version = try version.adding(key.sign(charterHash: version.hash))
    }

    /// The key of an administrator in a file: 64 hexadecimal digits, readable by its owner only.
    ///
    /// - Throws: ``DirectoryError``.
    public static func administratorKey(file path: String) throws -> AdministratorKey {
        guard let key = AdministratorKey(seed: try NodeKeys.readSeed(path)) else {
            throw DirectoryError.unreadable(path: path, reason: "it is no Ed25519 seed of 32 bytes")
        }
        return key
    }

    /// Makes the key of an administrator in a new file, and gives its public half.
    ///
    /// - Throws: ``DirectoryError``.
    public static func makeAdministratorKey(file path: String) throws -> AdministratorPublicKey {
        let seed = NodeKeys.randomSeed()
        guard let key = AdministratorKey(seed: seed) else {
            throw DirectoryError.unwritable(path: path, reason: "no key could be made")
        }
        try OwnerOnlyFile.write(seed.hex + "\n", to: path)
        return key.publicKey
    }
}

/// What is wrong with a proposal, or with what is asked of one.
public enum ProposalError: Error, CustomStringConvertible {
    /// The key is none of the version before's administrators.
    case notAdministrator(AdministratorPublicKey)
    /// The node is not in the charter.
    case unknownNode(NodeID)
    /// The node is in the charter already.
    case knownNode(NodeID)
    /// The request is of another network.
    case otherNetwork(NetworkID)
    /// The node holds no charter yet.
    case noCharter
    /// The charter here does not name the keys that this node has.
    case notThisNode(NodeID)
    /// Nothing would change.
    case nothing
    /// No versions of the charter are rivals.
    case noDispute
    /// No version in dispute has such a hash, or several have; those that can be kept.
    case unknownVersion(String, [Hash])

    /// What was wrong and what to do.
    public var description: String {
        switch self {
        case .notAdministrator(let key): "\(key) is no administrator of the version before; use another key"
        case .unknownNode(let node): "the charter knows no node '\(node)'"
        case .knownNode(let node):
            "the charter knows '\(node)' already; a node's keys are replaced by 'varde network rotate'"
        case .otherNetwork(let network): "the request is for network '\(network)', which is not this one"
        case .noCharter: "no charter has come to this node yet"
        case .notThisNode(let node): "the charter does not list '\(node)' as admitted, so its keys cannot be replaced"
        case .nothing: "the proposal would change nothing"
        case .noDispute: "no two versions of the charter here are rivals: there is nothing to settle"
        case .unknownVersion(let text, let hashes):
            "'\(text)' begins the hash of no version in dispute, or of several; they are "
                + hashes.map(\.hex).joined(separator: " and ")
        }
    }
}

extension CharterProposal {
    /// What the version changes, one sentence each: what an administrator looks at before signing.
    public var changes: [String] {
        guard let before = chain.newest else { return ["founds network \(version.charter.network)"] }
        let after = version.charter
        var lines = after.settles.map { "settles between this version and \($0)" }
        for node in after.nodes {
            guard let old = before.node(node.id) else {
                lines.append("admits node \(node.id): \(node.name)\(node.region.map { ", \($0)" } ?? "")")
                lines += CharterProposal.keys(of: node).map { "  \($0) \($1)" }
                continue
            }
            if old.state != node.state {
                lines.append("\(node.state == .revoked ? "revokes" : "admits again") node \(node.id)")
            }
            for (key, other) in zip(CharterProposal.keys(of: node), CharterProposal.keys(of: old)) where key != other {
                lines.append("replaces the \(key.0) of \(node.id) by \(key.1)")
            }
            if old.name != node.name || old.region != node.region {
                lines.append("calls \(node.id) \(node.name)\(node.region.map { ", \($0)" } ?? "")")
            }
            for head in node.accepted where !old.accepted.contains(head) {
                lines.append("accepts \(head.size) entries of log \(head.log) of \(node.id), root \(head.root)")
            }
        }
        for location in after.locations where before.location(location.id) != location {
            lines.append("location \(location.id), \(location.name), is hosted by \(location.host)")
        }
        for key in after.administrators where !before.administrators.contains(key) {
            lines.append("names administrator \(key)")
        }
        for key in before.administrators where !after.administrators.contains(key) {
            lines.append("no longer names administrator \(key)")
        }
        return lines
    }

    private static func keys(of node: CharterNode) -> [(String, Hash)] {
        [
            ("signing key", node.signingKey.hash), ("link key", node.curveKey.hash),
            ("witness key", node.witnessKey.hash),
        ]
    }
}
