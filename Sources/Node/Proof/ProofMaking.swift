public import EventLog
public import Interchange
import StoreCore
import Trial

/// Makes the proof of an entry from what a node holds (`Protocols/log.md`, "Proof of one entry").
struct ProofMaking {
    let reader: StoreReader
    let chain: CharterChain

    /// The proof of the entry at a place, checked before it is given out.
    ///
    /// - Throws: ``ProofMakingError``, ``StoreCore/StoreError``.
    func proof(of address: EntryAddress) throws -> EntryProof {
        let entry = try proven(address)
        let proof = EntryProof(
            entry: entry, orders: try orders(for: entry).map(proven), charters: chain.versions)
        do {
            _ = try proof.verify(foundingHash: chain.foundingHash).ordersForMissingParts()
        } catch {
            throw ProofMakingError.refused(address, "\(error)")
        }
        return proof
    }

    private func proven(_ address: EntryAddress) throws -> ProvenEntry {
        guard let log = try reader.log(address.log), let stored = try reader.entry(at: address) else {
            throw ProofMakingError.unknownEntry("\(address)")
        }
        let entry: Entry
        do throws(EntryError) {
            entry = try Entry(checking: stored.raw, at: address.index, of: log.name.log)
        } catch {
            throw ProofMakingError.unreadable(address, error)
        }
        let checkpoint = try self.checkpoint(over: address)
        let size = checkpoint.checkpoint.size
        guard let inclusion = try reader.inclusionProof(of: address, size: size) else {
            throw ProofMakingError.noCheckpoint(address.log)
        }
        return ProvenEntry(
            log: log.name.trunk, header: stored.raw.header, body: entry.body,
            logProof: try LogProof(index: address.index, path: inclusion.path, checkpoint: checkpoint),
            acceptedPath: try acceptedPath(log.name, checkpointSize: size))
    }

    /// The head that says most of when the entry was there: of those over it the smallest that a witness cosigned, or
    /// where none is, the newest.
    private func checkpoint(over address: EntryAddress) throws -> SignedCheckpoint {
        let writer = try reader.log(address.log)?.name.node
        let witnesses = chain.witnessKeys().filter { $0.isCurrent && $0.name.node != writer }.map(\.key)
        var newest: SignedCheckpoint?
        let cosigned = try reader.cosignedCheckpoints(
            of: address.log, over: address.index, key: { chain.witnessKey(named: $0) })
        for head in cosigned {
            if try !head.cosignatures(by: witnesses).isEmpty { return head }
            newest = head
        }
        if let note = try reader.newestCheckpoint(of: address.log) {
            let head = try SignedCheckpoint(bytes: note)
            if head.checkpoint.size > (newest?.checkpoint.size ?? address.index) { newest = head }
        }
        guard let newest else { throw ProofMakingError.noCheckpoint(address.log) }
        return newest
    }

    /// The comparison with the head that the newest charter accepts, where it states one.
    private func acceptedPath(_ log: LogName, checkpointSize size: UInt64) throws -> [Hash]? {
        guard let accepted = chain.acceptedHead(of: log.log, by: log.node) else { return nil }
        // What is missing here shows when the proof is checked.
        return try reader.consistencyProof(
            of: log.id, oldSize: min(size, accepted.size), newSize: max(size, accepted.size))?.path
    }

    /// The orders by which parts of an entry are gone here.
    private func orders(for entry: ProvenEntry) throws -> [EntryAddress] {
        guard entry.body.parts.contains(where: { $0 == nil }), let header = try? EntryHeader(bytes: entry.header)
        else { return [] }
        return try reader.orders().filter { order in
            guard order.stream == entry.log.stream else { return false }
            switch order.action {
            case .erase(let subject): return subject == header.subject && !header.operation.ordersDrop
            case .redact(_, let target, _): return target == EntryID(MerkleTree.leafHash(of: entry.header))
            }
        }.prefix(EntryProof.maximumOrders).map(\.entry)
    }
}

extension OfflineNode {
    /// Makes the proof file of an entry, beside the running node or while it does not run.
    ///
    /// - Throws: ``ProofMakingError``, ``StoreCore/StoreError``.
    public func prove(_ reference: EntryReference) throws -> ProofFile {
        let address = try self.address(of: reference)
        let proof = try ProofMaking(reader: reader, chain: chain).proof(of: address)
        let verified = try proof.verify(foundingHash: chain.foundingHash)
        let names = try self.names(for: verified.entry)
        let meaning = EntryMeaning(
            of: verified.entry.entry, in: verified.entry.log, charter: chain.newest, names: names)
        let lines =
            ["this text proves nothing by itself: check the file with 'varde verify FILE'"]
            + ["\(meaning.operation), by \(meaning.actor), at node \(meaning.node), \(meaning.nodeTime)"]
            + meaning.lines.map { "\($0.label): \($0.text)" }
        return ProofFile(proof: proof, readable: lines, names: names)
    }

    private func address(of reference: EntryReference) throws -> EntryAddress {
        switch reference {
        case .place(let text, let index):
            let log = try LogReference.find(text, in: try reader.logs())
            guard index < log.head.size else {
                throw ProofMakingError.unknownEntry("\(index) of log \(log.name.id): it has \(log.head.size) entries")
            }
            return EntryAddress(log: log.name.id, index: index)
        case .id(let id):
            guard let address = try reader.address(of: id) else { throw ProofMakingError.unknownEntry("\(id)") }
            return address
        }
    }

    /// What the study's newest definitions call things; nothing where they are not here.
    private func names(for entry: VerifiedEntry) throws -> ProofNames {
        var state = NodeState(chain: chain, network: configuration.network)
        try state.catchUpAuthority(reader)
        guard let operation = WrittenEntry(entry.entry, in: entry.log).action?.operation,
            let definition = try state.definition(of: entry.log.stream.study, core: reader)?.study
        else { return ProofNames() }
        return ProofNames(of: operation, in: definition)
    }

    /// Where the entries of one participant stand, oldest first by the node's clock, so that one can be chosen.
    ///
    /// - Throws: ``OfflineNodeError`` for an unknown study.
    public func entries(ofParticipant label: String, study text: String) throws -> [ListedEntry] {
        var state = NodeState(chain: chain, network: configuration.network)
        try state.catchUp(reader)
        let study = try OfflineNode.study(text, of: state.studyOIDs)
        var participants: Set<EntryID> = []
        for location in state.folds[study]?.locations.values.map({ $0 }) ?? [] {
            for record in location.records.values where record.labels.contains(where: { $0.text == label }) {
                participants.insert(record.id)
            }
        }
        guard !participants.isEmpty else { return [] }
        var found: [ListedEntry] = []
        for log in try reader.logs() where log.name.stream.study == study && log.name.stream.scope != .study {
            try reader.forEachEntry(in: log.name.id) { stored in
                let written = StoredEntries.written(stored, in: log.name)
                let named = written.action?.operation.participant ?? written.id
                if participants.contains(named), let header = written.header {
                    found.append(ListedEntry(written, header: header))
                }
                return true
            }
        }
        return found.sorted { ($0.utcMilliseconds, $0.address) < ($1.utcMilliseconds, $1.address) }
    }
}

/// An entry of a participant, as much of it as is needed to choose one.
public struct ListedEntry: Hashable, Sendable, Encodable {
    /// Where it stands.
    public let address: EntryAddress
    /// `LOG/INDEX`.
    public let place: String
    /// The node's clock.
    public let utcMilliseconds: Int64
    /// The same, ISO 8601.
    public let nodeTime: String
    /// The node.
    public let node: NodeID
    /// The kind of operation.
    public let operation: String
    /// Who acted, in which role.
    public let role: String

    private enum CodingKeys: String, CodingKey {
        case place, nodeTime, node, operation, role
    }

    init(_ entry: WrittenEntry, header: EntryHeader) {
        address = entry.address
        place = "\(entry.address)"
        utcMilliseconds = header.nodeTime.utcMilliseconds
        nodeTime = UTCText.iso8601(milliseconds: header.nodeTime.utcMilliseconds)
        node = entry.writer
        operation = header.operation.description
        role = header.authority.role.description
    }
}
