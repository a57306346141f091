package import EventLog
package import Trial

/// The state of a study by the words of DESIGN §5 and Protocols/merge.md, worked out the slow and obvious way: every
/// question is asked of the whole set of entries each time. Shares no code with the fold but the reading of entries and
/// the hash that makes an instance's id.
package struct Oracle {
    /// What an entry comes to.
    enum Verdict: Equatable {
        case counts(FindingRule?)
        case void(VoidRule)
        case waits(Awaited)
    }

    let study: StudyID
    let directory: NetworkDirectory
    /// Every entry once, lowest id first.
    let entries: [WrittenEntry]
    let rules: AuthorityOracle

    /// Takes a set of entries, in any order and repeated at will.
    package init(_ entries: [WrittenEntry], study: StudyID, directory: NetworkDirectory) {
        self.study = study
        self.directory = directory
        var byID: [EntryID: WrittenEntry] = [:]
        for entry in entries { byID[entry.id] = entry }
        let distinct = byID.values.sorted { $0.id < $1.id }
        self.entries = distinct
        rules = AuthorityOracle(
            distinct.filter { $0.stream == .study(study) }, study: study, directory: directory)
    }

    /// All that can be found out.
    package var snapshot: StudySnapshot {
        var snapshot = rules.snapshot
        let locations = Set(entries.compactMap(\.stream.location))
        for location in locations {
            snapshot.locations[location] =
                LocationOracle(
                    entries.filter { $0.stream.location == location }, location: location, rules: rules
                ).snapshot
        }
        snapshot.labelFindings = labelFindings(snapshot.locations)
        return snapshot
    }
}

/// What each role may do, as DESIGN §1 and §5 say it, by operation.
enum OracleRoles {
    static func mayDo(_ role: Role, _ operation: OperationType) -> Bool {
        switch operation {
        case .logOpened, .logClosed: role == .node
        case .studyFounded, .contentChunk, .definitionPublished, .participationNumbered, .planSet: role == .dataManager
        case .participationAccepted, .participationWithdrawn: role == .institution
        case .delegationNumbered: role == .institution || role == .principalInvestigator
        case .participantRegistered, .statusRecorded, .formSaved, .removed, .restored:
            [.principalInvestigator, .investigator, .studyNurse, .dataImport].contains(role)
        case .responseReceived: role == .partnerApp
        case .labelAssigned:
            [.principalInvestigator, .investigator, .studyNurse, .dataImport].contains(role)
        case .participantsLinked, .participantsUnlinked, .instancesDecided, .conflictResolved, .formConfirmed:
            [.principalInvestigator, .investigator, .studyNurse].contains(role)
        case .redactionOrdered, .erasureOrdered: role == .institution || role == .principalInvestigator
        default: false
        }
    }

    static func isAboutParticipants(_ operation: OperationType) -> Bool {
        [
            .participantRegistered, .statusRecorded, .formSaved, .removed, .restored, .responseReceived,
            .labelAssigned, .participantsLinked, .participantsUnlinked, .redactionOrdered, .erasureOrdered,
        ].contains(operation)
            || decidesForOthers(operation)
    }

    static func decidesForOthers(_ operation: OperationType) -> Bool {
        [.instancesDecided, .conflictResolved, .formConfirmed].contains(operation)
    }

    static func isAboutTheStudy(_ operation: OperationType) -> Bool {
        [
            .studyFounded, .contentChunk, .definitionPublished, .participationNumbered, .planSet,
            .participationAccepted, .participationWithdrawn, .delegationNumbered,
        ].contains(operation)
    }
}

/// Whether two entries are one command sent twice, and what an action says apart from the names in it.
enum OracleCommands {
    static func haveOneCommand(_ left: WrittenEntry, _ right: WrittenEntry) -> Bool {
        guard let one = left.action, let other = right.action else { return false }
        return one.command == other.command && left.header?.authority.actor == right.header?.authority.actor
    }

    /// All that the sender said, with every entry named by what `name` gives. Left out is what the node alone could
    /// know: when it received the command, which beginnings stood there, and whether anything stood in the item.
    static func text(_ entry: WrittenEntry, naming name: (EntryID) -> EntryID) -> String {
        guard let action = entry.action else { return "" }
        var provenance = action.provenance
        provenance.receivedUTCMilliseconds = nil
        let said: String
        switch action.operation {
        case .participantRegistered(let registration):
            said =
                "register "
                + registration.labels.enumerated().map { place, label in
                    registration.issued.contains(place) ? "\(label.kind) issued" : "\(label)"
                }.joined(separator: " ")
        case .labelAssigned(let assignment):
            let seen = assignment.seen.map { "\(name($0.entry))/\($0.position)" }.sorted()
            let label = assignment.isIssued ? "\(assignment.label.kind) issued" : "\(assignment.label)"
            said = "label \(name(assignment.participant)) \(label) \(seen)"
        case .participantsLinked(let link): said = "link " + text(link, name)
        case .participantsUnlinked(let link): said = "unlink " + text(link, name)
        case .statusRecorded(let record):
            said =
                "status \(name(record.participant)) \(record.status) \(record.eventDate) "
                + "\(record.replaces.map(name)) \(String(describing: record.reason))"
        case .formSaved(let save): said = "save " + text(save, name)
        case .conflictResolved(let resolution):
            let sides = resolution.sides.map { "\(name($0.side.entry))/\($0.side.position) \($0.verdict)" }
            said = "resolve " + text(resolution.save, name) + " \(sides.sorted())"
        case .instancesDecided(let decision):
            let verdicts = decision.verdicts.map {
                "\(name($0.beginning.entry))/\($0.beginning.position) \($0.verdict)"
            }
            said =
                "decide \(name(decision.participant)) \(decision.instances.map { line($0, name) }) "
                + "\(verdicts.sorted()) \(String(describing: decision.reason))"
        case .formConfirmed(let confirmation):
            said =
                "confirm \(name(confirmation.participant)) \(confirmation.instances.map { line($0, name) }) "
                + "\(confirmation.seen.map { "\(name($0.entry))/\($0.position)" })"
        case .responseReceived(let response):
            said =
                "respond \(name(response.participant)) \(response.identifier) \(response.status) "
                + "\(response.authored) \(response.documentSHA256)"
        case .removed(let removal): said = "remove " + text(removal, name)
        case .restored(let removal): said = "restore " + text(removal, name)
        case .participationNumbered(let payload):
            said =
                "participation \(payload.number) \(String(describing: payload.previous.map(name))) \(payload.sponsor) "
                + "\(payload.coordinatingNodes) \(payload.members) \(payload.sites) \(String(describing: payload.orders))"
        case .participationAccepted(let answer): said = "accept " + text(answer, name)
        case .participationWithdrawn(let answer): said = "withdraw " + text(answer, name)
        case .delegationNumbered(let delegation):
            said =
                "delegate \(delegation.site) \(delegation.number) \(String(describing: delegation.previous.map(name))) "
                + "\(delegation.actor) \(delegation.name) \(delegation.role.rawValue) \(delegation.from) "
                + "\(String(describing: delegation.to)) \(String(describing: delegation.ends.map(name)))"
        case .definitionPublished(let publication):
            said =
                "publish \(publication.content) \(publication.chunks.map(name)) \(publication.byteCount) "
                + "\(publication.version) \(publication.name)"
        default: said = "\(action.operation)"
        }
        return said + " \(provenance)"
    }

    /// What a node made of an answer: where its values stand, and which.
    static func placement(_ entry: WrittenEntry, naming name: (EntryID) -> EntryID) -> String? {
        guard case .responseReceived(let response)? = entry.action?.operation else { return nil }
        return "\(response.instances.map { line($0, name) }) \(response.changes.map(change))"
    }

    private static func text(_ save: FormSave, _ name: (EntryID) -> EntryID) -> String {
        "\(name(save.participant)) \(save.instances.map { line($0, name) }) "
            + "\(save.changes.map(change)) \(save.seen.map { "\(name($0.entry))/\($0.position)" }) "
            + "\(save.prompts) \(save.calculated) \(String(describing: save.comment)) "
            + "\(String(describing: save.reason))"
    }

    private static func text(_ link: ParticipantLink, _ name: (EntryID) -> EntryID) -> String {
        "\(name(link.participant)) \(link.other) \(link.otherLocation) \(link.seen.map(name).sorted()) "
            + "\(String(describing: link.reason))"
    }

    private static func text(_ answer: ParticipationAnswer, _ name: (EntryID) -> EntryID) -> String {
        "\(name(answer.invitation)) \(answer.locations) \(answer.agreement) \(answer.approval) \(answer.date) "
            + "\(answer.seen.map(name).sorted())"
    }

    private static func text(_ removal: Removal, _ name: (EntryID) -> EntryID) -> String {
        let values = removal.seenValues.map { "\(name($0.entry))/\($0.position)" }.sorted()
        return "\(name(removal.participant)) \(removal.instances.map { line($0, name) }) "
            + "\(removal.seen.map(name).sorted()) \(values) \(String(describing: removal.reason))"
    }

    private static func change(_ change: Change) -> String {
        "\(change.instance) \(change.item) \(String(describing: change.value)) "
            + "\(String(describing: change.reasonCode)) \(change.isFreeText)"
    }

    private static func line(_ line: InstanceDeclaration, _ name: (EntryID) -> EntryID) -> String {
        let identity: String
        switch line.identity {
        case .natural: identity = "natural"
        case .own: identity = "own"
        case .begun(let beginning): identity = "\(name(beginning.entry))/\(beginning.position)"
        case .response(let response): identity = "\(response)"
        }
        return "\(line.kind) \(String(describing: line.parent)) \(line.oid) \(identity) "
            + "\(String(describing: line.repeatKey)) \(line.isWhole)"
    }
}
