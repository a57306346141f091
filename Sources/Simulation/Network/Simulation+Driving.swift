import EventLog
import MemoryDisk
import Node
import Replication
import StoreCore
import Trial

/// What a node's driver does with its machine, its start rule and its store (`ReplicationDriver` in hospitals): here at
/// once or after drawn times, there by actors and threads.
extension Simulation {
    // MARK: The machine

    /// Gives a node's machine an input and carries out what follows.
    func input(_ id: NodeID, _ body: (inout ReplicationMachine, UInt64) -> [ReplicationEffect]) {
        guard let effects = self[id].with({ body(&$0.machine, now) }) else { return }
        perform(effects, at: id)
    }

    func receive(_ bytes: [UInt8], from: NodeID, to: NodeID) {
        if to == hostile, random.chance(15) {
            count(.hostileSilent)
            return
        }
        input(to) { $0.receive(bytes, from: from, now: $1) }
        check(to)
    }

    private func perform(_ effects: [ReplicationEffect], at id: NodeID) {
        let node = self[id]
        for effect in effects {
            guard node.isRunning else { return }
            _ = node.with { $0.startRule.observe(effect, now: now) }
            switch effect {
            case .send(let bytes, let peer): send(bytes, from: node, to: peer)
            // Links here are as slow as the seed has drawn them.
            case .holdBack: break
            case .readRange(let token, let log, let from, let maximumBytes):
                push(
                    .read(token, log, from: from, maximumBytes: maximumBytes, id, run: node.run),
                    after: UInt64(random.number(0...3) + node.slownessMilliseconds))
            case .ingest(let token, let range, let name, let peer):
                enqueue(.ingest(token, range, name, peer), at: node)
            // Nobody orders anything to be dropped here, so what says so is a hostile node's.
            case .takeOrders(let token, _, _): input(id) { $0.ordersTaken(token, now: $1) }
            case .storeCharter(let chain): enqueue(.charter(chain), at: node)
            case .peerAnswered, .ownEntriesTakenBack: decideStart(id)
            case .ownLogAhead: tally["own log ahead", default: 0] += 1
            case .ownLogForked:
                tally["own log forked", default: 0] += 1
                decideStart(id)
            case .storeForkProof(let proof, let name, let peer): enqueue(.forkProof(proof, name, peer), at: node)
            // Nobody witnesses here: see Protocols/simulation.md.
            case .cosign, .prove, .keepCosignatures, .retireWitnessKey: violate("\(id) witnesses")
            case .report(let incident):
                tally["incident", default: 0] += 1
                enqueue(
                    .incident(
                        Incident(
                            utcMilliseconds: node.clock.time(now).utcMilliseconds, kind: "replication",
                            peer: incident.peer, text: incident.description)), at: node)
            }
        }
    }

    private func send(_ bytes: [UInt8], from node: SimulatedNode, to peer: NodeID) {
        if node.id == hostile {
            for altered in tamper(bytes, by: node, to: peer) { transmit(altered, from: node.id, to: peer) }
            return
        }
        checkSent(bytes, from: node, to: peer)
        if random.chance(network.sendFailurePercent) {
            count(.sendFailed)
            input(node.id) { $0.sendFailed(to: peer, now: $1) }
            return
        }
        transmit(bytes, from: node.id, to: peer)
    }

    /// Asks the fold who may hold what, if authority may have changed since it was asked last.
    func refreshAuthority(_ id: NodeID, revision: UInt64) {
        let node = self[id]
        guard let running = node.running, revision > running.authorityRevision,
            running.state.authorityRevision > running.authorityRevision
        else { return }
        let chain = running.state.chain
        let policy = NodeHoldingPolicy(node: id, holders: running.state.holders(for: id))
        _ = node.with {
            $0.authorityRevision = $0.state.authorityRevision
            $0.policy = policy
        }
        if chain != running.machine.charter { input(id) { $0.charterChanged(chain, now: $1) } }
        refreshLinks()
        input(id) { $0.authorityChanged(policy, now: $1) }
    }

    // MARK: The start

    func decideStart(_ id: NodeID) {
        let node = self[id]
        guard node.running?.isConfirming == false, let decision = node.with({ $0.startRule.decide(now: now) }) else {
            return
        }
        switch decision {
        case .waiting: break
        case .mayAppend(.none):
            guard node.running?.mayAppend == false else { return }
            confirm(node.core?.startVerdict == .agrees ? .guardAgrees : .peersHeard, closing: [], at: node)
        case .mayAppend(.logs(let logs)): confirm(.peersHeard, closing: logs.sorted(), at: node)
        case .mayAppend(.all): confirm(.newEpochs, closing: [], at: node)
        }
    }

    private func confirm(_ ground: StartGround, closing: [LogID], at node: SimulatedNode) {
        _ = node.with { $0.isConfirming = true }
        if ground == .newEpochs { tally["new epochs", default: 0] += 1 }
        if !closing.isEmpty { tally["own log closed", default: 0] += closing.count }
        enqueue(.confirm(ground, closing: closing), at: node)
    }

    // MARK: The store

    func enqueue(_ job: StoreJob, at node: SimulatedNode) {
        guard node.isRunning else { return }
        node.jobs.append(job)
        guard !node.isStoreScheduled else { return }
        node.isStoreScheduled = true
        push(.store(node.id, run: node.run), after: UInt64(random.number(0...3) + node.slownessMilliseconds))
    }

    private enum Outcome {
        case ingested(IngestAnswer)
        case answered(CommandOutcome)
        case done
    }

    /// Does what waits, as one group in one transaction, and answers when that is durable.
    func runStore(_ id: NodeID) {
        let node = self[id]
        node.isStoreScheduled = false
        guard let core = node.core else { return }
        let jobs = Array(node.jobs.prefix(16))
        node.jobs.removeFirst(jobs.count)
        let time = node.clock.time(now)
        var outcomes: [Result<Outcome, any Error>] = []
        do {
            try core.transaction {
                for job in jobs {
                    outcomes.append(Result { try core.savepoint { try carryOut(job, time: time, at: node, core) } })
                }
            }
        } catch {
            stopped(node, jobs, by: error)
            return
        }
        let own = core.lastCommit.filter(\.isOwn)
        for (job, outcome) in zip(jobs, outcomes) {
            guard node.isRunning, node.core === core else { return }
            answer(job, outcome, at: node)
        }
        if !own.isEmpty { committed(own, at: id) }
        if !node.jobs.isEmpty, node.isRunning, !node.isStoreScheduled {
            node.isStoreScheduled = true
            push(.store(id, run: node.run), after: UInt64(random.number(0...3)))
        }
    }

    private func carryOut(_ job: StoreJob, time: NodeTime, at node: SimulatedNode, _ core: StoreCore) throws -> Outcome
    {
        switch job {
        case .ingest(_, let range, let name, let peer):
            let result = try node.with { running in
                try RangeIngest.ingest(range, name: name, from: peer, time: time, core, &running.state)
            }
            return .ingested(result ?? IngestAnswer(result: .failure(.failed("the node has ended"))))
        case .command(let place):
            let execution = CommandExecution(node: node.id, network: Cast.network)
            let sent = commands[place].sent
            var generator = node.generator
            let outcomes = try node.with { running in
                try execution.perform([sent], time: time, using: &generator, core, &running.state)
            }
            node.generator = generator
            guard let outcome = outcomes?.first else { return .done }
            return .answered(outcome)
        case .confirm(let ground, let logs):
            for log in logs {
                if try core.log(log)?.isOwn == true { try core.closeOwnLog(log, reason: .takenBack) }
            }
            try core.confirmStart(ground)
        case .charter(let chain):
            _ = try node.with { try $0.state.take(chain.versions, core: core, time: time) }
        case .forkProof(let proof, let name, let peer):
            if try core.takeForkProof(proof, of: name, from: peer, time: time) {
                _ = node.with { $0.state.insertFork(of: name) }
            }
        case .incident(let incident): try core.storeIncident(incident)
        }
        return .done
    }

    private func answer(_ job: StoreJob, _ outcome: Result<Outcome, any Error>, at node: SimulatedNode) {
        switch (job, outcome) {
        case (.ingest(let token, let range, _, _), .success(.ingested(let answer))):
            let result = answer.result
            if case .failure(let failure) = result { ingestFailed(failure, range, at: node) }
            if let fork = answer.fork { forked(fork, at: node) }
            countWaiting(at: node)
            input(node.id) { $0.ingestFinished(token, result, now: $1) }
            refreshAuthority(node.id, revision: node.running?.state.authorityRevision ?? 0)
        case (.ingest(let token, _, _, _), .failure(let error)):
            unexpected(error, at: node)
            input(node.id) { $0.ingestFinished(token, .failure(.failed("\(error)")), now: $1) }
        case (.command(let place), .success(.answered(let outcome))):
            commands[place].outcome = outcome
            tally(outcome)
            refreshAuthority(node.id, revision: node.running?.state.authorityRevision ?? 0)
        case (.command(let place), .failure(let error)):
            // The fold may be ahead of the store: the node stops, and the client is to send again.
            commands[place].isLost = true
            unexpected(error, at: node)
            stopAndRestart(node, after: 200)
        case (.confirm(let ground, let logs), .success):
            _ = node.with { running in
                for log in logs { running.startRule.epochOpened(for: log) }
                if ground == .newEpochs { running.startRule.allEpochsOpened() }
                running.mayAppend = true
                running.isConfirming = false
            }
            for place in node.waitingCommands { enqueue(.command(place), at: node) }
            node.waitingCommands = []
        case (.confirm, .failure(let error)):
            unexpected(error, at: node)
            _ = node.with { $0.isConfirming = false }
        case (.charter(let chain), .success):
            let since = charterSince[chain.count] ?? now
            charterSince[chain.count] = since
            if now > since + 2_000 { count(.charterLate) }
            refreshAuthority(node.id, revision: .max)
        case (.forkProof(let proof, let name, _), .success):
            count(.logForked)
            input(node.id) { $0.forkProven(proof, of: name, now: $1) }
        case (.charter, .failure(let error)), (.incident, .failure(let error)), (.forkProof, .failure(let error)):
            unexpected(error, at: node)
        default: break
        }
    }

    private func forked(_ fork: KnownFork, at node: SimulatedNode) {
        count(.logForked)
        if fork.pieces.count > 1 { input(node.id) { $0.logForked(fork.name.log, into: fork.pieces, now: $1) } }
        if let proof = fork.proof { input(node.id) { $0.forkProven(proof, of: fork.name, now: $1) } }
    }

    /// Counts entries that came before the authority that they rest on.
    private func countWaiting(at node: SimulatedNode) {
        guard let locations = study.flatMap({ node.running?.state.folds[$0] })?.locations.values else { return }
        let count = locations.reduce(0) { sum, fold in
            let waiting = Array(fold.waiting.values) + fold.records.values.flatMap(\.waiting.values)
            return sum + waiting.count { $0.isAuthority }
        }
        if count > node.waitingForAuthority { self.count(.authorityLate) }
        node.waitingForAuthority = count
    }

    /// Own entries are durable: the machine is told, and before it who may hold what.
    private func committed(_ logs: [CommittedLog], at id: NodeID) {
        if logs.contains(where: { $0.head.name.stream.scope == .study }) { refreshAuthority(id, revision: .max) }
        input(id) { $0.storeCommitted(logs.map(\.head), now: $1) }
    }

    private func ingestFailed(_ failure: IngestFailure, _ range: EntryRange, at node: SimulatedNode) {
        switch failure {
        case .contradicts(let reason):
            tally["contradiction", default: 0] += 1
            // Only a machine that was set back writes a log twice, and what was altered looks as if somebody had.
            if !isDamaged, hostile == nil, counts[.machineReverted] == nil {
                violate("\(node.id): entries of log \(range.log) contradict those held: \(reason)")
            }
        case .refused: tally["range refused", default: 0] += 1
        case .isNoBranch: tally["no branch", default: 0] += 1
        case .outOfPlace: tally["range out of place", default: 0] += 1
        case .failed: tally["range not stored", default: 0] += 1
        }
    }

    /// Whether any disk may hold what nobody wrote.
    var isDamaged: Bool { nodes.values.contains(where: \.isDamaged) }

    private func unexpected(_ error: any Error, at node: SimulatedNode) {
        if node.isDamaged { return }
        switch error {
        case StoreError.logSuspended, StoreError.startNotConfirmed: tally["command not taken", default: 0] += 1
        default: violate("\(node.id): \(error)")
        }
    }

    private func tally(_ outcome: CommandOutcome) {
        switch outcome {
        case .recorded(let receipt): tally[receipt.isRepeated ? "recorded before" : "recorded", default: 0] += 1
        case .refused: tally["refused", default: 0] += 1
        }
    }
}

extension Awaited {
    /// Whether it is a version of the charter, or something in the study's own stream.
    var isAuthority: Bool {
        switch self {
        case .participant: false
        default: true
        }
    }
}
