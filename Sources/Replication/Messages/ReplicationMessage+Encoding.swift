import EventLog

extension ReplicationMessage {
    /// The bytes that are sent, the protocol version first.
    package var bytes: [UInt8] {
        var writer = WireWriter(capacity: sizeEstimate)
        writer.unsigned(1, always: ReplicationProtocol.version)
        switch self {
        case .hello(let hello): writer.message(2) { hello.write(to: &$0) }
        case .charterRequest(let request): writer.message(3) { $0.unsigned(1, request.first) }
        case .charterVersions(let versions):
            writer.message(4) { inner in
                inner.unsigned(1, versions.first)
                for version in versions.versions { inner.data(2, always: version) }
            }
        case .haveDigest(let digest):
            writer.message(5) { inner in
                inner.hash(1, digest.digest)
                inner.unsigned(2, digest.count)
                inner.boolean(3, digest.isAnswer)
                if let cosignatures = digest.cosignatures { inner.hash(20, cosignatures) }
            }
        case .have(let have): writer.message(6) { have.write(to: &$0) }
        case .want(let want):
            writer.message(7) { inner in
                inner.identifier(1, want.log)
                inner.unsigned(2, want.from)
                inner.unsigned(3, want.pull)
                inner.unsigned(4, want.creditBytes)
            }
        case .range(let message): writer.data(8, message.contentBytes)
        case .receipt(let receipt):
            writer.message(9) { inner in
                inner.identifier(1, receipt.log)
                inner.unsigned(2, receipt.size)
                inner.hash(3, receipt.root)
            }
        case .rangeUnavailable(let unavailable):
            writer.message(10) { inner in
                inner.unsigned(1, unavailable.pull)
                inner.boolean(2, unavailable.isAgain)
            }
        case .refusal(let refusal):
            writer.message(11) { inner in
                inner.unsigned(1, refusal.code.rawValue)
                inner.string(2, refusal.text)
            }
        case .witnessRequest(let request):
            writer.message(20) { inner in
                inner.unsigned(1, request.oldSize)
                for hash in request.path { inner.hash(2, hash) }
                inner.data(3, request.checkpoint)
            }
        case .witnessState(let state):
            writer.message(21) { inner in
                inner.identifier(1, state.log)
                inner.unsigned(2, state.size)
            }
        case .cosignatures(let cosignatures):
            writer.message(22) { inner in
                for row in cosignatures.rows { inner.message(1) { row.write(to: &$0) } }
                inner.boolean(2, cosignatures.isAll)
            }
        case .forkProof(let message): writer.message(30) { message.write(to: &$0) }
        case .forkKnown(let known): writer.message(31) { $0.identifier(1, known.log) }
        case .orders(let orders): writer.message(40) { orders.write(to: &$0) }
        }
        return writer.bytes
    }

    /// Room to take for the message, so that large ones are not copied while they grow.
    private var sizeEstimate: Int {
        switch self {
        case .range(let message): message.range.transferBytes + message.range.entries.count * 12 + 128
        case .have(let have): have.rows.count * 192 + 32
        case .cosignatures(let cosignatures): cosignatures.rows.count * 320 + 32
        case .charterVersions(let versions): versions.versions.reduce(64) { $0 + $1.count + 8 }
        case .orders(let orders): orders.entries.reduce(64) { $0 + $1.byteCount + 512 }
        default: 192
        }
    }
}

extension Hello {
    fileprivate func write(to writer: inout WireWriter) {
        writer.string(1, node.text)
        writer.string(2, network?.text ?? "")
        writer.unsigned(3, charterCount)
        writer.hash(4, charterHash)
        writer.unsigned(5, incarnation)
        writer.boolean(6, isAnswer)
    }
}

extension KeptCosignature {
    fileprivate func write(to writer: inout WireWriter) {
        writer.identifier(1, head.log)
        writer.unsigned(2, head.size)
        writer.hash(3, head.root)
        writer.string(4, witness.text)
        writer.unsigned(5, unixSeconds)
        writer.data(6, signature)
    }
}

extension Have {
    fileprivate func write(to writer: inout WireWriter) {
        if let part {
            writer.unsigned(1, part.vector)
            writer.unsigned(2, UInt64(part.index))
            writer.unsigned(3, UInt64(part.count))
        }
        for row in rows {
            writer.message(4) { inner in
                inner.string(1, row.node.text)
                inner.string(2, row.stream.description)
                inner.name(3, row.epoch)
                inner.unsigned(4, row.size)
                inner.hash(5, row.root)
                if let fork = row.fork {
                    inner.unsigned(30, fork.index)
                    inner.hash(31, fork.leaf)
                }
            }
        }
    }
}

extension HaveRow {
    /// At most this many bytes does the row take in a message.
    var encodedBytes: Int { node.text.utf8.count + stream.description.utf8.count + 80 + (fork == nil ? 0 : 46) }
}

extension ForkProofMessage {
    fileprivate func write(to writer: inout WireWriter) {
        writer.string(1, node.text)
        writer.string(2, stream.description)
        writer.name(3, epoch)
        writer.data(4, proof.smaller.bytes)
        writer.data(5, proof.larger.bytes)
        writer.hash(6, proof.prefixRoot)
        for hash in proof.path { writer.data(7, always: hash.bytes) }
    }
}

extension RangeMessage {
    /// The content of the message. Entries are written in place, because a writer of its own for each of them was
    /// measured at four times the cost.
    fileprivate var contentBytes: [UInt8] {
        var writer = WireWriter(capacity: range.transferBytes + range.entries.count * 12 + 96)
        writer.unsigned(1, pull)
        writer.identifier(2, range.log)
        writer.unsigned(3, range.start)
        for entry in range.entries {
            writer.rawVarint(4 << 3 | UInt64(WireKind.lengthDelimited.rawValue))
            writer.rawVarint(UInt64(RangeMessage.fieldBytes(entry.header) + RangeMessage.fieldBytes(entry.body)))
            writer.data(1, entry.header)
            writer.data(2, entry.body)
        }
        writer.data(5, range.checkpoint)
        writer.boolean(6, isSentToAll)
        return writer.bytes
    }

    /// How many bytes ``WireWriter/data(_:_:)`` takes for a field with a number below 16.
    private static func fieldBytes(_ bytes: [UInt8]) -> Int {
        guard !bytes.isEmpty else { return 0 }
        let lengthBits = Int.bitWidth - bytes.count.leadingZeroBitCount
        return 1 + (lengthBits + 6) / 7 + bytes.count
    }
}
