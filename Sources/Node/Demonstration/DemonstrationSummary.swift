public import EventLog
import Trial

/// What `varde demo --once --json` prints.
public struct DemonstrationSummary: Hashable, Sendable, Codable {
    /// A log at a node.
    public struct Log: Hashable, Sendable, Codable {
        /// The log's id.
        public var log: LogID
        /// Entries.
        public var size: UInt64
        /// Root of the tree.
        public var root: Hash
    }

    /// A stream at a node.
    public struct Stream: Hashable, Sendable, Codable {
        /// Its name.
        public var stream: String
        /// The location, of a location's stream.
        public var location: LocationID?
        /// Digest of its state.
        public var digest: Hash
        /// Its logs.
        public var logs: [Log]
    }

    /// A node.
    public struct Node: Hashable, Sendable, Codable {
        /// Its id.
        public var name: NodeID
        /// Its region; null for a coordinating centre.
        public var region: String?
        /// Entries of all streams.
        public var entries: UInt64
        /// Participants.
        public var participants: Int
        /// Form instances with a current value.
        public var forms: Int
        /// Current CRF values.
        public var values: Int
        /// Items in conflict.
        public var conflicts: Int
        /// Its streams.
        public var streams: [Stream]

        enum CodingKeys: String, CodingKey {
            case name, region, entries, participants, forms, values, conflicts, streams
        }

        /// Writes every key, the region also where there is none.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(name, forKey: .name)
            try container.encode(region, forKey: .region)
            try container.encode(entries, forKey: .entries)
            try container.encode(participants, forKey: .participants)
            try container.encode(forms, forKey: .forms)
            try container.encode(values, forKey: .values)
            try container.encode(conflicts, forKey: .conflicts)
            try container.encode(streams, forKey: .streams)
        }
    }

    /// The nodes.
    public var nodes: [Node]
    /// Whether every stream has equal logs and an equal digest wherever it is held.
    public var converged: Bool
    /// From the start of the process to convergence.
    public var seconds: Double

    init(_ statuses: [NodeStatus], converged: Bool, seconds: Double) {
        nodes = statuses.map { status in
            Node(
                name: status.node, region: status.region, entries: status.entries,
                participants: status.counts.participants, forms: status.counts.forms, values: status.counts.values,
                conflicts: status.counts.conflicts,
                streams: status.streams.map { stream in
                    Stream(
                        stream: stream.stream, location: stream.location, digest: stream.digest,
                        logs: stream.logs.map { Log(log: $0.log, size: $0.size, root: $0.root) })
                })
        }
        self.converged = converged
        self.seconds = seconds
    }
}

/// Compares what nodes hold.
enum Convergence {
    /// Whether every node holds the locations' streams it is entitled to and no other, whether every stream has the same
    /// logs, roots and digest wherever it is held, and no node lacks what a peer shows.
    ///
    /// - Parameter source: says who is entitled to what.
    static func isReached(_ statuses: [NodeStatus], of source: StudySource) -> Bool {
        var seen: [String: StreamStatus] = [:]
        let entitled = source.entitledLocations(of: Set(statuses.flatMap { $0.streams.compactMap(\.location) }))
        for status in statuses {
            guard Set(status.streams.compactMap(\.location)) == entitled[status.node] ?? [] else { return false }
            for stream in status.streams {
                guard let other = seen[stream.stream] else {
                    seen[stream.stream] = stream
                    continue
                }
                guard heads(stream) == heads(other), stream.digest == other.digest,
                    stream.studyDigest == other.studyDigest
                else { return false }
            }
        }
        return statuses.allSatisfy { status in status.peers.allSatisfy { $0.entriesLackingHere == 0 } }
    }

    private static func heads(_ stream: StreamStatus) -> [LogID: [String]] {
        Dictionary(stream.logs.map { ($0.log, ["\($0.size)", $0.root.hex]) }) { first, _ in first }
    }
}

extension StudySource {
    /// Of the locations whose streams there are, those that each node is to hold: its own, those of its regional sites, and
    /// at a coordinating node all.
    func entitledLocations(of loaded: Set<LocationID>) -> [NodeID: Set<LocationID>] {
        var entitled: [NodeID: Set<LocationID>] = [:]
        for node in plan.coordinatingNodes { entitled[node] = loaded }
        for location in loaded {
            guard let host = division[location]?.node else { continue }
            entitled[host, default: []].insert(location)
            guard let site = plan.studySite(of: location), site.isRegional else { continue }
            for other in site.locations {
                if let node = division[other]?.node { entitled[node, default: []].insert(location) }
            }
        }
        return entitled
    }
}
