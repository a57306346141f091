import EventLog
import HTTPTypes
import Node
import Trial

/// A study that a token opens, and of which of its locations the token's holder may see records at this node.
struct OpenedStudy: Sendable {
    let reading: StudyReading
    let scope: ReadingScope
    private let holder: TokenRecord

    init(_ reading: StudyReading, for holder: TokenRecord, at node: NodeID) {
        self.reading = reading
        self.holder = holder
        scope = reading.authority.readingScope(of: holder.actor, as: holder.role.role, at: node)
    }

    /// The study.
    var study: StudyID { reading.study }

    /// The locations whose records are to be listed; nil for all that are here.
    ///
    /// - Parameter asked: the one that is asked for; nil for all that may be seen.
    /// - Throws: ``Problem`` where none of them may be seen.
    func readable(_ asked: LocationID?) throws -> Set<LocationID>? {
        try readable(asked, within: scope)
    }

    /// The same for the questionnaires that are due: client systems that submit the answers see these, too, and nothing
    /// else, at the study sites at which they are delegated.
    func answerable(_ asked: LocationID?) throws -> Set<LocationID>? {
        guard holder.role == .partnerApp else { return try readable(asked) }
        let locations = reading.authority.delegatedLocations(of: holder.actor, as: .partnerApp)
        return try readable(asked, within: .locations(locations))
    }

    private func readable(_ asked: LocationID?, within scope: ReadingScope) throws -> Set<LocationID>? {
        guard !scope.isEmpty else { throw notDelegated(at: nil) }
        if let asked {
            guard scope.contains(asked) else { throw notDelegated(at: asked) }
            return [asked]
        }
        return if case .locations(let locations) = scope { locations } else { nil }
    }

    /// What whoever may not see a location's records is told.
    func notDelegated(at location: LocationID?) -> Problem {
        Problem(
            .forbidden, "not-delegated", "Not delegated to see this",
            "the role \(holder.role.rawValue) is not delegated to actor \(holder.actor) at "
                + (location.map { "the study site of location \($0)" } ?? "any study site of study \(study)"),
            action: holder.role == .partnerApp
                ? "a client system submits answers and reads which questionnaires are due at study sites at which it is delegated"
                : "have it delegated by whoever owns the study site's delegations ('varde token add --study … --site …'); "
                    + "a data manager sees everything at a node that coordinates the study")
    }
}
