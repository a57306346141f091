public import EventLog

/// What the versions of the charter say that rights depend on: who was admitted, and who hosts which location.
public struct NetworkDirectory: Hashable, Sendable {
    /// One version of the charter.
    public struct Version: Hashable, Sendable {
        /// Nodes that are admitted and not revoked.
        public var admitted: Set<NodeID>
        /// Which node hosts a location.
        public var hosts: [LocationID: NodeID]

        /// States a version.
        public init(admitted: Set<NodeID>, hosts: [LocationID: NodeID]) {
            self.admitted = admitted
            self.hosts = hosts
        }
    }

    /// The network.
    public let network: NetworkID
    /// The versions, by number from 0.
    public var versions: [Version]

    /// The versions known here.
    public init(network: NetworkID, versions: [Version]) {
        self.network = network
        self.versions = versions
    }

    /// A version by its number; nil where it is not here yet.
    public func version(_ number: UInt64) -> Version? {
        number < UInt64(versions.count) ? versions[Int(number)] : nil
    }

    /// The newest version; nil before there is any.
    public var newest: Version? { versions.last }
}
