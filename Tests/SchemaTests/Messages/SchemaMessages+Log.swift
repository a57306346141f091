import EventLog
import Foundation
import Replication
import SwiftProtobuf

extension SchemaMessages {
    /// A leaf.
    mutating func header(_ header: EntryHeader) -> Varde_V0_Header {
        var message = Varde_V0_Header()
        message.formatVersion = 0
        message.mergeRules = header.mergeRules
        message.log = data(header.log)
        message.index = header.index
        message.operation = code(header.operation.rawValue)
        message.hybridTime = header.hybridTime
        message.utcMilliseconds = header.nodeTime.utcMilliseconds
        message.offsetMinutes = header.nodeTime.offsetMinutes
        message.isSynchronised = header.nodeTime.isSynchronised
        if let bound = header.nodeTime.errorBoundMilliseconds { message.errorBoundMilliseconds = bound }
        message.actor = data(header.authority.actor)
        message.actorKind = code(header.authority.kind.rawValue)
        message.role = code(header.authority.role.rawValue)
        message.authentication = code(header.authority.authentication.rawValue)
        if let delegation = header.authority.delegation { message.delegation = data(delegation) }
        message.knownCharter = header.known.charter
        message.knownParticipation = header.known.participation
        message.knownDelegation = header.known.delegation
        if let definition = header.definition { message.definition = data(definition) }
        message.software = header.software
        if let subject = header.subject { message.subject = data(subject) }
        for part in header.parts {
            var inner = Varde_V0_PartCommitment()
            inner.kind = code(part.kind.rawValue)
            inner.commitment = data(part.commitment)
            inner.byteCount = part.byteCount
            message.parts.append(finished(inner))
        }
        message.actorSignature = Data(header.actorSignature)
        return finished(message)
    }

    /// A body.
    mutating func body(_ body: EntryBody) -> Varde_V0_Body {
        var message = Varde_V0_Body()
        message.formatVersion = 0
        for (position, part) in body.parts.enumerated() {
            guard let part else { continue }
            var inner = Varde_V0_Part()
            inner.position = UInt64(position)
            inner.salt = Data(part.salt.bytes)
            inner.bytes = Data(part.bytes)
            message.parts.append(finished(inner))
        }
        return finished(message)
    }

    /// A version of the charter.
    mutating func charter(_ charter: Charter) -> Varde_V0_Charter {
        var message = Varde_V0_Charter()
        message.formatVersion = 0
        message.network = charter.network.text
        message.number = charter.number
        if let previous = charter.previous { message.previous = data(previous) }
        for node in charter.nodes {
            var inner = Varde_V0_CharterNode()
            inner.id = node.id.text
            inner.name = node.name
            if let region = node.region { inner.region = region }
            inner.signingKey = data(node.signingKey)
            inner.curveKey = data(node.curveKey)
            inner.witnessKey = data(node.witnessKey)
            inner.state = node.state == .admitted ? .admitted : .revoked
            for head in node.accepted {
                var accepted = Varde_V0_AcceptedHead()
                accepted.log = data(head.log)
                accepted.size = head.size
                accepted.root = data(head.root)
                inner.accepted.append(finished(accepted))
            }
            message.nodes.append(finished(inner))
        }
        for location in charter.locations {
            var inner = Varde_V0_CharterLocation()
            inner.id = location.id.text
            inner.name = location.name
            inner.host = location.host.text
            if let region = location.region { inner.region = region }
            message.locations.append(finished(inner))
        }
        message.administrators = charter.administrators.map { data($0) }
        message.settles = charter.settles.map { Data($0.bytes) }
        return finished(message)
    }

    /// A version with its signatures.
    mutating func signed(_ signed: SignedCharter) -> Varde_V0_SignedCharter {
        var message = Varde_V0_SignedCharter()
        message.formatVersion = 0
        message.charter = Data(signed.charterBytes)
        for signature in signed.signatures {
            var inner = Varde_V0_CharterSignature()
            inner.key = data(signature.key)
            inner.value = Data(signature.value)
            message.signatures.append(finished(inner))
        }
        return finished(message)
    }

    /// A chain.
    mutating func chain(_ chain: CharterChain) -> Varde_V0_CharterChain {
        var message = Varde_V0_CharterChain()
        message.formatVersion = 0
        message.foundingHash = data(chain.foundingHash)
        message.versions = chain.versions.map { Data($0.bytes) }
        return finished(message)
    }
}
