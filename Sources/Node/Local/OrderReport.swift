public import EventLog
import Store
import StoreCore
import Trial

/// An order to drop something, and what became of it at this node.
public struct OrderReport: Hashable, Sendable, Codable {
    /// The entry that gave it.
    public var order: EntryID
    /// The location in whose stream it acts.
    public var location: LocationID
    /// The entry that lost parts; nil where a participant was erased.
    public var entry: EntryID?
    /// The registration of the participant who was erased; nil where parts of an entry were dropped.
    public var participant: EntryID?
    /// Positions of the parts that were dropped from an entry.
    public var parts: [Int]
    /// The ground in law.
    public var ground: String
    /// Who decided.
    public var decidedBy: String
    /// Why; nil where that was dropped by another order.
    public var reason: String?
    /// The node that wrote it.
    public var node: NodeID?
    /// Who ordered it.
    public var actor: ActorID?
    /// In what role.
    public var role: String?
    /// When, by that node's clock, milliseconds since 1970-01-01T00:00:00Z.
    public var utcMilliseconds: Int64?
}

extension NodeAccess {
    /// Every order with effect that is known of a study, by location and id.
    public func orders(of study: StudyID) async throws -> [OrderReport] {
        try await store.read { core, state in
            var reports: [OrderReport] = []
            for (location, fold) in state.folds[study]?.locations.sorted(by: { $0.key < $1.key }) ?? [] {
                for order in fold.orders.values.sorted(by: { $0.entry < $1.entry }) {
                    let written = try StoredEntries(core: core).entries(at: [order.address]).first
                    reports.append(OrderReport(order, at: location, written))
                }
            }
            return reports
        }
    }
}

extension OrderReport {
    fileprivate init(_ inEffect: OrderInEffect, at location: LocationID, _ written: WrittenEntry?) {
        let order = inEffect.order
        self.init(
            order: inEffect.entry, location: location, parts: [], ground: order.ground, decidedBy: order.decidedBy,
            reason: order.reason, node: written?.writer, actor: written?.header?.authority.actor,
            role: written?.header?.authority.role.description,
            utcMilliseconds: written?.header?.nodeTime.utcMilliseconds)
        switch order.target {
        case .parts(let dropped, let entry, _):
            self.entry = entry
            parts = (0..<FormatLimit.parts).filter { dropped.contains(position: $0) }
        case .participant(let registration, _): participant = registration
        }
    }
}
