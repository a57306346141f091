import ArgumentParser
import EventLog
import Foundation
import Interchange
import Node

/// `varde prove`.
struct ProveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Write the proof of one entry into a file that can be checked without this node.",
        discussion: """
            The file holds the entry with its parts, its place in the log under a signed head (C2SP tlog-proof), the \
            cosignatures of witnesses, and the charter with everybody's keys. It holds what the entry says about a \
            participant: give it only to who may know that. An entry is named by log and index, or by its id; with --study \
            and --participant the entries of a participant are listed. May run beside the node.

            Example:
              varde prove --dir network/norcrin --study CDISCPILOT01 --participant 01-701-1015
              varde prove 3f2a91c4/17 --dir network/norcrin --out entry.varde-proof.json
              varde verify entry.varde-proof.json --charter-hash HASH
            """)

    @Argument(help: "The entry: LOG/INDEX, where LOG are the first digits of the log's id, or the entry's id.")
    var entry: String?
    @OptionGroup var node: NodeOption
    @Option(help: "The study whose participant is meant: its OID or id.")
    var study: String?
    @Option(help: "List the entries of the participant with this label.")
    var participant: String?
    @Option(name: .customLong("out"), help: "The file to write; '-' for standard output.")
    var output = "-"
    @Flag(help: "Print a list, or what was written, as JSON.")
    var json = false

    func validate() throws {
        guard (entry != nil) != (participant != nil) else {
            throw ValidationError("give either an entry, or --study and --participant for a list of entries")
        }
        guard (study != nil) == (participant != nil) else {
            throw ValidationError("--study and --participant go together")
        }
        if let entry, EntryReference(entry) == nil {
            throw ValidationError(
                "'\(entry)' names no entry: give LOG/INDEX with at least 4 hexadecimal digits of the log's id, or the "
                    + "64 digits of an entry's id")
        }
    }

    func run() async throws {
        let offline = try OfflineNode(directory: try node.directory())
        if let participant, let study { return try list(offline, participant: participant, study: study) }
        guard let entry, let reference = EntryReference(entry) else { return try validate() }
        let file = try offline.prove(reference)
        if output == "-" {
            FileHandle.standardOutput.write(Data(file.bytes))
            return
        }
        try ProveCommand.write(file.bytes, to: output)
        let proven = file.proof.entry
        if json {
            return try Output.json(
                Written(file: output, entry: proven.id, log: proven.log.id, index: proven.logProof.index))
        }
        Output.line("proof of entry \(proven.address) written to \(output)")
        Output.line("check it anywhere with: varde verify \(output)")
    }

    private struct Written: Encodable {
        var file: String
        var entry: EntryID
        var log: LogID
        var index: UInt64
    }

    private func list(_ offline: OfflineNode, participant: String, study: String) throws {
        let entries = try offline.entries(ofParticipant: participant, study: study)
        guard !entries.isEmpty else {
            throw Failure("this node holds no participant with the label '\(participant)' in study \(study)")
        }
        if json { return try Output.json(entries) }
        for entry in entries {
            Output.line(
                "\(entry.place)  \(entry.nodeTime)  \(Output.cell(entry.node.text, 12)) "
                    + "\(entry.operation), \(entry.role)")
        }
    }

    /// What is written says something about a participant: nobody but the owner may read it.
    private static func write(_ bytes: [UInt8], to path: String) throws {
        let manager = FileManager.default
        let temporary = path + ".part"
        try? manager.removeItem(atPath: temporary)
        guard
            manager.createFile(atPath: temporary, contents: Data(bytes), attributes: [.posixPermissions: 0o600]),
            rename(temporary, path) == 0
        else { throw Failure("\(path) cannot be written: \(String(cString: strerror(errno)))") }
    }
}
