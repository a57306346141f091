public import EventLog

/// An entry as the fold takes it: who wrote it where, and what it does as far as that can be read.
public struct WrittenEntry: Hashable, Sendable {
    /// What could be read of the body.
    public enum Content: Hashable, Sendable {
        /// A known operation.
        case action(Action)
        /// An operation, or merge rules, of a newer software; or a structure that was dropped by an order.
        case notUnderstood
        /// A known operation whose structure breaks the format.
        case unreadable
    }

    /// The leaf hash.
    public let id: EntryID
    /// Where it stands at this node: in a forked log other nodes may hold it under another branch.
    public let address: EntryAddress
    /// Where its writer put it, the same at every node. In a forked log several entries have it.
    public let place: EntryAddress
    /// The stream of its log.
    public let stream: StreamID
    /// The node of its log.
    public let writer: NodeID
    /// The header; nil where its version is unknown.
    public let header: EntryHeader?
    /// What it does.
    public private(set) var content: Content

    /// Reads what `entry`, standing in the log `name`, does.
    public init(_ entry: Entry, in name: LogName) {
        id = entry.id
        address = EntryAddress(log: name.id, index: entry.header.index)
        place = EntryAddress(log: name.log, index: entry.header.index)
        stream = name.stream
        writer = name.node
        header = entry.header
        guard entry.header.mergeRules <= FormatVersion.mergeRules else {
            content = .notUnderstood
            return
        }
        do {
            content = try Action(reading: entry).map(Content.action) ?? .notUnderstood
        } catch .unknownVersion {
            content = .notUnderstood
        } catch {
            content = .unreadable
        }
    }

    /// Reads a stored leaf that was verified when it came: the one way by which live entries and rebuilds reach the fold.
    ///
    /// A leaf of an unknown version is not understood; one that breaks the format, names another place than the one it
    /// stands in, or states wrong lengths, is void.
    public init(_ raw: RawEntry, id: EntryID, at address: EntryAddress, in name: LogName) {
        do throws(EntryError) {
            let entry = try Entry(trusting: raw, id: id)
            if entry.isAsStated(at: EntryAddress(log: name.log, index: address.index)) {
                self.init(entry, in: name)
            } else {
                self.init(id: id, at: address, in: name, content: .unreadable)
            }
        } catch {
            if case .unreadable(.unknownVersion) = error {
                self.init(id: id, at: address, in: name, content: .notUnderstood)
            } else {
                self.init(id: id, at: address, in: name, content: .unreadable)
            }
        }
    }

    private init(id: EntryID, at address: EntryAddress, in name: LogName, content: Content) {
        self.id = id
        self.address = address
        place = EntryAddress(log: name.log, index: address.index)
        stream = name.stream
        writer = name.node
        header = nil
        self.content = content
    }

    /// The action, where there is one.
    public var action: Action? {
        if case .action(let action) = content { action } else { nil }
    }

    /// The entry as if it did something else, for what several sendings of a command have in common.
    func doing(_ action: Action) -> WrittenEntry {
        var entry = self
        entry.content = .action(action)
        return entry
    }

    /// Sender and command id: entries that share them count once (DESIGN §2, rule 5).
    var commandKey: CommandKey? {
        guard let header, let action else { return nil }
        return CommandKey(actor: header.authority.actor, command: action.command)
    }
}

extension Entry {
    /// Whether the entry stands where its header says, and its parts have the lengths that it states.
    func isAsStated(at address: EntryAddress) -> Bool {
        header.index == address.index && header.log == address.log
            && zip(header.parts, body.parts).allSatisfy { commitment, part in
                part.map { UInt64($0.bytes.count) == commitment.byteCount } ?? true
            }
    }
}

extension Action {
    /// What two sendings of one command have in common: all but the moment at which a node received it and what that node
    /// added of its own knowledge, which no two nodes need share: which beginnings and values stood there.
    var asSent: Action {
        var action = self
        action.provenance.receivedUTCMilliseconds = nil
        switch action.operation {
        case .participantRegistered(var registration):
            for place in registration.issued where registration.labels.indices.contains(place) {
                registration.labels[place] = registration.labels[place].asSent(isIssued: true)
            }
            action.operation = .participantRegistered(registration)
        case .labelAssigned(var assignment):
            assignment.label = assignment.label.asSent(isIssued: assignment.isIssued)
            action.operation = .labelAssigned(assignment)
        case .delegationNumbered(var delegation):
            delegation.held = []
            action.operation = .delegationNumbered(delegation)
        case .formSaved(var save):
            save.leaveOutWhatTheNodeAdded()
            action.operation = .formSaved(save)
        case .conflictResolved(var resolution):
            resolution.save.leaveOutWhatTheNodeAdded()
            action.operation = .conflictResolved(resolution)
        case .instancesDecided(var decision):
            decision.instances = decision.instances.map(\.asSent)
            decision.seen = []
            action.operation = .instancesDecided(decision)
        case .formConfirmed(var confirmation):
            confirmation.instances = confirmation.instances.map(\.asSent)
            action.operation = .formConfirmed(confirmation)
        case .removed(var removal):
            removal.instances = removal.instances.map(\.asSent)
            action.operation = .removed(removal)
        case .restored(var removal):
            removal.instances = removal.instances.map(\.asSent)
            action.operation = .restored(removal)
        case .responseReceived(var response):
            response.seen = []
            // Its hash stands for it, also where it was dropped; and where its answers stand, and as what, follows from it
            // and from the plan and the definitions that the node knew.
            response.document = nil
            response.instances = []
            response.changes = []
            action.operation = .responseReceived(response)
        default: break
        }
        return action
    }
}

extension FormSave {
    /// Takes out what the receiving node knew of instances and of values.
    fileprivate mutating func leaveOutWhatTheNodeAdded() {
        instances = instances.map(\.asSent)
        for place in changes.indices {
            changes[place].replaces = []
            changes[place].isCorrection = false
        }
    }
}

extension Response {
    /// Whether the answers stand in the same places with the same values as another sending's.
    func isPlaced(as other: Response) -> Bool {
        changes == other.changes && instances.map(\.asSent) == other.instances.map(\.asSent)
    }
}

extension InstanceDeclaration {
    /// The line without what the receiving node knew of the instance.
    fileprivate var asSent: InstanceDeclaration {
        var line = self
        line.beginsHere = false
        line.seenBeginnings = []
        return line
    }
}

/// Who sent a command, and under what id.
struct CommandKey: Hashable {
    let actor: ActorID
    let command: CommandID
}
