public import EventLog
import StoreCore

/// Makes proposals of the charter's next version, by what a node's files say. Nothing is changed.
public struct NetworkAdministration {
    private let configuration: NodeConfiguration
    private let reader: StoreReader?
    /// The charter as far as this node knows it.
    public let chain: CharterChain

    /// Opens a node's files for reading, beside the node or while it does not run.
    ///
    /// - Throws: ``DirectoryError``, ``StoreCore/StoreError``.
    public init(directory: NodeDirectory) throws {
        configuration = try NodeConfiguration.read(directory)
        let founding = try NodeStart.foundingChain(directory, configuration)
        reader = try NodeStart.reader(directory)
        chain = try reader.map { try NodeStart.storedChain($0, founding: founding) } ?? founding
    }

    private func successor() throws -> Charter {
        guard let newest = chain.versions.last else { throw ProposalError.noCharter }
        if let dispute = chain.dispute { throw CharterError.disputed(after: dispute.before.charter.number) }
        return newest.successor
    }

    /// Settles between rival versions.
    ///
    /// - Parameter kept: how the hash of the version begins whose contents are to hold, one that none follows; nil for what
    ///   counts while nothing is settled.
    /// - Throws: ``ProposalError``, ``EventLog/CharterError``.
    public func settle(keeping kept: String?) throws -> CharterProposal {
        guard !chain.isEmpty else { throw ProposalError.noCharter }
        guard let dispute = chain.dispute else { throw ProposalError.noDispute }
        var version: SignedCharter?
        if let kept {
            let fitting = dispute.tips.filter { $0.hash.hex.hasPrefix(kept.lowercased()) }
            guard fitting.count == 1 else { throw ProposalError.unknownVersion(kept, dispute.tips.map(\.hash)) }
            version = fitting[0]
        }
        return try CharterProposal(dispute.settlement(keeping: version), after: chain)
    }

    /// Admits the node of a request with its locations.
    ///
    /// - Throws: ``ProposalError``, ``EventLog/CharterError``.
    public func admit(_ request: JoinRequest) throws -> CharterProposal {
        guard request.network == configuration.network else { throw ProposalError.otherNetwork(request.network) }
        guard chain.node(request.node) == nil else { throw ProposalError.knownNode(request.node) }
        var next = try successor()
        next.nodes.append(request.charterNode)
        next.locations += request.locations.map {
            CharterLocation(id: $0.id, name: $0.name, host: request.node, region: request.region)
        }
        return try CharterProposal(next, after: chain)
    }

    /// Gives this node the keys that wait in its directory.
    ///
    /// - Throws: ``ProposalError``, ``DirectoryError``, ``EventLog/CharterError``.
    public func rotate(_ replacement: KeyReplacement) throws -> CharterProposal {
        var next = try successor()
        guard let place = next.nodes.firstIndex(where: { $0.id == configuration.node }),
            next.nodes[place].state == .admitted
        else { throw ProposalError.notThisNode(configuration.node) }
        let accepted = try acceptedHeads(of: next.nodes[place], beside: [])
        try replacement.apply(to: &next.nodes[place])
        if replacement.waiting.contains(.signing) { next.nodes[place].accepted = accepted }
        guard next.nodes != chain.newest?.nodes else { throw ProposalError.nothing }
        return try CharterProposal(next, after: chain)
    }

    /// Revokes a node, accepting of its logs what is held here, what this node has vouched for, and what `others` say.
    ///
    /// - Throws: ``ProposalError``, ``EventLog/CharterError``.
    public func revoke(_ node: NodeID, beside others: [HeldHead]) throws -> CharterProposal {
        var next = try successor()
        guard let place = next.nodes.firstIndex(where: { $0.id == node }) else { throw ProposalError.unknownNode(node) }
        guard next.nodes[place].state == .admitted else { throw ProposalError.nothing }
        next.nodes[place].accepted = try acceptedHeads(of: next.nodes[place], beside: others)
        next.nodes[place].state = .revoked
        return try CharterProposal(next, after: chain)
    }

    /// Names other administrators.
    ///
    /// - Throws: ``ProposalError``, ``EventLog/CharterError``.
    public func name(
        _ added: [AdministratorPublicKey], instead removed: [AdministratorPublicKey]
    ) throws -> CharterProposal {
        var next = try successor()
        next.administrators.removeAll { removed.contains($0) }
        next.administrators += added.filter { !next.administrators.contains($0) }
        guard next.administrators != chain.newest?.administrators else { throw ProposalError.nothing }
        return try CharterProposal(next, after: chain)
    }

    /// The heads of a node's logs that are held here or that this node has vouched for, of logs under the node's key of today.
    ///
    /// - Throws: ``StoreCore/StoreError``.
    public func heads(of node: NodeID) throws -> [HeldHead] {
        guard let reader else { return [] }
        let key = chain.node(node)?.signingKey
        var heads: [LogID: HeldHead] = [:]
        for log in try reader.logs() where log.name.node == node && log.head.size > 0 {
            let begun = try LogBeginning.knownCharter(of: log.name.id, reader)
            // What counts of a log under an earlier key was said when that was replaced.
            guard begun.flatMap({ chain.signingKey(of: node, at: $0) }) ?? key == key else { continue }
            heads[log.name.id] = HeldHead(log: log.name.id, size: log.head.size, root: log.head.root)
        }
        let settled = Set(chain.node(node)?.accepted.map(\.log) ?? [])
        for witnessed in try reader.witnessed() where witnessed.writer == node {
            let head = witnessed.head
            guard !settled.contains(head.log), head.size > heads[head.log]?.size ?? 0, try reader.log(head.log) == nil
            else { continue }
            heads[head.log] = HeldHead(log: head.log, size: head.size, root: head.root)
        }
        return heads.values.sorted { $0.log < $1.log }
    }

    /// What is accepted of a node's logs from now on: what was already, and the larger of what is known of each other log.
    private func acceptedHeads(of node: CharterNode, beside others: [HeldHead]) throws -> [StatedHead] {
        var accepted = Dictionary(node.accepted.map { ($0.log, $0) }) { first, _ in first }
        let settled = Set(accepted.keys)
        for head in try heads(of: node.id) + others where !settled.contains(head.log) {
            guard head.size > accepted[head.log]?.size ?? 0 else { continue }
            accepted[head.log] = StatedHead(log: head.log, size: head.size, root: head.root)
        }
        return accepted.values.sorted { $0.log < $1.log }
    }
}

/// How far a log is held, as a file or message says it.
public struct HeldHead: Hashable, Sendable, Codable {
    /// The log.
    public var log: LogID
    /// Its number of entries.
    public var size: UInt64
    /// Root of the tree over them.
    public var root: Hash

    /// States a head.
    public init(log: LogID, size: UInt64, root: Hash) {
        self.log = log
        self.size = size
        self.root = root
    }
}

/// What a log's writer knew when it began the log.
enum LogBeginning {
    /// The version of the charter that entry 0 knew; nil where it is not here or cannot be read.
    static func knownCharter(of log: LogID, _ reading: some EventReading) throws -> UInt64? {
        guard let entry = try reading.entry(at: EntryAddress(log: log, index: 0)) else { return nil }
        return (try? EntryHeader(bytes: entry.raw.header))?.known.charter
    }
}
