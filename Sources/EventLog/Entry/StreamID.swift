/// A scope of sharing, named by ids only (DESIGN §3, "Stream"). Whole streams are shared or not shared.
public struct StreamID: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// What of a study the stream holds.
    public enum Scope: Hashable, Sendable {
        /// Definitions, participation, delegations and plan.
        case study
        /// The pseudonymised participant data of one location.
        case location(LocationID)
        /// Items that only the nodes named for a class may hold, of one location or of the whole study.
        case restricted(class: String, location: LocationID?)
    }

    /// The study.
    public let study: StudyID
    /// Which part of it.
    public let scope: Scope

    /// A stream of `study`.
    public init(study: StudyID, scope: Scope) {
        self.study = study
        self.scope = scope
    }

    /// The study's own stream.
    public static func study(_ study: StudyID) -> StreamID { StreamID(study: study, scope: .study) }

    /// The stream of one location in `study`.
    public static func location(_ location: LocationID, in study: StudyID) -> StreamID {
        StreamID(study: study, scope: .location(location))
    }

    /// The location whose participants the stream holds, if it is a location's.
    public var location: LocationID? {
        switch scope {
        case .study: nil
        case .location(let location): location
        case .restricted(_, let location): location
        }
    }

    /// `study/<id>`, `study/<id>/loc/<location>`, `study/<id>/<class>` or `study/<id>/<class>/<location>`.
    public var description: String {
        switch scope {
        case .study: "study/\(study)"
        case .location(let location): "study/\(study)/loc/\(location)"
        case .restricted(let itemClass, nil): "study/\(study)/\(itemClass)"
        case .restricted(let itemClass, let location?): "study/\(study)/\(itemClass)/\(location)"
        }
    }

    /// Reads the form that ``description`` writes; nil for anything else.
    public init?(_ text: String) {
        let pieces = text.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard (2...4).contains(pieces.count), pieces[0] == "study", let study = StudyID(hex: pieces[1]) else {
            return nil
        }
        self.study = study
        if pieces.count == 2 {
            scope = .study
            return
        }
        guard LocationID(pieces[2]) != nil else { return nil }
        let location = pieces.count == 4 ? LocationID(pieces[3]) : nil
        if pieces.count == 4 && location == nil { return nil }
        if pieces[2] == "loc" {
            guard let location else { return nil }
            scope = .location(location)
        } else {
            scope = .restricted(class: pieces[2], location: location)
        }
    }

    /// Orders them in the same way everywhere.
    public static func < (left: StreamID, right: StreamID) -> Bool { left.description < right.description }
}

/// Where a branch of a forked log begins: the first index at which it holds another entry, and that entry's leaf hash.
public struct ForkPoint: Hashable, Sendable {
    /// The index.
    public let index: UInt64
    /// The leaf hash of the branch's entry there.
    public let leaf: Hash

    /// States a fork point.
    public init(index: UInt64, leaf: Hash) {
        self.index = index
        self.leaf = leaf
    }
}

/// Everything that makes a log's id: one writer's part of one stream in one epoch; or of a branch of such a log.
///
/// A writer that signed two histories of a log forked it. What they have in common keeps the log's name, and what follows is
/// a branch under each of them, which is stored, announced and pulled like a log of its own, by an ``id`` of its own.
public struct LogName: Hashable, Sendable {
    /// The network whose charter names the writer.
    public let network: NetworkID
    /// The writer.
    public let node: NodeID
    /// The stream written to.
    public let stream: StreamID
    /// The random name of this run of the writer's log.
    public let epoch: Epoch
    /// The log's id, which stands in its headers and checkpoints: SHA-256 over the domain `varde/log/0` and the four parts,
    /// each after its length in one byte.
    public let log: LogID
    /// Where the branch begins; nil for the log itself.
    public let fork: ForkPoint?
    /// What is stored, announced and pulled under this name: the log's id; for a branch SHA-256 over the domain
    /// `varde/branch/0`, the log's id, the index in eight bytes and the leaf hash.
    public let id: LogID

    /// Names a log and computes its id.
    public init(network: NetworkID, node: NodeID, stream: StreamID, epoch: Epoch) {
        self.network = network
        self.node = node
        self.stream = stream
        self.epoch = epoch
        var bytes = [UInt8]("varde/log/0".utf8)
        for part in [
            [UInt8](network.text.utf8), [UInt8](node.text.utf8), [UInt8](stream.description.utf8), epoch.bytes,
        ] {
            // The longest possible stream name is under 200 bytes, so one byte holds every length.
            bytes.append(UInt8(part.count))
            bytes += part
        }
        log = LogID(.sha256(bytes))
        fork = nil
        id = log
    }

    private init(_ trunk: LogName, fork: ForkPoint) {
        network = trunk.network
        node = trunk.node
        stream = trunk.stream
        epoch = trunk.epoch
        log = trunk.log
        self.fork = fork
        id = LogID(
            .sha256(
                [UInt8]("varde/branch/0".utf8) + log.hash.bytes + BigEndian64.bytes(of: fork.index) + fork.leaf.bytes))
    }

    /// The name of a branch of this log.
    public func branch(at fork: ForkPoint) -> LogName { LogName(self, fork: fork) }

    /// The name of the log that this is a branch of, or its own.
    public var trunk: LogName {
        fork == nil ? self : LogName(network: network, node: node, stream: stream, epoch: epoch)
    }

    /// Index of the first entry that is told under this name.
    public var start: UInt64 { fork?.index ?? 0 }

    /// The C2SP origin of the log's checkpoints, which is also the name of its key: `<network>/log/<log id>`.
    public var origin: String { "\(network)/log/\(log)" }
}
