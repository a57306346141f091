import Trial

extension ClinicalCollector {
    func error(
        _ kind: ImportProblemKind, at place: SourcePlace?, _ path: [ImportPathStep], _ reason: String, _ advice: String
    ) {
        problems.add(.error, kind, at: place, path, reason, advice)
    }

    /// The OID or key in an attribute that has to be there.
    func key(
        _ attributes: [String: String], _ name: String, at place: SourcePlace,
        _ path: @autoclosure () -> [ImportPathStep]
    ) -> String? {
        guard let text = attributes[name], !text.isEmpty else {
            error(
                .missingAttribute, at: place, path(), "the attribute \(name) is absent or empty", "add \(name)")
            return nil
        }
        guard text.utf8.count <= limits.maximumKeyBytes else {
            error(
                .tooLarge, at: place, path(), "\(name) is longer than \(limits.maximumKeyBytes) bytes",
                "use a shorter one")
            return nil
        }
        return text
    }

    /// Whether an element's transaction is one that is read.
    func isRead(
        _ attributes: [String: String], at place: SourcePlace, _ path: @autoclosure () -> [ImportPathStep]
    ) -> Bool {
        guard let type = attributes["TransactionType"], type != "Insert" else { return true }
        if type == "Upsert" || type == "Context" {
            problems.add(
                .warning, .transaction, at: place, path(), "TransactionType \(type) is read as Insert",
                "look whether the file holds changes to data that are loaded already")
            return true
        }
        error(
            .transaction, at: place, path(), "TransactionType \(shownOID(type)) is not read",
            "load a Snapshot, which holds the current values")
        return false
    }

    /// Whether a repeat key is there exactly where its definition repeats.
    func repeats(
        _ isRepeating: Bool, _ repeatKey: String?, _ name: String, at place: SourcePlace,
        _ path: @autoclosure () -> [ImportPathStep]
    ) -> Bool {
        if let repeatKey, repeatKey.utf8.count > limits.maximumKeyBytes {
            error(
                .tooLarge, at: place, path(), "\(name) is longer than \(limits.maximumKeyBytes) bytes",
                "use a shorter one")
            return false
        }
        if isRepeating == (repeatKey != nil) && repeatKey != "" { return true }
        error(
            .repeatKey, at: place, path(),
            isRepeating ? "it repeats and has no \(name)" : "it does not repeat and has a \(name)",
            isRepeating ? "add \(name)" : "remove \(name), or publish a definition that repeats")
        return false
    }

    func isFirst(_ isFirst: Bool, at place: SourcePlace, _ path: @autoclosure () -> [ImportPathStep]) -> Bool {
        if !isFirst {
            error(.duplicateKey, at: place, path(), "the same key stands here before", "remove one of them")
        }
        return isFirst
    }

    func unknown(
        _ element: String, _ oid: String, at place: SourcePlace, _ path: @autoclosure () -> [ImportPathStep]
    ) {
        error(
            .unknownOID, at: place, path(), "the study defines no \(element) \(shownOID(oid))",
            "correct the OID, or publish a definition that has it")
    }

    func misplaced(
        _ what: String, _ parent: String, at place: SourcePlace, _ path: @autoclosure () -> [ImportPathStep]
    ) {
        error(
            .misplacedOID, at: place, path(), "\(what) is not one of \(parent)",
            "move it, or publish a definition that has it there")
    }

    /// Whether a location is known; without administrative data every one is.
    func knowsLocation(
        _ location: LocationOID, at place: SourcePlace, _ path: @autoclosure () -> [ImportPathStep]
    ) -> Bool {
        if definition == nil || locations.isEmpty || locations.contains(location) { return true }
        unknown("Location", location.text, at: place, path())
        return false
    }

    /// Reads a record of who, where and when; nil, with errors, where it is not complete.
    func auditRecord(_ node: XMLElementNode, in parentPath: [ImportPathStep]) -> ODMAuditRecord? {
        let place = SourcePlace(node)
        func path() -> [ImportPathStep] { parentPath + [ImportPathStep("AuditRecord")] }
        func reference(_ element: String, _ attribute: String) -> String? {
            guard let child = node.child(element) else {
                error(.missingElement, at: place, path(), "the element \(element) is absent", "add \(element)")
                return nil
            }
            return key(child.attributes, attribute, at: SourcePlace(child), path())
        }
        let user = reference("UserRef", "UserOID")
        let location = reference("LocationRef", "LocationOID")
        let time = node.child("DateTimeStamp").map { trimmed($0.text) }
        if time == nil {
            error(.missingElement, at: place, path(), "the element DateTimeStamp is absent", "add DateTimeStamp")
        }
        guard let user, let location, let time else { return nil }
        if (try? ValueNormaliser.normalForm(of: time, as: .datetime)) == nil {
            error(
                .wrongType, at: place, path(), "the DateTimeStamp is not of type datetime",
                "write \(ItemDataType.datetime.explanation)")
            return nil
        }
        if definition != nil && !users.isEmpty && !users.contains(UserOID(user)) {
            unknown("User", user, at: place, path())
            return nil
        }
        guard knowsLocation(LocationOID(location), at: place, path()) else { return nil }
        return ODMAuditRecord(
            user: UserOID(user), location: LocationOID(location), dateTimeStamp: time,
            reasonForChange: node.child("ReasonForChange")?.text, sourceID: node.child("SourceID")?.text,
            editPoint: node.attributes["EditPoint"], usedImputationMethod: node.attributes["UsedImputationMethod"],
            id: node.attributes["ID"])
    }
}
