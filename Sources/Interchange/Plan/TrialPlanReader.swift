import EventLog
public import Trial
import Yams

/// Reads a trial plan (Protocols/trial-plan.md) from YAML: every key is known, none stands twice, every value is of its kind.
public enum TrialPlanReader {
    /// The greatest number of bytes in a file.
    public static let maximumFileBytes = 1 << 20

    /// Reads a file.
    /// - Returns: the plan, nil where the report has errors; and the report, which names each fault's line and key.
    public static func read(bytes: [UInt8], fileName: String) -> (TrialPlan?, ImportReport) {
        var fields = PlanFields(file: fileName)
        guard let root = document(bytes, &fields) else { return (nil, fields.problems.report) }
        let plan = plan(root, &fields)
        return (fields.problems.report.hasErrors ? nil : plan, fields.problems.report)
    }

    private static func document(_ bytes: [UInt8], _ fields: inout PlanFields) -> Node? {
        guard bytes.count <= maximumFileBytes else {
            fields.error(.tooLarge, nil, [], "the file has more than \(maximumFileBytes) bytes", "name a trial plan")
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            fields.error(.notWellFormed, nil, [], "the file is not UTF-8", "save it as UTF-8")
            return nil
        }
        do {
            if let node = try Yams.compose(yaml: text) { return node }
            fields.error(.missingElement, nil, [], "the file is empty", "name a trial plan")
        } catch let error as YamlError {
            let (line, reason) = explanation(of: error)
            fields.error(.notWellFormed, line.map { SourcePlace(line: $0) }, [], reason, "correct the YAML")
        } catch {
            fields.error(.notWellFormed, nil, [], "the file is no YAML", "correct the YAML")
        }
        return nil
    }

    private static func explanation(of error: YamlError) -> (line: Int?, reason: String) {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            (mark.line, "the file is no YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            (context.mark.line, "a key stands twice: \(keys.map(shownOID).joined(separator: ", "))")
        default: (nil, "the file is no YAML")
        }
    }

    private static func plan(_ root: Node, _ fields: inout PlanFields) -> TrialPlan? {
        let keys = [
            "study", "mode", "coordinating", "studySites", "recruitment", "status", "visits", "questionnaires",
            "subjectIdentifierSystem",
        ]
        guard let map = fields.mapping(root, known: keys, []) else { return nil }
        let study = fields.required(map, "study", []).flatMap { fields.text($0, [ImportPathStep("study")]) }
        let mode = fields.required(map, "mode", []).flatMap {
            fields.choice($0, [ImportPathStep("mode")], StudyMode.allCases) { $0.rawValue }
        }
        let coordinating = fields.required(map, "coordinating", []).map {
            fields.labels($0, [ImportPathStep("coordinating")], NodeID.init(_:))
        }
        let sites = fields.required(map, "studySites", []).map { studySites($0, &fields) }
        let recruitment = map["recruitment"].flatMap { recruitmentPlan($0, &fields) }
        let rules = map["status"].map { statusRules($0, &fields) } ?? []
        let visits = map["visits"].map { visitRules($0, &fields) } ?? []
        let questionnaires = map["questionnaires"].map { questionnairePlans($0, &fields) } ?? []
        let system = map["subjectIdentifierSystem"].flatMap {
            fields.text($0, [ImportPathStep("subjectIdentifierSystem")])
        }
        guard let study, let mode, let coordinating, let sites else { return nil }
        if coordinating.isEmpty {
            fields.error(
                .missingElement, fields.place(map["coordinating"]), [ImportPathStep("coordinating")],
                "no node coordinates the study", "name at least one node")
        }
        return TrialPlan(
            studyOID: StudyOID(study), mode: mode, coordinatingNodes: coordinating, studySites: sites,
            recruitment: recruitment, statusRules: rules, visitRules: visits, questionnaires: questionnaires,
            subjectIdentifierSystem: system)
    }

    private static func studySites(_ node: Node, _ fields: inout PlanFields) -> [StudySitePlan] {
        let path = [ImportPathStep("studySites")]
        var siteLines: [StudySiteID: Int] = [:]
        var locationLines: [LocationID: Int] = [:]
        var sites: [StudySitePlan] = []
        for (index, entry) in fields.sequence(node, path).enumerated() {
            let sitePath = path + [ImportPathStep("\(index + 1)")]
            guard let site = studySite(entry, sitePath, &fields) else { continue }
            if let line = siteLines.updateValue(entry.mark?.line ?? 0, forKey: site.id) {
                fields.error(
                    .duplicateKey, fields.place(entry), sitePath,
                    "the study site \(site.id) is in the plan before, at line \(line)", "give it another id")
            }
            for location in site.locations {
                if let line = locationLines.updateValue(entry.mark?.line ?? 0, forKey: location) {
                    fields.error(
                        .duplicateKey, fields.place(entry), sitePath,
                        "the location \(location) belongs to a study site before, at line \(line)",
                        "let each location belong to one study site")
                }
            }
            sites.append(site)
        }
        return sites
    }

    private static func studySite(
        _ node: Node, _ path: [ImportPathStep], _ fields: inout PlanFields
    ) -> StudySitePlan? {
        guard let map = fields.mapping(node, known: ["id", "name", "regional", "locations", "target"], path) else {
            return nil
        }
        let id = fields.required(map, "id", path).flatMap { fields.label($0, path, StudySiteID.init(_:)) }
        let name = fields.required(map, "name", path).flatMap { fields.text($0, path) }
        let isRegional = map["regional"].flatMap { fields.boolean($0, path) } ?? false
        let locations = fields.required(map, "locations", path).map {
            fields.labels($0, path, LocationID.init(_:))
        }
        let target = map["target"].flatMap { fields.number($0, path) }
        guard let id, let name, let locations else { return nil }
        if locations.isEmpty {
            fields.error(
                .missingElement, fields.place(map["locations"]), path, "the study site has no locations", "name them")
        }
        return StudySitePlan(id: id, name: name, isRegional: isRegional, locations: locations, target: target)
    }

    private static func recruitmentPlan(_ node: Node, _ fields: inout PlanFields) -> RecruitmentPlan? {
        let path = [ImportPathStep("recruitment")]
        guard let map = fields.mapping(node, known: ["start", "end", "target"], path) else { return nil }
        let start = fields.required(map, "start", path).flatMap { fields.date($0, path) }
        let end = fields.required(map, "end", path).flatMap { fields.date($0, path) }
        let target = fields.required(map, "target", path).flatMap { fields.number($0, path) }
        guard let start, let end, let target else { return nil }
        if end < start {
            fields.error(.contradiction, fields.place(node), path, "the end is before the start", "correct the dates")
        }
        return RecruitmentPlan(start: start, end: end, target: target)
    }

    private static func statusRules(_ node: Node, _ fields: inout PlanFields) -> [StatusRule] {
        let path = [ImportPathStep("status")]
        let known = ParticipantStatus.allCases.map(\.rawValue)
        guard let map = fields.mapping(node, known: known, path) else { return [] }
        return ParticipantStatus.allCases.compactMap { status in
            map[status.rawValue].flatMap { statusRule(status, $0, &fields) }
        }
    }

    private static func statusRule(
        _ status: ParticipantStatus, _ node: Node, _ fields: inout PlanFields
    ) -> StatusRule? {
        let path = [ImportPathStep("status"), ImportPathStep(status.rawValue)]
        guard let map = fields.mapping(node, known: ["when", "event", "item", "equals", "dateItem"], path) else {
            return nil
        }
        let dateItem = map["dateItem"].flatMap { fields.text($0, path) }.map { ItemOID($0) }
        guard let when = fields.required(map, "when", path).flatMap({ fields.text($0, path) }) else { return nil }
        func superfluous(_ names: [String]) {
            for name in names {
                guard let other = map[name] else { continue }
                fields.error(
                    .unknownKey, fields.place(other), path, "the key \(name) has no meaning with when: \(when)",
                    "remove it")
            }
        }
        switch when {
        case "event":
            superfluous(["item", "equals"])
            guard let event = fields.required(map, "event", path).flatMap({ fields.text($0, path) }) else { return nil }
            return StatusRule(status: status, condition: .event(StudyEventOID(event)), dateItem: dateItem)
        case "item":
            superfluous(["event"])
            let item = fields.required(map, "item", path).flatMap { fields.text($0, path) }
            let value = fields.required(map, "equals", path).flatMap { fields.text($0, path) }
            guard let item, let value else { return nil }
            return StatusRule(status: status, condition: .item(ItemOID(item), equals: value), dateItem: dateItem)
        default:
            fields.error(
                .invalidAttribute, fields.place(map["when"]), path, "when is '\(shownOID(when))'", "write event or item"
            )
            return nil
        }
    }
}
