public import EventLog
import Foundation
import ZeroMQTransport

/// One of a node's three keys.
public enum NodeKeyKind: String, Hashable, Sendable, CaseIterable, Codable {
    /// Signs the node's logs.
    case signing
    /// Encrypts its links.
    case curve
    /// Cosigns the logs of others.
    case witness
}

/// New keys of a node that wait for a version of the charter to name them: `keys/next/`.
///
/// They are used from the moment at which the charter names them, and the old ones are gone then. While a new signing key
/// waits, the node writes nothing: what it signed with the old key after the charter's heads were stated would not count.
public struct KeyReplacement: Sendable {
    private let directory: NodeDirectory

    /// The replacement in a node's directory, if one is under way.
    public init(_ directory: NodeDirectory) {
        self.directory = directory
    }

    private var folder: String { directory.keys + "/next" }

    private func path(of kind: NodeKeyKind) -> String {
        switch kind {
        case .signing: folder + "/signing.seed"
        case .curve: folder + "/curve.secret"
        case .witness: folder + "/witness.seed"
        }
    }

    private func currentPath(of kind: NodeKeyKind) -> String {
        switch kind {
        case .signing: directory.signingSeed
        case .curve: directory.curveSecret
        case .witness: directory.witnessSeed
        }
    }

    /// The keys that wait.
    public var waiting: [NodeKeyKind] {
        NodeKeyKind.allCases.filter { FileManager.default.fileExists(atPath: path(of: $0)) }
    }

    /// Makes new keys, unless some of the kind wait already.
    ///
    /// - Throws: ``DirectoryError``.
    public func begin(_ kinds: Set<NodeKeyKind>) throws {
        try OwnerOnlyFile.makeDirectory(folder)
        for kind in kinds where !waiting.contains(kind) {
            let secret = kind == .curve ? try CurveKeyPair.generate().secretKeyBytes : NodeKeys.randomSeed()
            try OwnerOnlyFile.exchange(secret.hex + "\n", at: path(of: kind))
        }
    }

    /// Puts the keys that wait into what the charter says of the node.
    ///
    /// - Throws: ``DirectoryError`` where a key cannot be read.
    public func apply(to node: inout CharterNode) throws {
        for kind in waiting {
            let key = try publicKey(of: kind, at: path(of: kind))
            switch kind {
            case .signing: node.signingKey = SigningPublicKey(key)
            case .curve: node.curveKey = NodeCurvePublicKey(key)
            case .witness: node.witnessKey = WitnessPublicKey(key)
            }
        }
    }

    private func publicKey(of kind: NodeKeyKind, at path: String) throws -> Hash {
        let secret = try NodeKeys.readSeed(path)
        guard kind == .curve else { return try NodeKeys.publicKey(ofSeed: secret, path: path) }
        guard let key = Hash(bytes: try CurveKeyPair(secretKeyBytes: secret).publicKey.bytes) else {
            throw DirectoryError.unreadable(path: path, reason: "it is no CURVE key")
        }
        return key
    }

    /// The keys that wait and that the newest version of the charter names.
    ///
    /// - Throws: ``DirectoryError``.
    func named(by chain: CharterChain, for node: NodeID) throws -> [NodeKeyKind] {
        guard let listed = chain.node(node) else { return [] }
        return try waiting.filter { kind in
            let key = try publicKey(of: kind, at: path(of: kind))
            switch kind {
            case .signing: return listed.signingKey.hash == key
            case .curve: return listed.curveKey.hash == key
            case .witness: return listed.witnessKey.hash == key
            }
        }
    }

    /// Puts the keys that the charter names in the place of the old ones. To be called before the keys are read.
    ///
    /// - Throws: ``DirectoryError``.
    func finish(by chain: CharterChain, for node: NodeID) throws {
        for kind in try named(by: chain, for: node) {
            guard rename(path(of: kind), currentPath(of: kind)) == 0 else {
                throw DirectoryError.unwritable(
                    path: currentPath(of: kind), reason: String(cString: strerror(errno)))
            }
        }
    }

    /// What keeps the node from writing; nil where nothing does.
    var pauseReason: String? {
        guard waiting.contains(.signing) else { return nil }
        return "the node's signing key is being replaced: it writes nothing until the administrators have signed the "
            + "proposal and it was applied ('varde network apply')"
    }
}
