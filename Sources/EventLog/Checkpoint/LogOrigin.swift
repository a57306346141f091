/// The origin of a log of a Varde network, which is also the name of the key in its checkpoints:
/// `<network>/log/<log id>`, the id as 64 lower-case hexadecimal digits.
public struct LogOrigin: Hashable, Sendable, CustomStringConvertible {
    /// The network whose charter admits the log's writer.
    public let network: NetworkID
    /// The log.
    public let log: LogID

    /// Names a log.
    public init(network: NetworkID, log: LogID) {
        self.network = network
        self.log = log
    }

    /// Reads the text that ``text`` wrote; nil for every other spelling.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[1] == "log", let network = NetworkID(String(parts[0])),
            let log = LogID(hex: parts[2])
        else { return nil }
        self.init(network: network, log: log)
        guard self.text == text else { return nil }
    }

    /// `<network>/log/<log id>`.
    public var text: String { "\(network)/log/\(log)" }

    /// The same text.
    public var description: String { text }

    /// The name of the key that signs the log's checkpoints.
    public var keyName: NoteKeyName {
        guard let name = NoteKeyName(text) else { preconditionFailure("a network id held a space or plus sign") }
        return name
    }
}

/// The name of a witness's key: `<network>/witness/<node>/<n>`, where `n` counts the keys the node has had for
/// witnessing.
public struct WitnessName: Hashable, Sendable, CustomStringConvertible {
    /// The network whose charter names the key.
    public let network: NetworkID
    /// The node that witnesses.
    public let node: NodeID
    /// Which of the node's witness keys it is.
    public let number: UInt32

    /// Names a witness's key.
    public init(network: NetworkID, node: NodeID, number: UInt32) {
        self.network = network
        self.node = node
        self.number = number
    }

    /// Reads the text that ``text`` wrote; nil for every other spelling.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[1] == "witness", let network = NetworkID(String(parts[0])),
            let node = NodeID(String(parts[2])), let number = UInt32(parts[3])
        else { return nil }
        self.init(network: network, node: node, number: number)
        // A number may be spelled with zeros or a plus sign in front: such a text is not the name.
        guard self.text == text else { return nil }
    }

    /// `<network>/witness/<node>/<n>`.
    public var text: String { "\(network)/witness/\(node)/\(number)" }

    /// The same text.
    public var description: String { text }

    /// The name as it stands in signature lines.
    public var keyName: NoteKeyName {
        guard let name = NoteKeyName(text) else {
            preconditionFailure("a network or node id held a space or plus sign")
        }
        return name
    }
}
