/// Runs the scenario of one seed.
public enum SimulationRun {
    /// Runs the seed's scenario, however it ends.
    public static func run(seed: UInt64) -> SeedResult {
        Simulation(Scenario.draw(seed: seed)).run()
    }
}
