public import EventLog

extension Action {
    /// The parts of the entry that says this, structure first.
    public func parts() -> [(kind: PartKind, bytes: [UInt8])] {
        var structure = WireWriter(capacity: 512)
        structure.unsigned(1, always: FormatVersion.header)
        structure.name(2, command)
        provenance.write(into: &structure)
        var rest: [(kind: PartKind, bytes: [UInt8])] = []
        switch operation {
        case .log: break
        case .studyFounded(let founding): founding.write(into: &structure)
        case .contentChunk(let chunk):
            structure.hash(50, chunk.document)
            structure.unsigned(51, chunk.position)
            rest.append((.document, chunk.bytes ?? []))
        case .definitionPublished(let publication): publication.write(into: &structure)
        case .participationNumbered(let participation): participation.write(into: &structure)
        case .participationAccepted(let answer), .participationWithdrawn(let answer): answer.write(into: &structure)
        case .planSet(let document): rest.append((.document, document ?? []))
        case .delegationNumbered(let delegation): delegation.write(into: &structure)
        case .participantRegistered(let registration):
            registration.write(into: &structure)
        case .statusRecorded(let record):
            record.write(into: &structure)
            if let reason = record.reason { rest.append((.reason, [UInt8](reason.utf8))) }
        case .formSaved(let save):
            save.writeStructure(into: &structure)
            rest = save.contentParts()
        case .removed(let removal), .restored(let removal):
            removal.write(into: &structure)
            if let reason = removal.reason { rest.append((.reason, [UInt8](reason.utf8))) }
        case .instancesDecided(let decision):
            decision.write(into: &structure)
            if let reason = decision.reason { rest.append((.reason, [UInt8](reason.utf8))) }
        case .conflictResolved(let resolution):
            resolution.writeStructure(into: &structure)
            rest = resolution.save.contentParts()
        case .formConfirmed(let confirmation): confirmation.write(into: &structure)
        case .responseReceived(let response):
            response.writeStructure(into: &structure)
            rest = response.contentParts()
        case .labelAssigned(let assignment): assignment.write(into: &structure)
        case .participantsLinked(let link), .participantsUnlinked(let link):
            link.write(into: &structure)
            if let reason = link.reason { rest.append((.reason, [UInt8](reason.utf8))) }
        case .redactionOrdered(let order), .erasureOrdered(let order):
            order.write(into: &structure)
            if let reason = order.reason { rest.append((.reason, [UInt8](reason.utf8))) }
        }
        return [(.structure, structure.bytes)] + rest
    }
}

extension StudyFounding {
    fileprivate func write(into writer: inout WireWriter) {
        writer.data(50, nonce.bytes)
        writer.string(51, mode.rawValue)
        writer.string(52, oid.text)
        writer.string(53, name)
    }
}

extension DefinitionPublication {
    fileprivate func write(into writer: inout WireWriter) {
        writer.hash(50, content)
        for chunk in chunks { writer.identifier(51, chunk) }
        writer.unsigned(52, byteCount)
        writer.string(53, version.text)
        writer.string(54, name)
    }
}

extension Participation {
    fileprivate func write(into writer: inout WireWriter) {
        writer.unsigned(50, number)
        writer.identifier(51, previous)
        writer.string(52, sponsor)
        for node in coordinatingNodes { writer.string(53, node.text) }
        for member in members {
            writer.message(54) { inner in
                inner.string(1, member.location.text)
                inner.identifier(2, member.acceptance)
            }
        }
        for site in sites {
            writer.message(55) { inner in
                inner.string(1, site.id.text)
                inner.string(2, site.name)
                inner.boolean(3, site.isRegional)
                for location in site.locations { inner.string(4, location.text) }
                inner.string(5, site.owner.text)
            }
        }
        if let orders { writer.message(56) { orders.write(into: &$0) } }
    }
}

extension ParticipationAnswer {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(50, invitation)
        for location in locations { writer.string(51, location.text) }
        writer.string(52, agreement)
        writer.string(53, approval)
        writer.string(54, date)
        for entry in seen { writer.identifier(55, entry) }
    }
}

extension Delegation {
    fileprivate func write(into writer: inout WireWriter) {
        writer.string(50, site.text)
        writer.unsigned(51, number)
        writer.identifier(52, previous)
        writer.name(53, actor)
        writer.string(54, name)
        writer.unsigned(55, role.rawValue)
        writer.string(56, from)
        if let to { writer.string(57, always: to) }
        writer.identifier(58, ends)
        for extent in held { writer.message(59) { extent.write(into: &$0) } }
    }
}

extension StatusRecord {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        writer.unsigned(51, status.number)
        writer.string(52, eventDate)
        for entry in replaces { writer.identifier(53, entry) }
    }
}

extension Removal {
    fileprivate func write(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        for line in instances { writer.message(51) { line.write(into: &$0) } }
        for entry in seen { writer.identifier(52, entry) }
        writeSeen(seenValues, field: 53, into: &writer)
    }
}
