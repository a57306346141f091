public import EventLog
import Foundation
import Interchange
package import StoreCore
public import Trial

/// The answer to a command: recorded durably, or refused with a reason.
public enum CommandOutcome: Hashable, Sendable, Codable {
    /// Recorded, now or earlier under the same command id.
    case recorded(CommandReceipt)
    /// Nothing was recorded.
    case refused(Refusal)
}

/// Where a command stands that was recorded.
public struct CommandReceipt: Hashable, Sendable, Codable {
    /// The study.
    public var study: StudyID
    /// The log.
    public var log: LogID
    /// The index in it.
    public var index: UInt64
    /// The entry.
    public var entry: EntryID
    /// True where the command had been recorded before.
    public var isRepeated: Bool
}

/// A command with the digest of the bytes in which it was sent, by which a repetition is told from another command.
public struct SentCommand: Sendable {
    let command: Command
    let digest: Hash
    /// How the sender's identity was established.
    let authentication: Authentication

    /// States a command as it came by one of the node's entrances.
    public init(command: Command, digest: Hash, authentication: Authentication) {
        self.command = command
        self.digest = digest
        self.authentication = authentication
    }
}

/// Carries out commands on the store's thread: decide, append, fold, in one transaction with the others of the group.
///
/// Knows no clock and draws no randomness: the time and a generator are passed in.
package struct CommandExecution {
    let node: NodeID
    let network: NetworkID

    /// For a node of a network.
    package init(node: NodeID, network: NetworkID) {
        self.node = node
        self.network = network
    }

    /// Carries out commands in their order.
    ///
    /// Nothing is appended for a refused one. An error thrown here stops the store, for the fold may then be ahead of it.
    ///
    /// - Parameters:
    ///   - time: the node's clock now.
    ///   - generator: draws subject handles and studies' ids.
    package func perform(
        _ commands: [SentCommand], time: NodeTime, using generator: inout some RandomNumberGenerator,
        _ core: StoreCore, _ state: inout NodeState
    ) throws -> [CommandOutcome] {
        var outcomes: [CommandOutcome] = []
        for sent in commands {
            let random = RandomName(using: &generator)
            do {
                outcomes.append(.recorded(try perform(sent, time: time, random: random, core, &state)))
            } catch let refusal as Refusal {
                outcomes.append(.refused(refusal))
            }
        }
        return outcomes
    }

    /// Carries out commands by the clock of this machine.
    func perform(_ commands: [SentCommand], _ core: StoreCore, _ state: inout NodeState) throws -> [CommandOutcome] {
        var generator = SystemRandomNumberGenerator()
        return try perform(commands, time: NodeClock().now(), using: &generator, core, &state)
    }

    private func perform(
        _ sent: SentCommand, time: NodeTime, random: RandomName, _ core: StoreCore, _ state: inout NodeState
    ) throws -> CommandReceipt {
        let command = sent.command
        // A command already accepted gets its receipt before anything else is judged (DESIGN §5).
        if let earlier = try Self.recorded(command.id, by: command.sender.actor, core) {
            guard earlier.digest == sent.digest else { throw Refusal.commandUsedOtherwise(command.id) }
            return earlier.receipt
        }
        let study: StudyID
        if case .found = command.request {
            study = StudyFounding.studyID(network: network, founder: node, nonce: random)
        } else {
            guard let named = command.study, state.folds[named] != nil else {
                throw Refusal.unknownStudy(command.study)
            }
            study = named
        }
        do {
            return try decide(sent, study: study, time: time, random: random, core, &state)
        } catch StoreError.knowledgeFell(let log) {
            // What this node knows of charter, participation or delegations has been taken back in part: within a log nothing may
            // fall, so the log ends here, and the command is decided again for the next.
            guard let name = try core.log(log)?.name else { throw StoreError.unknownLog(log) }
            let closing = try core.closeInGoodOrder(log, time: time)
            try state.insert(WrittenEntry(closing, in: name), core: core)
            return try decide(sent, study: study, time: time, random: random, core, &state)
        }
    }

    private func decide(
        _ sent: SentCommand, study: StudyID, time: NodeTime, random: RandomName, _ core: StoreCore,
        _ state: inout NodeState
    ) throws -> CommandReceipt {
        let command = sent.command
        if case .publish(let document) = command.request {
            return try publish(document, sent, study: study, time: time, random: random, core, &state)
        }
        let known = try context(study, sent, time: time, random: random, core, &state)
        switch command.request {
        case .redact, .erase:
            let orders = try Decision.orders(command, in: known).map { draft in
                try append(draft, sent, time: time, core, &state)
            }
            return orders[0]
        default:
            return try append(try Decision.decide(command, in: known), sent, time: time, core, &state)
        }
    }

    private func context(
        _ study: StudyID, _ sent: SentCommand, time: NodeTime, random: RandomName, _ core: StoreCore,
        _ state: inout NodeState
    ) throws -> DecisionContext {
        let definition = try state.definition(of: study, core: core)
        let stream = sent.command.request.issuesLabelsAt.map { StreamID.location($0, in: study) }
        return DecisionContext(
            node: node, fold: state.folds[study] ?? StudyFold(study: study, directory: state.directory),
            definition: definition, charterVersion: state.chain.newestNumber,
            entryOfCommand: { id in
                // A failing read here fails again, and is reported, when the entry is appended.
                (try? core.receipt(actor: sent.command.sender.actor, command: id))?.id
            },
            receivedUTCMilliseconds: time.utcMilliseconds, randomName: random, authentication: sent.authentication,
            epoch: stream.flatMap { core.laterEpoch(of: $0) },
            storedEntry: { address in
                // As above; what cannot be read here is said not to be known.
                (try? StoredEntries(core: core).entries(at: [address]))?.first
            })
    }

    private func append(
        _ draft: EntryDraft, _ sent: SentCommand, time: NodeTime, _ core: StoreCore, _ state: inout NodeState
    ) throws -> CommandReceipt {
        let isWholeCommand = draft.command == sent.command.id
        let appended: Appended
        do {
            appended = try core.append(draft, requestDigest: isWholeCommand ? sent.digest : nil, time: time)
        } catch StoreError.subjectErased {
            // The order came ahead of its log, and the fold does not know of it yet.
            throw Refusal.unknownParticipant
        }
        guard let name = try core.log(appended.receipt.address.log)?.name else {
            throw StoreError.unknownLog(appended.receipt.address.log)
        }
        for entry in appended.written { try state.insert(WrittenEntry(entry, in: name), core: core) }
        try state.carryOutOrders(core)
        return try Self.receipt(appended.receipt, isRepeated: appended.isRepeated, core)
    }

    private func publish(
        _ document: String, _ sent: SentCommand, study: StudyID, time: NodeTime, random: RandomName,
        _ core: StoreCore, _ state: inout NodeState
    ) throws -> CommandReceipt {
        guard let data = Data(base64Encoded: document) else { throw Refusal.badDocument("it is not Base64") }
        let bytes = [UInt8](data)
        let (read, report) = ODMMetadataReader.read(bytes: bytes, fileName: "definitions")
        guard let definition = read else {
            throw Refusal.badDocument(report.text(atLeast: .error))
        }
        let before = try context(study, sent, time: time, random: random, core, &state)
        // Before its pieces are written, which nothing would name.
        try Decision.requireSameWholes(definition, in: before)
        let chunks = try Decision.chunks(of: bytes, sent.command, in: before).map { draft in
            try append(draft, sent, time: time, core, &state).entry
        }
        let after = try context(study, sent, time: time, random: random, core, &state)
        let draft = try Decision.publication(
            of: bytes, definition: definition, chunks: chunks, sent.command, in: after)
        return try append(draft, sent, time: time, core, &state)
    }

    /// Where a command was recorded before, with the digest of what was sent then; nil where none with its id was.
    static func recorded(
        _ command: CommandID, by actor: ActorID, _ core: StoreCore
    ) throws -> (receipt: CommandReceipt, digest: Hash)? {
        try core.receipt(actor: actor, command: command).map { earlier in
            (try receipt(earlier, isRepeated: true, core), earlier.contentDigest)
        }
    }

    private static func receipt(_ receipt: Receipt, isRepeated: Bool, _ core: StoreCore) throws -> CommandReceipt {
        guard let name = try core.log(receipt.address.log)?.name else {
            throw StoreError.unknownLog(receipt.address.log)
        }
        return CommandReceipt(
            study: name.stream.study, log: name.id, index: receipt.address.index, entry: receipt.id,
            isRepeated: isRepeated)
    }
}
