import EventLog

extension StoreCore {
    /// Runs `body` in one transaction: when it returns, each own log that grew gets one signed checkpoint, everything is
    /// committed with fsync, and the head file is rewritten.
    ///
    /// Where `body` throws, everything is taken back and its error passed on.
    /// - Throws: what `body` throws; ``StoreError/stopped(_:)`` where the disk failed, for good;
    ///   ``StoreError/database(_:)`` where another program held the file.
    public func transaction<Result>(_ body: () throws -> Result) throws -> Result {
        precondition(!isInTransaction, "transactions do not nest; use a savepoint")
        try requireRunning()
        do { try statements.begin.run() } catch { throw storeError(error) }
        isInTransaction = true
        savepointSerial += 1
        touched = []
        bytesInTransaction = 0
        let result: Result
        do {
            result = try body()
            try requireRunning()
            try seal()
            try statements.commit.run()
        } catch {
            rollBack()
            throw storeError(error)
        }
        isInTransaction = false
        committed()
        return result
    }

    /// Runs one command of a group within a transaction: where `body` throws, what it wrote is taken back, and the rest of
    /// the transaction stands.
    ///
    /// - Throws: what `body` throws, or ``StoreError/stopped(_:)``: then the transaction fails too.
    public func savepoint<Result>(_ body: () throws -> Result) throws -> Result {
        try requireWritable()
        let mark = undo.count
        savepointSerial += 1
        do {
            try statements.savepoint.run()
            let result = try body()
            try statements.release.run()
            savepointSerial += 1
            return result
        } catch {
            // After a failure of the disk SQLite may have ended the whole transaction by itself.
            if stoppedBy == nil && !connection.isAutocommit {
                try? connection.execute("ROLLBACK TO command")
                try? statements.release.run()
            }
            takeBack(to: mark)
            savepointSerial += 1
            throw storeError(error)
        }
    }

    /// Whether a transaction runs and the disk has not failed.
    func requireWritable() throws {
        try requireRunning()
        guard isInTransaction else { throw StoreError.noTransaction }
    }

    private func requireRunning() throws {
        if let failure = stoppedBy { throw StoreError.stopped(failure) }
    }

    /// An error as callers see it.
    func storeError(_ error: any Error) -> any Error {
        if let failure = stoppedBy { return StoreError.stopped(failure) }
        if let failure = error as? DatabaseFailure { return StoreError.database(failure) }
        return error
    }

    // MARK: Changing a log in memory

    /// Changes a log's state, keeping what it was before the savepoint or transaction began.
    func change(_ branch: Int64, _ body: (inout LogState) throws -> Void) rethrows {
        guard var state = logsByBranch[branch] else { preconditionFailure("no log of branch \(branch)") }
        if state.keptAt != savepointSerial {
            undo.append(.log(state))
            state.keptAt = savepointSerial
        }
        // While the value is changed the dictionary holds none, so that its arrays are not copied.
        logsByBranch[branch] = nil
        defer { logsByBranch[branch] = state }
        try body(&state)
        state.isChanged = true
        touched.insert(branch)
    }

    private func takeBack(to mark: Int) {
        // What was looked up or computed from entries that are taken back must not outlive them.
        if undo.count > mark {
            lastKnown = [:]
            subtreeRoots = SubtreeRoots()
        }
        while undo.count > mark, let step = undo.popLast() {
            switch step {
            case .log(let state): logsByBranch[state.branch] = state
            case .newLog(let log):
                if let branch = branchByLog.removeValue(forKey: log) {
                    let name = logsByBranch.removeValue(forKey: branch)?.name
                    touched.remove(branch)
                    tables.rootsBeforeForks[branch] = nil
                    if let name, name.fork != nil { forkRows[name.log]?.removeAll { $0 == branch } }
                }
            case .openLog(let stream, let log): openLogs[stream] = log
            case .orders: knownOrders = nil
            case .startConfirmed: isStartConfirmed = false
            }
        }
    }

    // MARK: The end of a transaction

    private func seal() throws {
        for branch in touched.sorted() {
            guard let state = logsByBranch[branch] else { continue }
            if state.isOwn && state.frontier.size > state.sealedSize { try seal(branch) }
            guard let sealed = logsByBranch[branch], sealed.isChanged else { continue }
            try statements.updateLog(sealed, hybridTime: clock.latest.packed)
            if sealed.frontier.size > sealed.committedSize {
                try statements.insertArrival(
                    branch: branch, first: sealed.committedSize, count: sealed.frontier.size - sealed.committedSize)
            }
        }
    }

    /// Signs the head of an own log and stores the checkpoint.
    func seal(_ branch: Int64) throws {
        guard let state = logsByBranch[branch] else { return }
        let checkpoint = Checkpoint(
            log: LogOrigin(network: configuration.network, log: state.name.log), size: state.frontier.size,
            root: state.frontier.root)
        let note: [UInt8]
        do {
            note = try SignedCheckpoint(signing: checkpoint, with: try signingKey(for: state.name)).bytes
        } catch let error as CheckpointError {
            preconditionFailure("a checkpoint of our own breaks a rule: \(error)")
        }
        try statements.insertCheckpoint(branch: branch, size: state.frontier.size, note: note)
        change(branch) {
            $0.sealedSize = $0.frontier.size
            $0.unsealedBytes = 0
        }
    }

    func signingKey(for name: LogName) throws -> NoteSigningKey {
        if let key = signingKeys[name.log] { return key }
        let keyName = LogOrigin(network: configuration.network, log: name.log).keyName
        guard let key = NoteSigningKey(name: keyName, seed: configuration.signingSeed) else {
            throw StoreError.unusableSigningKey
        }
        signingKeys[name.log] = key
        return key
    }

    private func committed() {
        var committed: [CommittedLog] = []
        for branch in touched.sorted() {
            guard var state = logsByBranch[branch] else { continue }
            if state.frontier.size > state.committedSize {
                committed.append(
                    CommittedLog(
                        head: state.head, isOwn: state.isOwn, first: state.committedSize,
                        count: state.frontier.size - state.committedSize))
            }
            state.committedSize = state.frontier.size
            state.isChanged = false
            logsByBranch[branch] = state
            if state.isOwn { headFileIsStale = true }
        }
        undo = []
        lastCommit = committed
        if isStartConfirmed && headFileIsStale { rewriteHeadFile() }
        copyWriteAheadLog()
    }

    private func rollBack() {
        takeBack(to: 0)
        // Where this fails too, the connection keeps the failure, and the store has stopped.
        if !connection.isAutocommit { try? connection.execute("ROLLBACK") }
        isInTransaction = false
    }

    private func rewriteHeadFile() {
        var heads: [LogID: HeadFile.Head] = [:]
        for log in openLogs.values {
            guard let state = state(of: log) else { continue }
            heads[log] = HeadFile.Head(size: state.frontier.size, root: state.frontier.root)
        }
        headFile.write(
            HeadFile(directory: directoryIdentity, machine: configuration.machine, heads: heads).bytes)
        headFileIsStale = false
    }

    /// Whether bytes that an order dropped may still lie in the write-ahead log, because readers kept it from being cut.
    public var hasBytesToForget: Bool { mustTruncate && stoppedBy == nil }

    /// Tries again to cut the write-ahead log, between two transactions.
    public func forgetDropped() {
        precondition(!isInTransaction, "the write-ahead log is cut between transactions")
        copyWriteAheadLog()
    }

    /// Keeps the write-ahead log short. The commit is durable before this; a failure here stops the store, and the next
    /// writer is told.
    private func copyWriteAheadLog() {
        guard mustTruncate || connection.writeAheadLogPages >= checkpointPages else { return }
        do {
            // After a redaction the dropped bytes must leave the log too; readers may be in the way for a while.
            if try connection.checkpoint(truncating: mustTruncate) { mustTruncate = false }
        } catch {
            // The connection has kept the failure; the next transaction is refused with it.
        }
    }
}
