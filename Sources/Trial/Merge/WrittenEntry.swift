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

    /// The entry as it was read, for what an order leaves of it; nil where it cannot be read or stands in a wrong place.
    private let entry: Entry?

    /// Reads what `entry`, standing in the log `name`, does.
    public init(_ entry: Entry, in name: LogName) {
        self.init(
            entry, at: EntryAddress(log: name.id, index: entry.header.index),
            place: EntryAddress(log: name.log, index: entry.header.index), stream: name.stream, writer: name.node)
    }

    /// Parts whose lengths are not those of the header make the entry void; parts that were dropped have none.
    private init(_ entry: Entry, at address: EntryAddress, place: EntryAddress, stream: StreamID, writer: NodeID) {
        id = entry.id
        self.address = address
        self.place = place
        self.stream = stream
        self.writer = writer
        self.entry = entry
        header = entry.hasStatedLengths ? entry.header : nil
        content = entry.hasStatedLengths ? WrittenEntry.content(of: entry) : .unreadable
    }

    private static func content(of entry: Entry) -> Content {
        guard entry.header.mergeRules <= FormatVersion.mergeRules else { return .notUnderstood }
        do {
            guard let action = try Action(reading: entry) else { return .notUnderstood }
            // The handle stands in the header too, so that an order shows whom it is about.
            if case .erasureOrdered(let order) = action.operation, case .participant(_, let subject) = order.target,
                entry.header.subject != subject
            {
                return .unreadable
            }
            return .action(action)
        } catch .unknownVersion {
            return .notUnderstood
        } catch {
            return .unreadable
        }
    }

    /// Reads a stored leaf that was verified when it came: the one way by which live entries and rebuilds reach the fold.
    ///
    /// A leaf of an unknown version is not understood; one that breaks the format, names another place than the one it
    /// stands in, or states wrong lengths, is void.
    public init(_ raw: RawEntry, id: EntryID, at address: EntryAddress, in name: LogName) {
        do throws(EntryError) {
            let entry = try Entry(trusting: raw, id: id)
            let place = EntryAddress(log: name.log, index: address.index)
            if entry.stands(at: place) {
                self.init(entry, at: address, place: place, stream: name.stream, writer: name.node)
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
        entry = nil
        self.content = content
    }

    /// The entry as it was read; nil where it cannot be read or stands in a wrong place.
    package var asRead: Entry? { entry }

    /// The same leaf with another body: what is left of it where parts were dropped from what is stored.
    package func keeping(_ body: EntryBody) throws -> WrittenEntry {
        guard let entry else { return self }
        let raw = RawEntry(header: entry.header.bytes, body: body.bytes)
        return WrittenEntry(
            try Entry(trusting: raw, id: id), at: address, place: place, stream: stream, writer: writer)
    }

    /// The handle that its header carries, where it stands in its place; of what is void for its lengths too.
    public var subject: SubjectHandle? { entry?.header.subject }

    /// What it does by its header, where that can be read.
    public var operation: OperationType? { entry?.header.operation }

    /// What an order to drop these parts leaves of it: the same whether they are still here or not.
    public func dropping(_ parts: PartSet) -> WrittenEntry {
        guard let entry else { return self }
        return WrittenEntry(entry.dropping(parts), at: address, place: place, stream: stream, writer: writer)
    }

    /// Place and kind of its parts that are here.
    var partsHere: [(position: Int, kind: PartKind)] {
        guard let entry else { return [] }
        return entry.body.parts.indices.filter { entry.body.parts[$0] != nil }.map {
            ($0, entry.header.parts[$0].kind)
        }
    }

    /// The part that holds the free text of a change; nil where its value is no free text or is not here.
    func textPart(ofChange position: UInt64) -> Int? {
        guard let content = entry?.bytes(of: .content) else { return nil }
        var reader = WireReader(content)
        var place: UInt64 = 0
        while let field = try? reader.next() {
            guard field == 1 else {
                guard (try? reader.skip()) != nil else { return nil }
                continue
            }
            guard var value = try? reader.message() else { return nil }
            if place == position { return Value.textPart(&value) }
            place += 1
        }
        return nil
    }

    /// What it orders, where it is an order that can be read.
    public var dropOrder: DropOrder? {
        switch action?.operation {
        case .redactionOrdered(let order)?, .erasureOrdered(let order)?: order
        default: nil
        }
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
    /// Whether the entry stands where its header says.
    func stands(at place: EntryAddress) -> Bool { header.index == place.index && header.log == place.log }

    /// Whether the parts that are here have the lengths that the header states.
    var hasStatedLengths: Bool {
        zip(header.parts, body.parts).allSatisfy { commitment, part in
            part.map { UInt64($0.bytes.count) == commitment.byteCount } ?? true
        }
    }

    /// Whether the entry stands where its header says, and its parts have the lengths that it states.
    func isAsStated(at place: EntryAddress) -> Bool { stands(at: place) && hasStatedLengths }
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
