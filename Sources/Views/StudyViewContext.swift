public import EventLog
public import Trial

/// A location as the charter describes it.
public struct LocationDescription: Hashable, Sendable {
    /// The name that people read.
    public var name: String
    /// The region it belongs to, if it belongs to one.
    public var region: String?

    /// Describes a location.
    public init(name: String, region: String?) {
        self.name = name
        self.region = region
    }
}

/// All that a study's view depends on beside its participants' records.
public struct StudyViewContext: Sendable {
    /// The study.
    public let study: StudyID
    /// What the study's own stream and the charter say.
    public let authority: StudyAuthority
    /// The newest definitions; nil where they are not here yet: the datamart then has no tables.
    public let definition: StudyDefinition?
    /// Hash of the definitions' document.
    public let definitionHash: Hash?
    /// The newest plan; nil where none is here: no targets are then known.
    public let plan: TrialPlan?
    /// Hash of the plan's document.
    public let planHash: Hash?
    /// Locations by their id.
    public let locations: [LocationID: LocationDescription]

    /// Joins them.
    public init(
        study: StudyID, authority: StudyAuthority, definition: StudyDefinition?, definitionHash: Hash?,
        plan: TrialPlan?, planHash: Hash?, locations: [LocationID: LocationDescription]
    ) {
        self.study = study
        self.authority = authority
        self.definition = definition
        self.definitionHash = definitionHash
        self.plan = plan
        self.planHash = planHash
        self.locations = locations
    }

    /// What the shape of the tables follows from: where it changes, the view is built anew.
    var shape: Hash {
        var writer = WireWriter()
        writer.string(1, "varde/view/shape/0")
        writer.unsigned(2, ViewSchema.version)
        writer.hash(3, definitionHash ?? .zero)
        writer.hash(4, planHash ?? .zero)
        return .sha256(writer.bytes)
    }
}

/// Where in an events file a view stands.
public struct ViewPosition: Hashable, Sendable {
    /// The incarnation of the events file.
    public let incarnation: RandomName
    /// The last arrival whose entries are in the view.
    public let arrival: Int64
    /// The leaf hash of that arrival's last entry; zero before the first arrival.
    public let leaf: Hash

    /// States a position.
    public init(incarnation: RandomName, arrival: Int64, leaf: Hash) {
        self.incarnation = incarnation
        self.arrival = arrival
        self.leaf = leaf
    }
}
