public import EventLog

/// What the versions of the charter say that rights depend on: who was admitted, and who hosts which location.
public struct NetworkDirectory: Hashable, Sendable {
    /// One version of the charter.
    public struct Version: Hashable, Sendable {
        /// Nodes that are admitted and not revoked.
        public var admitted: Set<NodeID>
        /// Which node hosts a location.
        public var hosts: [LocationID: NodeID]
        /// The key that signs a node's logs, of every node listed.
        public var signingKeys: [NodeID: SigningPublicKey]
        /// How many entries count of the logs that a node signed with keys now revoked or replaced.
        public var accepted: [NodeID: [LogID: UInt64]]

        /// States a version.
        public init(
            admitted: Set<NodeID>, hosts: [LocationID: NodeID], signingKeys: [NodeID: SigningPublicKey] = [:],
            accepted: [NodeID: [LogID: UInt64]] = [:]
        ) {
            self.admitted = admitted
            self.hosts = hosts
            self.signingKeys = signingKeys
            self.accepted = accepted
        }
    }

    /// The network.
    public let network: NetworkID
    /// The versions, by number from 0: of rivals what counts of them all, of what was settled the version that settled it.
    public var versions: [Version]
    /// How many versions are held, rival ones among them: it grows with everything that may change what counts.
    public var heldVersions: Int

    /// The versions known here.
    ///
    /// - Parameter heldVersions: how many are held; nil where there are no rivals.
    public init(network: NetworkID, versions: [Version], heldVersions: Int? = nil) {
        self.network = network
        self.versions = versions
        self.heldVersions = heldVersions ?? versions.count
    }

    /// A version by its number; nil where it is not here yet.
    public func version(_ number: UInt64) -> Version? {
        number < UInt64(versions.count) ? versions[Int(number)] : nil
    }

    /// The newest version; nil before there is any.
    public var newest: Version? { versions.last }

    /// How many entries of a log count by the newest version (law M61); nil where all do, because the key under which it
    /// was begun is still its writer's.
    ///
    /// - Parameter number: the version that the writer knew when it began the log.
    func acceptedSize(of log: LogID, by writer: NodeID, begunKnowing number: UInt64) -> UInt64? {
        guard let newest, let begun = version(number) else { return nil }
        let isKeyInUse = newest.admitted.contains(writer) && newest.signingKeys[writer] == begun.signingKeys[writer]
        return isKeyInUse ? nil : newest.accepted[writer]?[log] ?? 0
    }

    /// The nodes of whose logs something else counts than by `before`.
    func writersOtherwiseAccepted(than before: NetworkDirectory) -> Set<NodeID> {
        let writers = Set(versions.flatMap(\.signingKeys.keys)).union(versions.flatMap(\.admitted))
        return writers.filter { writer in
            before.newest?.accepted[writer] != newest?.accepted[writer]
                || before.newest?.signingKeys[writer] != newest?.signingKeys[writer]
                || before.newest?.admitted.contains(writer) != newest?.admitted.contains(writer)
        }
    }
}
