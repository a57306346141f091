public import EventLog

/// A proof file: an ``EventLog/EntryProof`` as JSON, and beside it a readable text that proves nothing
/// (`Protocols/log.md`, "Proof of one entry").
public struct ProofFile: Sendable {
    /// What can be checked.
    public var proof: EntryProof
    /// What people may read without checking, one line each; whoever wrote the file vouches for it, nobody else.
    public var readable: [String]
    /// Names of OIDs and codes by the study's definition, as whoever wrote the file had it: a convenience.
    public var names: ProofNames

    /// What stands in `format`.
    public static let format = "varde/entry-proof/0"
    /// No file has more bytes: a whole chain of charters, an entry with its orders, and the names.
    public static let maximumByteCount = 128 * 1024 * 1024

    private static let limits = JSONReadingLimits(bytes: maximumByteCount, depth: 8, values: 100_000)

    /// Joins a proof and what is convenient beside it.
    public init(proof: EntryProof, readable: [String], names: ProofNames) {
        self.proof = proof
        self.readable = readable
        self.names = names
    }

    /// Reads a file. Nothing is verified yet: see ``EventLog/EntryProof/verify(foundingHash:)``.
    ///
    /// - Throws: ``ProofFileError``.
    public init(bytes: [UInt8]) throws(ProofFileError) {
        guard bytes.count <= ProofFile.maximumByteCount else { throw .tooLarge(byteCount: bytes.count) }
        let document: JSONDocument
        do throws(JSONProblem) {
            document = try JSONDocument(bytes, limits: ProofFile.limits)
        } catch {
            throw .notJSON(offset: error.offset, reason: error.reason)
        }
        // The version stands first, so that nothing is guessed about the rest.
        guard let first = document.root.members.first, first.name == "format" else { throw .noFormat }
        guard first.value.string == ProofFile.format else { throw .otherFormat(first.value.string ?? "") }
        let members = try ProofMembers(
            document.root, in: "", known: ["format", "charter", "entry", "orders", "unproven"])
        var charters: [SignedCharter] = []
        for (place, value) in try members.array("charter", limit: CharterLimit.versions).enumerated() {
            let bytes = try ProofMembers.base64(value, "charter[\(place)]")
            do throws(CharterError) {
                charters.append(try SignedCharter(bytes: bytes))
            } catch {
                throw .charter(number: place, error)
            }
        }
        var orders: [ProvenEntry] = []
        for (place, value) in try members.array("orders", limit: EntryProof.maximumOrders).enumerated() {
            orders.append(try ProvenEntry(json: value, in: "orders[\(place)]"))
        }
        proof = EntryProof(
            entry: try ProvenEntry(json: try members.value("entry"), in: "entry"), orders: orders, charters: charters)
        let unproven = try ProofMembers(try members.value("unproven"), in: "unproven", known: ["readable", "names"])
        readable = try unproven.array("readable", limit: ProofNames.maximumCount).map { value throws(ProofFileError) in
            try ProofMembers.text(value, "unproven.readable")
        }
        names = try ProofNames(json: try unproven.value("names"))
    }

    /// The bytes of the file.
    public var bytes: [UInt8] {
        var text = ProofText()
        text.object { text in
            text.member("format", ProofFile.format)
            text.member("charter", proof.charters.map { ProofText.base64($0.bytes) })
            text.name("entry")
            proof.entry.write(to: &text)
            text.name("orders")
            text.array(proof.orders) { $1.write(to: &$0) }
            text.name("unproven")
            text.object { text in
                text.member("readable", readable)
                text.name("names")
                names.write(to: &text)
            }
        }
        return text.bytes + [0x0A]
    }
}

extension ProvenEntry {
    fileprivate func write(to text: inout ProofText) {
        text.object { text in
            text.member("network", log.network.text)
            text.member("node", log.node.text)
            text.member("stream", log.stream.description)
            text.member("epoch", log.epoch.description)
            text.member("header", ProofText.base64(header))
            text.name("parts")
            text.array(body.parts) { text, part in
                guard let part else { return text.null() }
                text.object { text in
                    text.member("salt", ProofText.base64(part.salt.bytes))
                    text.member("bytes", ProofText.base64(part.bytes))
                }
            }
            text.member("logProof", String(decoding: logProof.bytes, as: UTF8.self))
            if let acceptedPath {
                text.member("acceptedPath", acceptedPath.map { ProofText.base64($0.bytes) })
            }
        }
    }

    fileprivate init(json: JSONValue, in place: String) throws(ProofFileError) {
        let members = try ProofMembers(
            json, in: place,
            known: ["network", "node", "stream", "epoch", "header", "parts", "logProof", "acceptedPath"])
        guard let network = NetworkID(try members.text("network")), let node = NodeID(try members.text("node")),
            let stream = StreamID(try members.text("stream")), let epoch = Epoch(hex: try members.text("epoch"))
        else { throw .malformed(place, "the name of the log is none") }
        var parts: [Part?] = []
        for (position, value) in try members.array("parts", limit: FormatLimit.parts).enumerated() {
            if value.isNull {
                parts.append(nil)
                continue
            }
            let name = "\(place).parts[\(position)]"
            let part = try ProofMembers(value, in: name, known: ["salt", "bytes"])
            guard let salt = RandomName(bytes: try part.base64("salt")) else {
                throw .malformed(name, "a salt has 16 bytes")
            }
            parts.append(Part(salt: salt, bytes: try part.base64("bytes")))
        }
        var path: [Hash]?
        if members.has("acceptedPath") {
            var hashes: [Hash] = []
            for value in try members.array("acceptedPath", limit: ProvenEntry.maximumAcceptedPathCount) {
                guard let hash = Hash(bytes: try ProofMembers.base64(value, "\(place).acceptedPath")) else {
                    throw .malformed("\(place).acceptedPath", "a hash has 32 bytes")
                }
                hashes.append(hash)
            }
            path = hashes
        }
        let text = try members.text("logProof")
        let logProof: LogProof
        do throws(LogProofError) {
            logProof = try LogProof(bytes: Array(text.utf8))
        } catch {
            throw .logProof(place, error)
        }
        self.init(
            log: LogName(network: network, node: node, stream: stream, epoch: epoch),
            header: try members.base64("header"), body: EntryBody(parts: parts), logProof: logProof,
            acceptedPath: path)
    }
}

/// Why a file is no proof file.
public enum ProofFileError: Error, Hashable, Sendable {
    /// More bytes than ``ProofFile/maximumByteCount``.
    case tooLarge(byteCount: Int)
    /// The bytes are no JSON.
    case notJSON(offset: Int, reason: String)
    /// The first member is not `format`.
    case noFormat
    /// The format is another one.
    case otherFormat(String)
    /// A member is missing.
    case missing(String)
    /// A member of a name that the format does not have.
    case unknownMember(String)
    /// A member holds what it may not.
    case malformed(String, String)
    /// A version of the charter cannot be read.
    case charter(number: Int, CharterError)
    /// A log proof cannot be read.
    case logProof(String, LogProofError)
}

extension ProofFileError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .tooLarge(let count): "the file has \(count) bytes; at most \(ProofFile.maximumByteCount) are read"
        case .notJSON(let offset, let reason): "the file is not JSON (at byte \(offset)): \(reason)"
        case .noFormat: "the file is no proof: its first member is not 'format'"
        case .otherFormat(let found):
            "the file is of format '\(found)', which this software does not know: it reads '\(ProofFile.format)'"
        case .missing(let name): "'\(name)' is missing in the proof; get the whole file"
        case .unknownMember(let name): "the proof holds '\(name)', which its format does not have"
        case .malformed(let place, let reason): "'\(place)' in the proof cannot be read: \(reason)"
        case .charter(let number, let error): "version \(number) of the charter in the proof: \(error)"
        case .logProof(let place, let error): "the log proof of '\(place)': \(error)"
        }
    }
}
