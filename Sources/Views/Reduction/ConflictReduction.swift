import EventLog
import Trial

extension ConflictRow {
    /// The row of something that is to be decided.
    init(_ conflict: Conflict, in record: ParticipantState) {
        var entries = EntryTable(record)
        var sides = JSONText()
        sides.array { json in
            for side in conflict.sides {
                json.array { json in
                    json.text(side.name.kind)
                    json.number(entries.note(side.name.entry))
                    if let position = side.name.position { json.number(position) } else { json.null() }
                    json.array { json in
                        for value in side.values {
                            json.array { json in
                                json.hex(value.group.hash)
                                json.text(composed(value.item.text))
                                json.value(value.held, &entries)
                            }
                        }
                    }
                }
            }
        }
        var decisions = JSONText()
        decisions.array { json in for decision in conflict.decisions { json.hex(decision.hash) } }
        let shape = conflict.instance.flatMap { record.instances[$0]?.shape }
        self.init(
            kind: "\(conflict.kind)",
            form: shape?.kind == .form ? conflict.instance : shape?.kind == .itemGroup ? shape?.parent : nil,
            instance: conflict.instance, itemOID: conflict.item.map { composed($0.text) },
            isWaiting: conflict.isWaiting, decisions: decisions.bytes, entries: entries.written, sides: sides.bytes)
    }
}

extension ConflictSideName {
    /// The word for it in `open_conflict`.
    fileprivate var kind: String {
        switch self {
        case .value: "value"
        case .version: "version"
        case .beginning: "beginning"
        case .removal: "removal"
        case .restoration: "restoration"
        case .answer: "answer"
        }
    }

    /// With the entry, what a resolution or a decision names the side by; nil of what none names. Of a version, whose
    /// name is its lowest value, that is one its entry wrote.
    fileprivate var position: UInt64? {
        switch self {
        case .value(let value), .version(_, let value): value.position
        case .beginning(let beginning): beginning.position
        case .removal, .restoration, .answer: nil
        }
    }
}
