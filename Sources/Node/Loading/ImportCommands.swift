import EventLog
import Interchange
import Trial

/// Turns a participant's data of an ODM file into commands, the same that a person's saves become.
///
/// Every command's id is the hash of study, file and place in the file, so that the import may be interrupted anywhere
/// and run again: what was recorded is known, and the rest follows.
struct ImportCommands {
    let study: StudyID
    let file: Hash
    let definition: StudyDefinition
    let plan: TrialPlan
    let sender: Sender

    /// The id of what stands at `place` of the file.
    private func id(_ place: String) -> CommandID {
        var writer = WireWriter()
        writer.string(1, "varde/import/0")
        writer.data(2, study.bytes)
        writer.hash(3, file)
        writer.string(4, place)
        return CommandID(derivedFrom: .sha256(writer.bytes))
    }

    private func provenance(_ audit: ODMAuditRecord?, position: Int, site: LocationOID?) -> Provenance {
        var provenance = Provenance(source: .imported)
        provenance.origin = ImportOrigin(
            fileSHA256: file.hex, position: UInt64(position), user: audit?.user.text,
            location: (audit?.location ?? site)?.text, time: audit?.dateTimeStamp)
        provenance.occurred = audit.map { String($0.dateTimeStamp.prefix(10)) }
        return provenance
    }

    private func command(_ place: String, _ provenance: Provenance, _ request: Request) -> Command {
        Command(id: id(place), sender: sender, study: study, provenance: provenance, request: request)
    }

    /// The commands for one participant, in the order in which they must be recorded.
    func commands(for subject: ODMSubjectData, at location: LocationID) -> [Command] {
        let registration = command(
            "participant \(subject.subjectKey)",
            provenance(subject.auditRecord, position: 0, site: subject.site),
            .register(location: location, labels: [ParticipantLabel(kind: .subject, text: subject.subjectKey)]))
        var commands = [registration]
        var reached: Set<ParticipantStatus> = []
        for event in subject.events {
            var begun: CommandID?
            for form in event.forms {
                let selector = eventSelector(event, begun: begun)
                let save = self.save(
                    form, selector, location: location, participant: registration.id, subject: subject, event: event)
                if begun == nil { begun = save.id }
                commands.append(save)
                for implied in plan.impliedStatuses(of: form, event: event.event) {
                    let status = implied.status
                    guard reached.insert(status).inserted else { continue }
                    commands.append(
                        command(
                            "status \(form.position) \(status.rawValue)", save.provenance,
                            .status(
                                location: location, participant: .registeredBy(registration.id), status: status,
                                eventDate: implied.date ?? "", replaces: [])))
                }
            }
        }
        return commands
    }

    /// The visit: a repeating or unscheduled one is begun by its first form.
    private func eventSelector(_ event: ODMStudyEventData, begun: CommandID?) -> InstanceSelector {
        let known = definition.events[event.event]
        guard let known, known.isRepeating || known.type == .unscheduled else {
            return InstanceSelector(oid: event.event.text)
        }
        return InstanceSelector(
            oid: event.event.text, choice: begun.map { .begunBy($0) } ?? .new(repeatKey: event.repeatKey))
    }

    private func save(
        _ form: ODMFormData, _ eventSelector: InstanceSelector, location: LocationID, participant: CommandID,
        subject: ODMSubjectData, event: ODMStudyEventData
    ) -> Command {
        let repeats = definition.forms[form.form]?.isRepeating ?? false
        let groups = form.groups.map { group in
            let rows = definition.itemGroups[group.group]?.isRepeating ?? false
            return EnteredGroup(
                group: InstanceSelector(
                    oid: group.group.text, choice: rows ? .new(repeatKey: group.repeatKey) : .once),
                items: group.items.map { item in
                    EnteredItem(
                        item: item.item,
                        value: item.value.map { .datum($0, unit: item.measurementUnit?.text) }
                            ?? .missing(reason: ImportCommands.noValueStated))
                })
        }
        let entry = FormEntry(
            location: location, participant: .registeredBy(participant), event: eventSelector,
            form: InstanceSelector(
                oid: form.form.text, choice: repeats ? .new(repeatKey: form.repeatKey) : .once),
            groups: groups)
        let audit = form.auditRecord ?? event.auditRecord ?? subject.auditRecord
        return command("\(form.position)", provenance(audit, position: form.position, site: subject.site), .save(entry))
    }

    /// The reason of a value that the file says to be absent (`IsNull="Yes"`) without saying why.
    static let noValueStated = "unknown"
}
