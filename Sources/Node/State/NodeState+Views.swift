import EventLog
import Interchange
import StoreCore
import Trial
import Views

extension NodeState {
    /// What the views are told: what changed since the last time, and the records of the registrations that they name.
    mutating func viewReport(
        naming asked: [StudyID: [LocationID: Set<EntryID>]], _ core: any EventReading
    ) throws -> FoldReport {
        try catchUp(core)
        var report = FoldReport(
            contexts: [:], updates: [], arrival: arrival, leaf: try core.leafHash(atArrival: arrival) ?? .zero)
        for study in folds.keys.sorted() {
            guard let context = try viewContext(of: study, core) else { continue }
            report.contexts[study] = context
            var changes = withFold(study) { $0.takeChanges() }
            changes.merge(asked[study] ?? [:]) { $0.union($1) }
            let mustForget = withFold(study) { $0.takeDropsChanged() }
            guard !changes.isEmpty || mustForget, let fold = folds[study] else { continue }
            report.updates.append(StudyUpdate(fold, changes: changes, mustForget: mustForget))
        }
        return report
    }

    /// The newest plan of a study, nil in it where that cannot be read; nil where there is none.
    mutating func plan(of study: StudyID) -> (content: Hash, plan: TrialPlan?)? {
        guard let document = folds[study]?.authority.plans.last?.payload else { return nil }
        let content = Hash.sha256(document)
        if plans[content] == nil {
            plans[content] = .some(TrialPlanReader.read(bytes: document, fileName: "published plan").0)
        }
        return (content, plans[content] ?? nil)
    }

    /// The OIDs of the studies whose founding is here.
    var studyOIDs: [StudyID: String] {
        folds.compactMapValues { $0.authority.founding?.payload.oid.text }
    }

    /// Forgets what changed while the folds were made: the views then compare themselves with the store.
    mutating func forgetChanges() {
        for study in Array(folds.keys) { withFold(study) { _ = $0.takeChanges() } }
    }

    /// What a study's view depends on beside its participants; nil before the study's founding is here.
    mutating func viewContext(of study: StudyID, _ core: any EventReading) throws -> StudyViewContext? {
        guard let authority = folds[study]?.authority, authority.founding != nil else { return nil }
        let definition = try definition(of: study, core: core)
        let plan = plan(of: study)
        let locations = (chain.newest?.locations ?? []).map {
            ($0.id, LocationDescription(name: $0.name, region: $0.region))
        }
        return StudyViewContext(
            study: study, authority: authority, definition: definition?.study, definitionHash: definition?.content,
            plan: plan?.plan, planHash: plan?.content,
            locations: Dictionary(locations) { first, _ in first })
    }
}
