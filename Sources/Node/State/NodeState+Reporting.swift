import EventLog
import StoreCore
import Trial

extension NodeState {
    /// What is held, stream by stream.
    mutating func streamStatus(
        _ core: any EventReading, vouchers: [LogID: [Voucher]], knownAt: (LogID, UInt64) -> [NodeID]
    ) throws -> [StreamStatus] {
        var logs: [StreamID: [LogStatusReport]] = [:]
        for head in try core.replicationHeads() where head.size > 0 {
            logs[head.name.stream, default: []].append(
                LogStatusReport(
                    log: head.name.id, node: head.name.node, size: head.size, root: head.root,
                    alsoAt: knownAt(head.name.id, head.size), vouchedBy: vouchers[head.name.id] ?? []))
        }
        return logs.sorted { $0.key < $1.key }.map { stream, logs in
            let digest = digest(of: stream)
            let counts = stream.location.flatMap { settledCounts(of: $0, in: stream.study) } ?? StreamCounts()
            return StreamStatus(
                stream: stream.description, location: stream.location, digest: digest?.digest ?? .zero,
                studyDigest: digest?.studyDigest ?? .zero, counts: counts, logs: logs.sorted { $0.log < $1.log },
                findings: findings(of: stream))
        }
    }

    /// How much a location's stream holds; only records that changed since the last time are counted anew.
    private mutating func settledCounts(of location: LocationID, in study: StudyID) -> StreamCounts? {
        guard folds[study] != nil else { return nil }
        return withFold(study) { $0.settledCounts(of: location) }
    }

    /// What a person should know of a stream's entries, one sentence each, at most a hundred.
    private func findings(of stream: StreamID) -> [String] {
        var lines: [String] = []
        func add(_ void: [EntryID: VoidRule], _ waiting: [EntryID: Awaited], _ findings: [EntryID: FindingRule]) {
            for (entry, rule) in void.sorted(by: { $0.key < $1.key }) {
                lines.append("entry \(entry) has no effect (V\(rule.rawValue)): \(rule.explanation)")
            }
            for (entry, awaited) in waiting.sorted(by: { $0.key < $1.key }) {
                lines.append("entry \(entry) waits for \(awaited.explanation)")
            }
            for (entry, rule) in findings.sorted(by: { $0.key < $1.key }) {
                lines.append("entry \(entry) (F\(rule.rawValue)): \(rule.explanation)")
            }
        }
        guard let fold = folds[stream.study] else { return [] }
        lines += (fold.forkedLogs[stream] ?? []).sorted().map { log in
            "log \(log) has two histories, both signed by its node: all entries of both count, as written apart"
        }
        if let location = stream.location {
            guard let held = fold.locations[location] else { return [] }
            add(held.void, held.waiting, held.findings)
            lines += held.notUnderstood.sorted().map { "entry \($0) is of a newer version and not understood here" }
            let notable = held.records.values.filter {
                !($0.void.isEmpty && $0.waiting.isEmpty && $0.findings.isEmpty)
            }
            for record in notable.sorted(by: { $0.id < $1.id }) { add(record.void, record.waiting, record.findings) }
        } else {
            add(fold.authority.void, fold.authority.waiting, fold.authority.findings)
            lines += fold.authority.notUnderstood.sorted().map {
                "entry \($0) is of a newer version and not understood here"
            }
        }
        return Array(lines.prefix(100))
    }

    /// What the fold holds of the participant with a label.
    func report(study: StudyID, label: String) -> ParticipantReport? {
        for (location, fold) in folds[study]?.locations ?? [:] {
            guard let record = fold.records.values.first(where: { $0.labels.contains { $0.text == label } }) else {
                continue
            }
            return ParticipantReport(
                participant: record.id, location: location, labels: record.labels,
                statuses: record.reached.map(\.status), isFullyUnderstood: fold.isFullyUnderstood(record),
                items: items(of: record))
        }
        return nil
    }

    private func items(of record: ParticipantState) -> [ParticipantReport.Item] {
        func named(_ instance: InstanceState?) -> String {
            guard let instance else { return "" }
            return instance.shape.oid + (instance.repeatKey.map { "[\($0)]" } ?? "")
        }
        let open = record.openConflicts
        var items: [ParticipantReport.Item] = []
        for (id, group) in record.instances where group.shape.kind == .itemGroup {
            guard let form = group.shape.parent else { continue }
            for (item, register) in group.registers where !register.held.isEmpty {
                items.append(
                    ParticipantReport.Item(
                        event: named(record.instances[form]?.shape.parent.flatMap { record.instances[$0] }),
                        form: named(record.instances[form]), formInstance: form, group: named(group),
                        groupInstance: id, item: item,
                        values: register.held.map { held in
                            ParticipantReport.ItemValue(
                                id: SeenValue(entry: held.id.entry, position: held.id.position),
                                typed: held.value?.typed, node: record.origins[held.id.entry]?.node)
                        },
                        isConflict: open.cover(item, of: id)))
            }
        }
        return items.sorted {
            ($0.event, $0.form, $0.group, $0.item.text) < ($1.event, $1.form, $1.group, $1.item.text)
        }
    }
}
