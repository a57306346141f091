public import EventLog

/// What a decision may look at. It may be a moment old: merging is safe against that (DESIGN §7).
public struct DecisionContext {
    /// The node that decides.
    public let node: NodeID
    /// What is known of the study.
    public let fold: StudyFold
    /// The newest definitions, with the hash of their document.
    public let definition: (content: Hash, study: StudyDefinition)?
    /// The version of the charter that the node knows.
    public let charterVersion: UInt64
    /// The entry that an earlier command of the same sender became.
    public let entryOfCommand: (CommandID) -> EntryID?
    /// When the command was received, milliseconds since 1970-01-01T00:00:00Z.
    public let receivedUTCMilliseconds: Int64
    /// 16 random bytes, for a subject handle or a founding.
    public let randomName: RandomName
    /// How the sender's identity was established.
    public let authentication: Authentication
    /// The epoch of the node's own log of the stream concerned, where it is not the node's first of the stream: a part of the
    /// labels that are issued, so that a node restored from a backup issues none again.
    public let epoch: Epoch?
    /// The entry at an address, as it is stored.
    public let storedEntry: (EntryAddress) -> WrittenEntry?

    /// States what may be looked at.
    public init(
        node: NodeID, fold: StudyFold, definition: (content: Hash, study: StudyDefinition)?, charterVersion: UInt64,
        entryOfCommand: @escaping (CommandID) -> EntryID?, receivedUTCMilliseconds: Int64, randomName: RandomName,
        authentication: Authentication = .localAccount,
        epoch: Epoch? = nil, storedEntry: @escaping (EntryAddress) -> WrittenEntry? = { _ in nil }
    ) {
        self.storedEntry = storedEntry
        self.node = node
        self.fold = fold
        self.definition = definition
        self.charterVersion = charterVersion
        self.entryOfCommand = entryOfCommand
        self.receivedUTCMilliseconds = receivedUTCMilliseconds
        self.randomName = randomName
        self.authentication = authentication
        self.epoch = epoch
    }

    var authority: StudyAuthority { fold.authority }
}

/// Turns commands into entries, or says why not: the only place where what may be written is decided.
///
/// Pure: the same command in the same context gives the same draft.
public enum Decision {
    /// The entry that `command` becomes. Publishing needs several entries and is put together by ``publication(of:chunks:command:in:)``.
    ///
    /// - Throws: ``Refusal``.
    public static func decide(_ command: Command, in context: DecisionContext) throws(Refusal) -> EntryDraft {
        try requireUsableTexts(command.request)
        return switch command.request {
        case .found, .publish, .participate, .accept, .withdraw, .plan:
            try decideForStudy(command, in: context)
        case .delegate(let site, let actor, let name, let role, let from, let to):
            try delegation(
                Delegation(
                    site: site, number: context.authority.delegationNumber(of: site) + 1,
                    previous: context.authority.delegations[site]?.last?.id, actor: actor, name: name, role: role.role,
                    from: from, to: to), command, in: context)
        case .endDelegation(let site, let actor, let role, let from):
            try endOfDelegation(site, actor, role, from, command, in: context)
        case .register(let location, let labels):
            try forParticipant(
                .participantRegistered(registration(labels, at: location, in: context)), at: location,
                subject: SubjectHandle(context.randomName), command, in: context)
        case .status(let location, let participant, let status, let date, let replaces):
            try decideStatus(status, date, replaces, of: participant, at: location, command, in: context)
        case .save(let entry):
            try decideSave(entry, command, in: context)
        case .remove(let target):
            try decideRemoval(target, restores: false, command, in: context)
        case .restore(let target):
            try decideRemoval(target, restores: true, command, in: context)
        case .decideInstances(let entry): try decideInstances(entry, command, in: context)
        case .resolve(let entry): try decideResolution(entry, command, in: context)
        case .confirm(let entry): try decideConfirmation(entry, command, in: context)
        case .respond(let entry):
            try decideResponse(entry, command, in: context)
        case .assignLabel(let entry):
            try decideLabel(entry, command, in: context)
        case .link(let target):
            try decideLink(target, undoes: false, command, in: context)
        case .unlink(let target):
            try decideLink(target, undoes: true, command, in: context)
        // Several entries where the command it is about was sent to several nodes; this is the first.
        case .redact, .erase: try orders(command, in: context)[0]
        }
    }

    /// Puts a draft together, checking its size.
    static func draft(
        _ operation: Operation, stream: StreamID, delegation: (grant: EntryID, number: UInt64)? = nil,
        subject: SubjectHandle? = nil, command: CommandID? = nil, definition: Hash? = nil, for sent: Command,
        in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        // A token says who was given it, which is not enough where patients are treated by what is entered (issue 3).
        if context.authentication == .localToken {
            guard let founding = context.authority.founding, founding.payload.mode != .live else {
                throw .tokenInLiveStudy
            }
        }
        var provenance = sent.provenance
        provenance.receivedUTCMilliseconds = context.receivedUTCMilliseconds
        let id = command ?? sent.id
        let parts = Action(command: id, provenance: provenance, operation: operation).parts()
        let byteCount = parts.reduce(FormatLimit.headerBytes) { $0 + $1.bytes.count + 64 }
        guard byteCount <= FormatLimit.entryBytes else { throw .tooLarge(byteCount: byteCount) }
        return EntryDraft(
            stream: stream, operation: operation.type,
            authority: Authority(
                actor: sent.sender.actor, kind: sent.sender.kind, role: sent.sender.role.role,
                authentication: context.authentication, delegation: delegation?.grant),
            known: KnownVersions(
                charter: context.charterVersion, participation: UInt64(context.authority.participations.count),
                delegation: delegation?.number ?? 0),
            definition: definition, subject: subject, command: id, parts: parts)
    }

    /// Refuses what the sender's role may not do.
    static func require(_ act: Act, of sender: Sender) throws(Refusal) {
        guard RoleTable.allows(sender.role.role, act) else { throw .roleMayNot(sender.role) }
    }

    /// A draft about a participant in `location`'s stream, by someone delegated at its study site.
    static func forParticipant(
        _ operation: Operation, at location: LocationID, subject: SubjectHandle?, definition: Hash? = nil,
        _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        guard let act = RoleTable.act(of: operation.type) else { throw .roleMayNot(command.sender.role) }
        try require(act, of: command.sender)
        let stream = StreamID.location(location, in: context.fold.study)
        let authority = context.authority
        guard let participation = authority.participation, authority.isOpen(location),
            authority.sharersToday(of: location).contains(context.node), let site = participation.site(of: location)
        else { throw .locationNotOpen(location) }
        let sender = command.sender
        guard let grant = authority.delegation(of: sender.actor, as: sender.role.role, at: site.id) else {
            throw .notDelegated(site.id, sender.role)
        }
        return try draft(
            operation, stream: stream, delegation: (grant, authority.delegationNumber(of: site.id)), subject: subject,
            definition: definition, for: command, in: context)
    }

    /// The participant that a command means.
    static func participant(
        _ reference: ParticipantReference, at location: LocationID, in context: DecisionContext
    ) throws(Refusal) -> ParticipantState {
        let id: EntryID? =
            switch reference {
            case .registration(let entry): entry
            case .registeredBy(let command): context.entryOfCommand(command)
            }
        guard let id, let participant = context.fold.locations[location]?.participant(id) else {
            throw .unknownParticipant
        }
        return participant
    }

    private static func decideStatus(
        _ status: ParticipantStatus, _ date: String, _ replaces: [EntryID], of reference: ParticipantReference,
        at location: LocationID, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        let participant = try participant(reference, at: location, in: context)
        // By this date it is judged which data count.
        guard status != .withdrawn || DaySpan(date) != nil else { throw .badDate(date) }
        let record = StatusRecord(participant: participant.id, status: status, eventDate: date, replaces: replaces)
        return try forParticipant(
            .statusRecorded(record), at: location, subject: participant.subject, command, in: context)
    }
}
