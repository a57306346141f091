import EventLog
import Trial

/// What is to be decided, by the words of Protocols/merge.md, M31 to M38.
extension RecordOracle {
    // MARK: Decisions on beginnings

    /// Decisions with effect, with the form that each is about.
    var decisions: [(id: EntryID, form: InstanceID, decision: InstanceDecision)] {
        entries.compactMap { entry in
            guard case .instancesDecided(let decision)? = entry.action?.operation else { return nil }
            let last = decision.instances.count - 1
            return (entry.id, naturalID(of: last, in: decision.instances, by: entry.id), decision)
        }
    }

    /// The decisions on a form that no other decision on it had seen.
    func standingDecisions(on form: InstanceID) -> [(id: EntryID, form: InstanceID, decision: InstanceDecision)] {
        let about = decisions.filter { $0.form == form }
        return about.filter { one in
            !about.contains { sawEverywhere($0.id, one.id) }
        }
    }

    /// Whether every sending of a decision names another one as seen.
    private func sawEverywhere(_ decision: EntryID, _ other: EntryID) -> Bool {
        sendings.filter { name($0.id) == decision }.allSatisfy { sending in
            guard case .instancesDecided(let said)? = sending.action?.operation else { return false }
            return said.seen.map(name).contains(other)
        }
    }

    /// What one decision says of a beginning.
    func verdict(
        in decision: (id: EntryID, form: InstanceID, decision: InstanceDecision), on beginning: Beginning
    ) -> InstanceVerdict? {
        decision.decision.verdicts.filter { name($0.beginning) == beginning }.map(\.verdict)
            .max { $0.rawValue < $1.rawValue }
    }

    /// What all standing decisions say of a beginning, where they agree; else it is the form itself.
    func verdict(on beginning: Beginning, of form: InstanceID) -> InstanceVerdict {
        let given = Set(standingDecisions(on: form).compactMap { verdict(in: $0, on: beginning) })
        return given.count == 1 ? given.first ?? .same : .same
    }

    /// The beginnings that a line of a form belongs to.
    func beginnings(of line: InstanceDeclaration, at place: Int, by entry: EntryID) -> [Beginning] {
        if line.beginsHere || line.identity == .own { return [Beginning(entry: entry, position: UInt64(place))] }
        return line.seenBeginnings.map(name)
    }

    /// Whether a form has the id of a beginning that is wrong.
    func isWrong(_ id: InstanceID) -> Bool {
        Set(decisions.map(\.form)).contains { form in
            let named = standingDecisions(on: form).flatMap { $0.decision.verdicts.map { name($0.beginning) } }
            return named.contains { .begun(by: $0) == id && verdict(on: $0, of: form) == .wrong }
        }
    }

    /// The form of a group where that is whole, else the instance where that is.
    func whole(around id: InstanceID, in snapshot: RecordSnapshot) -> InstanceID? {
        if let form = snapshot.instances[id]?.parent, snapshot.instances[id]?.kind == .itemGroup,
            snapshot.instances[form]?.isWhole == true
        {
            return form
        }
        return snapshot.instances[id]?.isWhole == true ? id : nil
    }

    // MARK: What is to be decided

    func enterConflicts(in snapshot: inout RecordSnapshot) {
        let forms = snapshot.instances.filter { $0.value.kind == .form }.keys
        for form in forms {
            let isUnseen = isMergedUnseen(form, in: snapshot)
            snapshot.instances[form]?.isMergedUnseen = isUnseen
        }
        let begunTwice = forms.filter { isBegunTwice($0) && counts($0, in: snapshot) }
        for form in begunTwice { snapshot.conflicts.insert(line(ofForm: form, in: snapshot)) }
        let wholes = snapshot.instances.keys.filter { id in
            whole(around: id, in: snapshot) == id && hasAlternatives(id, in: snapshot) && counts(id, in: snapshot)
                && !begunTwice.contains(id) && !(snapshot.instances[id]?.parent.map(begunTwice.contains) ?? false)
        }
        for whole in wholes { snapshot.conflicts.insert(line(ofWhole: whole, in: snapshot)) }
        var answered: Set<InstanceID> = []
        for (forms, versions) in answersWithAlternatives {
            let counting = forms.filter { counts($0, in: snapshot) }
            guard let lowest = counting.min() else { continue }
            answered.formUnion(counting)
            snapshot.conflicts.insert(
                ConflictLine.text(
                    .answer, lowest, nil, sides: versions.map { "answer \($0)" }, decisions: [],
                    isWaiting: awaits(versions)))
        }
        for (id, instance) in snapshot.instances where counts(id, in: snapshot) {
            let larger = [id] + [instance.parent].compactMap { $0 }
            let isLarger = { begunTwice.contains($0) || wholes.contains($0) || answered.contains($0) }
            if larger.contains(where: isLarger) { continue }
            for (oid, item) in instance.items where item.isConflict {
                snapshot.conflicts.insert(
                    ConflictLine.text(
                        .item, id, oid, sides: item.values.keys.map { "value \($0.entry)/\($0.position)" },
                        decisions: [], isWaiting: !item.awaited.isEmpty))
            }
        }
        enterDisputes(in: &snapshot)
    }

    private func counts(_ id: InstanceID, in snapshot: RecordSnapshot) -> Bool {
        snapshot.instances[id].map { !$0.isRemoved && !$0.isWrong } ?? false
    }

    /// The values held in a form, or in a group.
    private func held(in id: InstanceID, of snapshot: RecordSnapshot) -> [ValueID] {
        snapshot.instances.filter { $0.key == id || $0.value.parent == id && $0.value.kind == .itemGroup }
            .flatMap { $0.value.items.values.flatMap(\.values.keys) }
    }

    /// Two beginnings that stand in the form and had not seen each other, and nobody decided about both; or a beginning
    /// there about which decisions differ.
    private func isBegunTwice(_ form: InstanceID) -> Bool {
        // Not that which a decision set apart: it has the id of its beginning, whatever the lines call it that stand in it.
        let isThatOfABeginning =
            lines.contains { .begun(by: Beginning(entry: $0.entry, position: UInt64($0.place))) == form }
            || decisions.flatMap(\.decision.verdicts).contains { .begun(by: name($0.beginning)) == form }
        let isNamedByWhatItIs =
            !isThatOfABeginning
            && (decisions.contains { $0.form == form }
                || lines.contains { $0.id == form && $0.line.identity == .natural })
        let here = lines.filter { $0.id == form && isNamedByWhatItIs && $0.line.beginsHere }
        let standing = standingDecisions(on: form)
        let begun = here.map {
            (Beginning(entry: $0.entry, position: UInt64($0.place)), $0.line.seenBeginnings.map(name))
        }
        for (one, oneSaw) in begun {
            if Set(standing.compactMap { verdict(in: $0, on: one) }).count > 1 { return true }
            for (other, otherSaw) in begun where other != one && !oneSaw.contains(other) && !otherSaw.contains(one) {
                let isJudged = standing.contains {
                    verdict(in: $0, on: one) != nil && verdict(in: $0, on: other) != nil
                }
                if !isJudged { return true }
            }
        }
        return false
    }

    private func line(ofForm form: InstanceID, in snapshot: RecordSnapshot) -> String {
        let about = lines.filter { $0.id == form }
        let begun = about.filter { $0.line.beginsHere }
        let values = held(in: form, of: snapshot)
        let sides = begun.map { beginning in
            let name = Beginning(entry: beginning.entry, position: UInt64(beginning.place))
            let mine = values.filter { value in
                about.contains { line in
                    line.entry == value.entry
                        && beginnings(of: line.line, at: line.place, by: line.entry).contains(name)
                }
            }
            return "beginning \(name.entry)/\(name.position) \(mine.map { "\($0.entry)/\($0.position)" }.sorted())"
        }
        let standing = standingDecisions(on: form)
        // Those that say something of a beginning on which not all say the same.
        let judged = Set(standing.flatMap { $0.decision.verdicts.map { name($0.beginning) } })
        let disputed = judged.filter { beginning in
            Set(standing.compactMap { verdict(in: $0, on: beginning) }).count > 1
        }
        let differing = standing.filter { one in disputed.contains { verdict(in: one, on: $0) != nil } }
        let saw = begun.flatMap { $0.line.seenBeginnings.map(self.name) }
        let isWaiting =
            saw.contains { !snapshot.applied.contains($0.entry) }
            || snapshot.instances.contains { id, instance in
                (id == form || instance.parent == form) && instance.items.values.contains { !$0.awaited.isEmpty }
            }
        return ConflictLine.text(
            .instance, form, nil, sides: sides, decisions: differing.map(\.id), isWaiting: isWaiting)
    }

    /// What each version that stands in a whole wrote.
    private func versions(of whole: InstanceID, in snapshot: RecordSnapshot) -> [EntryID: [Written]] {
        let inside = written.filter { self.whole(around: $0.instance, in: snapshot) == whole }
        let standing = snapshot.instances[whole]?.versions ?? []
        return Dictionary(uniqueKeysWithValues: standing.map { ($0, content(of: $0, in: whole, inside)) })
    }

    private func hasAlternatives(_ whole: InstanceID, in snapshot: RecordSnapshot) -> Bool {
        let versions = versions(of: whole, in: snapshot)
        guard versions.count > 1 else { return false }
        func place(_ written: Written) -> String { "\(written.instance) \(written.item)" }
        for written in versions.values.flatMap({ $0 }) {
            for version in versions.values {
                let same = version.filter { place($0) == place(written) }
                if same.isEmpty || same.contains(where: { saying($0.says) != saying(written.says) }) { return true }
            }
        }
        return false
    }

    private func line(ofWhole whole: InstanceID, in snapshot: RecordSnapshot) -> String {
        let sides = versions(of: whole, in: snapshot).map { entry, written in
            "version \(entry) \(written.map { "\($0.value.entry)/\($0.value.position)" }.sorted())"
        }
        let all = written.filter { self.whole(around: $0.instance, in: snapshot) == whole }
        let isWaiting = all.contains { $0.seen.contains { !snapshot.applied.contains($0.entry) } }
        return ConflictLine.text(.whole, whole, nil, sides: sides, decisions: [], isWaiting: isWaiting)
    }

    private func isMergedUnseen(_ form: InstanceID, in snapshot: RecordSnapshot) -> Bool {
        let values = held(in: form, of: snapshot)
        if Set(values.map(\.entry)).count < 2 { return false }
        let sights =
            saves.filter { !isQuarantined($0.id) }.map { ($0.id, $0.save.instances, $0.save.seen) }
            + confirmations.map { ($0.id, $0.confirmation.instances, $0.confirmation.seen) }
        return !sights.contains { entry, table, seen in
            let isAbout = table.indices.contains { id(of: $0, in: table, by: entry) == form }
            return isAbout && values.allSatisfy { $0.entry == entry || seen.map(name).contains($0) }
        }
    }

    // MARK: Removals

    private func target(_ removal: (id: EntryID, removal: Removal)) -> InstanceID? {
        let table = removal.removal.instances
        return table.isEmpty ? nil : id(of: table.count - 1, in: table, by: removal.id)
    }

    private func enterDisputes(in snapshot: inout RecordSnapshot) {
        let takenBack = Set(restorations.flatMap { $0.removal.seen.map(name) })
        let standing = removals.filter { !takenBack.contains($0.id) }
        for target in Set(standing.map(target)) {
            let mine = standing.filter { self.target($0) == target }
            let restored = restorations.filter { restoration in
                self.target(restoration) == target
                    && !mine.contains { $0.removal.seen.map(name).contains(restoration.id) }
            }
            var unseen: [ValueID] = []
            for (id, instance) in snapshot.instances {
                let path = way(up: id, in: snapshot)
                guard path.contains(target) else { continue }
                let aware = standing.filter { path.contains(self.target($0)) }
                for value in instance.items.values.flatMap(\.values.keys) {
                    if !aware.contains(where: { $0.removal.seenValues.map(name).contains(value) }) {
                        unseen.append(value)
                    }
                }
            }
            if restored.isEmpty && unseen.isEmpty { continue }
            let named = mine.flatMap { $0.removal.seenValues.map { name($0.entry) } + $0.removal.seen.map(name) }
            snapshot.conflicts.insert(
                ConflictLine.text(
                    .removal, target, nil,
                    sides: mine.map { "removal \($0.id)" } + restored.map { "restoration \($0.id)" }
                        + unseen.map { "value \($0.entry)/\($0.position)" }, decisions: [],
                    isWaiting: named.contains { !snapshot.applied.contains($0) }))
        }
    }

    /// The participant (nil), the instance, and all that it stands in.
    private func way(up id: InstanceID, in snapshot: RecordSnapshot) -> [InstanceID?] {
        var path: [InstanceID?] = [nil]
        var step: InstanceID? = id
        while let current = step, path.count < 4 {
            path.append(current)
            step = snapshot.instances[current]?.parent
        }
        return path
    }
}
