import EventLog
// For canonical composition only.
import Foundation

extension ParticipantState {
    /// SHA-256 over a canonical spelling of the whole record: equal exactly where the records are (`Protocols/merge.md`, "Digests").
    var digest: Hash {
        var writer = WireWriter(capacity: 4096)
        writer.string(1, "varde/participant/0")
        writer.identifier(2, id)
        for alias in aliases.sorted() { writer.identifier(3, alias) }
        writer.string(4, location.text)
        writer.name(5, subject)
        for (entry, record) in statuses.sorted(by: { $0.key < $1.key }) {
            writer.identifier(8, entry)
            writer.unsigned(9, record.status.number)
            writer.string(10, record.eventDate)
            writer.boolean(11, correctedStatuses.contains(entry))
        }
        let groups = groupsOfForms
        for (instance, state) in instances.sorted(by: { $0.key < $1.key }) {
            writer.identifier(12, instance)
            writer.message(13) { inner in
                state.write(into: &inner)
                if state.shape.kind == .form {
                    inner.boolean(10, isMergedUnseen(instance, groups[instance] ?? []))
                }
            }
        }
        for (entry, target) in removals.sorted(by: { $0.key < $1.key }) {
            writer.identifier(14, entry)
            writer.identifier(15, target)
            writer.boolean(16, restoredRemovals.contains(entry))
        }
        for (entry, rule) in void.sorted(by: { $0.key < $1.key }) {
            writer.identifier(17, entry)
            writer.unsigned(18, rule.rawValue)
        }
        for entry in waiting.keys.sorted() { writer.identifier(19, entry) }
        for (entry, rule) in findings.sorted(by: { $0.key < $1.key }) {
            writer.identifier(21, entry)
            writer.unsigned(22, rule.rawValue)
        }
        writeDecisions(into: &writer)
        writeResponses(into: &writer)
        for entry in quarantined.sorted() { writer.identifier(46, entry) }
        writeLabelsAndLinks(into: &writer)
        for (entry, redaction) in redactions.sorted(by: { $0.key < $1.key }) {
            writer.identifier(49, entry)
            writer.unsigned(50, redaction.parts.rawValue)
            for order in redaction.orders { writer.identifier(51, order) }
        }
        writeAwaited(into: &writer)
        return .sha256(writer.bytes)
    }

    /// What people decided, and what is to be decided.
    private func writeDecisions(into writer: inout WireWriter) {
        for (entry, decision) in decisions.sorted(by: { $0.key < $1.key }) {
            writer.identifier(31, entry)
            writer.identifier(32, decision.form)
            for (beginning, verdict) in decision.verdicts.sorted(by: { $0.key < $1.key }) {
                writer.message(33) { inner in
                    beginning.write(into: &inner)
                    inner.unsigned(3, verdict.rawValue)
                }
            }
            writer.boolean(34, rulings[decision.form]?.standing[entry] == nil)
        }
        for (entry, target) in restorations.sorted(by: { $0.key < $1.key }) {
            writer.identifier(35, entry)
            writer.identifier(36, target)
        }
        for conflict in openConflicts.list {
            writer.unsigned(37, conflict.kind.rawValue)
            writer.identifier(38, conflict.instance)
            if let item = conflict.item { writer.string(39, composed(item.text)) }
            writer.boolean(40, conflict.isWaiting)
        }
    }
}

extension InstanceState {
    fileprivate func write(into writer: inout WireWriter) {
        writer.unsigned(1, shape.kind.rawValue)
        writer.string(2, composed(shape.oid))
        writer.identifier(3, shape.parent)
        writer.boolean(4, isWhole)
        for (beginning, start) in beginnings.sorted(by: { $0.key < $1.key }) {
            writer.message(5) { inner in
                beginning.write(into: &inner)
                if let key = start.repeatKey { inner.string(3, always: key) }
                for seen in start.seen.sorted() { inner.message(4) { seen.write(into: &$0) } }
            }
        }
        for (item, register) in registers.sorted(by: { $0.key < $1.key }) {
            writer.string(6, composed(item.text))
            for held in register.held {
                writer.message(7) { inner in
                    inner.identifier(1, held.id.entry)
                    inner.unsigned(2, held.id.position)
                    if let value = held.value { inner.message(3) { value.write(into: &$0, textPart: nil) } }
                }
            }
            for value in register.setAside {
                writer.message(20) { inner in
                    inner.identifier(1, value.id.entry)
                    inner.unsigned(2, value.id.position)
                    if let value = value.value { inner.message(3) { value.write(into: &$0, textPart: nil) } }
                }
            }
            writer.boolean(21, register.isAlternative)
        }
        for version in versionsHeld { writer.identifier(9, version) }
    }
}

/// Two spellings of one text under Unicode are one key here, and which of them is kept depends on which came first; so the
/// digest is over the composed one.
package func composed(_ text: String) -> String {
    text.utf8.allSatisfy { $0 < 0x80 } ? text : text.precomposedStringWithCanonicalMapping
}
