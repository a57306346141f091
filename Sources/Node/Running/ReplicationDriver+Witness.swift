import EventLog
import Logging
import Replication
import Store
import StoreCore

/// Carrying out what the machine wants as a witness, and saying how that stands.
extension ReplicationDriver {
    func cosign(_ token: WitnessToken, _ head: StatedHead, after newest: StatedHead?, writer: NodeID) {
        guard let name = signer.name(of: node, in: machine.charter) else {
            perform(
                machine.cosigned(token, .failure(.failed("the charter names another witness key")), now: now))
            return
        }
        let signer = signer
        let seconds = UInt64(max(0, clock.now().utcMilliseconds / 1_000))
        Task {
            let result: Result<KeptCosignature, CosigningFailure>
            do {
                // Signed only when the head is durable as the newest of its log.
                let outcome = try await store.write { core, _ in
                    guard try core.retirement(of: signer.publicKey) == nil else { return WitnessOutcome?.none }
                    return try core.storeWitnessed(head, after: newest, writer: writer)
                }
                switch outcome {
                case .stored:
                    let row = try signer.cosign(head, as: name, unixSeconds: seconds)
                    _ = try await store.write { core, _ in try core.storeCosignature(row) }
                    result = .success(row)
                case .otherNewest(let newest): result = .failure(.otherNewest(newest))
                case .contradictsHeld(let newest): result = .failure(.contradictsHeld(newest))
                case nil: result = .failure(.failed("the witness key is retired"))
                }
            } catch {
                result = .failure(.failed("\(error)"))
            }
            perform(machine.cosigned(token, result, now: now))
        }
    }

    func prove(_ token: WitnessToken, _ log: LogID, from size: UInt64) {
        Task {
            let proof = try? await store.read { core, _ in try core.witnessedExtension(of: log, from: size) }
            perform(machine.proved(token, proof ?? nil, now: now))
        }
    }

    func keep(_ rows: [KeptCosignature], from peer: NodeID) {
        Task {
            var kept: [KeptCosignature] = []
            var others: [KeptCosignature] = []
            do {
                let stored = try await store.write { core, _ in try rows.map { try core.storeCosignature($0) } }
                for (row, isKept) in zip(rows, stored) {
                    if isKept { kept.append(row) } else { others.append(row) }
                }
            } catch {
                logger.error("cosignatures could not be stored: \(error)")
            }
            perform(machine.cosignaturesKept(kept, contradicting: others, from: peer, now: now))
        }
    }

    func retireWitnessKey(_ shown: KeptCosignature, from peer: NodeID) {
        let (key, time) = (signer.publicKey, clock.now())
        let reason =
            "\(peer) showed a cosignature over \(shown.head.size) entries of log \(shown.head.log) "
            + "that this node does not know: its disk was set back"
        witnessTrouble = reason
        Task {
            do {
                try await store.write { core, _ in try core.retireWitnessKey(key, reason: reason, time: time) }
            } catch {
                logger.critical("that the witness key is retired could not be stored: \(error)")
            }
        }
    }

    /// Lets the machine cosign, or not, by what the newest charter says of this node's key.
    func reviewWitnessKey() {
        guard witnessTrouble == nil else { return }
        let mayCosign = signer.name(of: node, in: machine.charter) != nil
        switch (machine.witnessMode, mayCosign) {
        case (.silent, true): perform(machine.setWitnessMode(witnessModeAtStart, now: now))
        case (.active, false), (.afterHearing, false): perform(machine.setWitnessMode(.silent, now: now))
        default: break
        }
    }

    /// How this node stands as a witness.
    func witnessReport() -> WitnessReport {
        let name = machine.charter.witness(node)
        let state: String
        switch machine.witnessMode {
        case .active: state = "vouches for others"
        case .afterHearing(let peers):
            state =
                "vouches for nobody until it has heard \(peers.sorted().map(\.text).joined(separator: ", ")): "
                + "its disk may have been set back"
        case .silent, .none:
            if let witnessTrouble {
                state =
                    "vouches for nobody any more, because \(witnessTrouble); make a new key with "
                    + "'varde network rotate --witness'"
            } else {
                state = "vouches for nobody: the charter names another witness key than the one here"
            }
        }
        return WitnessReport(key: name?.text, isActive: machine.witnessMode == .active, state: state)
    }

    /// Who vouches for how much of logs.
    func vouchers(of logs: [LogName]) -> [LogID: [Voucher]] {
        Dictionary(
            logs.map { name in
                let rows = machine.cosignatures(of: name.id).filter {
                    machine.charter.witness($0.witness.node) == $0.witness
                }
                return (
                    name.id,
                    rows.map { row in
                        Voucher(
                            node: row.witness.node, size: row.head.size,
                            isHolder: machine.mayHold(row.witness.node, name.stream), unixSeconds: row.unixSeconds)
                    }
                )
            }, uniquingKeysWith: { first, _ in first })
    }
}
