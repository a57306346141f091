import Crypto
import EventLog
import Foundation
import ZeroMQTransport

/// A node's three secret keys: one signs its logs, one encrypts its links, one cosigns the logs of others.
struct NodeKeys: Sendable {
    let signingSeed: [UInt8]
    let curve: CurveKeyPair
    let witnessSeed: [UInt8]

    /// Draws new keys.
    static func generate() throws -> NodeKeys {
        NodeKeys(signingSeed: randomSeed(), curve: try CurveKeyPair.generate(), witnessSeed: randomSeed())
    }

    /// 32 random bytes.
    static func randomSeed() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<4).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { [UInt8]($0) } }
    }

    /// What the charter says of the node.
    func charterNode(id: NodeID, name: String, region: String?) throws -> CharterNode {
        guard let curveKey = NodeCurvePublicKey(bytes: curve.publicKey.bytes) else {
            throw DirectoryError.unreadable(path: "curve.secret", reason: "it is no CURVE key")
        }
        return CharterNode(
            id: id, name: name, region: region,
            signingKey: SigningPublicKey(try NodeKeys.publicKey(ofSeed: signingSeed, path: "signing.seed")),
            curveKey: curveKey,
            witnessKey: WitnessPublicKey(try NodeKeys.publicKey(ofSeed: witnessSeed, path: "witness.seed")))
    }

    /// The Ed25519 public key of a seed.
    static func publicKey(ofSeed seed: [UInt8], path: String) throws -> Hash {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let hash = Hash(bytes: [UInt8](key.publicKey.rawRepresentation))
        else { throw DirectoryError.unreadable(path: path, reason: "it is no Ed25519 seed of 32 bytes") }
        return hash
    }

    /// Writes the keys, readable by their owner only.
    func write(to directory: NodeDirectory) throws {
        try OwnerOnlyFile.makeDirectory(directory.keys)
        try OwnerOnlyFile.write(signingSeed.hex + "\n", to: directory.signingSeed)
        try OwnerOnlyFile.write(curve.secretKeyBytes.hex + "\n", to: directory.curveSecret)
        try OwnerOnlyFile.write(witnessSeed.hex + "\n", to: directory.witnessSeed)
    }

    /// Reads the keys.
    ///
    /// - Throws: ``DirectoryError``, also where others than the owner may read them.
    static func read(_ directory: NodeDirectory) throws -> NodeKeys {
        NodeKeys(
            signingSeed: try readSeed(directory.signingSeed),
            curve: try CurveKeyPair(secretKeyBytes: try readSeed(directory.curveSecret)),
            witnessSeed: try readSeed(directory.witnessSeed))
    }

    static func readSeed(_ path: String) throws -> [UInt8] {
        let text = try OwnerOnlyFile.readSecret(
            path, advice: "a machine that lost its keys is given new ones by the network's administrators")
        guard let bytes = [UInt8](hex: text), bytes.count == 32 else {
            throw DirectoryError.unreadable(path: path, reason: "a key is 64 hexadecimal digits")
        }
        return bytes
    }
}
