import EventLog
import Foundation
import Replication
import StoreCore

/// The key with which this node vouches for the logs of others, and whether it may be used.
///
/// A witness whose state may be older than what it has signed must not sign: it could vouch for two histories. So a key is
/// bound to the events file it was first used with, a start of which the guard does not agree makes the node hear all its
/// peers first, and a key that was once retired stays so.
struct WitnessSigner: Sendable {
    /// The public half.
    let publicKey: WitnessPublicKey
    private let seed: [UInt8]

    init(seed: [UInt8]) throws {
        self.seed = seed
        publicKey = WitnessPublicKey(try NodeKeys.publicKey(ofSeed: seed, path: "witness.seed"))
    }

    /// The name that the charter gives the key; nil where it names another one, or does not admit the node.
    func name(of node: NodeID, in chain: CharterChain) -> WitnessName? {
        guard let name = chain.witness(node), chain.witnessKey(named: name) == publicKey else { return nil }
        return name
    }

    /// Vouches for a head, which is durable as the newest of its log.
    func cosign(_ head: StatedHead, as name: WitnessName, unixSeconds: UInt64) throws -> KeptCosignature {
        guard let key = WitnessSigningKey(name: name.keyName, seed: seed) else { throw StoreError.unusableSigningKey }
        return KeptCosignature(cosigning: head, as: name, with: key, unixSeconds: unixSeconds)
    }

    /// Binds the key to an events file where it is not bound to one yet.
    ///
    /// - Returns: nil where it is bound to this one; else why it must not be used.
    func bind(to identity: StoreIdentity, in directory: NodeDirectory) throws -> String? {
        let use = "\(publicKey) \(identity.incarnation)"
        guard FileManager.default.fileExists(atPath: directory.witnessUse) else {
            try OwnerOnlyFile.exchange(use + "\n", at: directory.witnessUse)
            return nil
        }
        let before = try OwnerOnlyFile.read(
            directory.witnessUse, advice: "it says with which events file the key is used")
        if before == use { return nil }
        if before.hasPrefix("\(publicKey) ") {
            return "the key was used with another events file, which knew what was signed with it"
        }
        // The charter has given the node a new key since.
        try OwnerOnlyFile.exchange(use + "\n", at: directory.witnessUse)
        return nil
    }
}

/// How a node begins to witness after a start.
struct WitnessStart: Sendable {
    var mode: WitnessMode
    var signer: WitnessSigner
    var cosigned: [WitnessedHead]
    var kept: [KeptCosignature]

    /// Looks at key, charter, store and guard; on the store's thread, before anything else happens.
    static func judge(
        _ core: StoreCore, _ chain: CharterChain, signer: WitnessSigner, binding: String?,
        configuration: NodeConfiguration, time: NodeTime
    ) throws -> WitnessStart {
        let cosigned = try core.witnessed()
        var start = WitnessStart(mode: .active, signer: signer, cosigned: cosigned, kept: try core.cosignatures())
        if let binding, try core.retirement(of: signer.publicKey) == nil {
            try core.transaction { try core.retireWitnessKey(signer.publicKey, reason: binding, time: time) }
        }
        let peers = Set(configuration.peers.keys.compactMap { NodeID($0) })
        if try core.retirement(of: signer.publicKey) != nil {
            start.mode = .silent
        } else if !peers.isEmpty {
            switch core.startVerdict {
            case .agrees: break
            // Without an open log of its own the guard has nothing to say of the disk.
            case .noLogYet: if !cosigned.isEmpty { start.mode = .afterHearing(peers) }
            case .differs: start.mode = .afterHearing(peers)
            }
        }
        return start
    }
}
