import EventLog
import Trial

extension TrialTestWorld {
    /// What is to be decided of a participant at a node.
    func open(_ participant: EntryID, at node: NodeID) -> [Conflict] {
        record(participant, at: node)?.openConflicts.list ?? []
    }

    /// A resolution of a conflict by its side that `isChosen`, where the others are wrong.
    func resolution(
        of conflict: Conflict, _ participant: EntryID, at node: NodeID, outcome: [EnteredGroup] = [],
        isChosen: (ConflictSide) -> Bool
    ) -> ResolutionEntry {
        ResolutionEntry(
            location: .haukeland, participant: .registration(participant),
            instance: conflict.instance ?? InstanceID(.zero), item: conflict.item,
            sides: conflict.sides.compactMap { side in
                side.nameInResolutions.map {
                    JudgedSideEntry(
                        side: SeenValue(entry: $0.entry, position: $0.position),
                        verdict: isChosen(side) ? .chosen : .wrong)
                }
            }, outcome: outcome, seen: screen(participant, at: node), reason: "kildedata")
    }

    /// A save in the diary, which is a whole.
    func diary(
        of participant: EntryID, _ items: [(ItemOID, String)], at node: NodeID, seen: [SeenValue]? = nil
    ) -> Request {
        .save(
            FormEntry(
                location: .haukeland, participant: .registration(participant),
                event: InstanceSelector(oid: TestStudy.baseline), form: InstanceSelector(oid: TestStudy.diaryForm),
                groups: [
                    EnteredGroup(
                        group: InstanceSelector(oid: TestStudy.diary),
                        items: items.map { EnteredItem(item: $0.0, value: .datum($0.1, unit: nil)) })
                ], seen: seen ?? screen(participant, at: node)))
    }

    /// Removes or restores the only instance of an OID.
    func removal(of participant: EntryID, _ oid: String?, at node: NodeID, seen: [SeenValue]? = nil) -> RemovalTarget {
        RemovalTarget(
            location: .haukeland, participant: .registration(participant),
            instance: oid.flatMap { record(participant, at: node)?.instances(of: $0).keys.first }, reason: "dobbelt",
            seen: seen)
    }
}
