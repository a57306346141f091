public import EventLog
import Foundation

/// What a node that wants to join a network sends to the administrators: its public keys, and what it would host.
public struct JoinRequest: Hashable, Sendable, Codable {
    /// A location that it would host.
    public struct Location: Hashable, Sendable, Codable {
        /// Its id.
        public var id: LocationID
        /// Its name.
        public var name: String

        /// States a location.
        public init(id: LocationID, name: String) {
            self.id = id
            self.name = name
        }
    }

    /// Format of the file: 0.
    public var format: UInt64 = 0
    /// The network.
    public var network: NetworkID
    /// The node.
    public var node: NodeID
    /// The hospital's name.
    public var name: String
    /// Its region; nil for none.
    public var region: String?
    /// What it would host.
    public var locations: [Location]
    /// Signs its logs.
    public var signingKey: Hash
    /// Encrypts its links.
    public var curveKey: Hash
    /// Cosigns the logs of others.
    public var witnessKey: Hash

    /// Reads a file.
    ///
    /// - Throws: ``DirectoryError``.
    public init(file path: String) throws {
        let text = try OwnerOnlyFile.read(path, advice: "a request is made by 'varde network join'")
        do {
            self = try JSONDecoder().decode(JoinRequest.self, from: Data(text.utf8))
        } catch {
            throw DirectoryError.unreadable(path: path, reason: "it is no request to join a network: \(error)")
        }
        guard format == 0 else { throw DirectoryError.unreadable(path: path, reason: "it is of format \(format)") }
    }

    /// What the charter will say of the node.
    var charterNode: CharterNode {
        CharterNode(
            id: node, name: name, region: region, signingKey: SigningPublicKey(signingKey),
            curveKey: NodeCurvePublicKey(curveKey), witnessKey: WitnessPublicKey(witnessKey))
    }

    /// Bytes by which two people compare a request over the telephone: the first 8 bytes of the SHA-256 over the three keys.
    public var fingerprint: String {
        let hash = Hash.sha256(signingKey.bytes + curveKey.bytes + witnessKey.bytes)
        let digits = Array([UInt8](hash.bytes.prefix(8)).hex)
        return stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<$0 + 4]) }.joined(separator: " ")
    }
}

/// A node that is to join a network: its directory with keys of its own making, and nothing of the charter but the hash of
/// its version 0.
public struct JoiningNode {
    /// What is asked of the administrators, but for the keys.
    public var network: NetworkID
    /// The node's id.
    public var node: NodeID
    /// The hospital's name.
    public var name: String
    /// Its region; nil for none.
    public var region: String?
    /// What it would host.
    public var locations: [JoinRequest.Location]
    /// Hash of version 0 of the charter, as it was given by hand.
    public var founding: Hash
    /// Where other nodes will reach it.
    public var listen: String
    /// Where it reaches others, and the link key of each that it is to get the charter from.
    public var peers: [NodeID: (address: String, key: Hash?)]
    /// Where its HTTP interface listens; nil for none.
    public var http: HTTPListener?

    /// States what is to join.
    public init(
        network: NetworkID, node: NodeID, name: String, region: String?, locations: [JoinRequest.Location],
        founding: Hash, listen: String, peers: [NodeID: (address: String, key: Hash?)], http: HTTPListener? = nil
    ) {
        self.network = network
        self.node = node
        self.name = name
        self.region = region
        self.locations = locations
        self.founding = founding
        self.listen = listen
        self.peers = peers
        self.http = http
    }

    /// Makes the directory and the keys, and gives the request.
    ///
    /// - Throws: ``DirectoryError``; nothing that stands is overwritten.
    public func make(in directory: NodeDirectory) throws -> JoinRequest {
        try directory.checkSocketPath()
        try OwnerOnlyFile.makeDirectory(directory.path)
        var configuration = NodeConfiguration(
            network: network, node: node, charterFounding: founding, listen: listen,
            peers: peers.mapValues { $0.address }, http: http)
        let keys = peers.compactMap { peer in peer.value.key.map { (peer.key.text, $0.hex) } }
        configuration.peerKeys = keys.isEmpty ? nil : Dictionary(uniqueKeysWithValues: keys)
        let made = try NodeKeys.generate()
        // The configuration last: a directory with one is a node's.
        try made.write(to: directory)
        let request = try self.request(made)
        try configuration.write(to: directory)
        return request
    }

    private func request(_ keys: NodeKeys) throws -> JoinRequest {
        let listed = try keys.charterNode(id: node, name: name, region: region)
        return JoinRequest(
            network: network, node: node, name: name, region: region, locations: locations,
            signingKey: listed.signingKey.hash, curveKey: listed.curveKey.hash, witnessKey: listed.witnessKey.hash)
    }
}

extension JoinRequest {
    init(
        network: NetworkID, node: NodeID, name: String, region: String?, locations: [Location], signingKey: Hash,
        curveKey: Hash, witnessKey: Hash
    ) {
        self.network = network
        self.node = node
        self.name = name
        self.region = region
        self.locations = locations
        self.signingKey = signingKey
        self.curveKey = curveKey
        self.witnessKey = witnessKey
    }

    /// Writes the file; one that stands is replaced.
    ///
    /// - Throws: ``DirectoryError``.
    public func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try OwnerOnlyFile.exchange(String(decoding: try encoder.encode(self), as: UTF8.self) + "\n", at: path)
    }
}
