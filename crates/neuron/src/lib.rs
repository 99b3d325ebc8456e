//! What every neuron shares: mechanism and worker seams, rounds, persistence, weights, configuration, telemetry.
