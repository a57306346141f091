public import EventLog
import Foundation
import Interchange
import Trial

/// A location of a planned node.
public struct PlannedLocation: Hashable, Sendable {
    /// Its id.
    public var id: LocationID
    /// Its name.
    public var name: String

    /// Plans a location.
    public init(id: LocationID, name: String) {
        self.id = id
        self.name = name
    }
}

/// A node of a network that is to be founded on this machine.
public struct PlannedNode: Hashable, Sendable {
    /// Its id.
    public var id: NodeID
    /// The hospital's name.
    public var name: String
    /// Its region; nil for a coordinating centre.
    public var region: String?
    /// The locations it hosts, with their names.
    public var locations: [PlannedLocation]

    /// Plans a node.
    public init(id: NodeID, name: String, region: String?, locations: [PlannedLocation]) {
        self.id = id
        self.name = name
        self.region = region
        self.locations = locations
    }
}

/// Founds a network whose nodes' directories all lie on this machine: for demonstrations, tests and training.
///
/// In a network of hospitals every node makes its own keys, and only public ones travel to the administrators.
public struct NetworkFounding {
    /// The network's id.
    public var network: NetworkID
    /// The nodes.
    public var nodes: [PlannedNode]
    /// Where the nodes' directories go, each under its node's id.
    public var directory: String

    /// Plans a founding.
    public init(network: NetworkID, nodes: [PlannedNode], directory: String) {
        self.network = network
        self.nodes = nodes
        self.directory = directory
    }

    /// The directory of a node.
    public static func directory(of node: NodeID, in directory: String) -> NodeDirectory {
        NodeDirectory(directory + "/" + node.text)
    }

    /// Makes keys, charter and directories. Ports of loopback are reserved once and kept over restarts.
    ///
    /// - Throws: ``DirectoryError``, or ``EventLog/CharterError`` where the plan breaks a rule of the charter.
    public func found() throws {
        for node in nodes { try NetworkFounding.directory(of: node.id, in: directory).checkSocketPath() }
        try OwnerOnlyFile.makeDirectory(directory)
        var keys: [NodeID: NodeKeys] = [:]
        var charterNodes: [CharterNode] = []
        for node in nodes {
            let made = try NodeKeys.generate()
            keys[node.id] = made
            charterNodes.append(try made.charterNode(id: node.id, name: node.name, region: node.region))
        }
        let locations = nodes.flatMap { node in
            node.locations.map { CharterLocation(id: $0.id, name: $0.name, host: node.id, region: node.region) }
        }
        let seed = NodeKeys.randomSeed()
        guard let administrator = AdministratorKey(seed: seed) else {
            throw DirectoryError.unwritable(path: directory, reason: "no administrator's key could be made")
        }
        let charter = try SignedCharter(
            signing: .founding(
                network: network, nodes: charterNodes, locations: locations, administrators: [administrator.publicKey]),
            with: [administrator])
        let chain = try CharterChain(founding: charter)
        // The administrator's key never lies in a node's directory.
        try OwnerOnlyFile.write(seed.hex + "\n", to: directory + "/administrator.seed")
        let ports = try LoopbackPorts.reserve(2 * nodes.count)
        let addresses = Dictionary(
            uniqueKeysWithValues: zip(nodes, ports).map { ($0.id, "tcp://127.0.0.1:\($1)") })
        let pages = Dictionary(uniqueKeysWithValues: zip(nodes, ports.dropFirst(nodes.count)).map { ($0.id, $1) })
        for node in nodes {
            let home = NetworkFounding.directory(of: node.id, in: directory)
            try OwnerOnlyFile.makeDirectory(home.path)
            try keys[node.id]?.write(to: home)
            try OwnerOnlyFile.write(chain.bytes.hex + "\n", to: home.charter)
            try NodeConfiguration(
                network: network, node: node.id, charterFounding: charter.hash, listen: addresses[node.id] ?? "",
                peers: addresses.filter { $0.key != node.id },
                http: pages[node.id].map { HTTPListener(port: $0) }
            ).write(to: home)
        }
    }
}

/// Finds free ports of loopback.
enum LoopbackPorts {
    /// Asks the system for `count` different free ports.
    static func reserve(_ count: Int) throws -> [UInt16] {
        var descriptors: [Int32] = []
        defer { for descriptor in descriptors { close(descriptor) } }
        // All are held until the last is known, so that none is given twice.
        return try (0..<count).map { _ in
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            descriptors.append(descriptor)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let found = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                    bind(descriptor, general, length) == 0 && getsockname(descriptor, general, &length) == 0
                }
            }
            guard found else {
                throw DirectoryError.unwritable(path: "127.0.0.1", reason: String(cString: strerror(errno)))
            }
            return UInt16(bigEndian: address.sin_port)
        }
    }
}

extension NetworkFounding {
    /// The nodes of a division file, and beside them nodes that host no location.
    ///
    /// - Throws: ``DirectoryError`` where the file is missing, ``StudySourceError`` where it is wrong.
    public static func plannedNodes(divisionFile path: String, coordinating: [NodeID]) throws -> [PlannedNode] {
        let (division, report) = SiteDivisionReader.read(bytes: try StudySource.bytes(of: path), fileName: path)
        guard let division else { throw StudySourceError(report: report) }
        return StudySource.plannedNodes(division, coordinating: coordinating)
    }
}
