import Interchange
import Trial

/// The trial that ships with Varde.
public enum ShippedStudy {
    /// The sciatica trial, naproxen against placebo, with seeded invented participants: the same every time.
    public static func sciatica(participants: Int) throws -> StudySource {
        var source = try StudySource.make(
            document: PackageResources.sciatica_study_xml, documentName: "sciatica/study.xml",
            plan: PackageResources.sciatica_plan_yaml, planName: "sciatica/plan.yaml",
            division: PackageResources.sciatica_sites_csv, divisionName: "sciatica/sites.csv", dataFiles: [])
        source.invented = SyntheticParticipants.make(
            definition: source.definition, plan: source.plan, division: source.division, count: participants, seed: 1)
        return source
    }
}
