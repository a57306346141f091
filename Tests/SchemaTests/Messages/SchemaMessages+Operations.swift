import EventLog
import Foundation
import SwiftProtobuf
import Trial

extension SchemaMessages {
    /// The structure part's message of an action.
    mutating func structure(of action: Action) -> any StructureMessage {
        switch action.operation {
        case .log: return finished(common(Varde_V0_LogClosed.self, action))
        case .studyFounded(let founding):
            var message = common(Varde_V0_StudyFounded.self, action)
            message.nonce = Data(founding.nonce.bytes)
            message.mode = founding.mode.rawValue
            message.oid = founding.oid.text
            message.name = founding.name
            return finished(message)
        case .contentChunk(let chunk):
            var message = common(Varde_V0_ContentChunk.self, action)
            message.document = data(chunk.document)
            message.position = chunk.position
            return finished(message)
        case .definitionPublished(let publication):
            var message = common(Varde_V0_DefinitionPublished.self, action)
            message.content = data(publication.content)
            message.chunks = publication.chunks.map { data($0) }
            message.byteCount = publication.byteCount
            message.version = publication.version.text
            message.name = publication.name
            return finished(message)
        case .participationNumbered(let participation): return numbered(participation, action)
        case .participationAccepted(let answer):
            return answered(common(Varde_V0_ParticipationAccepted.self, action), answer)
        case .participationWithdrawn(let answer):
            return answered(common(Varde_V0_ParticipationWithdrawn.self, action), answer)
        case .planSet: return finished(common(Varde_V0_PlanSet.self, action))
        case .delegationNumbered(let delegation): return delegated(delegation, action)
        case .participantRegistered(let registration):
            var message = common(Varde_V0_ParticipantRegistered.self, action)
            message.labels = registration.labels.enumerated().map { place, label in
                self.label(label, isIssued: registration.issued.contains(place))
            }
            return finished(message)
        case .statusRecorded(let record):
            var message = common(Varde_V0_StatusRecorded.self, action)
            message.participant = data(record.participant)
            message.status = SchemaMessages.status(record.status)
            message.eventDate = record.eventDate
            message.replaces = record.replaces.map { data($0) }
            return finished(message)
        case .formSaved(let save): return saved(save, action)
        case .removed(let removal): return removed(common(Varde_V0_Removed.self, action), removal)
        case .restored(let removal): return removed(common(Varde_V0_Restored.self, action), removal)
        case .instancesDecided(let decision): return decided(decision, action)
        case .conflictResolved(let resolution): return resolved(resolution, action)
        case .formConfirmed(let confirmation): return confirmed(confirmation, action)
        case .responseReceived(let response): return received(response, action)
        case .labelAssigned(let assignment): return assigned(assignment, action)
        case .participantsLinked(let link): return linked(common(Varde_V0_ParticipantsLinked.self, action), link)
        case .participantsUnlinked(let link): return linked(common(Varde_V0_ParticipantsUnlinked.self, action), link)
        case .redactionOrdered(let order): return ordered(common(Varde_V0_RedactionOrdered.self, action), order)
        case .erasureOrdered(let order): return ordered(common(Varde_V0_ErasureOrdered.self, action), order)
        }
    }

    private static func status(_ status: ParticipantStatus) -> Varde_V0_ParticipantStatus {
        switch status {
        case .screened: .screened
        case .consented: .consented
        case .included: .included
        case .randomised: .randomised
        case .screenFailure: .screenFailure
        case .treatmentDiscontinued: .treatmentDiscontinued
        case .followUpDiscontinued: .followUpDiscontinued
        case .contactDiscontinued: .contactDiscontinued
        case .completed: .completed
        case .withdrawn: .withdrawn
        }
    }

    private mutating func numbered(_ participation: Participation, _ action: Action) -> Varde_V0_ParticipationNumbered {
        var message = common(Varde_V0_ParticipationNumbered.self, action)
        message.number = participation.number
        if let previous = participation.previous { message.previous = data(previous) }
        message.sponsor = participation.sponsor
        message.coordinatingNodes = participation.coordinatingNodes.map(\.text)
        for member in participation.members {
            var inner = Varde_V0_Member()
            inner.location = member.location.text
            if let acceptance = member.acceptance { inner.acceptance = data(acceptance) }
            message.members.append(finished(inner))
        }
        for site in participation.sites {
            var inner = Varde_V0_StudySite()
            inner.id = site.id.text
            inner.name = site.name
            inner.isRegional = site.isRegional
            inner.locations = site.locations.map(\.text)
            inner.owner = site.owner.text
            message.sites.append(finished(inner))
        }
        if let orders = participation.orders {
            var inner = Varde_V0_OrderPermissions()
            inner.redaction = orders.redaction.map(\.rawValue)
            inner.erasure = orders.erasure.map(\.rawValue)
            message.orders = finished(inner)
        }
        return finished(message)
    }

    private mutating func answered<Message: AnswerMessage>(_ message: Message, _ answer: ParticipationAnswer) -> Message
    {
        var message = message
        message.invitation = data(answer.invitation)
        message.locations = answer.locations.map(\.text)
        message.agreement = answer.agreement
        message.approval = answer.approval
        message.date = answer.date
        message.seen = answer.seen.map { data($0) }
        return finished(message)
    }

    private mutating func delegated(_ delegation: Delegation, _ action: Action) -> Varde_V0_DelegationNumbered {
        var message = common(Varde_V0_DelegationNumbered.self, action)
        message.site = delegation.site.text
        message.number = delegation.number
        if let previous = delegation.previous { message.previous = data(previous) }
        message.actor = data(delegation.actor)
        message.name = delegation.name
        message.role = code(delegation.role.rawValue)
        message.from = delegation.from
        if let to = delegation.to { message.to = to }
        if let ends = delegation.ends { message.ends = data(ends) }
        for extent in delegation.held {
            var inner = Varde_V0_LogExtent()
            inner.log = data(extent.log)
            inner.size = extent.size
            message.held.append(finished(inner))
        }
        return finished(message)
    }

    private mutating func removed<Message: RemovalMessage>(_ message: Message, _ removal: Removal) -> Message {
        var message = message
        message.participant = data(removal.participant)
        message.instances = removal.instances.map { line($0) }
        message.seen = removal.seen.map { data($0) }
        message.seenValues = runs(of: removal.seenValues)
        return finished(message)
    }

    private mutating func ordered<Message: OrderMessage>(_ message: Message, _ order: DropOrder) -> Message {
        var message = message
        message.ground = order.ground
        message.decidedBy = order.decidedBy
        switch order.target {
        case .parts(let parts, let entry, let address):
            message.entry = data(entry)
            message.setParts(parts.rawValue, log: data(address.log), index: address.index)
        case .participant(let registration, let subject):
            message.entry = data(registration)
            message.setSubject(data(subject))
        }
        return finished(message)
    }

    /// The opening of a log, whose structure part has a format of its own.
    mutating func opening(_ opening: LogOpening) -> Varde_V0_LogOpened {
        var message = Varde_V0_LogOpened()
        message.formatVersion = 0
        message.network = opening.name.network.text
        message.node = opening.name.node.text
        message.stream = opening.name.stream.description
        message.epoch = data(opening.name.epoch)
        message.reason = code(opening.reason.rawValue)
        message.command = data(opening.command)
        for head in opening.earlierHeads {
            var inner = Varde_V0_EarlierHead()
            inner.log = data(head.log)
            inner.size = head.size
            inner.root = data(head.root)
            message.earlierHeads.append(finished(inner))
        }
        return finished(message)
    }
}

private protocol AnswerMessage: StructureMessage {
    var invitation: Data { get set }
    var locations: [String] { get set }
    var agreement: String { get set }
    var approval: String { get set }
    var date: String { get set }
    var seen: [Data] { get set }
}
extension Varde_V0_ParticipationAccepted: AnswerMessage {}
extension Varde_V0_ParticipationWithdrawn: AnswerMessage {}

private protocol RemovalMessage: StructureMessage {
    var participant: Data { get set }
    var instances: [Varde_V0_InstanceDeclaration] { get set }
    var seen: [Data] { get set }
    var seenValues: [Varde_V0_SeenValues] { get set }
}
extension Varde_V0_Removed: RemovalMessage {}
extension Varde_V0_Restored: RemovalMessage {}

private protocol OrderMessage: StructureMessage {
    var entry: Data { get set }
    var ground: String { get set }
    var decidedBy: String { get set }
    mutating func setParts(_ parts: UInt64, log: Data, index: UInt64)
    mutating func setSubject(_ subject: Data)
}
extension Varde_V0_RedactionOrdered: OrderMessage {
    mutating func setParts(_ parts: UInt64, log: Data, index: UInt64) {
        (self.parts, self.log, self.index) = (parts, log, index)
    }
    mutating func setSubject(_ subject: Data) { preconditionFailure("a redaction names no subject") }
}
extension Varde_V0_ErasureOrdered: OrderMessage {
    mutating func setParts(_ parts: UInt64, log: Data, index: UInt64) {
        preconditionFailure("an erasure names no parts")
    }
    mutating func setSubject(_ subject: Data) { self.subject = subject }
}
