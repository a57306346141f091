import EventLog
import MemoryDisk
import Node
import StoreCore
import Trial

/// What the steps of a scenario do.
extension Simulation {
    /// Puts all steps on the way.
    func scheduleSteps() {
        for (place, step) in scenario.steps.enumerated() { push(.step(place), after: step.time) }
    }

    func perform(_ step: Scenario.Step) {
        guard !isHealed else { return }
        stepGenerator = SimulationGenerator(seed: step.generatorSeed, purpose: 2)
        note(now, UInt64(step.number))
        let node = self[step.node]
        switch step.action {
        case .command: sendDrawnCommand(to: step.node)
        case .authorityCommand: sendDrawnAuthorityCommand(to: step.node)
        case .repeatCommand(let otherwise): repeatCommand(to: step.node, otherwise: otherwise)
        case .cut(let other, let cut, let milliseconds): self.cut(step.node, other, cut, milliseconds: milliseconds)
        case .isolate(let cut, let milliseconds):
            for other in Cast.everybody { self.cut(step.node, other, cut, milliseconds: milliseconds) }
        case .slow(let milliseconds):
            guard node.isRunning else { return }
            count(.slowNode)
            node.slownessMilliseconds = 400
            push(.wake(step.node), after: milliseconds)
        case .crash(let isPower, let operations, let down):
            guard node.isRunning else { return }
            crash(node, isPower: isPower, operations: operations, downMilliseconds: down)
        case .diskFails(let failure, let operations, let down):
            guard node.isRunning else { return }
            let kind: MemoryDisk.Failure =
                switch failure {
                case .full: .full
                case .sync: .failedSync
                case .write: .failedWrite
                }
            node.isDownUntil = now + down
            node.disk.fail(after: operations, kind)
        case .flipBit: flipBit(node)
        case .replaceDisk(let down): forget(node, to: nil, .backup, downMilliseconds: down)
        case .backUp:
            if node.isRunning { node.backup = (node.disk.image, node.boot) }
        case .restore(let how, let down):
            guard let backup = node.backup else { return }
            forget(node, to: backup, how, downMilliseconds: down)
        case .jumpClock(let milliseconds):
            count(.clockJumped)
            node.clock.offsetMilliseconds += milliseconds
        case .freezeClock(let milliseconds):
            count(.clockFrozen)
            node.clock.frozenAt = now
            push(.unfreeze(step.node), after: milliseconds)
        case .inspect: inspect(node)
        case .admit: admit(at: node)
        }
    }

    // MARK: Links

    private func cut(_ one: NodeID, _ other: NodeID, _ cut: Scenario.Cut, milliseconds: UInt64) {
        guard one != other else { return }
        switch cut {
        case .noticed:
            count(.linkDown)
            block(one, other, .down, milliseconds: milliseconds)
        case .silent:
            count(.partition)
            block(one, other, .silent, milliseconds: milliseconds)
            block(other, one, .silent, milliseconds: milliseconds)
        case .oneWay:
            count(.oneWayPartition)
            block(one, other, .silent, milliseconds: milliseconds)
        case .flapping:
            count(.flappingLink)
            push(.flap(one, other, left: 6), after: 1)
        case .clogged:
            count(.clogged)
            block(one, other, .clogged, milliseconds: milliseconds)
        }
    }

    // MARK: Processes and machines

    private func crash(_ node: SimulatedNode, isPower: Bool, operations: Int?, downMilliseconds: UInt64) {
        node.isDownUntil = now + downMilliseconds
        if let operations {
            // The next commits go on until the disk has done so much; `stopped` then ends the process.
            node.disk.stop(after: operations)
            node.powerLossComes = isPower
        } else {
            count(isPower ? .powerLost : .processEnded)
            end(node, loss: isPower ? .power : .process, after: downMilliseconds)
        }
    }

    /// Ends a node's process and lets it start again.
    func end(_ node: SimulatedNode, loss: MemoryDisk.Loss?, after milliseconds: UInt64) {
        lose(node.jobs, at: node)
        node.end()
        refreshLinks()
        push(.restart(node.id, loss: loss), after: milliseconds)
    }

    /// The node ends itself, as after an error that it cannot account for.
    func stopAndRestart(_ node: SimulatedNode, after milliseconds: UInt64) {
        end(node, loss: .process, after: milliseconds)
    }

    /// A transaction failed: nothing in it was answered, and the node ends.
    func stopped(_ node: SimulatedNode, _ jobs: [StoreJob], by error: any Error) {
        lose(jobs, at: node)
        let down = max(node.isDownUntil, now + 50) - now
        if node.disk.isStopped {
            count(node.powerLossComes ? .powerLostInCommit : .processEndedInCommit)
            end(node, loss: node.powerLossComes ? .power : .process, after: down)
            return
        }
        guard case StoreError.stopped(let failure) = error, node.disk.failures > node.countedFailures else {
            if !node.isDamaged { violate("\(node.id): a transaction failed with \(error)") }
            end(node, loss: .process, after: down)
            return
        }
        node.countedFailures = node.disk.failures
        switch node.disk.failure {
        case .full: count(.diskFull)
        case .failedSync: count(.syncFailed)
        case .failedWrite: count(.writeFailed)
        case nil: break
        }
        if failure.description.isEmpty { violate("\(node.id): a failure of the disk says nothing") }
        // After a failed sync nobody knows what the disk holds, so the machine is started anew.
        end(node, loss: .power, after: down)
    }

    private func lose(_ jobs: [StoreJob], at node: SimulatedNode) {
        for case .command(let place) in jobs { commands[place].isLost = true }
        for place in node.waitingCommands { commands[place].isLost = true }
        node.waitingCommands = []
    }

    func restart(_ id: NodeID, _ loss: MemoryDisk.Loss?) {
        let node = self[id]
        guard !node.isRunning else { return }
        if now < node.isDownUntil, !isHealed {
            push(.restart(id, loss: loss), after: node.isDownUntil - now)
            return
        }
        node.disk.repair()
        if let loss {
            if loss == .power { node.rebooted() }
            node.disk.restart(loss, using: &node.generator)
        }
        start(node)
    }

    /// Starts a node; one whose files cannot be opened gets an empty disk, as people would give it.
    func start(_ node: SimulatedNode) {
        let before = node.heads
        do {
            try node.start(now: now)
            // A bit that turns over in the write-ahead log ends it there: SQLite takes what follows for never written.
            if node.isDamaged {
                let sizes = Dictionary(uniqueKeysWithValues: node.heads.map { ($0.name.id, $0.size) })
                noteLoss(of: before.filter { sizes[$0.name.id] ?? 0 < $0.size }, at: node)
            }
        } catch {
            node.lastHeads = node.heads
            guard node.isDamaged else {
                violate("\(node.id) cannot start: \(error)")
                return
            }
            tally["damage found at start", default: 0] += 1
            forget(node, to: nil, .backup, downMilliseconds: 100)
            return
        }
        push(.tick(node.id, run: node.run), after: UInt64(random.number(1...50)))
        refreshAuthority(node.id, revision: .max)
        refreshLinks()
    }

    // MARK: Forgetting

    /// Puts other files in the place of a node's.
    func forget(
        _ node: SimulatedNode, to backup: (image: MemoryDisk.Image, boot: Int)?, _ how: Scenario.Restoring,
        downMilliseconds: UInt64
    ) {
        let before = node.heads
        lose(node.jobs, at: node)
        node.end()
        refreshLinks()
        if let backup {
            node.disk.restore(backup.image, isSameDirectory: how == .reverted)
            switch how {
            case .backup: count(.backupRestored)
            case .clone: count(.nodeCloned)
            case .reverted: count(.machineReverted)
            }
            if how == .reverted { node.boot = backup.boot } else { node.rebooted(onOtherMachine: how == .clone) }
        } else {
            count(.diskReplaced)
            node.disk.erase()
            node.rebooted()
        }
        node.isDamaged = false
        node.lastHeads = []
        noteLoss(of: before, at: node)
        push(.restart(node.id, loss: nil), after: downMilliseconds)
    }

    /// A node has lost entries up to these heads: what nobody else holds is gone, and no promise can bring it back.
    private func noteLoss(of heads: [LogHead], at node: SimulatedNode) {
        for head in heads {
            var kept: (size: UInt64, at: Set<NodeID>) = (0, [])
            for other in honest where other.id != node.id {
                guard let held = other.heads.first(where: { $0.name.id == head.name.id }) else { continue }
                if held.size > kept.size { kept = (held.size, []) }
                if held.size == kept.size { kept.at.insert(other.id) }
            }
            guard kept.size < head.size || head.name.node == node.id else { continue }
            if kept.size < keptByOthers[head.name.log]?.size ?? .max { keptByOthers[head.name.log] = kept }
        }
    }

    private func flipBit(_ node: SimulatedNode) {
        guard node.isSetUp else { return }
        let file = stepGenerator.chance(70) ? SimulatedNode.eventsFile : SimulatedNode.eventsFile + "-wal"
        if node.disk.flipBit(in: file, using: &stepGenerator) {
            count(.bitFlipped)
            node.isDamaged = true
        }
    }

    // MARK: The charter

    private func admit(at node: SimulatedNode) {
        let fonna = self[.fonna]
        guard !fonna.isSetUp, let chain = node.running?.state.chain, chain.count == 1 else { return }
        count(.nodeAdmitted)
        enqueue(.charter(Cast.chain(chain.versions + [Cast.admission])), at: node)
        for other in [NodeID.norcrin, .haukeland] where other != hostile { connect(.fonna, other) }
        start(fonna)
    }
}
