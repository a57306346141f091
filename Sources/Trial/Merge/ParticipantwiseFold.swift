public import EventLog

/// Folds a location's stream a few participants at a time, for whoever cannot or need not hold all records at once.
///
/// It is the live fold, ``LocationFold``, given less: records of different participants do not depend on each other (law M2),
/// except that registrations which share a sender and a command id are judged together.
public struct ParticipantwiseFold {
    private let authority: StudyAuthority
    private let knowledge: [LogID: LogKnowledge]
    private var judgements: [JudgementKey: KeyedJudgement] = [:]

    /// Folds under what the study's own stream and the charter say.
    ///
    /// - Parameter knowledge: what the writers of all logs concerned knew where, from every entry of these logs.
    public init(authority: StudyAuthority, knowledge: [LogID: LogKnowledge]) {
        self.authority = authority
        self.knowledge = knowledge
    }

    /// The fold of some entries of one location's stream.
    ///
    /// - Parameters:
    ///   - location: the location.
    ///   - entries: all entries that name any of the registrations among them, all registrations that share their command
    ///     ids, and whatever else; in any order.
    ///   - drops: what the orders of the whole stream drop.
    public mutating func fold(
        location: LocationID, entries: [WrittenEntry], drops: DropOrders = DropOrders()
    ) -> LocationFold {
        var fold = LocationFold(location: location, drops: drops)
        let source = EntriesAtHand(entries: Dictionary(entries.map { ($0.address, $0) }) { first, _ in first })
        // Registrations last: then each record is computed once, from all that concerns it.
        let registrations = entries.filter { $0.registrationKey != nil }
        for entry in entries where entry.registrationKey == nil {
            // The source holds every entry that the fold can ask for, so nothing is thrown.
            try? fold.insert(entry, source: source, judge: { judge($0) })
        }
        for entry in registrations { try? fold.insert(entry, source: source, judge: { judge($0) }) }
        return fold
    }

    private mutating func judge(_ entry: WrittenEntry) -> Judgement {
        authority.judge(entry, knowledge, remembering: &judgements)
    }
}

/// Entries in memory.
private struct EntriesAtHand: EntrySource {
    let entries: [EntryAddress: WrittenEntry]

    func entries(at addresses: [EntryAddress]) -> [WrittenEntry] {
        addresses.compactMap { entries[$0] }
    }
}

/// Sender and command id of a registration: those that share them are judged together.
public struct RegistrationKey: Hashable, Sendable {
    /// The sender.
    public let actor: ActorID
    /// The command.
    public let command: CommandID
}

/// Whom an entry of a location's stream concerns, read without reading what it says: for indexes over many entries.
public enum EntryConcern: Hashable, Sendable {
    /// It registers a participant.
    case registration(RegistrationKey)
    /// It names the participant of this registration.
    case participant(EntryID)
    /// It concerns no participant, or cannot be read.
    case other
}

extension WrittenEntry {
    /// What identifies the command of a registration; nil for any other entry.
    public var registrationKey: RegistrationKey? {
        guard case .participantRegistered? = action?.operation, let header, let action else { return nil }
        return RegistrationKey(actor: header.authority.actor, command: action.command)
    }
}

extension EntryConcern {
    /// Reads whom a stored leaf concerns. Where the whole entry turns out to break the format, it concerns nobody after
    /// all; the fold, which reads all of it, then treats it so.
    ///
    /// - Returns: the concern, and the header where it can be read and says of the leaf what is so.
    public static func read(
        _ raw: RawEntry, id: EntryID, at address: EntryAddress, stream: StreamID
    ) -> (EntryConcern, EntryHeader?) {
        guard let entry = try? Entry(trusting: raw, id: id), entry.isAsStated(at: address) else { return (.other, nil) }
        guard entry.header.mergeRules <= FormatVersion.mergeRules, let structure = entry.bytes(of: .structure) else {
            return (.other, entry.header)
        }
        return ((try? concern(of: entry, structure)) ?? .other, entry.header)
    }

    private static func concern(of entry: Entry, _ structure: [UInt8]) throws(WireError) -> EntryConcern {
        let header = entry.header
        var reader = WireReader(structure)
        try reader.readFormatVersion(FormatVersion.header)
        switch header.operation {
        case .participantRegistered:
            var command: CommandID?
            while let field = try reader.next() {
                if field == 2 { command = try reader.name() } else { try reader.skip() }
            }
            guard let command else { return .other }
            return .registration(RegistrationKey(actor: header.authority.actor, command: command))
        case .statusRecorded, .formSaved, .responseReceived, .removed, .restored:
            var participant: EntryID?
            while let field = try reader.next() {
                if field == 50 { participant = try reader.identifier() } else { try reader.skip() }
            }
            return participant.map(EntryConcern.participant) ?? .other
        default: return try Action(reading: entry)?.operation.participant.map(EntryConcern.participant) ?? .other
        }
    }
}
