public import EventLog
import Foundation

/// Where a node keeps what: one directory, owner-only.
public struct NodeDirectory: Sendable {
    /// The path.
    public let path: String

    /// Names a directory; nothing is read or made.
    public init(_ path: String) {
        self.path = path
    }

    /// Addresses and names: `node.json`.
    var configuration: String { path + "/node.json" }
    /// The secret keys: `keys/`.
    var keys: String { path + "/keys" }
    /// Ed25519 seed of the log's signatures.
    var signingSeed: String { keys + "/signing.seed" }
    /// CURVE secret key.
    var curveSecret: String { keys + "/curve.secret" }
    /// Ed25519 seed of cosignatures.
    var witnessSeed: String { keys + "/witness.seed" }
    /// Which events file the witness key is used with: another one does not know what was signed with it.
    var witnessUse: String { keys + "/witness.used" }
    /// The charter as it was when the directory was made; the newest one lies in the store.
    var charter: String { path + "/charter" }
    /// The socket through which commands work while the node runs.
    public var socket: String { path + "/node.sock" }
    /// Where the HTTP interface of the running node listens: `http://ADDRESS:PORT`, for the owner's eyes.
    public var httpAddress: String { path + "/http.address" }
    /// What ``httpAddress`` says; nil where no HTTP interface runs.
    public var runningHTTPAddress: String? {
        try? OwnerOnlyFile.read(httpAddress, advice: "the node's HTTP interface does not run")
    }
    /// Who may use the HTTP interface, by the hashes of their tokens.
    public var tokens: String { path + "/tokens.json" }
    /// One-time codes by which a browser is let in, each a file named by the code's hash.
    public var browserCodes: String { path + "/browser-codes" }
    /// The process id of the running node.
    public var processID: String { path + "/node.pid" }

    /// The most bytes that the path of a socket may have on Linux (`sockaddr_un`), without the closing zero.
    private static let socketPathBytes = 107

    /// Refuses a directory in which the node's socket could not be made.
    ///
    /// - Throws: ``DirectoryError/unreadable(path:reason:)``.
    func checkSocketPath() throws {
        guard socket.utf8.count <= NodeDirectory.socketPathBytes else {
            throw DirectoryError.unreadable(
                path: socket,
                reason: "the path of a socket may have \(NodeDirectory.socketPathBytes) bytes, and this one has "
                    + "\(socket.utf8.count): use a directory with a shorter path, or one below the current folder")
        }
    }

    /// True where a node's directory was made here.
    public var isNode: Bool { FileManager.default.fileExists(atPath: configuration) }
}

/// Where a node's HTTP interface listens.
public struct HTTPListener: Hashable, Sendable, Codable {
    /// An address of loopback: until people have accounts nothing else is listened at.
    public var address: String
    /// The port; 0 for one that the system chooses at each start.
    public var port: UInt16

    /// States where to listen.
    public init(address: String = "127.0.0.1", port: UInt16) {
        self.address = address
        self.port = port
    }
}

/// A node's configuration: what is set by hand at this hospital and is no part of the charter.
public struct NodeConfiguration: Hashable, Sendable, Codable {
    /// Format of this file.
    public var format: UInt64
    /// The network.
    public var network: NetworkID
    /// This node.
    public var node: NodeID
    /// Hash of version 0 of the charter, as it was given by hand.
    public var charterFounding: String
    /// Where other nodes reach this one, `tcp://ADDRESS:PORT`.
    public var listen: String
    /// Where this node reaches others.
    public var peers: [String: String]
    /// Where the HTTP interface listens; nil where the node has none.
    public var http: HTTPListener?
    /// When everything stored is read again; nil for the defaults.
    public var scrub: ScrubSettings?
    /// The public link keys of peers, in hexadecimal, by which a node that holds no charter yet knows whom it gets it from. What
    /// the charter says replaces them.
    public var peerKeys: [String: String]?

    /// The format that is written today.
    public static let currentFormat: UInt64 = 0

    /// States a configuration.
    public init(
        network: NetworkID, node: NodeID, charterFounding: Hash, listen: String, peers: [NodeID: String],
        http: HTTPListener? = nil
    ) {
        format = NodeConfiguration.currentFormat
        self.network = network
        self.node = node
        self.charterFounding = charterFounding.hex
        self.listen = listen
        self.peers = Dictionary(uniqueKeysWithValues: peers.map { ($0.key.text, $0.value) })
        self.http = http
    }

    /// Reads `node.json`.
    ///
    /// - Throws: ``DirectoryError``.
    public static func read(_ directory: NodeDirectory) throws -> NodeConfiguration {
        let text = try OwnerOnlyFile.read(
            directory.configuration, advice: "this is not a node's directory; make one with 'varde network init'")
        let configuration: NodeConfiguration
        do {
            configuration = try JSONDecoder().decode(NodeConfiguration.self, from: Data(text.utf8))
        } catch {
            throw DirectoryError.unreadable(path: directory.configuration, reason: "\(error)")
        }
        guard configuration.format == currentFormat else {
            throw DirectoryError.unreadable(
                path: directory.configuration,
                reason: "it is of format \(configuration.format), which this software does not know")
        }
        return configuration
    }

    /// Writes `node.json`.
    func write(to directory: NodeDirectory) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
        try OwnerOnlyFile.write(text, to: directory.configuration)
    }
}
