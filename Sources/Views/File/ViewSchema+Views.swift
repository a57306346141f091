/// The SQL views of one generation (`Protocols/views.md`).
extension ViewSchema {
    /// Views over the tables, which hold nothing of their own.
    static let views = [capture, conflict, value, people, questionnaires, monitoring, regional].joined(separator: "\n")

    private static let capture = """
        CREATE VIEW capture AS
        SELECT form, location.study_site, participant.location, participant.participant_id, participant.label,
            event_oid, event_repeat_key, event_id, form_oid, form_repeat_key, form_id, state,
            form_instance.item_values, form_instance.conflicts, form_instance.awaited,
            datetime(first_entry_utc_ms / 1000, 'unixepoch') AS first_entry,
            datetime(form_instance.last_entry_utc_ms / 1000, 'unixepoch') AS last_entry,
            entered_at_node, performed_at, entries, cells, lower(hex(form_instance.digest)) AS digest
        FROM form_instance JOIN participant USING (participant) LEFT JOIN location USING (location);
        """

    private static let conflict = """
        CREATE VIEW conflict AS
        SELECT conflict, location.study_site, participant.location, participant_id, label, kind, event_oid, form_oid,
            open_conflict.form_id, instance_id, item_oid, is_waiting, decisions, open_conflict.entries, sides
        FROM open_conflict JOIN participant USING (participant) LEFT JOIN location USING (location)
            LEFT JOIN form_instance
                ON form_instance.form BETWEEN participant.participant << \(ViewWriter.formBits)
                    AND ((participant.participant + 1) << \(ViewWriter.formBits)) - 1
                    AND form_instance.form_id = open_conflict.form_id;

        CREATE VIEW conflict_side AS
        SELECT conflict, study_site, location, participant_id, label, kind, form_oid, instance_id,
            s.key AS side, json_extract(s.value, '$[0]') AS side_kind,
            json_extract(conflict.entries, '$[' || json_extract(s.value, '$[1]') || '][0]') AS entry_id,
            json_extract(s.value, '$[2]') AS position,
            json_extract(conflict.entries, '$[' || json_extract(s.value, '$[1]') || '][2]') AS node,
            json_extract(conflict.entries, '$[' || json_extract(s.value, '$[1]') || '][3]') AS actor,
            json_extract(v.value, '$[0]') AS group_id, json_extract(v.value, '$[1]') AS item_oid,
            json_extract(v.value, '$[2][3]') AS normalised
        FROM conflict JOIN json_each(conflict.sides) AS s LEFT JOIN json_each(s.value, '$[3]') AS v;
        """

    private static let value = """
        CREATE VIEW value AS
        SELECT study_site, location, participant_id, label, event_oid, event_repeat_key, form_oid, form_repeat_key,
            form_id, group_oid, group_repeat_key, group_id, item_oid,
            CASE WHEN state = 'wrong' THEN 'wrong' WHEN state = 'removed' OR is_removed THEN 'removed'
                WHEN mark = 1 THEN 'conflict' WHEN mark = 2 THEN 'conflict, awaited' WHEN mark = 3 THEN 'set aside'
                WHEN kind = 0 THEN 'dropped' WHEN kind = 12 THEN 'missing' WHEN kind = 13 THEN 'cleared'
                ELSE 'value' END AS status,
            side, normalised, typed, unit, reason,
            (SELECT code.decode FROM item JOIN code USING (code_list)
                WHERE item.form_oid = cell.form_oid AND item.group_oid = cell.group_oid
                    AND item.item_oid = cell.item_oid AND code.code = cell.normalised) AS decode,
            json_extract(entry, '$[0]') AS entry_id, position,
            datetime(json_extract(entry, '$[1]') / 1000, 'unixepoch') AS entered,
            json_extract(entry, '$[2]') AS node, json_extract(entry, '$[3]') AS actor,
            json_extract(entry, '$[4]') AS role,
            CASE WHEN kind = 0 THEN json_extract(entry, '$[6]') END AS dropped_by
        FROM (
            SELECT location.study_site, participant.location, participant_id, label, event_oid, event_repeat_key,
                form_oid, form_repeat_key, form_id, state,
                json_extract(g.value, '$[0]') AS group_oid, json_extract(g.value, '$[1]') AS group_repeat_key,
                json_extract(g.value, '$[2]') AS group_id, json_extract(g.value, '$[3]') AS is_removed,
                json_extract(i.value, '$[0]') AS item_oid, json_extract(i.value, '$[1]') AS mark,
                v.key - 1 AS side, json_extract(v.value, '$[1]') AS position,
                json_extract(v.value, '$[2]') AS kind, json_extract(v.value, '$[3]') AS normalised,
                coalesce(json_extract(v.value, '$[4]'), json_extract(v.value, '$[3]')) AS typed,
                json_extract(v.value, '$[5]') AS unit, json_extract(v.value, '$[6]') AS reason,
                json_extract(form_instance.entries, '$[' || json_extract(v.value, '$[0]') || ']') AS entry
            FROM form_instance JOIN participant USING (participant) LEFT JOIN location USING (location)
                JOIN json_each(form_instance.cells) AS g JOIN json_each(g.value, '$[4]') AS i
                JOIN json_each(i.value) AS v ON v.key >= 2
        ) AS cell;
        """

    private static let people = """
        CREATE VIEW label_history AS
        SELECT location.study_site, participant.location, participant_id, kind, text, entry_id, position, is_corrected
        FROM participant_label JOIN participant USING (participant) LEFT JOIN location USING (location);

        CREATE VIEW people_link AS
        SELECT link.entry_id, participant.location, participant.participant_id, participant.label,
            link.other_location, coalesce(other.participant_id, link.other_id) AS other_id, other.label AS other_label
        FROM participant_link AS link JOIN participant USING (participant)
            LEFT JOIN participant AS other ON other.location = link.other_location AND other.participant = coalesce(
                (SELECT participant FROM participant AS named WHERE named.participant_id = link.other_id),
                (SELECT min(participant) FROM participant_alias WHERE participant_alias.entry_id = link.other_id))
        WHERE NOT link.is_undone;

        CREATE VIEW label_finding AS
        WITH RECURSIVE
            linked (one, other) AS (
                SELECT location || '/' || participant_id, other_location || '/' || other_id FROM people_link
                UNION SELECT other_location || '/' || other_id, location || '/' || participant_id FROM people_link),
            reached (one, other) AS (
                SELECT one, one FROM linked
                UNION SELECT reached.one, linked.other FROM reached JOIN linked ON linked.one = reached.other),
            person (one, person) AS (SELECT one, min(other) FROM reached GROUP BY one),
            shared (kind, text) AS (
                SELECT kind, text FROM participant_label WHERE NOT is_corrected
                GROUP BY kind, text HAVING count(DISTINCT participant) > 1),
            held (kind, text, participant, location, participant_id, person) AS (
                SELECT DISTINCT kind, text, participant, location, participant_id,
                    coalesce(person, location || '/' || participant_id)
                FROM shared JOIN participant_label USING (kind, text) JOIN participant USING (participant)
                    LEFT JOIN person ON person.one = location || '/' || participant_id
                WHERE NOT is_corrected AND NOT is_removed)
        SELECT kind, text, location, participant_id FROM held
            JOIN (SELECT kind, text FROM held GROUP BY kind, text HAVING count(DISTINCT person) > 1)
                USING (kind, text);
        """

    private static let questionnaires = """
        CREATE VIEW questionnaire AS
        SELECT location.study_site, participant.location, participant_id, label, questionnaire, form_oid, respondent,
            event_oid, occurrence, due, window_start, window_end,
            CASE WHEN outcome = 'done' THEN 'done' WHEN outcome <> 'open' THEN 'not applicable: ' || outcome
                WHEN window_start IS NULL OR window_start > date('now') THEN 'not yet due'
                WHEN window_end < date('now') THEN 'overdue' ELSE 'due' END AS state,
            json_array_length(answers) AS answers, is_answered_in_window
        FROM planned_questionnaire JOIN participant USING (participant) LEFT JOIN location USING (location);
        """

    private static let monitoring = """
        CREATE VIEW monitoring AS
        SELECT location.study_site, location.location, location.name AS location_name, location.region,
            EXISTS (SELECT 1 FROM writer WHERE writer.location = location.location) AS is_here,
            count(participant.screened) AS screened, count(participant.included) AS included,
            count(participant.screen_failure) AS screen_failures,
            count(participant.participant) AS participants,
            (SELECT count(*) FROM erased_participant WHERE erased_participant.location = location.location) AS erased,
            coalesce(sum(participant.forms), 0) AS forms, coalesce(sum(participant.item_values), 0) AS item_values,
            coalesce(sum(participant.conflicts), 0) AS conflicts,
            (SELECT count(*) FROM finding WHERE finding.location = location.location) AS findings,
            (SELECT count(*) FROM planned_visit JOIN participant AS planned USING (participant)
                WHERE planned.location = location.location AND outcome = 'open' AND window_end < date('now'))
                AS visits_overdue,
            (SELECT datetime(max(newest_entry_utc_ms) / 1000, 'unixepoch') FROM writer
                WHERE writer.location = location.location) AS last_entry,
            (SELECT (unixepoch('now') - max(newest_entry_utc_ms) / 1000) / 86400 FROM writer
                WHERE writer.location = location.location) AS days_since_last_entry
        FROM location LEFT JOIN participant ON participant.location = location.location AND NOT is_removed
        GROUP BY location.location ORDER BY location.study_site, location.location;
        """

    private static let regional = """
        CREATE VIEW regional AS
        SELECT study_site.study_site, study_site.name, study_site.is_regional, study_site.target,
            count(location) AS locations, coalesce(sum(is_here), 0) AS locations_here,
            coalesce(sum(screened), 0) AS screened, coalesce(sum(included), 0) AS included,
            coalesce(sum(screen_failures), 0) AS screen_failures,
            CASE WHEN target > 0 THEN round(100.0 * coalesce(sum(included), 0) / target, 1) END AS percent_of_target
        FROM study_site LEFT JOIN monitoring USING (study_site)
        GROUP BY study_site.study_site ORDER BY study_site.study_site;

        CREATE VIEW performed AS
        SELECT form_instance.form, form_instance.participant, location.study_site,
            participant.location AS included_at,
            CASE WHEN performed_at IS NOT NULL THEN performed_at
                WHEN entered_at_node IS NULL OR entered_at_node = location.node THEN participant.location
                ELSE coalesce(
                    (SELECT min(other.location) FROM location AS other
                        WHERE other.node = entered_at_node AND other.study_site = location.study_site),
                    entered_at_node) END AS performed_at,
            first_entry_utc_ms
        FROM form_instance JOIN participant USING (participant) LEFT JOIN location USING (location)
        WHERE NOT participant.is_removed AND state IN ('entered', 'conflict', 'merged-unseen');

        CREATE VIEW regional_performed AS
        SELECT study_site, included_at, performed_at, count(*) AS forms, count(DISTINCT participant) AS participants
        FROM performed GROUP BY study_site, included_at, performed_at;

        CREATE VIEW regional_member AS
        SELECT location.study_site, location.node,
            max(writer.newest_entry_utc_ms) AS newest_entry_utc_ms,
            datetime(max(writer.newest_entry_utc_ms) / 1000, 'unixepoch') AS newest_entry,
            coalesce(sum(writer.entries), 0) AS entries
        FROM (SELECT DISTINCT study_site, node FROM location WHERE study_site IS NOT NULL AND node IS NOT NULL)
            AS location
        LEFT JOIN location AS streams ON streams.study_site = location.study_site
        LEFT JOIN writer ON writer.location = streams.location AND writer.node = location.node
        GROUP BY location.study_site, location.node;
        """
}
