import ArgumentParser
import EventLog
import Foundation
import Interchange
import Node

/// `varde verify FILE`: checks a proof file with nothing else.
struct ProofVerification {
    let file: String
    /// As given by hand.
    let charterHash: String?

    /// What is told to programs.
    struct Result: Encodable {
        struct Witness: Encodable {
            var witness: String
            var node: NodeID
            var cosigned: String
            var isCurrent: Bool
            var isOtherNode: Bool
        }

        struct Part: Encodable {
            var position: Int
            var kind: String
            var isHere: Bool
            var droppedByOrder: String?
        }

        var isProven = true
        var network: NetworkID
        var node: NodeID
        var stream: String
        var log: LogID
        var index: UInt64
        var entry: EntryID
        var meaning: EntryMeaning
        var checkpointSize: UInt64
        var checkpointRoot: Hash
        var verifierKey: String
        var acceptedUpTo: UInt64?
        var charterFoundingHash: Hash
        var charterHashWasGiven: Bool
        var charterVersion: UInt64
        var cosignatures: [Witness]
        var noLaterThan: String?
        var unknownSignatures: Int
        var parts: [Part]
        var sentence: String
    }

    /// Prints what is proven.
    ///
    /// - Throws: ``Failure`` with a sentence for what is wrong.
    func run(json: Bool) throws {
        let (proof, orders, names, charter) = try check()
        let entry = proof.entry
        let meaning = EntryMeaning(of: entry.entry, in: entry.log, charter: charter, names: names)
        let result = Result(
            network: entry.log.network, node: entry.log.node, stream: entry.log.stream.description, log: entry.log.id,
            index: entry.entry.header.index, entry: entry.entry.id, meaning: meaning,
            checkpointSize: entry.checkpoint.size, checkpointRoot: entry.checkpoint.root,
            verifierKey: entry.writerKey.text, acceptedUpTo: acceptedSize(entry),
            charterFoundingHash: proof.foundingHash,
            charterHashWasGiven: charterHash != nil, charterVersion: proof.charterVersion,
            cosignatures: entry.witnesses.map {
                Result.Witness(
                    witness: $0.witness.text, node: $0.witness.node, cosigned: Self.time($0.unixSeconds),
                    isCurrent: $0.isCurrent, isOtherNode: $0.isOther)
            },
            noLaterThan: entry.firstCosigned.map { Self.time($0.unixSeconds) },
            unknownSignatures: entry.unknownSignatureCount,
            parts: entry.entry.header.parts.enumerated().map { position, commitment in
                Result.Part(
                    position: position, kind: "\(commitment.kind)", isHere: entry.entry.body.parts[position] != nil,
                    droppedByOrder: orders[position].map { "\($0)" })
            }, sentence: sentence(entry, meaning))
        if json { return try Output.json(result) }
        show(result)
    }

    private func check() throws -> (VerifiedProof, [Int: EntryAddress], ProofNames, Charter?) {
        var founding: Hash?
        if let charterHash {
            guard let hash = Hash(hex: charterHash) else {
                throw Failure("--charter-hash takes the 64 hexadecimal digits of the founding charter's hash")
            }
            founding = hash
        }
        do {
            let read = try ProofFile(bytes: try BoundedFile.read(file, limit: ProofFile.maximumByteCount))
            let verified = try read.proof.verify(foundingHash: founding)
            return (verified, try verified.ordersForMissingParts(), read.names, read.proof.charters.last?.charter)
        } catch let error as Failure {
            throw error
        } catch {
            throw Failure("\(file) proves nothing: \(error)")
        }
    }

    private static func time(_ unixSeconds: UInt64) -> String {
        guard unixSeconds < 253_402_300_800 else { return "\(unixSeconds) s after 1970" }
        return Date(timeIntervalSince1970: Double(unixSeconds)).formatted(Date.ISO8601FormatStyle(timeZone: .gmt))
    }

    private func acceptedSize(_ entry: VerifiedEntry) -> UInt64? {
        if case .acceptedUpTo(let size) = entry.keyState { size } else { nil }
    }

    /// What the inspector has proven (DESIGN §1): who recorded what, as by whom, and when at the latest.
    private func sentence(_ entry: VerifiedEntry, _ meaning: EntryMeaning) -> String {
        let what =
            "Node \(meaning.node) of network \(entry.log.network) recorded this (\(meaning.operation)), as by "
            + meaning.actor
        guard let first = entry.firstCosigned else {
            return what + ", at \(meaning.nodeTime) by its own clock; no other node has cosigned the head, so no other "
                + "clock vouches for the time."
        }
        return what + ", no later than \(Self.time(first.unixSeconds)), when '\(first.witness.node)' cosigned the log."
    }

    private func show(_ result: Result) {
        Output.line("the proof holds")
        Output.line("")
        Output.line(result.sentence)
        Output.line("")
        for line in result.meaning.lines { Output.line("  \(Output.cell(line.label, 18)) \(line.text)") }
        for part in result.parts where !part.isHere {
            Output.line("  part \(part.position) (\(part.kind)) was dropped by order \(part.droppedByOrder ?? "")")
        }
        Output.line("")
        Output.line("  names in «» are a convenience of the file; no signature covers them")
        Output.line("  log head of size \(result.checkpointSize), signed with \(result.verifierKey)")
        if let size = result.acceptedUpTo {
            Output.line("  that key was replaced or revoked; the charter accepts the first \(size) entries of the log")
        }
        for witness in result.cosignatures {
            let remark =
                witness.isOtherNode
                ? (witness.isCurrent ? "" : ", by a key that counts no more: says nothing of the time")
                : ", the writer's own node: says nothing of the time"
            Output.line("  cosigned \(witness.cosigned) by \(witness.witness)\(remark)")
        }
        if result.unknownSignatures > 0 {
            Output.line("  \(result.unknownSignatures) further signatures are by keys that the charter does not name")
        }
        Output.line(
            "  by the charter of network \(result.network) up to version \(result.charterVersion); what later versions "
                + "revoke does not show here")
        Output.line("  founding hash of the charter: \(result.charterFoundingHash)")
        if !result.charterHashWasGiven {
            Output.line("")
            Output.line(
                "Compare the founding hash with the one you have by another way (or give it with --charter-hash): "
                    + "if it is another, this proves nothing.")
        }
    }
}

/// Reads files of others, whose size is looked at before memory is taken.
enum BoundedFile {
    /// The bytes of a file.
    ///
    /// - Throws: ``Failure`` where it cannot be read or is larger than `limit`.
    static func read(_ path: String, limit: Int) throws -> [UInt8] {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw Failure("\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { try? handle.close() }
        var bytes: [UInt8] = []
        while let piece = try? handle.read(upToCount: 1 << 20), !piece.isEmpty {
            bytes += piece
            guard bytes.count <= limit else {
                throw Failure("\(path) has more than \(limit) bytes, which are not read")
            }
        }
        return bytes
    }
}
