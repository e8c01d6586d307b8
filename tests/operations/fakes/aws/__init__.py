"""AWS on a loopback port, for operations: it refuses what AWS's own descriptions refuse, asked or answered."""
