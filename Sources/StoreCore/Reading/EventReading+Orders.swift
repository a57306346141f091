public import EventLog

extension EventReading {
    /// The orders under which parts are missing in a range of a log that is held, each with the proof that it stands in its
    /// own log: whoever is sent the range must know them first. Those whose own entries are not here or not whole are left
    /// out. One on a branch of a forked log is proven by a checkpoint of its own history.
    ///
    /// Reads the leaf hashes of each order's log up to it.
    /// - Parameter limit: at most so many.
    public func ordersNeeded(for range: EntryRange, limit: Int) throws -> [OrderAhead] {
        guard let name = try name(ofSegment: range.log) else { return [] }
        let stream = name.stream
        var missing: [(header: EntryHeader, id: EntryID, address: EntryAddress, position: Int)] = []
        for (offset, raw) in range.entries.enumerated() {
            guard let header = try? EntryHeader(bytes: raw.header),
                let body = try? EntryBody(bytes: raw.body, partCount: header.parts.count)
            else { continue }
            let address = EntryAddress(log: name.log, index: range.start + UInt64(offset))
            for position in body.parts.indices where body.parts[position] == nil {
                missing.append((header, raw.id, address, position))
            }
        }
        if missing.isEmpty { return [] }
        var proven: [OrderAhead] = []
        for order in try orders() where order.stream == stream && proven.count < limit {
            var one = StreamOrders()
            one.add(order.action)
            let isNeeded = missing.contains {
                one.covers($0.header, $0.id, at: $0.address, position: $0.position)
            }
            if isNeeded, let entry = try provenEntry(at: order.entry) { proven.append(entry) }
        }
        return proven
    }

    /// The name of a log, or of a piece of a forked one.
    private func name(ofSegment id: LogID) throws -> LogName? {
        if let known = try log(id)?.name { return known }
        for log in Set(try logs().filter { $0.parent != nil }.map(\.name.log)) {
            if let piece = try segments(of: log).first(where: { $0.head.name.id == id }) { return piece.head.name }
        }
        return nil
    }

    /// An entry with the proof that it stands under the first checkpoint above it in its history; nil where it is not here,
    /// or no order: of a forked log another history may have the order at that place.
    func provenEntry(at address: EntryAddress) throws -> OrderAhead? {
        guard let stored = try entry(at: address), let row = try log(address.log),
            (try? EntryHeader(bytes: stored.raw.header))?.operation.ordersDrop == true,
            let size = try checkpointSizes(of: address.log, after: address.index).first,
            let note = try checkpoint(of: address.log, size: size)
        else { return nil }
        var leaves: [Hash] = []
        leaves.reserveCapacity(Int(size))
        try forEachLeaf(along: row, size: size) { leaves.append($0) }
        let proof = MerkleTree.inclusionProof(index: address.index, size: size) { leaves[Int($0)] }
        return proof.map {
            OrderAhead(
                name: row.name.trunk, index: address.index, raw: stored.raw, checkpoint: note, path: $0.path)
        }
    }
}
