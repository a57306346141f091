public import EventLog
public import Trial

/// A study as this node knows it.
public struct StudyReading: Sendable {
    /// The study.
    public let study: StudyID
    /// Its founding; nil while the entry has not come.
    public let founding: StudyFounding?
    /// Everything that is said of who takes part and may do what.
    public let authority: StudyAuthority
    /// The newest publication of definitions.
    public let publication: DefinitionPublication?
    /// The locations whose streams are held here.
    public let heldLocations: [LocationID]
}

/// A study's newest definitions.
public struct DefinitionReading: Sendable {
    /// SHA-256 of the document.
    public let content: Hash
    /// What it says.
    public let definition: StudyDefinition
}

/// One participant's record.
public struct ParticipantReading: Sendable {
    /// The record.
    public let state: ParticipantState
    /// Whether everything about the participant is understood by this software.
    public let isFullyUnderstood: Bool
    /// Where the entries stand that make it.
    public let addresses: [EntryID: EntryAddress]
}

/// An entry and where it is durable.
public struct EntryReading: Sendable {
    /// The entry.
    public let entry: EntryID
    /// Where it stands.
    public let address: EntryAddress
    /// Its log's stream.
    public let stream: StreamID
    /// The node that wrote it.
    public let writer: NodeID
    /// When, by that node's clock; nil where the header is of an unknown version.
    public let time: NodeTime?
    /// What it does.
    public let operation: OperationType?
    /// The participant it is about.
    public let participant: EntryID?
    /// The OIDs of the forms it is about.
    public let forms: [String]
    /// Other nodes known to hold it durably.
    public internal(set) var alsoAt: [NodeID]
}

/// How far a listener has read what came to this node's store.
public struct ChangePosition: Hashable, Sendable {
    /// Which store: a restored or new one counts anew.
    public let incarnation: RandomName
    /// The last arrival read; 0 for none.
    public let arrival: Int64

    /// States a position.
    public init(incarnation: RandomName, arrival: Int64) {
        self.incarnation = incarnation
        self.arrival = arrival
    }
}

/// Entries that came, with the position reached.
public struct ChangeReading: Sendable {
    /// Arrivals with the entries of the study asked for, each with the position after it.
    public let arrivals: [(position: ChangePosition, entries: [EntryReading])]
    /// How far was read; beyond the last of `arrivals` where what came is of other studies.
    public let reached: ChangePosition
    /// True where the position asked from is of another store, so that the listener has to read everything anew.
    public let isOfAnotherStore: Bool
    /// Whether everything that is there was read.
    public let isComplete: Bool
}
