public import EventLog

extension Decision {
    static func decideForStudy(_ command: Command, in context: DecisionContext) throws(Refusal) -> EntryDraft {
        let authority = context.authority
        let stream = StreamID.study(context.fold.study)
        switch command.request {
        case .found(let mode, let oid, let name):
            try require(.manageStudy, of: command.sender)
            let founding = StudyFounding(nonce: context.randomName, mode: mode, oid: oid, name: name)
            return try draft(.studyFounded(founding), stream: stream, for: command, in: context)
        case .participate(let sponsor, let coordinating, let members, let sites, let orders):
            try requireCoordination(command, in: context)
            let participation = Participation(
                number: UInt64(authority.participations.count) + 1, previous: authority.participations.last?.id,
                sponsor: sponsor, coordinatingNodes: coordinating, members: members, sites: sites,
                orders: orders)
            return try draft(.participationNumbered(participation), stream: stream, for: command, in: context)
        case .accept(let locations, let agreement, let approval, let date):
            let seen = locations.flatMap { authority.withdrawals[$0] ?? [] }
            let answer = try answer(
                locations, agreement, approval, date, seen: Set(seen).sorted(), command, in: context)
            return try draft(.participationAccepted(answer), stream: stream, for: command, in: context)
        case .withdraw(let locations, let agreement, let approval, let date):
            let answer = try answer(locations, agreement, approval, date, command, in: context)
            return try draft(.participationWithdrawn(answer), stream: stream, for: command, in: context)
        case .plan(let document):
            try requireCoordination(command, in: context)
            return try draft(.planSet(document: [UInt8](document.utf8)), stream: stream, for: command, in: context)
        default:
            throw .nothingToDo
        }
    }

    /// Refuses what only a coordinating node's data manager may do.
    private static func requireCoordination(_ command: Command, in context: DecisionContext) throws(Refusal) {
        try require(.manageStudy, of: command.sender)
        let authority = context.authority
        guard authority.coordinates(context.node, knowing: UInt64(authority.participations.count)) else {
            throw .notCoordinating
        }
    }

    private static func answer(
        _ locations: [LocationID], _ agreement: String, _ approval: String, _ date: String, seen: [EntryID] = [],
        _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> ParticipationAnswer {
        try require(.answerForInstitution, of: command.sender)
        guard let invitation = context.authority.participations.last else {
            throw .unknownStudy(context.fold.study)
        }
        for location in locations {
            guard context.authority.directory.newest?.hosts[location] == context.node else {
                throw .notHosting(location)
            }
            guard invitation.payload.members.contains(where: { $0.location == location }) else {
                throw .notInvited(location)
            }
        }
        return ParticipationAnswer(
            invitation: invitation.id, locations: locations, agreement: agreement, approval: approval, date: date,
            seen: seen)
    }

    static func delegation(
        _ delegation: Delegation, _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        try require(.delegate, of: command.sender)
        guard let site = context.authority.participation?.sites.first(where: { $0.id == delegation.site }),
            site.owner == context.node
        else { throw .notOwningDelegations(delegation.site) }
        return try draft(
            .delegationNumbered(delegation), stream: .study(context.fold.study), for: command, in: context)
    }

    static func endOfDelegation(
        _ site: StudySiteID, _ actor: ActorID, _ role: RoleName, _ from: String, _ command: Command,
        in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        let chain = context.authority.delegations[site] ?? []
        guard let grant = context.authority.delegation(of: actor, as: role.role, at: site),
            let link = chain.first(where: { $0.id == grant })
        else { throw .noSuchDelegation(site) }
        let locations = context.authority.participation?.sites.first { $0.id == site }?.locations ?? []
        let held = locations.flatMap { context.fold.locations[$0]?.heldExtents ?? [] }
        return try delegation(
            Delegation(
                site: site, number: UInt64(chain.count) + 1, previous: chain.last?.id, actor: actor,
                name: link.payload.name, role: role.role, from: from, ends: grant,
                held: Array(held.prefix(Delegation.extentLimit))), command, in: context)
    }

    /// The pieces of a document that a publication names: drafts whose command ids follow from the publishing command's.
    public static func chunks(
        of document: [UInt8], _ command: Command, in context: DecisionContext
    ) throws(Refusal) -> [EntryDraft] {
        try requireCoordination(command, in: context)
        let hash = Hash.sha256(document)
        var drafts: [EntryDraft] = []
        var start = 0
        while start < document.count {
            let end = min(start + ContentChunk.byteCount, document.count)
            let chunk = ContentChunk(
                document: hash, position: UInt64(drafts.count), bytes: [UInt8](document[start..<end]))
            let id = CommandID(derivedFrom: .sha256(command.id.bytes + [UInt8](String(drafts.count).utf8)))
            drafts.append(
                try draft(
                    .contentChunk(chunk), stream: .study(context.fold.study), command: id, for: command, in: context))
            start = end
        }
        return drafts
    }

    /// The entry that puts a document's definitions in force, once its pieces stand.
    public static func publication(
        of document: [UInt8], definition: StudyDefinition, chunks: [EntryID], _ command: Command,
        in context: DecisionContext
    ) throws(Refusal) -> EntryDraft {
        try requireCoordination(command, in: context)
        try requireSameWholes(definition, in: context)
        let publication = DefinitionPublication(
            content: .sha256(document), chunks: chunks, byteCount: UInt64(document.count),
            version: definition.metaDataVersionOID, name: definition.metaDataVersionName)
        return try draft(
            .definitionPublished(publication), stream: .study(context.fold.study), for: command, in: context)
    }

    /// Refuses definitions in which a form or group of the newest ones is whole that was not, or no longer is: what was
    /// written of it stays as it was meant, so that one form would be read in two ways.
    ///
    /// - Throws: ``Refusal/badDocument(_:)``.
    public static func requireSameWholes(
        _ definition: StudyDefinition, in context: DecisionContext
    ) throws(Refusal) {
        guard let newest = context.definition?.study else { return }
        let forms = newest.forms.filter { form in
            definition.forms[form.oid].map { $0.isWhole != form.isWhole } ?? false
        }.map(\.oid.text)
        let groups = newest.itemGroups.filter { group in
            definition.itemGroups[group.oid].map { $0.isWhole != group.isWhole } ?? false
        }.map(\.oid.text)
        guard let first = (forms + groups).first else { return }
        throw .badDocument(
            "varde:Whole of \(first) is not as in the definitions in force, under which it was filled in; "
                + "leave it, or give the changed form or group an OID of its own")
    }
}
