import EventLog
import Foundation
import Replication
import SwiftProtobuf

extension SchemaMessages {
    /// A message between two nodes. Fields that stand beside the content are not added: there is room for one content.
    mutating func message(_ message: ReplicationMessage) -> Varde_V0_ReplicationMessage {
        var envelope = Varde_V0_ReplicationMessage()
        envelope.protocolVersion = 0
        switch message {
        case .hello(let hello): envelope.hello = self.hello(hello)
        case .charterRequest(let request):
            var inner = Varde_V0_CharterRequest()
            inner.first = request.first
            envelope.charterRequest = finished(inner)
        case .charterVersions(let versions):
            var inner = Varde_V0_CharterVersions()
            inner.first = versions.first
            inner.versions = versions.versions.map { Data($0) }
            envelope.charterVersions = finished(inner)
        case .haveDigest(let digest):
            var inner = Varde_V0_HaveDigest()
            inner.digest = data(digest.digest)
            inner.count = digest.count
            inner.isAnswer = digest.isAnswer
            if let cosignatures = digest.cosignatures { inner.cosignatures = data(cosignatures) }
            envelope.haveDigest = finished(inner)
        case .have(let have): envelope.have = self.have(have)
        case .want(let want):
            var inner = Varde_V0_Want()
            inner.log = data(want.log)
            inner.from = want.from
            inner.pull = want.pull
            inner.creditBytes = want.creditBytes
            envelope.want = finished(inner)
        case .range(let message): envelope.range = range(message)
        case .receipt(let receipt):
            var inner = Varde_V0_Receipt()
            inner.log = data(receipt.log)
            inner.size = receipt.size
            inner.root = data(receipt.root)
            envelope.receipt = finished(inner)
        case .rangeUnavailable(let unavailable):
            var inner = Varde_V0_RangeUnavailable()
            inner.pull = unavailable.pull
            inner.isAgain = unavailable.isAgain
            envelope.rangeUnavailable = finished(inner)
        case .refusal(let refusal):
            var inner = Varde_V0_Refusal()
            inner.code = code(refusal.code.rawValue)
            inner.text = refusal.text
            envelope.refusal = finished(inner)
        case .orders(let orders): envelope.orders = self.orders(orders)
        case .witnessRequest(let request):
            var inner = Varde_V0_WitnessRequest()
            inner.oldSize = request.oldSize
            inner.path = request.path.map { data($0) }
            inner.checkpoint = Data(request.checkpoint)
            envelope.witnessRequest = finished(inner)
        case .witnessState(let state):
            var inner = Varde_V0_WitnessState()
            inner.log = data(state.log)
            inner.size = state.size
            envelope.witnessState = finished(inner)
        case .cosignatures(let rows): envelope.cosignatures = cosignatures(rows)
        case .forkProof(let message): envelope.forkProof = forkProof(message)
        case .forkKnown(let known):
            var inner = Varde_V0_ForkKnown()
            inner.log = data(known.log)
            envelope.forkKnown = finished(inner)
        }
        return envelope
    }

    private mutating func cosignatures(_ content: CosignatureRows) -> Varde_V0_Cosignatures {
        var message = Varde_V0_Cosignatures()
        message.isAll = content.isAll
        for row in content.rows {
            var inner = Varde_V0_CosignatureRow()
            inner.log = data(row.head.log)
            inner.size = row.head.size
            inner.root = data(row.head.root)
            inner.witness = row.witness.text
            inner.unixSeconds = row.unixSeconds
            inner.signature = Data(row.signature)
            message.rows.append(finished(inner))
        }
        return finished(message)
    }

    private mutating func forkProof(_ content: ForkProofMessage) -> Varde_V0_ForkProof {
        var message = Varde_V0_ForkProof()
        message.node = content.node.text
        message.stream = content.stream.description
        message.epoch = data(content.epoch)
        message.smaller = Data(content.proof.smaller.bytes)
        message.larger = Data(content.proof.larger.bytes)
        message.prefixRoot = data(content.proof.prefixRoot)
        message.path = content.proof.path.map { data($0) }
        return finished(message)
    }

    private mutating func hello(_ hello: Hello) -> Varde_V0_Hello {
        var message = Varde_V0_Hello()
        message.node = hello.node.text
        if let network = hello.network { message.network = network.text }
        message.charterCount = hello.charterCount
        message.charterHash = data(hello.charterHash)
        message.incarnation = hello.incarnation
        message.isAnswer = hello.isAnswer
        return finished(message)
    }

    private mutating func have(_ have: Have) -> Varde_V0_Have {
        var message = Varde_V0_Have()
        if let part = have.part {
            message.vector = part.vector
            message.part = UInt64(part.index)
            message.partCount = UInt64(part.count)
        }
        for row in have.rows {
            var inner = Varde_V0_HaveRow()
            inner.node = row.node.text
            inner.stream = row.stream.description
            inner.epoch = data(row.epoch)
            inner.size = row.size
            inner.root = data(row.root)
            if let fork = row.fork {
                inner.forkIndex = fork.index
                inner.forkLeaf = data(fork.leaf)
            }
            message.rows.append(finished(inner))
        }
        return finished(message)
    }

    private mutating func range(_ content: RangeMessage) -> Varde_V0_Range {
        var message = Varde_V0_Range()
        message.pull = content.pull
        message.log = data(content.range.log)
        message.start = content.range.start
        for entry in content.range.entries {
            var inner = Varde_V0_RawEntry()
            inner.header = Data(entry.header)
            inner.body = Data(entry.body)
            message.entries.append(finished(inner))
        }
        message.checkpoint = Data(content.range.checkpoint)
        message.isSentToAll = content.isSentToAll
        return finished(message)
    }

    private mutating func orders(_ orders: OrdersMessage) -> Varde_V0_Orders {
        var message = Varde_V0_Orders()
        for order in orders.entries {
            var inner = Varde_V0_SentOrder()
            inner.node = order.node.text
            inner.stream = order.stream.description
            inner.epoch = data(order.epoch)
            inner.index = order.index
            inner.header = Data(order.raw.header)
            inner.body = Data(order.raw.body)
            inner.checkpoint = Data(order.checkpoint)
            inner.path = order.path.map { data($0) }
            message.entries.append(finished(inner))
        }
        return finished(message)
    }
}
