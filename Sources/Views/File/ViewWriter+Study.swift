import EventLog
import StoreCore
import Trial

extension ViewWriter {
    /// Makes the tables of a new generation, empty.
    static func createTables(_ connection: Connection, layout: DatamartLayout?) throws {
        try connection.execute("PRAGMA application_id = \(ViewSchema.applicationID)")
        try connection.execute("PRAGMA user_version = \(ViewSchema.version)")
        try connection.execute(ViewSchema.tables)
        if let layout { try connection.execute(ViewSchema.datamart(layout).tables) }
    }

    /// Makes indexes and views over the rows that are there.
    func createIndexesAndViews() throws {
        try connection.execute(ViewSchema.indexes)
        try connection.execute(ViewSchema.views)
        guard let layout else { return }
        try connection.execute(ViewSchema.datamart(layout).views)
    }

    /// States whose view it is and where it stands, in the transaction of the rows.
    func setGeneration(_ context: StudyViewContext, node: NodeID, at position: ViewPosition, isComplete: Bool) throws {
        let statement = try connection.cached(
            "INSERT OR REPLACE INTO generation VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)")
        let founding = context.authority.founding?.payload
        statement.bind(1, ViewSchema.version)
        statement.bind(2, context.study.description)
        statement.bind(3, founding?.oid.text ?? "")
        statement.bind(4, founding?.name ?? "")
        statement.bind(5, node.text)
        statement.bind(6, position.incarnation.bytes)
        statement.bind(7, position.arrival)
        statement.bind(8, position.leaf)
        statement.bind(9, context.shape)
        statement.bind(10, Int64(context.authority.directory.heldVersions))
        statement.bind(11, digest.sum)
        statement.bind(12, isComplete ? Int64(1) : 0)
        try statement.run()
    }

    /// Writes study sites and locations as the newest participation and charter have them.
    func setArrangement(_ context: StudyViewContext) throws {
        try connection.execute("DELETE FROM study_site; DELETE FROM location;")
        let participation = context.authority.participation
        for site in participation?.sites ?? [] {
            let statement = try connection.cached("INSERT OR REPLACE INTO study_site VALUES (?1, ?2, ?3, ?4)")
            statement.bind(1, site.id.text)
            statement.bind(2, site.name)
            statement.bind(3, site.isRegional ? Int64(1) : 0)
            let target = context.plan?.studySites.first { $0.id == site.id }?.target
            statement.bind(4, target.map(Int64.init))
            try statement.run()
        }
        let hosts = context.authority.directory.newest?.hosts ?? [:]
        for location in Set((participation?.members ?? []).map(\.location)).sorted() {
            let statement = try connection.cached("INSERT INTO location VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
            statement.bind(1, location.text)
            statement.bind(2, context.locations[location]?.name ?? location.text)
            statement.bind(3, context.locations[location]?.region)
            statement.bind(4, hosts[location]?.text)
            statement.bind(5, participation?.site(of: location)?.id.text)
            statement.bind(6, context.authority.isOpen(location) ? Int64(1) : 0)
            try statement.run()
        }
        try settle(.studySite, .location)
    }

    /// Writes what came from each node into a location's stream.
    func setActivity(_ activity: [NodeID: NodeActivity], in location: LocationID) throws {
        for (node, found) in activity.sorted(by: { $0.key < $1.key }) {
            let statement = try connection.cached("INSERT OR REPLACE INTO writer VALUES (?1, ?2, ?3, ?4)")
            statement.bind(1, location.text)
            statement.bind(2, node.text)
            statement.bind(3, Int64(found.entries))
            statement.bind(4, found.newestUTCMilliseconds)
            try statement.run()
        }
        try settle(.writer)
    }

    /// Writes items and codes as the definitions have them.
    func setDefinitions(_ context: StudyViewContext) throws {
        guard let definition = context.definition, let layout else { return }
        for form in definition.forms {
            for reference in form.itemGroups {
                guard let group = definition.itemGroups[reference.oid] else { continue }
                let places = layout.forms[form.oid.text]?.groups[group.oid.text]
                for item in group.items.compactMap({ definition.items[$0.oid] }) {
                    try insert(item, group, form, places?.items[item.oid], layout)
                }
            }
        }
        for list in definition.codeLists {
            for code in list.entries {
                let statement = try connection.cached("INSERT OR IGNORE INTO code VALUES (?1, ?2, ?3, ?4, ?5)")
                statement.bind(1, list.oid.text)
                statement.bind(2, code.codedValue)
                statement.bind(3, code.label(preferring: ["nb", "no", "en"]))
                statement.bind(4, code.rank)
                statement.bind(5, code.orderNumber.map(Int64.init))
                try statement.run()
            }
        }
        try settle(.item, .code)
    }

    private func insert(
        _ item: ItemDefinition, _ group: ItemGroupDefinition, _ form: FormDefinition, _ place: DatamartLayout.Place?,
        _ layout: DatamartLayout
    ) throws {
        let statement = try connection.cached(
            "INSERT OR IGNORE INTO item VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")
        statement.bind(1, form.oid.text)
        statement.bind(2, group.oid.text)
        statement.bind(3, item.oid.text)
        statement.bind(4, item.name)
        statement.bind(5, item.label(preferring: ["nb", "no", "en"]))
        statement.bind(6, item.dataType.rawValue)
        statement.bind(7, item.codeList?.text)
        statement.bind(8, place.map { layout.tables[$0.table].name })
        statement.bind(9, place.map { layout.tables[$0.table].columns[$0.column].name })
        try statement.run()
    }
}
