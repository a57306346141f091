import EventLog
import Node
import StoreCore
import Trial
import TrialOracle

/// What must hold of all nodes once everything works and everything was said.
extension Simulation {
    /// The commands that were acknowledged, each with its receipt.
    var acknowledged: [(node: NodeID, receipt: CommandReceipt)] {
        commands.compactMap { sent in
            if case .recorded(let receipt)? = sent.outcome { (sent.node, receipt) } else { nil }
        }
    }

    /// Who holds what, as the coordinating node knows it.
    private var holders: [StreamID: Set<NodeID>] {
        var holders = self[.norcrin].running?.state.holders(for: .norcrin) ?? [:]
        let everybody = Set(honest.map(\.id))
        for stream in holders.keys { holders[stream]?.formIntersection(everybody) }
        return holders
    }

    /// Whether all that may hold a stream hold the same of it.
    var hasConverged: Bool { difference == nil }

    /// Where two nodes differ; nil where none do.
    var difference: String? {
        guard honest.allSatisfy(\.isRunning) else { return "a node is down" }
        let chains = Set(honest.map { $0.running?.state.chain.newestHash })
        if chains.count > 1 { return "the charters differ" }
        for (stream, nodes) in holders.sorted(by: { $0.key < $1.key }) {
            var expected: (NodeID, [LogHead])?
            for id in nodes.sorted() {
                let heads = self[id].heads.filter { $0.name.stream == stream }.sorted { $0.name.id < $1.name.id }
                if let expected, expected.1 != heads {
                    return "\(stream): \(expected.0) holds \(named(expected.1)), \(id) \(named(heads))"
                }
                expected = expected ?? (id, heads)
            }
        }
        return nil
    }

    private func named(_ heads: [LogHead]) -> String {
        heads.map { "\($0.name.node)/\($0.name.epoch)\($0.name.fork.map { " from \($0.index)" } ?? ""): \($0.size)" }
            .description
    }

    func checkInTheEnd() {
        checkStates()
        guard violations.isEmpty else { return }
        checkAcknowledged()
        for node in honest where violations.isEmpty {
            checkStore(node)
            checkFold(node)
        }
    }

    /// Equal digests, conflicts and findings wherever a stream is held.
    private func checkStates() {
        for (stream, nodes) in holders.sorted(by: { $0.key < $1.key }) {
            var expected: (id: NodeID, digest: StreamDigest, snapshot: LocationSnapshot?)?
            for id in nodes.sorted() {
                let node = self[id]
                guard let digest = node.with({ $0.state.digest(of: stream) }) ?? nil else { continue }
                let fold = node.running?.state.folds[stream.study]
                let snapshot = stream.location.flatMap { fold?.locations[$0] }.map { LocationSnapshot($0) }
                guard let first = expected else {
                    expected = (id, digest, snapshot)
                    continue
                }
                if first.digest != digest {
                    violate("\(stream): \(first.id) and \(id) hold the same and differ in digest")
                }
                if first.snapshot != snapshot {
                    violate("\(stream): \(first.id) and \(id) hold the same and differ in conflicts or findings")
                }
            }
        }
    }

    /// What was acknowledged is where it was said to be, at everybody who may hold it.
    private func checkAcknowledged() {
        let holders = holders
        for (id, receipt) in acknowledged where id != hostile {
            let address = EntryAddress(log: receipt.log, index: receipt.index)
            let stream = honest.lazy.compactMap { (try? $0.core?.log(receipt.log))??.name.stream }.first
            if let kept = keptByOthers[receipt.log],
                receipt.index >= kept.size || kept.at.isDisjoint(with: stream.flatMap { holders[$0] } ?? [])
            {
                continue
            }
            guard let stream else {
                violate("log \(receipt.log), in which an acknowledged entry stood, is nowhere")
                return
            }
            // Who lost the stream, by a withdrawal say, sends nothing of it any more; it keeps what it acknowledged.
            let others = (holders[stream] ?? []).contains(id) ? holders[stream] ?? [] : []
            // A node that was set back since is given back only what it may still hold.
            let itself: Set<NodeID> = keptByOthers[receipt.log] == nil ? [id] : []
            for holder in others.union(itself).sorted() {
                guard (try? self[holder].core?.address(of: receipt.entry, at: address)) ?? nil != nil else {
                    violate("\(holder) does not hold entry \(address), which \(id) acknowledged")
                    return
                }
            }
        }
    }

    /// Everything stored holds, as `varde verify` checks it.
    private func checkStore(_ node: SimulatedNode) {
        guard let core = node.core else { return }
        do {
            let report = try LogVerification.run(on: core, writerKey: Simulation.writerKey)
            if let problem = report.problems.first { violate("\(node.id): \(problem)") }
        } catch {
            violate("\(node.id): verification fails with \(error)")
        }
    }

    /// The fold that grew bit by bit is that of a new start, and says what the oracle says of the same entries.
    private func checkFold(_ node: SimulatedNode) {
        guard let study, let core = node.core, let running = node.running, let fold = running.state.folds[study] else {
            return
        }
        let live = StudySnapshot(fold)
        do {
            var anew = NodeState(chain: running.state.chain, network: Cast.network)
            try anew.catchUp(core)
            guard let folded = anew.folds[study] else { return violate("\(node.id) folds nothing after a start") }
            if let difference = live.difference(from: StudySnapshot(folded)) {
                return violate("\(node.id): a new start gives another state: \(difference)")
            }
            for stream in [StreamID.study(study)] + fold.locations.keys.map({ .location($0, in: study) }) {
                let digest = node.with { $0.state.digest(of: stream) } ?? nil
                if digest != anew.digest(of: stream) {
                    return violate("\(node.id): a new start gives another digest of \(stream)")
                }
            }
            let entries = try writtenEntries(core, study)
            checkOracle(entries, live, at: node)
            checkValues(entries, fold, at: node)
        } catch {
            violate("\(node.id): what is stored cannot be folded: \(error)")
        }
    }

    /// Whatever part of the entries a node holds, its state is what the oracle says of that part.
    func inspect(_ node: SimulatedNode) {
        guard let study, let core = node.core, let fold = node.running?.state.folds[study], !node.isDamaged,
            let entries = try? writtenEntries(core, study)
        else { return }
        tally["inspections", default: 0] += 1
        checkOracle(entries, StudySnapshot(fold), at: node)
    }

    private func checkOracle(_ entries: [WrittenEntry], _ live: StudySnapshot, at node: SimulatedNode) {
        guard let study, let directory = node.running?.state.directory else { return }
        let oracle = Oracle(entries, study: study, directory: directory).snapshot
        if let difference = live.difference(from: oracle) {
            violate("\(node.id): the state is not the oracle's: \(difference)")
        }
    }

    private func writtenEntries(_ core: StoreCore, _ study: StudyID) throws -> [WrittenEntry] {
        var entries: [WrittenEntry] = []
        for log in try core.logs() where log.name.stream.study == study {
            try core.forEachEntry(in: log.name.id) { stored in
                entries.append(WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: log.name))
                return true
            }
        }
        return entries
    }

    /// Every accepted value stands, or one who had seen it wrote its item again.
    private func checkValues(_ entries: [WrittenEntry], _ fold: StudyFold, at node: SimulatedNode) {
        for record in fold.locations.keys.sorted().flatMap({ fold.locations[$0]?.records.values.map { $0 } ?? [] }) {
            let saves: [(id: EntryID, said: FormSave)] = entries.compactMap { entry in
                guard record.applied.contains(entry.id) else { return nil }
                switch entry.action?.operation {
                case .formSaved(let save)?: return (entry.id, save)
                case .conflictResolved(let resolution)?: return (entry.id, resolution.save)
                default: return nil
                }
            }
            let registers = record.instances.values.flatMap { $0.registers }
            let standing = Set(registers.flatMap { ($0.value.held + $0.value.setAside).map(\.id) })
            let wholes = Set(record.instances.values.filter(\.isWhole).map(\.shape.oid))
            for save in saves {
                for (place, change) in save.said.changes.enumerated() {
                    let value = ValueID(entry: save.id, position: UInt64(place))
                    if standing.contains(value) { continue }
                    let isReplaced = saves.contains { other in
                        (other.said.changes.contains { $0.item == change.item }
                            || save.said.instances.contains { wholes.contains($0.oid) })
                            && other.said.seen.contains { seen in
                                seen == value || seen.position == value.position && !record.applied.contains(seen.entry)
                            }
                    }
                    if !isReplaced { violate("\(node.id): value \(value) of item \(change.item) is lost") }
                }
            }
        }
    }
}
